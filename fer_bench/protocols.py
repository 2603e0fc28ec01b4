"""Protocols by name: who may be trained on, who is tested. Imports nothing heavy; fer_bench.folds makes the folds."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PROTOCOLS", "Protocol"]


@dataclass(frozen=True)
class Protocol:
    """How images are split.

    Attributes
    ----------
    name : str
        Name on the command line and in every table.
    splits_by : str
        ``"person"``: nobody is in train and test; ``"image"``: everybody is.
    n_folds : int
        Test sets; each image is tested once, or only a tenth of them once for a hold-out.
    holdout : bool
        One split of 90 % and 10 % in place of cross-validation.
    summary : str
        One sentence.
    """

    name: str
    splits_by: str
    n_folds: int
    summary: str
    holdout: bool = False


PROTOCOLS: dict[str, Protocol] = {
    p.name: p
    for p in (
        Protocol("subject-10fold", "person", 10, "ten folds by person: nobody is in train and test (primary)"),
        Protocol("random-10fold", "image", 10, "ten folds by image, stratified: the article's; everybody is in both"),
        Protocol("holdout-10", "image", 1, "90 % train, 10 % test by image, stratified: the article's", holdout=True),
        Protocol("subject-2fold", "person", 2, "two folds by person: for quick runs"),
        Protocol("random-2fold", "image", 2, "two folds by image, stratified: for quick runs"),
    )
}
