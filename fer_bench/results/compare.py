"""Two runs held against each other: the same images, person by person.

What may be compared is decided by one rule. Only images that both runs tested are compared, each with itself. Runs
on the same data (equal manifest hash) know their images by name; otherwise both must hold ``manifest.csv``, and an
image is the same where its content (sha256), person and label are. Names alone are never trusted: rendered faces
bear the names of KDEF's. Whatever else differs (folds, seed, crop, parameters, code, libraries, machine) does not
stand in the way, since it may be what the comparison is about; it is said.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench import stats
from fer_bench.errors import UserError
from fer_bench.utils.near import did_you_mean
from fer_bench.utils.paths import given_path

from .load import load_run, report_seed
from .outcomes import MethodPredictions, collect_predictions
from .pairing import NothingPairedError, identities
from .run_data import RunData
from .run_pairs import Pair, Score, pair_alone, pair_row, pairs_together
from .schema import LAST_EPOCH

__all__ = ["Compared", "Pair", "compare_data", "compare_runs"]

_IDLE_PACKAGES = {"matplotlib", "scikit-image"}
"""Told by runs of earlier versions, though no figure comes from them."""
_NAMED = 3
"""Names given in a note before "and n more"."""


@dataclass(frozen=True)
class Compared:
    """Two runs held against each other.

    Attributes
    ----------
    run_a, run_b : Path
    unit : Unit
        What intervals and tests take for independent.
    pairs : tuple of Pair
    data : str
        Whether the data are the same, and how images were matched.
    differs : tuple of str
        What else differs between the runs.
    left_out : tuple of str
        What is not compared, and why.
    cautions : tuple of str
        What forbids naming a winner.
    """

    run_a: Path
    run_b: Path
    unit: stats.Unit
    pairs: tuple[Pair, ...]
    data: str
    differs: tuple[str, ...]
    left_out: tuple[str, ...]
    cautions: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row a pair: methods, protocol, images, accuracies, difference (A minus B) with interval and tests."""
        return pd.DataFrame([pair_row(pair) for pair in self.pairs])


def compare_runs(
    folder_a: str | os.PathLike[str],
    folder_b: str | os.PathLike[str],
    *,
    method_a: str | None = None,
    method_b: str | None = None,
    protocol: str | None = None,
    margin: float = stats.MARGIN,
) -> Compared:
    """Compare two runs on the images that both tested.

    Parameters
    ----------
    folder_a, folder_b : path
        Run directories, or what `fer_bench.run` gave; the same one twice for two methods of one run.
    method_a, method_b : str, optional
        One method of each run. Default: every method that both runs have, each with itself.
    protocol : str, optional
        Default: every protocol that both runs have.
    margin : float
        Share of images that counts as no difference; see `fer_bench.stats.probability_better`.

    Raises
    ------
    UserError
        A folder is no run, a method or protocol is unknown, or no image can be compared.
    """
    place_a, place_b = (given_path(folder, "the run's folder") for folder in (folder_a, folder_b))
    a = load_run(place_a)
    b = a if place_a.resolve() == place_b.resolve() else load_run(place_b)
    return compare_data(a, b, method_a=method_a, method_b=method_b, protocol=protocol, margin=margin)


def compare_data(
    a: RunData,
    b: RunData,
    *,
    method_a: str | None = None,
    method_b: str | None = None,
    protocol: str | None = None,
    margin: float = stats.MARGIN,
) -> Compared:
    """Compare two runs that are read already; otherwise as `compare_runs`."""
    folder_a, folder_b = a.path, b.path
    if a.unit != b.unit:
        raise NothingPairedError(
            f"{folder_a} counts {a.unit.many}, {folder_b} counts {b.unit.many}: one tells who is on an image, the "
            "other does not",
            f"; nothing can be paired: see `fer-bench report {folder_a} {folder_b} --out DIR`",
        )
    wanted = _wanted_methods(a, b, method_a, method_b)
    protocols = _wanted_protocols(a, b, protocol)
    identity_a, identity_b, data = identities(a, b)
    outcomes = (_last_epochs(a), _last_epochs(b))
    pairs: list[Pair] = []
    scores: list[Score] = []
    left_out: list[str] = []
    for name in protocols:
        for left, right in wanted:
            found = tuple(side.get((method, name)) for side, method in zip(outcomes, (left, right), strict=True))
            if found[0] is None or found[1] is None:
                left_out.append(_no_predictions(name, (a, left, found[0]), (b, right, found[1])))
                continue
            pair = pair_alone(a, b, found[0], found[1], (identity_a, identity_b), margin)
            if pair is None:
                left_out.append(f"{name}: {_both(left, right)}: no image was tested by both")
            else:
                pairs.append(pair[0])
                scores.append(pair[1])
    if not pairs:
        raise UserError(f"{folder_a} and {folder_b}: nothing to compare: {left_out[0]}")
    return Compared(
        run_a=folder_a,
        run_b=folder_b,
        unit=a.unit,
        pairs=tuple(pairs_together(pairs, scores, seed=report_seed(a), unit=a.unit)),
        data=data,
        differs=tuple(_differences(a, b, wanted, protocols)),
        left_out=(*_only_in_one(a, b, method_a, protocol), *left_out),
        cautions=tuple(_cautions(a, b)),
    )


def _wanted_methods(a: RunData, b: RunData, method_a: str | None, method_b: str | None) -> list[tuple[str, str]]:
    """Pairs of names; each is known in its run."""
    if (method_a is None) != (method_b is None):
        raise UserError("`method_a` and `method_b`: give both, or neither")
    names_a, names_b = _names(a, "method"), _names(b, "method")
    if method_a is not None and method_b is not None:
        for name, names, run in ((method_a, names_a, a), (method_b, names_b, b)):
            _need(name, names, run, "method")
        if a is b and method_a == method_b:
            raise UserError(f"{a.path}: {method_a} compared with itself; give two methods, or two runs")
        return [(method_a, method_b)]
    if a is b:
        raise UserError(f"{a.path} is given twice; give `method_a` and `method_b`, or another run")
    both = [name for name in names_a if name in names_b]
    if not both:
        raise UserError(
            f"{a.path} has {_some(names_a)}, {b.path} has {_some(names_b)}: no method is in both; "
            "give `method_a` and `method_b`"
        )
    return [(name, name) for name in both]


def _wanted_protocols(a: RunData, b: RunData, protocol: str | None) -> list[str]:
    names_a, names_b = _names(a, "protocol"), _names(b, "protocol")
    if protocol is not None:
        for names, run in ((names_a, a), (names_b, b)):
            _need(protocol, names, run, "protocol")
        return [protocol]
    both = [name for name in names_a if name in names_b]
    if not both:
        raise UserError(
            f"{a.path} follows {_some(names_a)}, {b.path} follows {_some(names_b)}: no protocol is in both; "
            "run one under the other's"
        )
    return both


def _need(name: str, names: Sequence[str], run: RunData, what: str) -> None:
    if name not in names:
        raise UserError(f"{run.path} has no {what} {name!r}; it has {_some(names)}{did_you_mean(name, names)}")


def _names(run: RunData, column: str) -> list[str]:
    return [str(name) for name in dict.fromkeys(run.trials[column])]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "none") + more


def _both(left: str, right: str) -> str:
    return left if left == right else f"{left} against {right}"


def _last_epochs(run: RunData) -> dict[tuple[str, str], MethodPredictions]:
    found = collect_predictions(run)
    return {(key.method, key.protocol): outcome for key, outcome in found.items() if key.selection == LAST_EPOCH}


def _no_predictions(protocol: str, *sides: tuple[RunData, str, MethodPredictions | None]) -> str:
    run, method, _ = next(side for side in sides if side[2] is None)
    rows = run.trials[(run.trials["method"] == method) & (run.trials["protocol"] == protocol)]
    reasons = list(dict.fromkeys(str(reason) for reason in rows["reason"] if reason))
    why = reasons[0] if reasons else "not planned" if rows.empty else "no trial is done"
    return f"{protocol}: {method}: {run.path} has no predictions of it ({why})"


def _differences(a: RunData, b: RunData, methods: Sequence[tuple[str, str]], protocols: Sequence[str]) -> Iterator[str]:
    """What is not the same in both runs and may be why their figures differ."""
    if a is b:
        return
    for name in protocols:
        folds = [run.info["protocols"].get(name, {}).get("folds_hash") for run in (a, b)]
        if folds[0] != folds[1]:
            yield f"folds of {name}: models were trained on other images, which is part of the difference"
    for what in ("seed", "profile", "preset", "device"):
        yield from _unlike(what, a.info.get(what), b.info.get(what))
    for what in ("crop", "options"):
        yield from _unlike(what, a.info["dataset"].get(what), b.info["dataset"].get(what))
    codes = [run.info.get("code") or {} for run in (a, b)]
    yield from _unlike("code", *(_code(code) for code in codes))
    yield from _unlike("processor", *((run.info.get("machine") or {}).get("cpu") for run in (a, b)))
    packages = [run.info.get("packages") or {} for run in (a, b)]
    for name in sorted((set(packages[0]) | set(packages[1])) - _IDLE_PACKAGES):
        yield from _unlike(name, packages[0].get(name), packages[1].get(name))
    for left, right in methods:
        if left == right:
            specs = [run.info["methods"].get(left, {}) for run in (a, b)]
            for what in ("version", "params", "tuning", "weights", "size", "channels", "epochs"):
                yield from _unlike(f"{what} of {left}", specs[0].get(what), specs[1].get(what))


def _code(code: Mapping[str, Any]) -> str:
    changed = " with uncommitted changes" if code.get("dirty") else ""
    return f"{str(code.get('commit') or code.get('version') or 'unknown')[:12]}{changed}"


def _unlike(what: str, a: object, b: object) -> Iterator[str]:
    if a != b:
        yield f"{what}: {_short(a)} in A, {_short(b)} in B"


def _short(value: object) -> str:
    return "none" if value is None or value in ("", {}) else str(value)


def _only_in_one(a: RunData, b: RunData, method: str | None, protocol: str | None) -> Iterator[str]:
    """What only one run planned; asked-for names are in both."""
    for column, asked in (("method", method), ("protocol", protocol)):
        if asked is not None:
            continue
        names_a, names_b = _names(a, column), _names(b, column)
        for run, own, other in ((a, names_a, names_b), (b, names_b, names_a)):
            only = [name for name in own if name not in other]
            if only:
                yield f"only in {run.path}: {_some(only)} ({len(only)} {column}{'s' if len(only) > 1 else ''})"


def _cautions(a: RunData, b: RunData) -> Iterator[str]:
    for run in (a,) if a is b else (a, b):
        yield from (f"{run.path}: {text}" for text in run.contradictions)
    if any(run.info["profile"] != "full" for run in (a, b)):
        yield "a quick run is no ranking: few people and short training"
    if any(run.info["dataset"].get("rendered") for run in (a, b)):
        yield "rendered faces say nothing about photographs"
    if a.unit.caution:
        yield a.unit.caution
