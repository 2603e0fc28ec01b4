"""Accuracy by person: women and men, and every person."""

from __future__ import annotations

from typing import Any

import numpy as np

from fer_bench import stats
from fer_bench.results.genders import MAN, WOMAN
from fer_bench.results.outcomes import Key, MethodPredictions

from ..model.columns import FAMILY, IMAGES, METHOD, accuracy_column
from ..model.comparisons import ADJUSTED_METHODS
from ..model.report_run import LAST, ReportRun
from ..model.tables import Block, Column, Estimate, Figure, Section, Table
from ..plots import svg

__all__ = ["people_section"]


def people_section(run: ReportRun, suffix: str) -> Section:
    """How accuracy differs between women and men, where the data give it, and from person to person."""
    title, protocol = "Accuracy by person", run.primary
    if not run.unit.tells_people:
        return Section(f"people{suffix}", title, ("These data do not tell who is who.",))
    methods = [] if protocol is None else [str(name) for name in run.ranked(protocol)["method"]]
    if protocol is None or not methods:
        return Section(f"people{suffix}", title, ("No method finished all of its trials.",))
    persons = _persons(run, protocol, methods, suffix)
    blocks: list[Block] = [
        *_strip(run, protocol, persons.id, suffix),
        persons,
        *_genders(run, protocol, methods, suffix),
    ]
    return Section(f"people{suffix}", title, tuple(blocks))


def _accuracies(outcome: MethodPredictions) -> dict[str, float]:
    """Accuracy of each person, by the code that the data give them."""
    names = np.unique(outcome.people)
    values = stats.person_accuracies(outcome.correct, outcome.person)
    return dict(zip(map(str, names), map(float, values), strict=True))


def _persons(run: ReportRun, protocol: str, methods: list[str], suffix: str) -> Table:
    rows = []
    for method in methods:
        outcome = run.outcomes[Key(method, protocol, LAST)]
        each, found = _accuracies(outcome), run.accuracy(outcome)
        worst, best = min(each, key=each.__getitem__), max(each, key=each.__getitem__)
        values = np.array(list(each.values()))
        rows.append(
            {
                **{"method": method, "family": run.family(method), "accuracy": found},
                **{"worst": each[worst], "who": worst, "median": float(np.median(values))},
                **{"best": each[best], "spread": float(values.std(ddof=1)) if len(values) > 1 else None},
                **{"below": int((values < found.value - 0.1).sum()), "n": found.n, "people": len(each)},
            }
        )
    columns = (
        *(METHOD, FAMILY, accuracy_column(run.unit)),
        Column("worst", "worst person, %", "share", "lowest accuracy on the images of one person"),
        Column("who", "code", "code", "as the data name people"),
        Column("median", "median person, %", "share"),
        Column("best", "best person, %", "share"),
        Column("spread", "spread, points", "share", "standard deviation of accuracy over people"),
        Column("below", "far below", "count", "people whose accuracy lies ten points or more below the mean"),
        *(IMAGES, Column("people", "people", "count", "everybody counts once, whatever the number of images")),
    )
    some = run.outcomes[Key(methods[0], protocol, LAST)]
    share = len(some.labels) / max(1, len(np.unique(some.people)))
    note = f"About {share:,.0f} images a person: part of the spread is chance. Single people carry no interval."
    title = f"{run.shown(protocol)}: from person to person"
    return Table(f"persons-{protocol}{suffix}", title, columns, tuple(rows), (note,), folded=len(rows) > 12)


def _strip(run: ReportRun, protocol: str, table: str, suffix: str) -> list[Block]:
    lanes = []
    for family in run.families(protocol):
        each = _accuracies(run.outcomes[Key(str(run.best(protocol, family)), protocol, LAST)])
        lanes.append((family, sorted(each.items(), key=lambda item: item[1])))
    names = ", ".join(str(run.best(protocol, family)) for family in run.families(protocol))
    caption = (
        f"{run.shown(protocol)}: every mark is a person, classified by {names}; dashed: chance. Best person named."
    )
    figure = svg.strip_figure(f"persons-figure{suffix}", lanes, caption, run.chance)
    return [Figure(figure.id, figure.svg, caption, table)]


def _genders(run: ReportRun, protocol: str, methods: list[str], suffix: str) -> list[Block]:
    """Women against men, people as units; only where the data give it of every tested person."""
    outcomes = [run.outcomes[Key(method, protocol, LAST)] for method in methods]
    people = {str(name) for outcome in outcomes for name in np.unique(outcome.people)}
    told = [run.data.genders.get(name, "") for name in people]
    women, men = told.count(WOMAN), told.count(MAN)
    if women + men < len(people) or min(women, men) < 2:
        return ["These data do not tell women from men, or there are fewer than two of either."]
    rows = _gender_rows(run, outcomes)
    columns = (
        *(METHOD, FAMILY),
        Column("women", "women, %", "share", "accuracy on images of women, 95 % interval over people"),
        Column("men", "men, %", "share", "accuracy on images of men, 95 % interval over people"),
        Column(
            *("difference", "women minus men, points", "difference"),
            "means over people; Welch's 95 % interval that holds for all methods in this table at once",
        ),
        Column(
            *("adjusted", ADJUSTED_METHODS, "p"),
            "Welch's t over people, permuted for all methods in this table together; below 5 % exactly where the "
            "interval leaves zero out",
        ),
        IMAGES,
    )
    how = "by the letter in their code" if run.kdef else "as given in the data"
    note = f"{women} women and {men} men, {how}. They are different people, so the test is not paired."
    title = f"{run.shown(protocol)}: women and men"
    return [Table(f"gender-{protocol}{suffix}", title, columns, tuple(rows), (note,), folded=len(rows) > 12)]


def _gender_rows(run: ReportRun, outcomes: list[MethodPredictions]) -> list[dict[str, Any]]:
    genders, told = run.data.genders, [_accuracies(outcome) for outcome in outcomes]
    people = sorted(set().union(*told))
    values = np.array([[each.get(name, np.nan) for each in told] for name in people])
    family = stats.max_welch(values, [genders[name] == WOMAN for name in people], seed=run.seed)
    rows = []
    for place, (outcome, each) in enumerate(zip(outcomes, told, strict=True)):
        female = np.array([genders[str(name)] == WOMAN for name in outcome.people])
        value, low, high = (float(one[place]) for one in (family.value, family.low, family.high))
        p_value, n = float(family.p_value[place]), len(outcome.labels)
        rows.append(
            {
                **{"method": outcome.key.method, "family": run.family(outcome.key.method), "n": n},
                **{"women": run.accuracy(outcome, female), "men": run.accuracy(outcome, ~female)},
                "difference": Estimate(value, low, high, n, len(each), family.reasons[place]),
                "adjusted": None if np.isnan(p_value) else p_value,
            }
        )
    return rows
