"""A face detector that has never seen these faces has to take them for faces."""

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_bench.data.render import render_many
from fer_bench.labels import EMOTIONS

SHARED = Path(os.environ.get("FER_BENCH_SHARED", Path(__file__).parents[3].parent / "shared"))
WEIGHTS = SHARED / "weights" / "face_detection_yunet_2023mar.onnx"
SIZE = (281, 381)


@pytest.mark.skipif(not WEIGHTS.exists(), reason="YuNet's weights are not in the shared folder")
def test_yunet_finds_the_faces():
    """YuNet finds exactly one face in at least 95 % of straight and half views."""
    detector = cv2.FaceDetectorYN.create(str(WEIGHTS), "", SIZE, 0.6)
    names = [f"B{p}{e}{v}" for p in ("F08", "M08") for e in EMOTIONS for v in ("HL", "S", "HR")]
    found = []
    for _, picture in render_many(names, size=SIZE):
        _, faces = detector.detect(np.ascontiguousarray(picture[:, :, ::-1]))
        found.append(faces is not None and len(faces) == 1)
    assert np.mean(found) >= 0.95
