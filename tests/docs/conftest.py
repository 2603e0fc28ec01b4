"""Lets the tests of pages import what stands beside them: `blocks`, which reads pages, and `story`, which runs them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
