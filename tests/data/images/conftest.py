"""Faces that the tests of perceptual hashes share."""

import numpy as np
import pytest

from fer_bench.data.render import portrait_names, render_many


@pytest.fixture(scope="session")
def faces() -> dict[str, np.ndarray]:
    """Ten people, straight and from the left, neutral: 40 pictures."""
    names = [n for n in portrait_names(10) if n[4:6] == "NE" and n[6:] in ("S", "FL")]
    return dict(render_many(names, size=(281, 381), workers=1))
