"""Lets the tests of protocols import what stands beside them: `drawn`, which draws random manifests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
