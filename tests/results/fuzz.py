"""A seeded maker of damaged run directories: something else in the place of some of their files."""

import json
import os
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

ODD: list[Any] = [
    *(None, True, -1, 0, 7, 2**70, -(2**63), 1e300, "", "soon", "nan", "inf", "a\nb\x1b[2J", "=1+1", "'", '"', "é"),
    *([], {}, [[]], [None], {"a": 1}, ["x"], [1, 2], {"": ""}, "x" * 100_000),
]
CELLS = [
    "",
    "nan",
    "-1",
    "1e308",
    "9" * 400,
    "inf",
    "x",
    '"',
    "'",
    "a\nb",
    "\x00",
    "0.5",
    "True",
    "[]",
    "é",
    "=1+1",
    ",",
]
OTHERS = ("tables", "figures", "report.html", "report.md", "references.bib", "summary.md", "results.csv", "logs")
"""What a report writes and nobody reads."""


def damage(folder: Path, rng: random.Random) -> str:
    """Damage one to three files of a run directory; returns what was done, for messages."""
    files = sorted(
        path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] not in OTHERS
    )
    told = []
    for path in rng.sample(files, rng.choice((1, 1, 1, 2, 3))):
        kinds = {**PLACES, **BYTES, **BYTES}
        kinds |= dict.fromkeys([f"table {n}" for n in range(4)], odd_table) if path.suffix == ".parquet" else {}
        kinds |= dict.fromkeys([f"json {n}" for n in range(8)], odd_json) if path.suffix in (".json", ".jsonl") else {}
        kinds |= dict.fromkeys([f"cells {n}" for n in range(8)], odd_cells) if path.suffix == ".csv" else {}
        name = rng.choice(sorted(kinds))
        kinds[name](path, rng)
        told.append(f"{name} in {path.relative_to(folder)}")
    return "; ".join(told)


def by_bytes(change: Callable[[bytes, random.Random], bytes]) -> Callable[[Path, random.Random], None]:
    def apply(path: Path, rng: random.Random) -> None:
        path.write_bytes(change(path.read_bytes(), rng))

    return apply


def flipped(data: bytes, rng: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(rng.choice((1, 3, 30))):
        if found:
            found[rng.randrange(len(found))] ^= 1 << rng.randrange(8)
    return bytes(found)


def huge_number(data: bytes, rng: random.Random) -> bytes:
    numbers = list(re.finditer(rb"\d+", data))
    if not numbers:
        return data
    place = rng.choice(numbers)
    return (
        data[: place.start()]
        + rng.choice((b"9" * 5000, b"1e999", b"NaN", b"18446744073709551616"))
        + data[place.end() :]
    )


BYTES = {
    "cut": by_bytes(lambda data, rng: data[: rng.randrange(len(data) + 1)]),
    "emptied": by_bytes(lambda data, rng: b""),
    "flipped": by_bytes(flipped),
    "noise": by_bytes(lambda data, rng: rng.randbytes(300)),
    "utf-16": by_bytes(lambda data, rng: data.decode("latin-1").encode("utf-16")),
    "latin-1": by_bytes(lambda data, rng: data.replace(b"e", b"\xe9")),
    "mark": by_bytes(lambda data, rng: b"\xef\xbb\xbf" + data),
    "huge number": by_bytes(huge_number),
    "deep": by_bytes(lambda data, rng: b"[" * 100_000),
    "deep objects": by_bytes(lambda data, rng: b'{"a":' * 100_000),
    "twice": by_bytes(lambda data, rng: data + data),
    "zeros": by_bytes(lambda data, rng: bytes(1_000_000)),
    "one line": by_bytes(lambda data, rng: data.replace(b"\n", b" ")),
    "long line": by_bytes(lambda data, rng: data + b"x" * 3_000_000),
}


def placed(put: Callable[[Path], Any]) -> Callable[[Path, random.Random], None]:
    def apply(path: Path, rng: random.Random) -> None:
        path.unlink()
        put(path)

    return apply


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 1 << 42)


PLACES = {
    "gone": placed(lambda path: None),
    "folder": placed(Path.mkdir),
    "pipe": placed(os.mkfifo),
    "zeros for ever": placed(lambda path: path.symlink_to("/dev/zero")),
    "itself": placed(lambda path: path.symlink_to(path.name)),
    "link to nothing": placed(lambda path: path.symlink_to("nowhere")),
    "forbidden": lambda path, rng: path.chmod(0),
    "terabytes": placed(sparse),
}


def odd_json(path: Path, rng: random.Random) -> None:
    """Another value somewhere, or one that is lost; of a log, in one of its lines."""
    lines = [path.read_text()] if path.suffix == ".json" else path.read_text().splitlines()
    at = rng.randrange(len(lines))
    value = json.loads(lines[at])
    for _ in range(rng.choice((1, 1, 4))):
        holders = [value]
        for holder in holders:
            inner = holder.values() if isinstance(holder, dict) else holder
            holders += [each for each in inner if isinstance(each, dict | list) and each]
        holder = rng.choice([each for each in holders if each] or [{"a": 0}])
        key = rng.choice(list(holder)) if isinstance(holder, dict) else rng.randrange(len(holder))
        if rng.random() < 0.2:
            del holder[key]
        else:
            holder[key] = rng.choice(ODD)
    lines[at] = json.dumps(value)
    path.write_text("\n".join(lines) + "\n")


def odd_cells(path: Path, rng: random.Random) -> None:
    """Cells, columns or rows of a CSV file that hold something else, are lost, or come twice."""
    lines = path.read_text().splitlines()
    rows = [line.split(",") for line in lines]
    kind, column = rng.choice(("cell", "cell", "column", "lost", "rows", "name")), rng.randrange(len(rows[0]))
    if kind == "rows":
        rows[1:] = [row for row in rows[1:] for _ in range(rng.randrange(3))]
    for row in rows[1:] if kind == "column" else rows if kind == "lost" else rows[:1] if kind == "name" else []:
        row[column : column + 1] = [] if kind == "lost" else [rng.choice(CELLS)]
    for _ in range(rng.choice((1, 5)) if kind == "cell" and len(rows) > 1 else 0):
        row = rng.choice(rows[1:])
        row[rng.randrange(len(row))] = rng.choice(CELLS)
    path.write_text("\n".join(map(",".join, rows)) + "\n")


def odd_table(path: Path, rng: random.Random) -> None:
    """A sound Parquet file of something else: columns lost or of another type, rows lost or double."""
    table = pd.read_parquet(path)
    column = rng.choice(list(table.columns))
    values = rng.choice(
        [
            *(None, 1, -1, 2**62, 1e300, float("nan"), "x", "", True, b"x", pd.Timestamp(0), [1], {"a": 1}, "HA"),
            *(10.0, -0.5, "1e999", 0.5, ["HA", "SA"]),
        ]
    )
    some = [i for i in range(len(table)) if rng.random() < rng.choice((0.02, 1.0))]
    kind = rng.choice(("lost", "rows", "none", "whole", "some", "some", "whole", "names"))
    if kind == "lost":
        table = table.drop(columns=[column])
    elif kind == "rows":
        table = table.iloc[rng.choices(range(len(table)), k=rng.choice((1, 5, 2 * len(table))))]
    elif kind == "none":
        table = table.iloc[:0]
    elif kind == "names":
        table = table.rename(columns={column: rng.choice([*table.columns, "x", ""])})
    else:
        cells = [values] * len(table) if kind == "whole" else list(table[column])
        for i in some if kind == "some" else ():
            cells[i] = values
        table[column] = pd.Series(cells, index=table.index, dtype=object)
    try:
        table.to_parquet(path, index=False)
    except Exception:  # noqa: BLE001 - mixed types, which no Parquet file can hold
        path.write_bytes(b"PAR1")
