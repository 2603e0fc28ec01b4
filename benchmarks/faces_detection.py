"""In how many built-in rendered faces does YuNet find exactly one face?

python benchmarks/faces_detection.py ../shared/weights/face_detection_yunet_2023mar.onnx
"""

from __future__ import annotations

import argparse
from collections import defaultdict

import cv2
import numpy as np

from fer_bench.data.render import parse_name, portrait_names, render_many

SIZE = (281, 381)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("weights", help="face_detection_yunet_2023mar.onnx of OpenCV's model zoo")
    parser.add_argument("--people", type=int, default=70)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    detector = cv2.FaceDetectorYN.create(asked.weights, "", SIZE, 0.6)
    found: dict[str, list[bool]] = defaultdict(list)
    for name, picture in render_many(portrait_names(asked.people), size=SIZE, seed=asked.seed):
        _, faces = detector.detect(np.ascontiguousarray(picture[:, :, ::-1]))
        found[parse_name(name).view].append(faces is not None and len(faces) == 1)
    for view, hits in found.items():
        print(f"{view:>2}: {100 * np.mean(hits):5.1f} % of {len(hits)}")


if __name__ == "__main__":
    main()
