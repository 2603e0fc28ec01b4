"""A split of CK+ as a popular repository cuts it: made-up people in CK+'s names and numbers, by that repository's rule.

CK+'s 48x48 class folders hold the last three frames of 327 films of 118 people. The rule takes, in each class, the next
share of the sorted names for each fold; its comment calls that subject-independent. People stand under each other's
classes, so they are trained on and tested.
"""

import csv

import numpy as np

# Films of each class, and the images that each fold tests of it.
CLASSES = {
    "anger": (45, 12),
    "disgust": (59, 18),
    "fear": (25, 9),
    "happy": (69, 21),
    "sadness": (28, 9),
    "surprise": (83, 24),
    "contempt": (18, 6),
}
N_FOLDS = 10


def write_split(path, seed=0):
    """Write the ten folds as a CSV of another tool's, and return the share of tests of people who are trained on."""
    rows = list(_rows(np.random.default_rng(seed)))
    with open(path, "w", newline="") as handle:
        writer = csv.writer(handle)
        writer.writerow(["fold", "split", "path"])
        writer.writerows(rows)
    return _share(rows)


def _rows(rng):
    people = [f"S{number:03d}" for number in sorted(rng.choice(np.arange(5, 1000), 118, replace=False))]
    names = {}
    for clip, (emotion, (films, _)) in enumerate(CLASSES.items(), start=1):
        who = sorted(rng.choice(len(people), films, replace=False))
        frames = rng.integers(5, 60, films)
        names[emotion] = [
            f"CK+48/{emotion}/{people[p]}_{clip:03d}_{frame + i:08d}.png"
            for p, frame in zip(who, frames, strict=True)
            for i in range(3)
        ]
    for fold in range(N_FOLDS):
        for emotion, (_, n) in CLASSES.items():
            start = len(names[emotion]) - n if fold == N_FOLDS - 1 else fold * n
            for position, name in enumerate(names[emotion]):
                yield fold, "test" if start <= position < start + n else "train", name


def _share(rows):
    """Counted without anything of fer-bench."""
    person = [(fold, role, path.rsplit("/", 1)[1][:4]) for fold, role, path in rows]
    trained = {(fold, who) for fold, role, who in person if role == "train"}
    tested = [(fold, who) in trained for fold, role, who in person if role == "test"]
    return sum(tested) / len(tested)
