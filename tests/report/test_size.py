"""A report stays small and quick, however large the run: held by measuring a process that writes one."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "bench_report.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """The benchmark's own simulation and measurement."""
    spec = importlib.util.spec_from_file_location("bench_report", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_small_report_is_small(tmp_path: Path, bench: ModuleType) -> None:
    """15 methods on 560 images: under 15 seconds of one processor, 700 MB and half a megabyte of page."""
    found = bench.measure(bench.simulated(tmp_path / "run", 15, 8, bench.PROTOCOLS[:2]))
    assert found["cpu_seconds"] < 15
    assert found["peak_mb"] < 700
    assert found["html_mb"] < 0.5


@pytest.mark.slow
@pytest.mark.parametrize(("methods", "seconds", "peak", "page"), [(60, 30, 1500, 3), (150, 75, 3000, 8)])
def test_a_large_report(
    tmp_path: Path, bench: ModuleType, methods: int, seconds: float, peak: float, page: float
) -> None:
    """60 methods x 3 protocols x 4,900 images: 30 seconds, 1.5 GB, 3 MB; 150 methods: 8 MB."""
    found = bench.measure(bench.simulated(tmp_path / "run", methods, 70))
    assert found["cpu_seconds"] < seconds
    assert found["peak_mb"] < peak
    assert found["html_mb"] < page
