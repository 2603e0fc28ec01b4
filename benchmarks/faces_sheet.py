"""Draw the contact sheet of docs/faces.md.

python benchmarks/faces_sheet.py docs/faces.jpg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from fer_bench.data.render import render_portrait
from fer_bench.labels import EMOTION_NAMES, EMOTIONS, VIEW_NAMES, VIEWS

SIZE = (190, 258)
LABEL = 22


def labelled(pictures: list[NDArray[np.uint8]], words: list[str]) -> NDArray[np.uint8]:
    """A row of pictures under its words."""
    head = np.full((LABEL, SIZE[0] * len(pictures), 3), 255, np.uint8)
    for i, word in enumerate(words):
        cv2.putText(head, word, (i * SIZE[0] + 6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (40, 40, 40), 1, cv2.LINE_AA)
    return np.vstack([head, np.hstack(pictures)]) if any(words) else np.hstack(pictures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", default="F01,M05,F04,M06,F09,M26")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    people = asked.people.split(",")
    rows = []
    for i, person in enumerate(people):
        pictures = [render_portrait(f"A{person}{e}S", size=SIZE, seed=asked.seed) for e in EMOTIONS]
        rows.append(labelled(pictures, [*EMOTION_NAMES] if i == 0 else [""]))
    width = SIZE[0] * len(EMOTIONS)
    for person, emotion in ((people[0], "HA"), (people[1], "AF"), (people[2], "AN")):
        pictures = [render_portrait(f"A{person}{emotion}{v}", size=SIZE, seed=asked.seed) for v in VIEWS]
        row = labelled(pictures, [*VIEW_NAMES] if person == people[0] else [""])
        rows.append(np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255))
    cv2.imwrite(str(asked.out), np.vstack(rows)[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])


if __name__ == "__main__":
    main()
