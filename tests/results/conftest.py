"""Lets these tests write simulated runs with what stands in the report's tests, and damage them with their own."""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / "report"), str(Path(__file__).parent)]
