"""The committed figures on power and false alarms, in small."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_simulation_keeps_the_promise_in_small(tmp_path):
    """A short simulation catches planted drops about as often as said and stops hardly any honest run."""
    file = tmp_path / "gate.md"
    command = [sys.executable, "benchmarks/simulate_gate.py", "--repeats", "60", "--real", "0", "--write", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=500, check=False)
    assert done.returncode == 0, done.stderr
    rows = [line.split("|") for line in file.read_text().splitlines() if line.startswith("| simulated")]
    assert len(rows) == 6
    for row in rows:
        assert int(row[3].split(" of ")[0]) <= 3, row
        caught = row[5].split()[0]
        assert caught == "none" or 60 <= float(caught) <= 97, row
