"""How much of the protocol a run does: everything, or a reduced run of everything within ten minutes."""

from __future__ import annotations

from dataclasses import dataclass, field

from fer_bench.errors import UserError
from fer_bench.utils.near import did_you_mean

__all__ = ["AS_PRINTED", "PRESETS", "PROFILES", "Profile", "get_profile"]


@dataclass(frozen=True)
class Profile:
    """Bounds of a run.

    Attributes
    ----------
    name : str
        ``quick`` or ``full``.
    people : int or None
        Keep only so many people.
    protocols : dict
        Protocols that are replaced by smaller ones.
    budget_core_seconds : float
        Rows (a method under a protocol) whose estimated cost no longer fits are skipped, and say so.
    deadline_seconds : float
        Trials that would not end by then are not started, and say so; a rerun goes on with them.
    download_megabytes : float
        Larger weights are not fetched without being asked for.
    timeout_factor, timeout_seconds : float
        A trial is ended after the larger of ``timeout_seconds`` and ``timeout_factor`` times its estimate.
    """

    name: str
    people: int | None
    protocols: dict[str, str] = field(default_factory=dict)
    budget_core_seconds: float = float("inf")
    deadline_seconds: float = float("inf")
    download_megabytes: float = float("inf")
    timeout_factor: float = 50.0
    timeout_seconds: float = 6 * 3600.0

    @property
    def summary(self) -> str:
        """One sentence for people."""
        if self.people is None:
            return "the protocol as described: all people, all folds, all epochs"
        return (
            f"{self.people} people, 2 folds, few epochs, small pictures: a reduced run of every row; declares no winner"
        )


PROFILES = {
    p.name: p
    for p in (
        Profile(
            "quick",
            people=7,
            # Seven people leave too little to train on for more folds; the others have few folds already.
            protocols={
                "subject-10fold": "subject-2fold",
                "subject-loso": "subject-2fold",
                "random-10fold": "random-2fold",
            },
            budget_core_seconds=720.0,
            deadline_seconds=560.0,
            download_megabytes=20.0,
            timeout_factor=8.0,
            timeout_seconds=120.0,
        ),
        Profile("full", people=None),
    )
}

AS_PRINTED = "as-printed"
"""The preset that watches the test images after every epoch, as the article does."""

PRESETS = {
    "default": "the field's usual parameters; the last epoch is the result",
    AS_PRINTED: "as the article prints it: betas (0.9, 0.009), 50 epochs, grey 256-pixel source; "
    "the best epoch on the test fold is the result, flagged as optimistic",
    "original": "the paper's recipe as far as known: colour, rotation, scale and mirror (recalled, not verified), Adam "
    "with usual betas",
    "authors-code": "as the authors' notebooks train: SGD with steps for 20 epochs (torch), staged Adam for VGG-16 "
    "(Keras); the last epoch is the result",
}


def get_profile(name: str) -> Profile:
    """Return a profile by name.

    Raises
    ------
    UserError
        No such profile.
    """
    if name not in PROFILES:
        known = ", ".join(PROFILES)
        raise UserError(f"`profile` {name}: no such profile; choose from {known}{did_you_mean(name, PROFILES)}")
    return PROFILES[name]
