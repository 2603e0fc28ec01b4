"""Sheets of built-in rendered faces without labels, for eyes that have not seen them; and the score of the reading.

    python benchmarks/faces_blind.py draw OUT --seed 20261122 --key KEY.json
    python benchmarks/faces_blind.py score ANSWERS.csv --key KEY.json

``draw`` writes ``OUT/expressions_1.png``, ``OUT/expressions_2.png`` (ten people, seven pictures each, straight and half
views), ``OUT/views_1.png`` and ``OUT/views_2.png`` (four people, any view), and the answers into KEY.json: show the
pictures only. Expressions are drawn with replacement, so that nothing can be named by elimination.

ANSWERS.csv has the columns ``sheet`` (``expressions_1``, ...), ``row`` and ``column`` (from 1, in that sheet),
``expression`` (afraid, angry, disgusted, happy, neutral, sad, surprised) and ``view`` (full left, half left, straight,
half right, full right; left and right are the picture's).
"""

import argparse
import csv
import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from fer_bench.data.render import render_portrait
from fer_bench.labels import EMOTION_NAMES, EMOTIONS, VIEW_NAMES, VIEWS

NUMBERS = (3, 5, 8, 11, 14, 17, 21, 24, 28, 33)
PEOPLE = [f"{'FM'[i % 2]}{n:02d}" for i, n in enumerate(NUMBERS)]
SHEETS = {"expressions": (PEOPLE, ("S", "S", "HL", "HR")), "views": (PEOPLE[:4], VIEWS)}


def draw(out: Path, key_file: Path, seed: int) -> None:
    rng = np.random.default_rng(seed)
    out.mkdir(parents=True, exist_ok=True)
    key = {}
    for sheet, (people, views) in SHEETS.items():
        half = len(people) // 2
        rows = []
        for row, person in enumerate(people):
            cells = []
            for column in range(1, 8):
                emotion, view = EMOTIONS[rng.integers(7)], views[rng.integers(len(views))]
                session = "AB"[rng.integers(2)]
                picture = render_portrait(f"{session}{person}{emotion}{view}", size=(422, 572))[130:520, 20:402]
                cells.append(cv2.resize(picture, (230, 235), interpolation=cv2.INTER_AREA))
                place = f"{sheet}_{1 + row // half} row {1 + row % half} column {column}"
                key[place] = [EMOTION_NAMES[EMOTIONS.index(emotion)], VIEW_NAMES[VIEWS.index(view)]]
            rows.append(np.concatenate(cells, axis=1))
        for number, part in enumerate((rows[:half], rows[half:]), 1):
            cv2.imwrite(str(out / f"{sheet}_{number}.png"), np.concatenate(part)[..., ::-1])
    key_file.parent.mkdir(parents=True, exist_ok=True)
    key_file.write_text(json.dumps(key, indent=1))


def score(answers: Path, key_file: Path) -> None:
    key = json.loads(key_file.read_text())
    with answers.open(encoding="utf-8") as file:
        read = {f"{a['sheet']} row {a['row']} column {a['column']}": a for a in csv.DictReader(file)}
    if missing := sorted(key.keys() - read.keys()):
        raise SystemExit(f"{answers}: no answer for {len(missing)} of {len(key)} places, first {missing[0]}")
    wrong: Counter[tuple[str, str]] = Counter()
    for what, column in (("expression", 0), ("view", 1)):
        for sheet in SHEETS:
            places = [p for p in key if p.startswith(sheet)]
            right = [read[p][what].strip().lower() == key[p][column] for p in places]
            print(f"{what}s named on the sheets '{sheet}': {sum(right)} of {len(right)}")
            if (what, sheet) == ("expression", "expressions"):
                rows = np.array(right).reshape(-1, 7).sum(axis=1)
                print(f"  of each person's seven: {' '.join(map(str, rows))}")
                wrong.update((key[p][0], read[p][what]) for p, r in zip(places, right, strict=True) if not r)
    print("misclassified expressions: " + (", ".join(f"{a} as {b} {n}" for (a, b), n in wrong.most_common()) or "none"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    drawing, scoring = commands.add_parser("draw"), commands.add_parser("score")
    drawing.add_argument("out", type=Path)
    drawing.add_argument("--seed", type=int, default=20261122)
    scoring.add_argument("answers", type=Path)
    for command in (drawing, scoring):
        command.add_argument("--key", type=Path, required=True, help="file of the answers, away from the sheets")
    asked = parser.parse_args()
    if asked.command == "draw":
        draw(asked.out, asked.key, asked.seed)
    else:
        score(asked.answers, asked.key)


if __name__ == "__main__":
    main()
