"""The words that datasets use for expressions and splits, each mapped to one of ours; nothing is guessed."""

from __future__ import annotations

__all__ = ["LABEL_WORDS", "OTHER_EXPRESSIONS", "SPLIT_WORDS", "TEST_SIDE", "TRAIN_SIDE", "label_words"]

_NAMES = {
    "AF": ("af", "fe", "afraid", "fear", "fearful", "scared"),
    "AN": ("an", "angry", "anger"),
    "DI": ("di", "disgust", "disgusted"),
    "HA": ("ha", "happy", "happiness", "joy"),
    "NE": ("ne", "neutral"),
    "SA": ("sa", "sad", "sadness"),
    "SU": ("su", "surprise", "surprised"),
}

LABEL_WORDS: dict[str, str] = {word: code for code, words in _NAMES.items() for word in words}
"""Lower-case word to code. Numbers are not in it: datasets number their expressions in different orders."""

OTHER_EXPRESSIONS = frozenset({"contempt", "contemptuous"})
"""Expressions that datasets have and that are none of the seven."""

SPLIT_WORDS: dict[str, str] = {
    "train": "train",
    "training": "train",
    "train_set": "train",
    "test": "test",
    "testing": "test",
    "test_set": "test",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "val_set": "validation",
    "publictest": "PublicTest",
    "privatetest": "PrivateTest",
}
"""Lower-case name of a dataset's own part to what the manifest's column ``split`` calls it."""


def label_words(*words: str) -> dict[str, str]:
    """Return the part of `LABEL_WORDS` that a dataset uses.

    Raises
    ------
    KeyError
        A word that stands for no expression.
    """
    return {word: LABEL_WORDS[word] for word in words}


TRAIN_SIDE = "train data"
"""What the column ``split`` holds of the dataset to train on where two were joined for ``cross-dataset``."""

TEST_SIDE = "test data"
"""And of the one to test on."""
