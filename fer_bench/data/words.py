"""The words that datasets use for expressions and splits, each mapped to one of ours; nothing is guessed."""

from __future__ import annotations

import re

from fer_bench.utils.people_names import fold_name

__all__ = [
    "LABEL_WORDS",
    "OTHER_EXPRESSIONS",
    "SPLIT_WORDS",
    "TEST_SIDE",
    "TRAIN_SIDE",
    "label_words",
    "split_code",
    "view_code",
]

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

_VIEWS = {
    "FL": ("fl", "full left"),
    "HL": ("hl", "half left"),
    "S": ("s", "straight", "frontal", "front"),
    "HR": ("hr", "half right"),
    "FR": ("fr", "full right"),
}

_VIEW_WORDS: dict[str, str] = {word: code for code, words in _VIEWS.items() for word in words}
"""A left profile is not in it: some name the side that is seen, some where one looks."""


def split_code(word: str) -> str:
    """Return what `SPLIT_WORDS` makes of a word; empty where it is no word for a part."""
    return SPLIT_WORDS.get(fold_name(word), "")


def view_code(word: str) -> str:
    """Return KDEF's code of a word for a view, such as frontal or half-left; empty where it may mean several."""
    return _VIEW_WORDS.get(" ".join(re.split(r"[ _-]+", fold_name(word))), "")


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
