"""The rows that the harness finds, and what they are said to cost."""

import subprocess
import sys

import numpy as np
import pytest

from fer_bench.baselines.catalogue import METHODS
from fer_bench.baselines.classifiers.registry import CLASSIFIERS, prepared_feature
from fer_bench.baselines.features.registry import FEATURES


def test_the_catalogue_imports_neither_scikit_learn_nor_torch():
    """Reading the catalogue and its costs in a fresh interpreter loads no heavy library."""
    code = (
        "import sys; from fer_bench.baselines.catalogue import METHODS; METHODS[0].estimate_seconds(245, 245); "
        "print(sorted({'sklearn', 'torch', 'scipy', 'skimage', 'pywt', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


NAMED = ("rbf_svc-lbp_shan", "rbf_svc-ldp_jabid", "linear_svc-2dlda_shih", "svc-geometric")
SUITE = [spec for spec in METHODS if not spec.variant and spec.family == "classical"]


def test_the_suite_is_the_machines_on_all_features_and_all_classifiers_on_three():
    """Two machines on eight features, the others on pixels, dwt and lbp, chi-square on histograms, and one floor."""
    names = {spec.name for spec in SUITE}
    features = ("pixels", "dwt", "lbp", "ldp", "hog", "gabor", "hog+lbp", "2dlda")
    others = set(CLASSIFIERS) - {"linear_svc", "rbf_svc", "knn_chi2", "majority"}
    expected = {f"{machine}-{name}" for machine in ("linear_svc", "rbf_svc") for name in features}
    expected |= {f"{other}-{name}" for other in others for name in ("pixels", "dwt", "lbp")}
    assert names == expected | {"knn_chi2-lbp", "majority"}
    assert len(SUITE) == len(names) == 45


def test_every_variant_of_a_feature_can_be_run_with_the_machines():
    """Features outside the suite are registered too, under names of their own."""
    variants = {spec.name for spec in METHODS if spec.variant and spec.name not in NAMED}
    left = set(FEATURES) - {spec.features for spec in SUITE}
    assert variants == {f"{machine}-{name}" for machine in ("linear_svc", "rbf_svc") for name in left}


def test_recipes_of_single_articles_run_where_they_are_named():
    """Three recipes are variants under names of their own, and landmarks are of the family that is never compared."""
    rows = {spec.name: spec for spec in METHODS if spec.name in NAMED}
    assert set(rows) == set(NAMED)
    assert [name for name in NAMED if rows[name].variant] == list(NAMED[:3])
    assert rows["svc-geometric"].image.source == "landmarks"


@pytest.mark.parametrize("spec", METHODS, ids=lambda spec: spec.name)
def test_the_rows_say_what_they_are(spec):
    """Each row has a summary, a source, default parameters and the image that its feature is stated for."""
    assert spec.family == ("literature" if spec.name == "svc-geometric" else "classical")
    assert spec.summary
    assert "doi" in spec.reference
    assert spec.tuning == "default"
    feature = prepared_feature(spec.params["features"])
    assert feature.landmarks == (spec.image.source == "landmarks")
    assert spec.image.channels == 1
    assert spec.image.size == feature.size or feature.landmarks


@pytest.mark.parametrize("spec", METHODS, ids=lambda spec: spec.name)
def test_costs_grow_with_images_and_stay_near_what_was_measured(spec):
    """More training images cost more; a quick trial is seconds, a full one less than a minute."""
    costs = [spec.estimate_seconds(n, 490) for n in (245, 1000, 4410)]
    assert costs == sorted(costs)
    assert np.isfinite(costs).all()
    assert 0 < costs[0] < 2
    assert costs[2] < 60


def test_a_quick_run_of_the_suite_is_planned_within_a_minute_and_a_half():
    """Four trials of 245 training images for each row sum to less than ninety nominal seconds."""
    assert 4 * sum(spec.estimate_seconds(245, 245) for spec in SUITE) < 90


def test_tuning_costs_what_its_settings_cost():
    """The estimate of a tuned row grows with the grid, and one setting costs what none does."""
    spec = next(spec for spec in METHODS if spec.name == "linear_svc-lbp")
    plain = spec.estimate_seconds(4410, 490)
    assert spec.tuned({"C": [1.0]}).estimate_seconds(4410, 490) == plain
    assert spec.tuned({"C": [1.0, 10.0]}).estimate_seconds(4410, 490) > 2 * plain
