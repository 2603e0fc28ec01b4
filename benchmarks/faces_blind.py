"""Sheets of embedded faces without labels, for a pair of eyes that has not seen them.

    python benchmarks/faces_blind.py OUT --seed 20261122

Writes ``OUT/expressions_1.png``, ``OUT/expressions_2.png`` (ten people, seven pictures each, straight and half views),
``OUT/views_1.png`` and ``OUT/views_2.png`` (four people, any view), and the answers into ``OUT/key/key.json``: show the
pictures only. Expressions are drawn with replacement, so that nothing can be named by elimination.
"""

import argparse
import json
from pathlib import Path

import cv2
import numpy as np

from fer_bench.data.render import render_portrait
from fer_bench.labels import EMOTIONS, VIEWS

NUMBERS = (3, 5, 8, 11, 14, 17, 21, 24, 28, 33)
PEOPLE = [f"{'FM'[i % 2]}{n:02d}" for i, n in enumerate(NUMBERS)]
SHEETS = {"expressions": (PEOPLE, ("S", "S", "HL", "HR")), "views": (PEOPLE[:4], VIEWS)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=20261122)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    (arguments.out / "key").mkdir(parents=True, exist_ok=True)
    key = {}
    for sheet, (people, views) in SHEETS.items():
        rows = []
        for row, person in enumerate(people, 1):
            cells = []
            for column in range(1, 8):
                emotion, view = EMOTIONS[rng.integers(7)], views[rng.integers(len(views))]
                session = "AB"[rng.integers(2)]
                picture = render_portrait(f"{session}{person}{emotion}{view}", size=(422, 572))[130:520, 20:402]
                cells.append(cv2.resize(picture, (230, 235), interpolation=cv2.INTER_AREA))
                key[f"{sheet} row {row} column {column}"] = [emotion, view]
            rows.append(np.concatenate(cells, axis=1))
        half = len(rows) // 2
        for number, part in enumerate((rows[:half], rows[half:]), 1):
            cv2.imwrite(str(arguments.out / f"{sheet}_{number}.png"), np.concatenate(part)[..., ::-1])
    (arguments.out / "key" / "key.json").write_text(json.dumps(key, indent=1))


if __name__ == "__main__":
    main()
