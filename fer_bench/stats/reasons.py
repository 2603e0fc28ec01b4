"""What a statistic gives where it does not apply: a reason in words, never an exception or a NaN."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NotApplicable"]


@dataclass(frozen=True)
class NotApplicable:
    """A statistic that these data do not allow.

    Attributes
    ----------
    method : str
        What was asked for, in words for a reader.
    reason : str
        Why there is none: a clause without a full stop, such as "one fold: there is nothing to compare folds with".
    """

    method: str
    reason: str
