"""What made a run: as a file that is published may tell it, and whether one code made all of it."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from fer_bench.results.records import read_record
from fer_bench.results.run_data import RunData

__all__ = ["Sources", "find_sources", "maker", "without_places"]

_KEPT = ("seed", "profile", "preset", "code", "packages")
_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_OPTION = re.compile(r"(--?[\w-]+=|\w+:(?=//))?(.*)", re.DOTALL)


@dataclass(frozen=True)
class Sources:
    """Whose code computed the finished trials of a row.

    Attributes
    ----------
    trials : int
        All that are finished.
    other : int
        Of these computed by other code, or with other packages, than the call that made the run's folder last.
    unknown : int
        Of these without a word on it, as records of an earlier fer-bench are.
    found, wanted : str
        Hash of the first other one, and that of the run.
    """

    trials: int
    other: int
    unknown: int
    found: str
    wanted: str


def find_sources(run: RunData, method: str, protocol: str) -> Sources:
    """Hold the ``source_hash`` of each finished trial's record against that of the method in run.json."""
    trials = run.trials
    ids = trials.loc[
        (trials["method"] == method) & (trials["protocol"] == protocol) & (trials["state"] == "ok"), "id"
    ].tolist()
    wanted = _hash(run.info["methods"].get(method))
    hashes = [_hash(read_record(run.path, str(trial_id))) for trial_id in ids]
    known = [one for one in hashes if one and wanted]
    other = [one for one in known if one != wanted]
    return Sources(len(ids), len(other), len(ids) - len(known), other[0] if other else "", wanted)


def _hash(told: Any) -> str:
    found = told.get("source_hash") if isinstance(told, dict) else None
    return found if isinstance(found, str) else ""


def maker(run: RunData) -> dict[str, Any]:
    """Say what made a run, without a word on where its user keeps things."""
    told = {name: run.info.get(name) for name in _KEPT}
    words = {name: without_places(str(run.info.get(name, ""))) for name in ("command", "suite")}
    return words | told | {"cpu": run.info["machine"].get("cpu")}


def without_places(command: str) -> str:
    """Return a command with the last part alone of every path that begins at a root or a home.

    Examples
    --------
    >>> without_places("fer-bench run --data /home/ann/KDEF --out=~/runs/a --suite mine/two.toml")
    'fer-bench run --data KDEF --out=a --suite mine/two.toml'
    """
    try:
        words = shlex.split(command)
    except ValueError:  # put together by hand
        words = command.split()
    return shlex.join(map(_without_place, words)) if len(words) != 1 else _without_place(words[0])


def _without_place(word: str) -> str:
    option, value = _OPTION.fullmatch(word).groups(default="")  # type: ignore[union-attr]  # it matches anything
    if _WINDOWS.match(value):
        return option + PureWindowsPath(value).name
    if value.startswith(("/", "~")) and not option.endswith(":"):
        return option + PurePosixPath(value).name
    return word
