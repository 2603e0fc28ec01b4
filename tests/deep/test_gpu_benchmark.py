"""The benchmark for GPUs runs without one, and says so."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(SCRIPT), *options], capture_output=True, text=True, check=False)


def test_a_dry_run_on_a_processor_writes_the_table(tmp_path: Path) -> None:
    """One tiny network: rates of both loops, the time of Table 3, and "dry run" in plain sight."""
    done = _run("--device", "cpu", "--dry-run", "--only", "resnet18", "--write", str(tmp_path / "gpu.md"))
    assert done.returncode == 0, done.stderr
    text = (tmp_path / "gpu.md").read_text()
    assert "**Dry run**" in text
    assert "| resnet18, 64 px |" in text
    assert "1 of the 8 networks" in text
    assert "Not measured" not in text
    # On a processor the same seed gives the same bits; on a GPU the table says by how much it does not.
    assert text.count("0 of 8 answers differ, probabilities by at most 0") == 2


@pytest.mark.slow
def test_a_dry_run_knows_all_rows(tmp_path: Path) -> None:
    """The eight networks and cnn2 are built and trained; with no time left rows are named as not measured."""
    done = _run("--device", "cpu", "--dry-run", "--write", str(tmp_path / "gpu.md"))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "gpu.md").read_text().count(" px |") == 9
    done = _run("--device", "cpu", "--dry-run", "--minutes", "-1")
    assert "Not measured, for want of time: vgg16, 32 px" in done.stdout


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is at hand")
def test_without_a_gpu_it_says_what_to_do() -> None:
    """A user without a GPU gets one sentence; a real run on a processor is refused."""
    assert "finds no GPU here; to see that the script runs, give --device cpu --dry-run" in _run().stderr
    assert "only a dry run makes sense there" in _run("--device", "cpu").stderr
