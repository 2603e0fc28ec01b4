"""Photographs of an imagined booth: ``P03_happy_2.png`` is person P03, looking happy, in the second session."""

from __future__ import annotations

import re

from fer_bench.data.layouts.contract import Excluded, Layout, Listing, Source, pictures_of
from fer_bench.data.words import label_words

_NAME = re.compile(r"(P\d\d)_([a-z]+)_(\d)")
_LABELS = label_words("fear", "angry", "disgust", "happy", "neutral", "sad", "surprise")


def _claims(source: Source) -> bool:
    """Tell by names alone whether these files are such a dataset."""
    return any(_NAME.fullmatch(path.stem) for _, path in pictures_of(source))


def _listing(source: Source) -> Listing:
    """Turn names into rows; say of every other picture why it is left out. No picture is opened."""
    rows, excluded = [], []
    for name, path in pictures_of(source):
        match = _NAME.fullmatch(path.stem)
        if match is None or match[2] not in _LABELS:
            excluded.append(Excluded(name, "the name is not one of the booth's, such as P03_happy_2"))
            continue
        person, word, session = match.groups()
        rows.append({"image": path.stem, "file": name, "label": _LABELS[word], "subject": person, "session": session})
    return Listing(rows, excluded, source)


BOOTH = Layout(
    name="booth",
    summary="an imagined photo booth: pictures named like P03_happy_2.png",
    expects="the booth's names such as P03_happy_2.png",
    claims=_claims,
    listing=_listing,
    labels=_LABELS,
    notice="The booth's pictures: say here whose they are, under which licence, and what they cannot show.",
)
