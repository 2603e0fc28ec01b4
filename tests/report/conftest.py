"""Lets the report's tests import what stands beside them: `simulate` and `browser`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
