"""Parameters of the library as options of the command line: errors come with the ones and are shown with the others."""

from __future__ import annotations

import re

from fer_bench.utils.texts import escaped

__all__ = ["OPTIONS", "as_options"]

_SAME = (
    *(
        "allow_outside",
        "claim",
        "crop",
        "data",
        "device",
        "epochs",
        "executor",
        "expected",
        "few_seeds",
        "folds",
        "fresh",
        "manifest",
    ),
    *("max_failures", "method_a", "method_b", "only", "out", "people", "per_gpu", "preset", "profile", "protocol"),
    *("replace", "scheduler", "seed", "strict", "suite", "test_data", "tune", "views", "weights_dir"),
)
"""Parameters whose options have their names."""

OPTIONS = {name: f"--{name.replace('_', '-')}" for name in _SAME} | {
    "protocols": "--protocol",
    "write_expected": "--update",
    "write_gallery": "--gallery",
}
"""Options by what errors of the library call them; see `fer_bench.errors`."""

_NAMED = re.compile(r"(?<![\w/])`(\w+)(?:=True)?`(?![\w/])")


def as_options(text: str) -> str:
    """Put options in the place of parameters in backticks; every other word in backticks stays as it is.

    The text becomes one line that a terminal can be given, whatever the names in it hold.

    Examples
    --------
    >>> as_options("`test_data` /x: no such file; give `crop` none, or see `fer-bench list datasets`")
    '--test-data /x: no such file; give --crop none, or see `fer-bench list datasets`'
    """
    return escaped(_NAMED.sub(lambda found: OPTIONS.get(found[1], found[0]), text))
