"""Networks. torch lives here and nowhere else.

May import the public contracts of fer_bench (errors, labels, methods, seeds, weights); never baselines.
"""

from typing import Any

__all__ = ["FineTuned"]


def __getattr__(name: str) -> Any:
    """Import torch where it is asked for; whoever reads the catalogue alone does without."""
    if name == "FineTuned":
        from .finetuned import FineTuned

        return FineTuned
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
