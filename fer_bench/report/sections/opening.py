"""What a reader sees first: what the data are, what may be concluded, and one sentence that says what they support."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fer_bench import stats
from fer_bench.results.schema import STATES

from ..model.comparisons import compare_all
from ..model.report_run import BEST, ReportRun
from ..model.tables import NO_VALUE, Column, Estimate, Table, cell_text, p_clause
from ..model.wording import OPTIMISTIC, guessing, who
from .answers import answers
from .dead_trainings import dead_warnings
from .training_luck import withheld

__all__ = ["facts", "glance", "headline", "warnings_of"]

SHARE = Column("accuracy", "accuracy", "share")
POINTS = Column("difference", "difference", "points")


def warnings_of(runs: Sequence[ReportRun]) -> tuple[str, ...]:
    """Sentences that come before every figure: rendered faces, a quick run, the article's selection."""
    said: list[str] = []
    for run in runs:
        where = f"{run.label}: " if len(runs) > 1 else ""
        notice = str(run.info["dataset"].get("notice") or "")
        if run.rendered and "rendered" not in notice.lower():
            said.append(f"{where}{_drawn(run)} Their figures say nothing about KDEF, nor about photographs or people.")
        if notice:
            said.append(f"{where}{notice}")
        said += [f"{where}{warning}." for warning in run.info.get("warnings") or ()]
        if run.unit.caution:
            said.append(f"{where}{run.unit.caution}")
        if run.quick:
            said.append(
                f"{where}This is a quick run ({run.info['profile']} profile): few people, few folds, few epochs, "
                "small pictures. It shows that methods train and test; it declares no winner."
            )
        if run.info.get("selection") == BEST:
            said.append(
                f"{where}The {run.info['preset']} preset picks the best epoch on the test images, as the article "
                "does. That figure is optimistic; it has a flagged column; rows are ordered by the last epoch."
            )
        said += [f"{where}{warning}" for warning in dead_warnings(run)]
        said += [f"{where}{name} is {OPTIMISTIC}." for name in run.protocols if run.optimistic(name)]
    return tuple(dict.fromkeys(said))


def headline(run: ReportRun) -> str:
    """One sentence that says what the run supports; for a quick run or rendered faces, only what was run."""
    protocol = run.primary
    if protocol is None:
        return "No trial of this run has finished, so there is nothing to compare; the reasons are listed below."
    if not run.declares_winner:
        return _what_was_run(run, protocol)
    network = next((family for family in ("deep", "cnn") if run.best(protocol, family)), None)
    a, b = run.best(protocol, network) if network else None, run.best(protocol, "classical")
    if a is None or b is None:
        return _single_family(run, protocol)
    return _compared(run, protocol, a, b)


def glance(run: ReportRun, suffix: str = "") -> tuple[Table, ...]:
    """What stands beside the headline: answers where there are any, then the size of the run."""
    found = answers(run, suffix)
    return (*([found] if found else []), facts(run, suffix))


def facts(run: ReportRun, suffix: str = "") -> Table:
    """The size of the run at a glance."""
    info, trials = run.info, run.data.trials
    dataset, counts = info["dataset"], trials["state"].value_counts()
    states = ", ".join(f"{counts[s]:,} {s}" for s in STATES if s in counts)
    done = run.results[run.results["n_done"] > 0]["method"].nunique()
    rows = (
        ("data", f"{dataset['name']}, {dataset['n_images']:,} images{_of_people(run)}"),
        ("methods", f"{done} with figures, of {trials['method'].nunique()} planned"),
        ("protocols", ", ".join(map(run.shown, run.protocols)) or NO_VALUE),
        ("trials", f"{states or 'none planned'}"),
        ("time", _hours(info.get("elapsed_seconds"))),
        ("suite", f"{info['suite']}, profile {info['profile']}, preset {info['preset']}"),
    )
    return Table(
        id=f"facts{suffix}",
        title="The run at a glance",
        columns=(Column("fact", "what"), Column("value", "value")),
        rows=tuple({"fact": fact, "value": value} for fact, value in rows),
        head="fact",
    )


def _drawn(run: ReportRun) -> str:
    if run.info["dataset"].get("rendered", False):
        return "These are rendered faces, drawn by a computer."
    return f"By its name ({run.info['dataset']['name']}) this set holds rendered faces, drawn by a computer."


def _what_was_run(run: ReportRun, protocol: str) -> str:
    dataset, learnt = run.info["dataset"], run.learnt(protocol)
    kind = "rendered faces" if run.rendered else "photographs"
    reach = ""
    if len(learnt):
        low, high = learnt["accuracy"].min(), learnt["accuracy"].max()
        between = f"Their accuracies on {run.shown(protocol)} lie between {100 * low:.1f} and {100 * high:.1f} %"
        alone = f"Its accuracy on {run.shown(protocol)} is {100 * low:.1f} %"
        reach = f" {between if len(learnt) > 1 else alone}; {guessing(run, protocol)}."
    return (
        f"{_counted(run, protocol)} trained and tested on {dataset['n_images']:,} {kind}"
        f"{_of_people(run)}, on the same folds.{reach} No winner is declared."
    )


def _counted(run: ReportRun, protocol: str) -> str:
    found = len(run.ranked(protocol))
    return "1 method was" if found == 1 else f"{found} methods were"


def _of_people(run: ReportRun) -> str:
    if not run.unit.tells_people:
        return " of people whose identities are not given"
    return f" of {run.info['dataset']['n_people']} people"


def _single_family(run: ReportRun, protocol: str) -> str:
    ranked = run.standing(protocol)
    if len(run.ranked(protocol)) and run.learnt(protocol).empty:
        return f"{_counted(run, protocol)} trained and tested; each has a training that learnt nothing: none is ranked."
    if ranked.empty and len(run.ranked(protocol)):
        return f"{_counted(run, protocol)} trained and tested; all of them stand outside comparisons between families."
    if ranked.empty:
        return "No method finished all of its trials, so nothing is ranked; finished parts are shown below."
    best = ranked.iloc[0]
    found = Estimate(best["accuracy"], best["accuracy_low"], best["accuracy_high"])
    counted = f"{best['n_test']:,} images of {best['n_units']:,} {run.unit.many}"
    counted = f"{best['n_test']:,} images" if run.unit.name == "image" else counted
    return (
        f"{best['method']} classifies {cell_text(SHARE, found)} % of {counted} correctly {who(run, protocol)}; "
        f"{guessing(run, protocol)}; this run has no second family to hold it against."
    )


def _compared(run: ReportRun, protocol: str, a: str, b: str) -> str:
    family = compare_all(run, protocol)
    found = family.of(a, b)
    if found is None:
        return f"{a} and {b} share no test image on {protocol}, so they cannot be compared."
    if found.estimate.value < 0:
        a, b, found = b, a, found.swapped
    over = run.unit.over.replace("over ", f"over {found.estimate.people:,} ", 1)
    # The best of each family was picked by looking at these images: any other pair could have been in its place.
    together = f", all {family.pairs:,} pairs at once" if family.pairs > 1 else ""
    points = cell_text(POINTS, found.estimate)
    tested = f"{found.estimate.n:,} images; sign-flip test {over}{together}, p {p_clause(found.p_value)}"
    if found.p_value < stats.ALPHA and (why := withheld(run, protocol, a, b, found.p_value)):
        ahead = f"{_role(run, a)} is ahead of {_role(run, b)} by {points} points {who(run, protocol)}"
        ahead = f"{ahead} ({tested}); {why}."
        return ahead[0].upper() + ahead[1:]
    if found.p_value < stats.ALPHA:
        beats = f"{_role(run, a)} beats {_role(run, b)} by {points} points {who(run, protocol)} ({tested})."
        return beats[0].upper() + beats[1:]
    unseen = f"; a true difference below {100 * found.detectable:.1f} points would often go unseen"
    return (
        f"The data support no difference between {_role(run, a)} and {_role(run, b)} {who(run, protocol)}: "
        f"{points} points ({tested}){'' if math.isnan(found.detectable) else unseen}."
    )


def _role(run: ReportRun, method: str) -> str:
    names = {
        "classical": "the best classical pipeline",
        "cnn": "the best small network",
        "deep": "the best deep network",
    }
    return f"{names.get(run.family(method), 'the best')}, {method},"


def _hours(seconds: float | None) -> str:
    if seconds is None:
        return NO_VALUE
    whole = round(float(seconds))
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {whole % 60} s"
