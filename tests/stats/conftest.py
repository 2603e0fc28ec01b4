"""Lets these tests write simulated runs with what stands in the report's tests, and read benchmarks' simulations."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
