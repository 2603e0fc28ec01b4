"""The gate: a run held against expected results, for other people's CI.

A gate that cries wolf is switched off, and one that cannot fail guards nothing: so a row fails by two keys (`judge`),
says which drop it would catch, and what was set up wrongly is told apart from what got worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fer_bench.errors import UserError
from fer_bench.results.load import load_run
from fer_bench.results.outcomes import MethodPredictions
from fer_bench.results.run_data import RunData
from fer_bench.stats import PERSON, Unit

from .expected import SEEDS, Expected, Reference, hash_images, last_epochs, read_expected, write_expected
from .judge import FLIPS, TOLERANCE, Row, judge, smallest_drop

__all__ = [
    "FLIPS",
    "SEEDS",
    "TOLERANCE",
    "Expected",
    "GateVerdict",
    "Reference",
    "Row",
    "check_gate",
    "judge",
    "read_expected",
    "smallest_drop",
    "write_expected",
]


@dataclass(frozen=True)
class GateVerdict:
    """What the gate found.

    Attributes
    ----------
    rows : tuple of Row
        What could be judged.
    faults : tuple of str
        What is set up wrongly: nothing is known of these methods.
    notes : tuple of str
    unit : Unit
    """

    rows: tuple[Row, ...]
    faults: tuple[str, ...]
    notes: tuple[str, ...]
    unit: Unit

    @property
    def regressed(self) -> tuple[Row, ...]:
        """Rows that got worse."""
        return tuple(row for row in self.rows if row.verdict == "regression")

    @property
    def exit_code(self) -> int:
        """2 where anything is set up wrongly, whatever else was found; 1 where a row got worse; else 0."""
        return 2 if self.faults else 1 if self.regressed else 0


def check_gate(
    run_folder: Path,
    expected: Path,
    *,
    tolerance: float = TOLERANCE,
    exact: bool | None = None,
    few_seeds: bool = False,
) -> GateVerdict:
    """Compare a run with expected results.

    Parameters
    ----------
    run_folder, expected : Path
        A run, and the file of expected results.
    tolerance : float
        Drop of accuracy, as a share, that is not asked about where the rule is people.
    exact : bool, optional
        Hold all rows to the same predictions, or none. Default: what the file says, classical methods only.
    few_seeds : bool
        Judge by people with fewer than `SEEDS` seeds, too; the answer says so.

    Raises
    ------
    UserError
        Nothing can be compared: no run, a broken file, other data.
    """
    run, wanted = load_run(run_folder), read_expected(expected)
    found = run.info["dataset"].get("manifest_hash", "none")
    if found != wanted.manifest_hash:
        raise UserError(
            f"{expected}: expected manifest_hash {wanted.manifest_hash}, the run in {run_folder} has {found}; "
            "use the same data, or write a new expectation with `write_expected`"
        )
    if run.contradictions:
        return GateVerdict((), tuple(f"nothing is judged: {text}" for text in run.contradictions), (), wanted.unit)
    outcomes = last_epochs(run)
    faults, pairs, rules = [], [], []
    for key, reference in wanted.rows.items():
        rule = reference.rule if exact is None else "exact" if exact else "people"
        fault = _fault(run, reference, outcomes.get(key), rule, few_seeds)
        if fault:
            faults.append(f"{reference.name}: {fault}")
            continue
        pairs.append((reference, outcomes[key].predicted.astype("uint8"), _same_seed(run, reference)))
        rules.append(rule)
    rows = judge(pairs, rules, tolerance=tolerance)
    new = [f"{method} under {protocol}" for method, protocol in outcomes if (method, protocol) not in wanted.rows]
    return GateVerdict(tuple(rows), tuple(faults), tuple(_notes(rows, new, wanted.unit)), wanted.unit)


def nothing_compared(why: str) -> GateVerdict:
    """Return the verdict where a run and an expectation cannot be held against each other at all."""
    return GateVerdict((), (why,), (), PERSON)


def _fault(run: RunData, reference: Reference, outcome: MethodPredictions | None, rule: str, few_seeds: bool) -> str:
    """Why a row cannot be judged; empty where it can."""
    trials = run.trials[(run.trials["method"] == reference.method) & (run.trials["protocol"] == reference.protocol)]
    bad = trials[trials["state"] != "ok"]
    if not len(trials):
        return "is not in the run; run it, or write a new expectation with `write_expected`"
    if len(bad) or outcome is None:
        first = bad.iloc[0]
        return (
            f"{len(bad)} of {len(trials)} trials did not end well, the first is fold {first['fold']} "
            f"({first['state']}: {first['reason']}); run the same command again, then gate"
        )
    folds = _folds(run, reference)
    if folds not in reference.folds:
        return (
            f"expected folds {' or '.join(dict.fromkeys(f[:12] for f in reference.folds))}, found {folds[:12]}; "
            f"run with `seed` {reference.seeds[0]} or the same `folds`"
        )
    if hash_images(outcome) != reference.images:
        return "was tested on other images than expected; write a new expectation with `write_expected`"
    weights = run.info["methods"].get(reference.method, {}).get("weights", "none")
    if weights != reference.weights:
        return f"expected weights {reference.weights}, found {weights}; give the same with `weights_dir`"
    if rule == "exact" and _same_seed(run, reference) < 0:
        known = ", ".join(map(str, reference.seeds))
        return f"the same predictions need the same seed: expected {known}, found {run.info['seed']}"
    if rule == "people" and len(reference.seeds) < SEEDS and not few_seeds:
        return (
            f"the expectation has {len(reference.seeds)} of {SEEDS} seeds, too few to say how far a new seed may fall; "
            "write it from more runs, or judge it as it is with `few_seeds=True`"
        )
    return ""


def _same_seed(run: RunData, reference: Reference) -> int:
    """Place of the run's seed and folds in the reference; -1 where they are not there."""
    folds = _folds(run, reference)
    known = list(zip(reference.seeds, reference.folds, strict=True))
    return known.index((run.info["seed"], folds)) if (run.info["seed"], folds) in known else -1


def _folds(run: RunData, reference: Reference) -> str:
    """Hash of the folds that a row was tested on; none where run.json does not say."""
    return str(run.info["protocols"].get(reference.protocol, {}).get("folds_hash", "none"))


def _notes(rows: Sequence[Row], new: Sequence[str], unit: Unit) -> list[str]:
    notes = []
    blind = [row for row in rows if row.caught == float("inf")]
    if blind:
        notes.append(
            f"{len(blind)} rows cannot fail, such as {blind[0].method} under {blind[0].protocol}: too few {unit.many} "
            f"for {sum(row.rule == 'people' for row in rows)} rows; take more {unit.many} (`profile` full), or fewer"
        )
    few = sum(row.few_seeds for row in rows)
    if few:
        notes.append(
            f"{few} rows rest on fewer than {SEEDS} seeds (`few_seeds=True`): expect more false alarms than 1 %"
        )
    if new:
        notes.append(f"{len(new)} rows of the run are not expected and not judged, such as {new[0]}")
    return notes
