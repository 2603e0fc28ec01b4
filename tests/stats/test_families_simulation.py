"""The simulation of families runs, and a small seeded version of it is not grossly off."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", name="simulation")
def _simulation() -> ModuleType:
    spec = importlib.util.spec_from_file_location("simulate_families", ROOT / "benchmarks" / "simulate_families.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_families_keep_their_level_in_short(simulation: ModuleType) -> None:
    """10 people, 5 methods, 60 repeats: few false positives, intervals hold together, and more power than Holm's."""
    found = simulation.family(10, 5, 60, seed=1)
    assert found["any false positive"] <= 0.15
    assert found["any false positive, half behind"] <= 0.15
    assert found["all intervals hold"] >= 0.85
    assert found["power, Holm"] <= found["power"] <= found["power, stepping down"]


def test_the_detectable_difference_is_found_in_short(simulation: ModuleType) -> None:
    """12 people, 3 pairs, 60 repeats: a lead of the printed size is found in about 80 of 100."""
    found = simulation.detectable(12, 3, 60, seed=1)
    assert 0.02 < found["printed"] < 0.3
    assert 0.65 <= found["power"] <= 0.95


@pytest.mark.parametrize("uneven", [False, True])
def test_intervals_hold_in_short(simulation: ModuleType, uneven: bool) -> None:
    """10 people near the ceiling, 200 repeats: coverage is not grossly off, uneven numbers of images included."""
    assert 0.9 <= simulation.coverage(10, 40, 0.95, uneven, 200, seed=1) <= 0.995
