"""What the sections of the report are made from: runs with their outcomes, protocols in reading order, comparisons."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench import stats
from fer_bench.labels import N_CLASSES
from fer_bench.methods import COMPARED_FAMILIES, FAMILIES
from fer_bench.results.dead_trainings import DeadTraining, find_dead_trainings
from fer_bench.results.load import load_run, report_seed
from fer_bench.results.outcomes import Key, MethodPredictions, collect_predictions
from fer_bench.results.run_data import RunData
from fer_bench.results.schema import BEST_TEST_EPOCH, LAST_EPOCH
from fer_bench.results.table import build_results

from .tables import Estimate

__all__ = ["BEST", "FAMILY_WORDS", "LAST", "VIEW_PROTOCOLS", "ReportRun", "gather"]

FAMILY_WORDS = {
    "classical": "classical pipelines",
    "cnn": "small networks",
    "deep": "deep networks",
    "literature": "systems named in the article",
    "rendered": "networks pretrained on rendered faces",
}
VIEW_PROTOCOLS = ("view-out", "frontal-to-profile")
"""Protocols that keep views apart, too: told per view, and never the run's headline where there is another."""

_OTHER_IMAGES = "the methods were not tested on the same images"
_NAMED_RENDERED = re.compile(r"(?<![a-z])(rendered|render|synthetic)(?![a-z])", re.IGNORECASE)
"""Runs written before files were asked for marks know drawn faces by the name of their folder or archive alone."""

LAST, BEST = LAST_EPOCH, BEST_TEST_EPOCH


@dataclass(frozen=True)
class ReportRun:
    """One run, ready to be reported.

    Attributes
    ----------
    label : str
        Short name, unique among the runs of a report.
    data : RunData
    outcomes : mapping of Key to MethodPredictions
    results : DataFrame
        What `build_results` gave.
    """

    label: str
    data: RunData
    outcomes: Mapping[Key, MethodPredictions]
    results: pd.DataFrame

    @property
    def info(self) -> Mapping[str, Any]:
        """``run.json``."""
        return self.data.info

    @property
    def quick(self) -> bool:
        """True unless the run followed the full protocol."""
        return str(self.info["profile"]) != "full"

    @property
    def rendered(self) -> bool:
        """True where the faces were drawn by a computer; of earlier runs, which did not look, the name may say so."""
        dataset = self.info["dataset"]
        by_name = dataset.get("drawn_by") is None and _NAMED_RENDERED.search(str(dataset.get("name", "")))
        return bool(dataset.get("rendered", False)) or bool(by_name)

    @property
    def kdef(self) -> bool:
        """True where all images are KDEF's, or rendered in its grammar; runs that name no layout knew no other."""
        return set(self.layouts) <= {"kdef"}

    @cached_property
    def layouts(self) -> tuple[str, ...]:
        """Layouts that the images were read in: two where two datasets were joined, none for built-in faces."""
        dataset = self.info["dataset"]
        told = dataset.get("layouts")
        # Earlier runs have the phrase alone; no layout's name holds a blank.
        names = str(dataset.get("layout") or "").split(" and ") if told is None else told
        return tuple(str(name) for name in names if name)

    @cached_property
    def n_classes(self) -> int:
        """How many expressions the data show; where run.json does not say, how many were tested."""
        told = self.info["dataset"].get("expressions") or {}
        return len(told) or self.data.predictions["label"].nunique() or N_CLASSES

    @property
    def chance(self) -> float:
        """Accuracy of guessing one of the data's expressions."""
        return 1 / self.n_classes

    def majority(self, protocol: str) -> tuple[str, float]:
        """The most frequent expression of the images that a protocol tested, and its share; NaN where none were."""
        rows = self.data.predictions
        labels = rows.loc[rows["protocol"] == protocol].drop_duplicates("image")["label"].astype(str)
        shares = labels.value_counts(normalize=True, sort=False).sort_index()
        return (str(shares.idxmax()), float(shares.max())) if len(shares) else ("", float("nan"))

    @property
    def unit(self) -> stats.Unit:
        """What intervals and tests take for independent: people, unless the data do not tell who is who."""
        return self.data.unit

    @property
    def declares_winner(self) -> bool:
        """Only a full run on photographs says who is better."""
        return not self.quick and not self.rendered

    @cached_property
    def _accuracies(self) -> dict[Key, Estimate]:
        """Accuracies over all images, computed once: many sections show them."""
        return {}

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """Findings that several sections show, computed once by whoever asks first."""
        return {}

    @cached_property
    def seed(self) -> int:
        """Seed of all that the report draws at random."""
        return report_seed(self.data)

    @cached_property
    def protocols(self) -> tuple[str, ...]:
        """Names of planned protocols: unseen people first, then seen ones, and optimistic protocols last."""
        planned = list(dict.fromkeys(self.data.trials["protocol"]))
        known = [name for name in self.info["protocols"] if name in planned]
        names = known + [name for name in planned if name not in known]
        views_too = {name: name in VIEW_PROTOCOLS for name in names}
        return tuple(sorted(names, key=lambda n: (not self.unseen_people(n), views_too[n], self.optimistic(n))))

    @property
    def primary(self) -> str | None:
        """The first protocol that has finished trials, people unseen before images unseen."""
        done = {key.protocol for key in self.outcomes}
        return next((name for name in self.protocols if name in done), None)

    def check(self, protocol: str) -> Mapping[str, Any]:
        """What the check of a protocol's folds found; empty in runs of earlier versions, which looked at less."""
        return self.info["protocols"].get(protocol, {}).get("check") or {}

    def people_apart(self, protocol: str) -> str:
        """Whether nobody is both trained on and tested: proven, refused or unknown.

        Earlier runs tell of the data's own names of people alone.
        """
        if check := self.check(protocol):
            return str((check.get("people") or {}).get("state", "unknown"))
        if not self.unit.tells_people:
            return "unknown"
        return "proven" if self.info["protocols"].get(protocol, {}).get("people_disjoint", False) else "refused"

    def unseen_people(self, protocol: str) -> bool:
        """True where nobody is both trained on and tested; never where the data do not tell who is who."""
        return self.unit.tells_people and self.people_apart(protocol) == "proven"

    def optimistic(self, protocol: str) -> bool:
        """True where the protocol itself takes the best epoch on the test images."""
        return bool(self.info["protocols"].get(protocol, {}).get("optimistic", False))

    def shown(self, protocol: str) -> str:
        """A protocol's name as every table and sentence shows it."""
        return f"{protocol} (optimistic)" if self.optimistic(protocol) else protocol

    def train_size(self, protocol: str) -> float:
        """Mean number of images that a fold trains on; NaN where nothing was planned."""
        trials = self.data.trials
        return float(trials.loc[trials["protocol"] == protocol, "n_train"].mean())

    def family(self, method: str) -> str:
        """One of the families of `fer_bench.methods`; empty for a method that run.json does not know."""
        return str(self.info["methods"].get(method, {}).get("family", ""))

    def ranked(self, protocol: str, family: str | None = None) -> pd.DataFrame:
        """Finished rows of a protocol by falling accuracy, last epoch only; partial rows are not among them.

        Rows with a training that learnt nothing come last, whatever their mean.
        """
        if ("ranked", protocol, family) not in self.kept:
            self.kept["ranked", protocol, family] = self._ranked(protocol, family)
        found: pd.DataFrame = self.kept["ranked", protocol, family]
        return found

    @cached_property
    def dead(self) -> tuple[DeadTraining, ...]:
        """Trainings that learnt nothing."""
        return find_dead_trainings(self.data, self.outcomes)

    def has_dead(self, method: str, protocol: str) -> bool:
        """Whether a row's mean has a training in it that learnt nothing, so that it is no figure of a method."""
        return any((one.method, one.protocol) == (method, protocol) for one in self.dead)

    def learnt(self, protocol: str, family: str | None = None) -> pd.DataFrame:
        """Those of the `ranked` rows all of whose trainings learnt something; no other may be named best or first."""
        rows = self.ranked(protocol, family)
        return rows[~self._dead_rows(rows, protocol)]

    def standing(self, protocol: str) -> pd.DataFrame:
        """Those of the `learnt` rows that may lead: all but families that are shown beside the compared ones."""
        rows = self.learnt(protocol)
        return rows[~rows["family"].isin(set(FAMILIES) - set(COMPARED_FAMILIES))]

    def _ranked(self, protocol: str, family: str | None) -> pd.DataFrame:
        rows = self.results
        chosen = rows[(rows["protocol"] == protocol) & (rows["selection"] == LAST) & (rows["status"] == "ok")]
        chosen = chosen if family is None else chosen[chosen["family"] == family]
        chosen = chosen.sort_values(["accuracy", "method"], ascending=[False, True], kind="stable")
        return chosen.iloc[np.argsort(self._dead_rows(chosen, protocol), kind="stable")]

    def _dead_rows(self, rows: pd.DataFrame, protocol: str) -> NDArray[np.bool_]:
        return np.array([self.has_dead(str(name), protocol) for name in rows["method"]], dtype=bool)

    def finished_under(self, *protocols: str) -> list[str]:
        """Methods whose trials all finished, and learnt, under each protocol, in the order of the first's ranking."""
        found = [[str(name) for name in self.learnt(protocol)["method"]] for protocol in protocols]
        shared = set.intersection(*map(set, found))
        return [name for name in found[0] if name in shared]

    def best(self, protocol: str, family: str) -> str | None:
        """The most accurate finished method of a family, of those whose trainings all learnt something."""
        rows = self.learnt(protocol, family)
        return None if rows.empty else str(rows.iloc[0]["method"])

    def outcome(self, method: str, protocol: str, selection: str = LAST) -> MethodPredictions | None:
        """Its predictions, or None."""
        return self.outcomes.get(Key(method, protocol, selection))

    def accuracy(self, outcome: MethodPredictions, chosen: NDArray[np.bool_] | None = None) -> Estimate:
        """Accuracy over all images or the chosen ones, with its interval over people (see `unit`)."""
        if chosen is None and self.outcomes.get(outcome.key) is outcome:
            if outcome.key not in self._accuracies:
                self._accuracies[outcome.key] = self.accuracy(outcome, np.ones(len(outcome.labels), dtype=bool))
            return self._accuracies[outcome.key]
        keep = slice(None) if chosen is None else chosen
        correct = outcome.correct[keep]
        if not correct.size:
            return Estimate(float("nan"))
        found = stats.accuracy_interval(correct, outcome.person[keep], seed=self.seed, unit=self.unit)
        return Estimate.of(found)

    def as_published(self, method: str, protocol: str) -> Estimate:
        """Accuracy as the article counts it: the best epoch on test where there are epochs, binomial interval."""
        outcome = self.outcome(method, protocol, BEST) or self.outcome(method, protocol)
        if outcome is None:
            return Estimate(float("nan"))
        return Estimate.of(stats.wilson_interval(float(outcome.correct.sum()), len(outcome.correct)))

    def difference(self, a: MethodPredictions, b: MethodPredictions) -> stats.Difference | None:
        """A minus B over the images that both were tested on; None where they share none."""
        left, right = common_rows(a, b)
        if not len(left):
            return None
        people = a.person[left]
        return stats.paired_difference(a.correct[left], b.correct[right], people, seed=self.seed, unit=self.unit)

    def median_accuracy(self, protocol: str, methods: Sequence[str]) -> Estimate:
        """Median accuracy of several methods, with its interval over people."""
        found = [self.outcomes[Key(method, protocol, LAST)] for method in methods]
        if all(np.array_equal(outcome.images, found[0].images) for outcome in found):
            return self._median([outcome.correct for outcome in found], found[0].person, (0.0, 1.0))
        images = set.intersection(*(set(outcome.images) for outcome in found))
        keeps = [np.isin(outcome.images, sorted(images)) for outcome in found]
        if len({int(keep.sum()) for keep in keeps}) != 1 or not images:
            values = [float(outcome.correct.mean()) for outcome in found]
            return Estimate(float(np.median(values)), why=_OTHER_IMAGES)
        people = found[0].person[keeps[0]]
        columns = [outcome.correct[keep] for outcome, keep in zip(found, keeps, strict=True)]
        return self._median(columns, people, (0.0, 1.0))

    def median_difference(self, pairs: Sequence[tuple[MethodPredictions, MethodPredictions]]) -> Estimate:
        """Median over methods of A minus B on the images that both were tested on, with its interval over people."""
        columns, people = [], []
        for a, b in pairs:
            left, right = common_rows(a, b)
            columns.append(a.correct[left].astype(np.float64) - b.correct[right])
            people.append(a.people[left])
        if any(not np.array_equal(found, people[0]) for found in people):
            return Estimate(float(np.median([column.mean() for column in columns])), why=_OTHER_IMAGES)
        return self._median(columns, people[0], (-1.0, 1.0))

    def _median(self, columns: Sequence[NDArray[Any]], people: NDArray[Any], bounds: tuple[float, float]) -> Estimate:
        """Median of the means of columns over the same images."""
        counts = stats.sum_by_person(np.stack([*columns, np.ones(len(people))], axis=1), people)
        interval = stats.people_interval(
            counts,
            lambda sums: np.median(sums[:, :-1] / sums[:, -1:], axis=1),
            n=len(people),
            seed=self.seed,
            bounds=bounds,
            unit=self.unit,
        )
        return Estimate.of(interval)

    def families(self, protocol: str) -> tuple[str, ...]:
        """Families with `learnt` rows, in the project's order."""
        return tuple(family for family in FAMILIES if self.best(protocol, family))


def gather(run_dirs: Sequence[Path]) -> tuple[ReportRun, ...]:
    """Read runs and compute what they say; labels are the directories' names, made unique.

    Parameters
    ----------
    run_dirs : sequence of path

    Raises
    ------
    UserError
        As `load_run`.
    """
    runs: list[ReportRun] = []
    for folder in run_dirs:
        data = load_run(folder)
        outcomes = collect_predictions(data)
        label = _own_label(Path(folder).resolve().name, [run.label for run in runs])
        runs.append(ReportRun(label, data, outcomes, build_results(data, outcomes)))
    return tuple(runs)


def _own_label(name: str, taken: Sequence[str]) -> str:
    """Return a run's name, numbered where another run of the report has it."""
    label, number = name, 1
    while label in taken:
        number += 1
        label = f"{name} #{number}"
    return label


def common_rows(a: MethodPredictions, b: MethodPredictions) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions in a and in b of the image-seed pairs that both have."""
    if np.array_equal(a.images, b.images) and np.array_equal(a.seeds, b.seeds):
        every = np.arange(len(a.images))
        return every, every
    places = {pair: place for place, pair in enumerate(zip(b.images, b.seeds, strict=True))}
    found = [(i, places[pair]) for i, pair in enumerate(zip(a.images, a.seeds, strict=True)) if pair in places]
    left, right = np.array(found, dtype=np.int64).reshape(-1, 2).T
    return left, right
