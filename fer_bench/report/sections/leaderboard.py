"""Who is better: the leaderboard, the families, the best of each against each other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from fer_bench import stats
from fer_bench.labels import EMOTION_NAMES, EMOTIONS
from fer_bench.methods import COMPARED_FAMILIES
from fer_bench.results.outcomes import Key, MethodPredictions

from ..model.columns import FAMILY, IMAGES, METHOD, accuracy_column, unit_column
from ..model.comparisons import ADJUSTED_P, compare_all
from ..model.report_run import BEST, FAMILY_WORDS, LAST, ReportRun
from ..model.tables import Block, Column, Drawing, Estimate, Section, Table
from ..model.wording import OPTIMISTIC, common_unit, tested_on
from ..plots import svg
from .dead_trainings import DEAD, dead_cell, dead_note
from .published import load_published
from .runs import same_data
from .training_luck import FOLD_COLUMNS, fold_cells, luck_note, withheld

__all__ = ["families_section", "leaderboard_section", "pairs_section"]

RUN = Column("run", "run", "text", "which of the merged runs")
RANK = Column("rank", "#", "count", "by accuracy; partial rows, and others that are no figure of a method, have none")
BALANCED = Column("balanced", "balanced, %", "share", "mean over the expressions of the share found (recall)")
F1 = Column("f1", "macro-F1, %", "share", "mean over expressions of F1, which punishes misses and false alarms alike")
WATCHED = Column(
    *("watched", "best epoch on test, %: optimistic", "share"),
    "the epoch picked on the very images it is scored on, as the article does; never used for ranking",
)
BEHIND = Column(
    "behind",
    "to the first row, points",
    "difference",
    "difference to the first row on the same images; its interval holds for all pairs at once",
)
AS_PUBLISHED = Column(
    *("published", "as the paper counts, %: optimistic", "share"),
    "best epoch on the test images where a method has epochs; Wilson's binomial interval, which assumes independent "
    "images, as for published figures",
)
FIT = Column("fit", "fit, s", "seconds", "mean seconds to train one fold, features included, as if it stood alone")
PREDICT = Column("predict", "predict, ms/image", "milliseconds", "milliseconds to classify one image")
TRIALS = Column("trials", "trials", "text", "finished of planned")
TUNING = Column("tuning", "parameters", "text", "default: as stated; tuned: chosen by people inside each training fold")


def leaderboard_section(runs: Sequence[ReportRun]) -> Section:
    """All methods by accuracy, one table a protocol, unseen people first; then reference points."""
    names = list(dict.fromkeys(name for run in runs for name in run.protocols))
    unseen = {name: any(run.unseen_people(name) for run in runs) for name in names}
    blocks: list[Block] = []
    for name in sorted(names, key=lambda name: not unseen[name]):
        table = _leaderboard(runs, name)
        blocks.append(table if table.rows else f"{name}: no method has a finished trial.")
    if not names:
        blocks.append("The plan of this run is empty.")
    return Section("leaderboard", "Leaderboard", (*blocks, _references(runs)))


def families_section(run: ReportRun, suffix: str) -> Section:
    """Classical, cnn and deep: the best and the median of each, and where every method lies."""
    blocks: list[Block] = []
    for protocol in run.protocols:
        families = run.families(protocol)
        if families:
            table = _families(run, protocol, families, suffix)
            blocks += [table, _strip(run, protocol, families, table.id)]
    return Section(f"families{suffix}", "Families", tuple(blocks) or ("No method finished all of its trials.",))


def pairs_section(run: ReportRun, suffix: str) -> Section:
    """The best of each family against the best of each other, on the same images."""
    tables = [table for protocol in run.protocols if (table := _pairs(run, protocol, suffix)).rows]
    text = (
        f"The more accurate method minus the other, on the same images. {_test_words(run.unit)} Each method was "
        "picked as the best of its family on these very images, which flatters both."
    )
    if not tables:
        text = (
            f"Fewer than two of the families {', '.join(COMPARED_FAMILIES)} have a finished method on the same images: "
            "nothing to compare."
        )
    return Section(f"pairs{suffix}", "Best of each family, compared", (text, *tables))


def _test_words(unit: stats.Unit) -> str:
    if unit == stats.IMAGE:
        return "The sign-flip test and McNemar's both treat images as independent: these data give no better unit."
    return (
        f"The sign-flip test treats {unit.many}, not images, as the unit; McNemar's test treats images as independent, "
        "which they are not, and is shown for comparison only."
    )


def _leaderboard(runs: Sequence[ReportRun], protocol: str) -> Table:
    rows = [row for run in runs for row in _leader_rows(run, protocol)]
    # Rows on other data stand in another block: an order by accuracy over both would compare the data.
    data = {run.label: 0 if same_data(runs) else place for place, run in enumerate(runs)}
    rows.sort(
        key=lambda r: (data[r["run"]], r["status"] != "ok", "dead" in r, -r["accuracy"].value, r["method"], r["run"])
    )
    ranked = all(run.declares_winner for run in runs) and same_data(runs)
    place = 0
    for row in rows:
        if ranked and row["status"] == "ok" and "dead" not in row:
            place += 1
            row["rank"] = place
        row["bar"] = Drawing(svg.interval_bar(row["accuracy"], row["family"], row["chance"]))
    unit, optimistic = common_unit(runs), any(run.optimistic(protocol) for run in runs)
    columns = [
        *([RANK] if ranked else []),
        *(METHOD, FAMILY, *([RUN] if len(runs) > 1 else []), accuracy_column(unit), TUNING),
        *(Column("bar", "0 to 100 %", "drawing"), IMAGES, unit_column(unit)),
        *([BEHIND, _p_behind(unit)] if ranked and len(runs) == 1 else []),
        *([WATCHED] if any("watched" in row for row in rows) else []),
        *([AS_PUBLISHED] if optimistic else []),
        *([DEAD] if any("dead" in row for row in rows) else []),
        *(column for column in FOLD_COLUMNS if any(column.key in row for row in rows)),
        *(
            BALANCED,
            F1,
            FIT,
            PREDICT,
            TRIALS,
            Column("status", "status", "text", "partial: some trials did not finish"),
        ),
    ]
    shown = runs[0].shown(protocol) if len(runs) == 1 else protocol + (" (optimistic)" if optimistic else "")
    return Table(
        id=f"leaderboard-{protocol}",
        title=f"{shown}: tested on {tested_on(runs, protocol)}",
        columns=tuple(columns),
        rows=tuple(rows),
        notes=_leader_notes(runs, protocol),
        interactive=True,
    )


def _p_behind(unit: stats.Unit) -> Column:
    text = f"sign flips {unit.over} against the first row, corrected for all pairs of methods; "
    text += "large: not significantly different"
    return Column("p_behind", ADJUSTED_P, "p", text)


def _leader_rows(run: ReportRun, protocol: str) -> list[dict[str, Any]]:
    table = run.results[(run.results["protocol"] == protocol) & (run.results["n_done"] > 0)]
    behind = _behind(run, protocol) if run.declares_winner else {}
    rows = []
    for found in table[table["selection"] == LAST].to_dict("records"):
        n, people, method = int(found["n_test"]), int(found["n_units"]), str(found["method"])
        accuracy = run.accuracy(run.outcomes[Key(method, protocol, LAST)])
        row = {
            "method": method,
            "family": found["family"],
            "run": run.label,
            "chance": run.chance,
            "accuracy": accuracy,
            "tuning": "tuned" if found["tuning"] == "tuned" else "default",
            "n": n,
            "people": people,
            "balanced": _beside(found, "balanced_accuracy", accuracy),
            "f1": _beside(found, "macro_f1", accuracy),
            "fit": float(found["fit_seconds"]),
            "predict": float(found["predict_ms_per_image"]),
            "trials": f"{found['n_done']} of {found['n_trials']}",
            "status": found["status"],
            **behind.get(method, {}),
            **dead_cell(run, method, protocol, int(found["n_done"])),
        }
        watched = run.outcomes.get(Key(method, protocol, BEST))
        if watched is not None:
            row["watched"] = run.accuracy(watched)
        row |= fold_cells(run, protocol, row)
        if run.optimistic(protocol):
            row["published"] = run.as_published(method, protocol)
        rows.append(row)
    return rows


def _beside(found: Mapping[str, Any], name: str, accuracy: Estimate) -> Estimate:
    """Another figure of the images that an accuracy is of; where neither has an interval, for the same reason."""
    value, low, high = (float(found[f"{name}{end}"]) for end in ("", "_low", "_high"))
    why = accuracy.why or "nothing varies that it could be made from"
    return replace(accuracy, value=value, low=low, high=high, why=why if math.isnan(low) else "")


def _behind(run: ReportRun, protocol: str) -> dict[str, dict[str, Any]]:
    """Difference of every standing method to the first; the first was picked, so all pairs count."""
    methods = [str(name) for name in run.standing(protocol)["method"]]
    family = compare_all(run, protocol)
    found = {name: family.of(name, methods[0]) for name in methods[1:]}
    return {
        name: {"behind": compared.estimate, "p_behind": compared.p_value}
        for name, compared in found.items()
        if compared is not None
    }


def _leader_notes(runs: Sequence[ReportRun], protocol: str) -> tuple[str, ...]:
    over = common_unit(runs).over
    chances = [f"1/{n} = {100 / n:.1f} %" for n in dict.fromkeys(run.n_classes for run in runs)]
    notes = [f"The dashed line in the bars is chance, {' or '.join(chances)}. Intervals: 95 %, {over}."]
    notes += [luck_note(runs, protocol)]
    notes += [f"{protocol} is {OPTIMISTIC}." for run in runs if run.optimistic(protocol)]
    for run in runs:
        planned = run.results[(run.results["protocol"] == protocol) & (run.results["selection"] == LAST)]
        without = int((planned["n_done"] == 0).sum())
        if without:
            where = f" of {run.label}" if len(runs) > 1 else ""
            notes.append(f"{without} planned methods{where} have no figure here: see Skipped and failed.")
        methods = set(planned.loc[planned["interval_method"].astype(str) != "", "interval_method"])
        notes += [f"How the intervals were made: {method}." for method in sorted(methods)]
    if not all(run.declares_winner for run in runs):
        notes.append("Rows are in order of accuracy for finding them again; a quick run or rendered faces rank nobody.")
    if not same_data(runs):
        notes.append("The runs are of other data: each run's rows stand together, unranked, and nothing is averaged.")
    return tuple(dict.fromkeys(notes))


def _references(runs: Sequence[ReportRun]) -> Table:
    rows = [
        {"what": "chance", "accuracy": f"{100 / n:.1f}", "note": f"one of {n} expressions, guessed"}
        for n in dict.fromkeys(run.n_classes for run in runs)
    ]
    rows += _majorities(runs)
    people = load_published().humans
    if any(run.kdef for run in runs):
        said = f"{people.caveat}; doi {people.doi}"
        rows.append({"what": people.label, "accuracy": f"about {people.accuracy:g}", "note": said})
    return Table(
        id="references",
        title="Reference points",
        columns=(Column("what", "what"), Column("accuracy", "accuracy, %", "share"), Column("note", "read with care")),
        rows=tuple(rows),
        head="what",
    )


def _majorities(runs: Sequence[ReportRun]) -> list[dict[str, str]]:
    """What naming the most frequent expression always would give, where that is more than chance."""
    names = dict(zip(EMOTIONS, EMOTION_NAMES, strict=True))
    found: dict[tuple[str, str], list[str]] = {}
    for run in runs:
        for protocol in run.protocols:
            code, share = run.majority(protocol)
            if code and f"{100 * share:.1f}" != f"{100 * run.chance:.1f}":
                where = f"{run.shown(protocol)} of {run.label}" if len(runs) > 1 else run.shown(protocol)
                found.setdefault((code, f"{100 * share:.1f}"), []).append(where)
    what = "the most frequent expression"
    return [
        {"what": what, "accuracy": share, "note": f"{names[code]}, named for every test image of {', '.join(where)}"}
        for (code, share), where in found.items()
    ]


def _families(run: ReportRun, protocol: str, families: tuple[str, ...], suffix: str) -> Table:
    rows = []
    for family in families:
        ranked = run.learnt(protocol, family)
        best, methods = ranked.iloc[0], [str(name) for name in ranked["method"]]
        rows.append(
            {
                "family": family,
                "methods": len(methods),
                "best": str(best["method"]),
                "accuracy": run.accuracy(run.outcomes[Key(str(best["method"]), protocol, LAST)]),
                "median": run.median_accuracy(protocol, methods),
                "lowest": f"{100 * ranked['accuracy'].min():.1f} ({ranked.iloc[-1]['method']})",
                "n": int(best["n_test"]),
                "people": int(best["n_units"]),
            }
        )
    return Table(
        id=f"families-{protocol}{suffix}",
        title=f"{run.shown(protocol)}: families",
        columns=(
            FAMILY,
            Column("methods", "methods", "count", "methods whose trials all finished"),
            Column("best", "the best", "code"),
            Column("accuracy", "its accuracy, %", "share", accuracy_column(run.unit).help),
            Column("median", "median method, %", "share", "half of the family's methods do better, half do worse"),
            Column("lowest", "lowest, %", "text"),
            *(IMAGES, unit_column(run.unit)),
        ),
        rows=tuple(rows),
        notes=(
            "The best of many methods is partly the luckiest: the median shows the family without that luck.",
            *dead_note(run, protocol),
        ),
        head="family",
    )


def _strip(run: ReportRun, protocol: str, families: tuple[str, ...], table_id: str) -> Block:
    lanes = []
    for family in families:
        ranked = run.learnt(protocol, family)
        lanes.append((family, [(str(row["method"]), float(row["accuracy"])) for _, row in ranked.iterrows()]))
    words = "; ".join(FAMILY_WORDS[family] for family in families)
    figure = svg.strip_figure(
        f"{table_id}-strip",
        lanes,
        f"{run.shown(protocol)}: every mark is a method ({words}); dashed: chance.",
        run.chance,
    )
    return replace(figure, table=table_id)


def _pairs(run: ReportRun, protocol: str, suffix: str) -> Table:
    best = {family: run.best(protocol, family) for family in run.families(protocol)}
    compared, family = [], compare_all(run, protocol)
    for low, high in combinations([family for family in COMPARED_FAMILIES if family in best], 2):
        a, b = run.outcome(str(best[high]), protocol), run.outcome(str(best[low]), protocol)
        if a is None or b is None:
            continue
        if b.correct.mean() > a.correct.mean():
            a, b = b, a
        found, alone = family.of(a.key.method, b.key.method), run.difference(a, b)
        if found is not None and alone is not None:
            compared.append((a, b, found, alone))
    rows = tuple(
        {
            **{"first": a.key.method, "second": b.key.method, "difference": found.estimate},
            **{"n": found.estimate.n, "people": found.estimate.people, "p": alone.test.p_value},
            **{"adjusted": found.p_value, "mcnemar": alone.mcnemar.p_value, "detectable": found.detectable},
            **_other_views(run, protocol, a, b),
            "verdict": withheld(run, protocol, a.key.method, b.key.method, found.p_value)
            or _verdict(run, found.p_value),
        }
        for a, b, found, alone in compared
    )
    columns = (
        *(Column("first", "first", "code"), Column("second", "second", "code")),
        Column(
            *("difference", "difference, points", "difference"),
            f"accuracy of the first minus the second; 95 % interval that holds for all {family.pairs:,} pairs at once",
        ),
        *(
            IMAGES,
            unit_column(run.unit),
            Column("p", "p", "p", f"sign-flip test {run.unit.over}, exact, of this pair alone"),
        ),
        Column(
            *("adjusted", ADJUSTED_P, "p"),
            f"sign flips {run.unit.over}, corrected for all {family.pairs:,} pairs that the best are picked from",
        ),
        Column("mcnemar", "McNemar p", "p", "assumes independent images, so it is often too small"),
        Column(
            *("detectable", "detectable, points", "share"),
            f"true difference that is found with 80 % power where all {family.pairs:,} pairs are looked at",
        ),
        Column(
            *("better", f"chance that it is better by over {100 * stats.MARGIN:g} point, %", "share"),
            f"Bayesian t test {run.unit.over}: probability that the true gain exceeds that",
        ),
        Column("folds", "corrected t over folds, p", "p", "Nadeau and Bengio 2003; takes folds for the unit"),
        Column("verdict", "what it supports"),
    )
    title = f"{run.shown(protocol)}: best of each family, compared"
    return Table(f"pairs-{protocol}{suffix}", title, columns, rows, head="first")


def _other_views(run: ReportRun, protocol: str, a: MethodPredictions, b: MethodPredictions) -> dict[str, float | None]:
    """What a Bayesian and a test over folds make of a pair; None where they do not apply."""
    if not (np.array_equal(a.images, b.images) and np.array_equal(a.seeds, b.seeds)):
        return {}
    posterior = stats.probability_better(a.correct, b.correct, a.person, unit=run.unit)
    size = run.train_size(protocol)
    folds = stats.corrected_t_test(a.correct, b.correct, a.folds, train_images=None if size != size else size)
    return {
        "better": None if isinstance(posterior, stats.NotApplicable) else posterior.better,
        "folds": None if isinstance(folds, stats.NotApplicable) else folds.p_value,
    }


def _verdict(run: ReportRun, p_value: float) -> str:
    if not run.declares_winner:
        return "none declared (quick run)" if run.quick else "none declared (rendered faces)"
    if p_value >= 0.05:
        return "not significantly different"
    return "first is better"
