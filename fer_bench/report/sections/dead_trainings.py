"""Trainings that learnt nothing: counted in the opening, flagged at their rows, kept out of claims."""

from __future__ import annotations

from fer_bench.results.dead_trainings import DeadTraining

from ..model.report_run import ReportRun
from ..model.tables import Column

__all__ = ["DEAD", "dead_cell", "dead_note", "dead_rows", "dead_warnings"]

DEAD = Column(
    "dead",
    "learnt nothing",
    "text",
    "trainings whose answers do not hang on the picture; the accuracy beside it is a mean with theirs in it, and no "
    "figure of a method",
)
_MOST_FOLDS = 3


def dead_rows(run: ReportRun, protocol: str) -> dict[str, tuple[DeadTraining, ...]]:
    """Methods with a training that learnt nothing under a protocol, with these trainings; what no claim rests on."""
    rows: dict[str, tuple[DeadTraining, ...]] = {}
    for one in run.dead:
        if one.protocol == protocol:
            rows[one.method] = (*rows.get(one.method, ()), one)
    return rows


def dead_cell(run: ReportRun, method: str, protocol: str, n_done: int) -> dict[str, str]:
    """The cell of the column `DEAD` of a row of ``n_done`` trainings; none where all of them learnt."""
    found = dead_rows(run, protocol).get(method, ())
    if not found:
        return {}
    seeds = len({one.seed for one in found}) > 1
    said = [f"fold {one.fold}{f', seed {one.seed}' if seeds else ''}: {one.why}" for one in found[:_MOST_FOLDS]]
    more = [f"and {len(found) - _MOST_FOLDS} more"] if len(found) > _MOST_FOLDS else []
    return {"dead": f"{len(found)} of {n_done}; {'; '.join([*said, *more])}"}


def dead_note(run: ReportRun, *protocols: str, done: str = "Left out") -> tuple[str, ...]:
    """Which methods a table leaves out for a training that learnt nothing; nothing where it leaves none out."""
    names = list(dict.fromkeys(one.method for one in run.dead if one.protocol in protocols))
    if not names:
        return ()
    told = f"{', '.join(names[:3])}{f' and {len(names) - 3} more' if len(names) > 3 else ''}"
    return (f"{done}, since a training of theirs learnt nothing: {told}.",)


def dead_warnings(run: ReportRun) -> list[str]:
    """Sentences for the opening: how many trainings of how many methods learnt nothing, and what becomes of them."""
    found, said = run.dead, []
    for blind, what in ((True, "answered one expression for all pictures"), (False, "ended where guessing is")):
        some = [one for one in found if bool(one.answer) is blind]
        methods = list(dict.fromkeys(one.method for one in some))
        if some:
            names = f"{', '.join(methods[:3])}{f' and {len(methods) - 3} more' if len(methods) > 3 else ''}"
            said.append(
                f"{len(some):,} {'training' if len(some) == 1 else 'trainings'} of {len(methods):,} "
                f"{'method' if len(methods) == 1 else 'methods'} {what} ({names}): their rows are flagged in the "
                "leaderboard, are no figure of a method, and decide no claim."
            )
    return said
