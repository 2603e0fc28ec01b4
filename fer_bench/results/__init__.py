"""A run directory read back, and the one table that sums it up: ``results.csv``.

`load_run` reads the five consolidated files of a run and checks that they fit together; `collect_predictions` turns the
predictions into arrays, one `MethodPredictions` a method and protocol; `build_results` computes the rows. Everything is
computed from stored predictions of finished trials: no figure is taken over from a trial's own record but its times.
"""

from .load import load_run, report_seed
from .outcomes import Key, MethodPredictions, collect_predictions, confusion_by_person
from .run_data import RunData
from .schema import SELECTIONS
from .table import RESULT_COLUMNS, build_results

__all__ = [
    "RESULT_COLUMNS",
    "SELECTIONS",
    "Key",
    "MethodPredictions",
    "RunData",
    "build_results",
    "collect_predictions",
    "confusion_by_person",
    "load_run",
    "report_seed",
]
