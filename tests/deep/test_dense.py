"""Mode ``dense``: features that folds share, their names, and the heads that are fitted on them."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fer_bench.deep import dense
from fer_bench.deep.classifier import NetworkClassifier
from fer_bench.deep.networks.registry import Network
from fer_bench.deep.networks.zoo import find
from fer_bench.errors import UserError


def test_shared_features_are_known_by_all_they_depend_on(random_weights, tmp_path) -> None:
    """Another normalisation, other augmentation or another record under the same name is another key."""
    weights = random_weights("squeezenet1_0")
    keys = [
        NetworkClassifier(
            "squeezenet1_0", "dense", weights=weights, device="cpu", **{"augmented_copies": 2, **more}
        ).prepare_key()
        for more in ({}, {"normalisation": "half"}, {"augment": "flip"}, {"augment": False}, {"augmented_copies": 3})
    ]
    record = find("squeezenet1_0")
    for change in ({"mean": (0.4, 0.4, 0.4)}, {"cut": "elsewhere:cut"}):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(dense, "find", lambda _, change=change: replace(record, **change))
            keys.append(
                NetworkClassifier(
                    "squeezenet1_0", "dense", weights=weights, augmented_copies=2, device="cpu"
                ).prepare_key()
            )
    assert len(set(keys)) == len(keys) == 7


def test_a_head_does_not_read_from_other_weights(toy, random_weights, tmp_path) -> None:
    """A head that was fitted on shared features refuses pictures when its file has become another."""
    images, labels = toy(n=14, side=64, channels=3)
    file = tmp_path / "squeezenet1_0.pth"
    shutil.copy(random_weights("squeezenet1_0"), file)
    method = NetworkClassifier("squeezenet1_0", "dense", augmented_copies=1, epochs=1, weights=file, device="cpu")
    method.fit_prepared(method.prepare(images), labels)
    before = method.predict_proba(images)
    state = torch.load(file, weights_only=True)
    torch.save({name: 2 * value for name, value in state.items()}, file)
    with pytest.raises(UserError, match="is another file than when the head was fitted"):
        method.predict_proba(images)
    shutil.copy(random_weights("squeezenet1_0"), file)
    np.testing.assert_array_equal(method.predict_proba(images), before)


def test_a_file_that_moves_keeps_its_features_and_checkpoints(
    random_weights: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names of features and checkpoints tell which functions make a network, not the modules that these stand in."""
    weights = random_weights("squeezenet1_0")

    def names(module: str) -> tuple[str, str]:
        function = {"function": f"{module}:stack", "epochs": 1}
        method = NetworkClassifier("squeezenet1_0", "dense", weights=weights, augmented_copies=2, device="cpu")
        return method.prepare_key(), method.set_params(pretraining=function)._key(np.zeros(3))

    before = names("here")
    record = find("squeezenet1_0")
    assert record.weights is not None
    moved: dict[str, Any] = {
        "build": "elsewhere.entirely:" + record.build.partition(":")[2],
        "cut": "elsewhere:" + record.cut.partition(":")[2],
        "weights": replace(record.weights, fetch="elsewhere:url", shipped="elsewhere:file"),
    }
    monkeypatch.setattr(dense, "find", lambda _: replace(record, **moved))
    assert names("there") == before
    other: Network = replace(record, build="elsewhere:other")
    monkeypatch.setattr(dense, "find", lambda _: other)
    assert names("there")[0] != before[0]
