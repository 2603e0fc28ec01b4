"""What figures from a finite set of people can say: intervals and paired tests with people as the unit.

A person's pictures rise and fall together, so images are not independent draws. Intervals resample or leave out whole
people; the test of record flips whole people. What does assume independent images says so in its name for readers.
All intervals hold the fitted models fixed: they say how the figure varies with the people tested, not with those
trained on. Where data name no people, `Unit` says what stands in for them.
"""

from .bayes import MARGIN, Posterior, probability_better
from .corrected_t import FoldTest, corrected_t_test
from .drops import detectable_drop, drop_p_value, new_seed_drop
from .fold_luck import ENOUGH_FOLDS, FoldSpread, fold_difference, fold_spread, people_nested
from .intervals import (
    BOOTSTRAP_MOST,
    BOOTSTRAP_PEOPLE,
    Interval,
    accuracy_interval,
    bootstrap_interval,
    mean_interval,
    people_interval,
    t_interval,
    wilson_interval,
)
from .max_t import Family, all_pairs, max_t, max_t_apiece, step_down
from .max_welch import GroupFamily, max_welch
from .paired import (
    ALPHA,
    Difference,
    TestResult,
    flip_p_value,
    holm,
    mcnemar_test,
    minimum_detectable_difference,
    paired_difference,
    sign_flip_test,
)
from .people import sum_by_person
from .ranks import MOST_RANKED, CriticalDifference, critical_difference, person_accuracies
from .reasons import NotApplicable
from .t_tests import MeanTest, mean_t_test, welch_test, zero_mean_p_value
from .units import IMAGE, MIXED, PERSON, SEQUENCE, Unit, find_unit

__all__ = [
    "ALPHA",
    "BOOTSTRAP_MOST",
    "BOOTSTRAP_PEOPLE",
    "ENOUGH_FOLDS",
    "IMAGE",
    "MARGIN",
    "MIXED",
    "MOST_RANKED",
    "PERSON",
    "SEQUENCE",
    "CriticalDifference",
    "Difference",
    "Family",
    "FoldSpread",
    "FoldTest",
    "GroupFamily",
    "Interval",
    "MeanTest",
    "NotApplicable",
    "Posterior",
    "TestResult",
    "Unit",
    "accuracy_interval",
    "all_pairs",
    "bootstrap_interval",
    "corrected_t_test",
    "critical_difference",
    "detectable_drop",
    "drop_p_value",
    "find_unit",
    "flip_p_value",
    "fold_difference",
    "fold_spread",
    "holm",
    "max_t",
    "max_t_apiece",
    "max_welch",
    "mcnemar_test",
    "mean_interval",
    "mean_t_test",
    "minimum_detectable_difference",
    "new_seed_drop",
    "paired_difference",
    "people_interval",
    "people_nested",
    "person_accuracies",
    "probability_better",
    "sign_flip_test",
    "step_down",
    "sum_by_person",
    "t_interval",
    "welch_test",
    "wilson_interval",
    "zero_mean_p_value",
]
