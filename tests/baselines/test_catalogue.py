"""The rows that the harness finds, and what they are said to cost."""

import subprocess
import sys

import numpy as np
import pytest

from fer_bench.baselines.catalogue import METHODS
from fer_bench.baselines.classifiers import CLASSIFIERS
from fer_bench.baselines.features import FEATURES


def test_the_catalogue_imports_neither_scikit_learn_nor_torch():
    """Reading the catalogue and its costs in a fresh interpreter loads no heavy library."""
    code = (
        "import sys; from fer_bench.baselines.catalogue import METHODS; METHODS[0].estimate_seconds(245, 245); "
        "print(sorted({'sklearn', 'torch', 'scipy', 'skimage', 'pywt', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_catalogue_is_every_feature_with_every_classifier():
    """27 rows named classifier-features, one for each pair that the room can build."""
    names = {spec.name for spec in METHODS}
    assert names == {f"{classifier}-{features}" for classifier in CLASSIFIERS for features in FEATURES}
    assert len(METHODS) == len(names) == 27


@pytest.mark.parametrize("spec", METHODS, ids=lambda spec: spec.name)
def test_the_rows_say_what_they_are(spec):
    """Each row has a summary, a source, an untuned flag and the image that its feature is stated for."""
    assert spec.family == "classical"
    assert spec.summary
    assert "doi" in spec.reference
    assert spec.tuning == "none"
    assert (spec.image.size, spec.image.channels) == ({"lbp": 128}.get(spec.features, 64), 1)


@pytest.mark.parametrize("spec", METHODS, ids=lambda spec: spec.name)
def test_costs_grow_with_images_and_stay_near_what_was_measured(spec):
    """More training images cost more; a quick trial is seconds, a full one less than a minute."""
    costs = [spec.estimate_seconds(n, 490) for n in (245, 1000, 4410)]
    assert costs == sorted(costs)
    assert np.isfinite(costs).all()
    assert 0 < costs[0] < 2
    assert costs[2] < 60


def test_a_quick_run_of_all_rows_is_planned_within_a_minute():
    """Four trials of 245 training images for each row sum to less than sixty nominal seconds."""
    assert 4 * sum(spec.estimate_seconds(245, 245) for spec in METHODS) < 60
