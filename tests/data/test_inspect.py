"""What `data inspect` prints of excluded files."""

import pytest

from fer_bench.cli.inspect import _excluded_lines
from fer_bench.data.manifest import Excluded


@pytest.mark.parametrize(
    ("reason", "kind", "detail"),
    [
        ("contradictory labels: stands as AF (row-1) and HA (row-2)", "contradictory labels",
         "stands as AF (row-1) and HA (row-2)"),
        ("blank frame (mean grey level 0.6)", "blank frame", "mean grey level 0.6"),
        ("an odd name (1) of (2)", "an odd name", "(1) of (2)"),
        ("not a picture", "not a picture", ""),
    ],
)  # fmt: skip
def test_reasons_are_shown_whole(reason, kind, detail):
    """A reason is told apart from its detail without eating a bracket of it."""
    _, head, line = _excluded_lines((Excluded("f.png", reason),), True)
    assert head == f"left out, 1 file: {kind}"
    assert line == ("  f.png" + (f": {detail}" if detail else ""))
