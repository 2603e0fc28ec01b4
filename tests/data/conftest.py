"""Lets the tests of data import what stands beside them: `layouts`, which writes a small set of each layout."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
