"""The gate: a run held against expected results, for other people's CI.

A gate that cries wolf is switched off, and one that cannot fail guards nothing: so a row fails by two keys (`judge`),
says which drop it would catch, and what was set up wrongly is told apart from what got worse. What changed without
getting worse does not pass either: a label that leaks makes methods better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from fer_bench.errors import UserError
from fer_bench.results.load import load_run, planned_pairs
from fer_bench.results.outcomes import MethodPredictions
from fer_bench.results.run_data import RunData
from fer_bench.stats import PERSON, Unit
from fer_bench.utils.texts import one_line

from .expected import (
    SEEDS,
    Expected,
    Reference,
    hash_images,
    last_epochs,
    other_source,
    read_expected,
    rule_of,
    write_expected,
)
from .judge import FLIPS, TOLERANCE, Row, judge, smallest_drop
from .maker import Sources, find_sources

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
    def changed(self) -> tuple[Row, ...]:
        """Rows that did not get worse and yet are not what is expected."""
        return tuple(row for row in self.rows if row.verdict == "changed")

    @property
    def exit_code(self) -> int:
        """2 where anything is set up wrongly, whatever else was found; 1 where a row got worse.

        Else 2 where a row changed otherwise: the expectation has to be written anew. Else 0.
        """
        if self.regressed and not self.faults:
            return 1
        return 2 if self.faults or self.changed else 0


def check_gate(
    run_folder: Path,
    expected: Path,
    *,
    tolerance: float = TOLERANCE,
    exact: bool | None = None,
    few_seeds: bool = False,
    only: Sequence[str] = (),
) -> GateVerdict:
    """Compare a run with expected results.

    Parameters
    ----------
    run_folder, expected : Path
        A run, and the file of expected results.
    tolerance : float
        Change of accuracy, as a share, that is not asked about where the rule is people.
    exact : bool, optional
        Hold all rows to the same predictions, or none. Default: what the file says, classical methods only.
    few_seeds : bool
        Judge by people with fewer than `SEEDS` seeds, too; the answer says so.
    only : sequence of str
        Judge only methods whose name fits one of these patterns; the answer says what is left out. Default: all, and a
        row that only the run or only the file has is a fault.

    Raises
    ------
    UserError
        Nothing can be compared: no run, a broken file, other data, a pattern that fits no method.
    """
    run, wanted = load_run(run_folder), read_expected(expected)
    _refuse_other_data(run, wanted, expected)
    if run.contradictions:
        return GateVerdict((), tuple(f"nothing is judged: {text}" for text in run.contradictions), (), wanted.unit)
    planned = _not_skipped(run)
    everything = list(dict.fromkeys([*wanted.rows, *planned]))
    chosen = _choose(everything, only)
    outcomes = last_epochs(run)
    faults = _not_expected([key for key in planned if key in chosen and key not in wanted.rows])
    pairs, rules, sources = [], [], []
    for key, reference in ((key, reference) for key, reference in wanted.rows.items() if key in chosen):
        rule = reference.rule if exact is None else "exact" if exact else "people"
        source = find_sources(run, *key)
        fault = _fault(run, reference, outcomes.get(key), rule, few_seeds) or other_source(source)
        if fault:
            faults.append(f"{reference.name}: {fault}")
            continue
        pairs.append((reference, outcomes[key].predicted.astype("uint8"), _same_seed(run, reference)))
        rules.append(rule)
        sources.append(source)
    rows = judge(pairs, rules, tolerance=tolerance)
    notes = [*_notes(rows, sources, wanted.unit), *_left_out([key for key in everything if key not in chosen])]
    return GateVerdict(tuple(rows), tuple(faults), tuple(notes), wanted.unit)


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
            f"expected folds {one_line(' or '.join(dict.fromkeys(f[:12] for f in reference.folds)))}, "
            f"found {one_line(folds[:12])}; "
            f"run with `seed` {reference.seeds[0]} or the same `folds`"
        )
    if hash_images(outcome) != reference.images:
        return "was tested on other images than expected; write a new expectation with `write_expected`"
    for what, here, there in (
        ("labels", outcome.labels, reference.labels),
        ("people", outcome.person, reference.people),
    ):
        if other := int((here != there).sum()):
            return (
                f"{other} of {len(there)} images have other {what} in the run than in the file, though the images are "
                "the same: one of them was edited; write a new expectation with `write_expected`"
            )
    used = rule == reference.rule and reference.method in run.info["methods"]
    if used and reference.rule != (due := rule_of(run, reference.method)):
        return (
            f"expected rule {due} for such a method, found {reference.rule} in the file: it was edited; choose rules "
            "with `exact`, or write a new expectation with `write_expected`"
        )
    weights = run.info["methods"].get(reference.method, {}).get("weights", "none")
    if weights != reference.weights:
        return (
            f"expected weights {one_line(reference.weights)}, found {one_line(str(weights))}; "
            "give the same with `weights_dir`"
        )
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


def _refuse_other_data(run: RunData, wanted: Expected, expected: Path) -> None:
    here = {"manifest_hash": run.info["dataset"].get("manifest_hash", "none"), "unit": run.unit.name}
    there = {"manifest_hash": wanted.manifest_hash, "unit": wanted.unit.name}
    for name, found in here.items():
        if found != there[name]:
            raise UserError(
                f"{expected}: expected {name} {one_line(there[name])}, the run in {run.path} has {one_line(found)}; "
                "use the same data, or write a new expectation with `write_expected`"
            )


def _not_skipped(run: RunData) -> list[tuple[str, str]]:
    """Methods and protocols of the plan, but for those that were never to run here."""
    tried = run.trials[run.trials["state"] != "skipped"]
    known = set(zip(tried["method"], tried["protocol"], strict=True))
    return [pair for pair in planned_pairs(run) if pair in known]


def _choose(rows: Sequence[tuple[str, str]], only: Sequence[str]) -> set[tuple[str, str]]:
    for glob in only:
        if not any(fnmatchcase(method, glob) for method, _ in rows):
            methods = sorted({method for method, _ in rows})
            raise UserError(
                f"`only` {glob!r} names none of the {len(methods)} methods of the run and the file; "
                f"they are {', '.join(methods[:8])}{' ...' if len(methods) > 8 else ''}"
            )
    return {row for row in rows if not only or any(fnmatchcase(row[0], glob) for glob in only)}


def _not_expected(rows: Sequence[tuple[str, str]]) -> list[str]:
    if not rows:
        return []
    return [
        f"{len(rows)} rows of the run are not in the file, such as {_named(rows[0])}: new, or deleted from it; write a "
        "new expectation with `write_expected`, or name those to judge with `only`"
    ]


def _left_out(rows: Sequence[tuple[str, str]]) -> list[str]:
    return [f"{len(rows)} rows are not judged, such as {_named(rows[0])}: `only` leaves them out"] if rows else []


def _named(row: tuple[str, str]) -> str:
    return "{} under {}".format(*row)


def _notes(rows: Sequence[Row], sources: Sequence[Sources], unit: Unit) -> list[str]:
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
    unknown = sum(source.unknown for source in sources)
    if unknown:
        notes.append(
            f"of {unknown} of {sum(source.trials for source in sources)} trials it is not known whose code computed "
            "them (no source_hash): if the run's folder was used before, give a new one"
        )
    return notes
