"""The gate: a run held against expected results, for other people's CI.

Two keys open it: the accuracy drops by more than a tolerance AND a test says that the drop is real. For methods that
are deterministic on a CPU the test is equality of predictions; for networks it is the sign-flip test over people (or
what stands in for them where the data name none), corrected over the methods (Holm). A gate that cannot fail says so.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_bench import stats
from fer_bench.errors import UserError
from fer_bench.files import atomic_write
from fer_bench.results import SELECTIONS, Key, Outcome, RunData, collect_outcomes, load_run

__all__ = ["Verdict", "check_gate", "write_expected"]

TOLERANCE = 0.02
"""Drop of accuracy that is not asked about."""
ALPHA = 0.05
_SCHEMA = 1


@dataclass(frozen=True)
class Verdict:
    """What the gate found: lines for people, and whether anything got worse."""

    lines: tuple[str, ...]
    regressed: bool


def write_expected(run_folder: Path, file: Path) -> None:
    """Write a run's per-image correctness, with the hashes and the command that made it.

    Raises
    ------
    UserError
        The folder is no run, or a trial of it did not end well.
    """
    run = load_run(run_folder)
    _refuse_unfinished(run)
    rows = {}
    for key, outcome in _outcomes(run).items():
        rows[f"{key.method} {key.protocol}"] = {
            "n": len(outcome.correct),
            "accuracy": round(float(outcome.correct.mean()), 6),
            "correct": base64.b64encode(np.packbits(outcome.correct).tobytes()).decode(),
            "test": "identical" if run.info["methods"][key.method]["family"] == "classical" else "sign-flip",
        }
    if not rows:
        raise UserError(f"{run_folder}: no finished trial, so there is nothing to expect")
    value = {
        "schema": _SCHEMA,
        **_setup(run),
        "command": run.info["command"],
        "code": run.info.get("code"),
        "rows": rows,
    }
    with atomic_write(file, "w") as handle:
        json.dump(value, handle, indent=1)
        handle.write("\n")


def check_gate(run_folder: Path, file: Path) -> Verdict:
    """Compare a run with expected results.

    Raises
    ------
    UserError
        The two cannot be compared: other data or folds, a method that is missing, failed trials, a broken file.
    """
    run = load_run(run_folder)
    _refuse_unfinished(run)
    expected = _read_expected(file)
    setup = _setup(run)
    for name, value in setup.items():
        if expected.get(name) != value:
            raise UserError(
                f"{file}: expected {name} {expected.get(name)}, the run in {run_folder} has {value}; "
                "use the same data and seed, or write a new expectation with --update"
            )
    outcomes = {f"{key.method} {key.protocol}": outcome for key, outcome in _outcomes(run).items()}
    missing = sorted(set(expected["rows"]) - set(outcomes))
    if missing:
        raise UserError(
            f"{run_folder}: {len(missing)} expected rows are missing, the first is {missing[0]!r}; run them"
        )
    pairs = {name: (_unpack(row, name, file), outcomes[name]) for name, row in expected["rows"].items()}
    return _judge(expected["rows"], pairs, run.unit)


def _judge(
    rows: Mapping[str, Any], pairs: Mapping[str, tuple[NDArray[np.bool_], Outcome]], unit: stats.Unit
) -> Verdict:
    tested = [name for name in rows if rows[name]["test"] == "sign-flip"]
    # One-sided: only a drop is asked about.
    raw = []
    for name in tested:
        before, now = pairs[name]
        test = stats.sign_flip_test(now.correct, before, now.people, unit=unit)
        raw.append(test.p_value / 2 if test.statistic < 0 else 1.0)
    adjusted = dict(zip(tested, stats.holm(raw), strict=True))
    lines, regressed = [], []
    for name, (before, now) in pairs.items():
        drop = float(before.mean() - now.correct.mean())
        flips = int((before != now.correct).sum())
        worse = drop > TOLERANCE and (adjusted[name] < ALPHA if name in adjusted else flips > 0)
        p = f", p {adjusted[name]:.3g} (Holm)" if name in adjusted else ""
        verdict = "REGRESSION" if worse else "better" if drop < -TOLERANCE else "ok"
        lines.append(f"{verdict}: {name}: {before.mean():.4f} -> {now.correct.mean():.4f}, {flips} images changed{p}")
        if worse:
            regressed.append(name)
    people = max((len(np.unique(now.people)) for _, now in pairs.values()), default=0)
    if tested and len(tested) / 2**people >= ALPHA:
        lines.append(
            f"note: with {people} {unit.many} and {len(tested)} networks the test can never reject; "
            f"networks are not guarded by this expectation: use more {unit.many} (--profile full) or fewer methods"
        )
    lines.append(f"{len(regressed)} of {len(pairs)} rows got worse")
    return Verdict(tuple(lines), bool(regressed))


def _outcomes(run: RunData) -> dict[Key, Outcome]:
    return {key: o for key, o in collect_outcomes(run).items() if key.selection == SELECTIONS[0]}


def _setup(run: RunData) -> dict[str, Any]:
    """What must be equal for two runs to be comparable image by image."""
    return {
        "manifest_hash": run.info["dataset"]["manifest_hash"],
        "folds": {name: p["folds_hash"] for name, p in run.info["protocols"].items()},
        "seed": run.info["seed"],
    }


def _refuse_unfinished(run: RunData) -> None:
    bad = run.trials[~run.trials["state"].isin(["ok", "skipped"])]
    if len(bad):
        first = bad.iloc[0]
        raise UserError(
            f"{run.path}: {len(bad)} trials did not end well, the first is {first['method']} fold {first['fold']} "
            f"({first['state']}: {first['reason']}); run the same command again, then gate"
        )
    for (method, protocol), states in run.trials.groupby(["method", "protocol"], sort=False)["state"]:
        if states.nunique() > 1:
            raise UserError(
                f"{run.path}: only {(states == 'ok').sum()} of {len(states)} trials of {method} under {protocol} are "
                "done; run the same command again, then gate"
            )


def _read_expected(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise UserError(f"--expected {file}: cannot be read: {error}; `--update` writes one from a run") from error
    if not isinstance(value, dict) or value.get("schema") != _SCHEMA or not isinstance(value.get("rows"), dict):
        raise UserError(f"--expected {file}: not a file of expected results (schema {_SCHEMA})")
    return value


def _unpack(row: Mapping[str, Any], name: str, file: Path) -> NDArray[np.bool_]:
    try:
        bits = np.unpackbits(np.frombuffer(base64.b64decode(row["correct"]), dtype=np.uint8))[: row["n"]]
    except (KeyError, ValueError, TypeError) as error:
        raise UserError(f"--expected {file}: row {name!r} is damaged: {error}") from error
    if row.get("test") not in ("identical", "sign-flip"):
        raise UserError(f"--expected {file}: row {name!r}: unknown test {row.get('test')!r}")
    if len(bits) != row["n"]:
        raise UserError(f"--expected {file}: row {name!r} holds {len(bits)} images, expected {row['n']}")
    return bits.astype(bool)
