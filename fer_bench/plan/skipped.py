"""What rows that do not run have in common."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SkippedLike"]


@dataclass(frozen=True)
class SkippedLike:
    """Why rows do not run, as it is told once for all of them.

    Attributes
    ----------
    why : str
        What is the matter with their methods, such as "want weights that are not on this machine".
    remedy : str
        What to do, or the command to which ``item`` is added.
    item : str
        This row's own word of that command, such as the name of its weights.
    """

    why: str
    remedy: str
    item: str = ""
