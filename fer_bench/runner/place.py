"""Whose folder it is that a run is to be written into: nobody's, this run's, another run's, or somebody else's.

Asked before anything is written. A run is told by its run.json; what a command asks for again goes on there, with other
workers, devices or weights, too, or with methods added. A folder of anything else is left alone.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fer_bench.errors import UserError
from fer_bench.plan.plan import Plan
from fer_bench.plan.request import Request
from fer_bench.results.info import check_written, find_info
from fer_bench.results.schema import INFO
from fer_bench.utils import renamed
from fer_bench.utils.files import temporary_files
from fer_bench.utils.json_files import find_json
from fer_bench.utils.ownership import head_of
from fer_bench.utils.paths import given_path

from .monitor.events import EVENTS

__all__ = ["LOCK", "check_folder", "check_same", "clear_other"]

LOCK = "run.lock"
"""Held by whoever writes to a run directory; the system frees it when the holder dies."""

_FILES = (
    *(INFO, EVENTS, "manifest.csv", "trials.csv", "predictions.parquet", "watched.parquet", "curves.csv"),
    *("results.csv", "references.bib", "report.html", "report.md", "summary.md", "gallery.html"),
)
"""What stands in a run directory itself, beside its lock."""
_FOLDERS = ("trials", "folds", "logs", "tables", "figures")
_TRIAL = re.compile("[0-9a-f]{16}")
_NEW = "give a new folder with `out`"


def check_folder(out: Path, request: Request) -> None:
    """Refuse a folder that no run of ours made, and one that holds the data; makes nothing there.

    Parameters
    ----------
    out : Path
        Where a run is to be written.
    request : Request
        What is asked for.

    Raises
    ------
    UserError
        Another version of fer-bench wrote it, its files would be lost, or those of the data would.
    """
    check_written(out)
    for name, given in (("data", request.data), ("test_data", request.test_data), ("folds", request.folds)):
        if given and given != "synthetic":
            _need_apart(out, name, str(given))
    if not out.is_dir() or _is_run(out):
        return
    begun = {*temporary_files(out), *(out / name for name in _FOLDERS if _is_bare(out / name))}
    found = sorted(entry.name for entry in out.iterdir() if entry not in begun)
    if not found:
        return
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    raise UserError(
        f"`out` {out}: expected a new or empty folder, or one that a run of fer-bench made, found one of "
        f"{', '.join(found[:3])}{more}; give a folder of its own with `out`, such as {out / 'run'}"
    )


def _is_bare(folder: Path) -> bool:
    """Whether a folder is there and holds nothing, or nothing but what a killed call was trying to write."""
    return folder.is_dir() and {*folder.iterdir()} <= {*temporary_files(folder)}


def _is_run(out: Path) -> bool:
    """Whether a run has begun there: its run.json says so, or, where that is damaged, what it always has beside it."""
    info = find_info(out)
    return {"suite", "plan", "dataset"} <= set(info) or any((out / name).is_file() for name in (LOCK, EVENTS))


def _need_apart(out: Path, name: str, given: str) -> None:
    place = given_path(given.partition(":")[2] if ":" in given and not Path(given).exists() else given, f"`{name}`")
    here, there = out.resolve(), place.resolve()
    own_folders = {here / own for own in _FOLDERS} & {there, *there.parents}
    if here == there or there in {here / own for own in _FILES} or own_folders:
        raise UserError(f"`{name}` {given}: lies where the run's own files go, which would replace it ({out}); {_NEW}")


def check_same(out: Path, plan: Plan) -> bool:
    """Tell whether what is there is another run, which is to be replaced.

    Parameters
    ----------
    out : Path
        Where the run is to be written.
    plan : Plan
        What is to be done.

    Returns
    -------
    bool
        True: there is another run, and ``replace`` allows to remove it.

    Raises
    ------
    UserError
        There is another run, and ``replace`` is not asked for.
    """
    other = next(_differences(find_info(out), plan), "")
    if other and not plan.request.replace:
        raise UserError(
            f"`out` {out}: holds another run, {other}, whose results would be lost; give another folder with `out`, "
            "or remove that run with `replace=True`"
        )
    return bool(other)


def _differences(info: Mapping[str, Any], plan: Plan) -> Iterator[str]:
    """What a run that is there has that this one would not have, in clauses."""
    if not {"suite", "plan", "dataset"} <= set(info):
        return
    request, told = plan.request, info["dataset"]
    asked = {
        "suite": (_suite(info["suite"]), _suite(request.suite)),
        "profile": (info.get("profile"), request.profile),
        "preset": (_now(info.get("preset"), renamed.PRESETS), _now(request.preset, renamed.PRESETS)),
        "seed": (info.get("seed"), request.seed),
        "crop": (told.get("crop"), plan.dataset.crop),
    }
    yield from (f"of {what} {there}, not {here}" for what, (there, here) in asked.items() if there not in (None, here))
    there, here = str(told.get("manifest_hash")), plan.dataset.manifest.hash
    if there != here:
        yield f"of other data ({told.get('name')}, manifest {there[:12]}, not {here[:12]})"
    for name, protocol in info.get("protocols", {}).items():
        if name in plan.folds and protocol.get("folds_hash") not in (None, plan.folds[name].hash):
            yield f"of other folds under {name}"
    rows = {(trial.spec.name, trial.protocol): trial.spec.tuning == "tuned" for trial in plan.trials}
    for row in info["plan"]:
        key = (row.get("method"), row.get("protocol"))
        if None not in key and key not in rows:
            yield f"of other methods ({key[0]} under {key[1]} is not asked for now)"
        elif (info.get("methods", {}).get(key[0], {}).get("tuning") == "tuned") != rows.get(key, False):
            yield f"in which {key[0]} was {'not ' if rows[key] else ''}tuned"


def _suite(name: str) -> str:
    return Path(name).stem if name.endswith(".toml") else str(_now(name, renamed.SUITES))


def _now(name: Any, names: Mapping[str, str]) -> Any:
    return names.get(name, name)


def clear_other(out: Path, plan: Plan) -> None:
    """Remove what another run has left: files of a run's, told by name and place; nobody else's, and no folder of one.

    Trials that this run would compute again to the same result stay.
    """
    kept = {trial.id for trial in plan.trials}
    report = find_json(out / "tables" / "report.json", dict[str, Any]) or {}
    listed = [name for name in report.get("files", ()) if isinstance(name, str)]
    files = [out / name for name in _FILES]
    files += [out / name for name in map(Path, listed) if name.parts[:-1] in (("tables",), ("figures",))]
    files.append(out / "tables" / "report.json")
    files += [file for file in (out / "folds").glob("*.csv") if head_of(file).startswith(b"# fer-bench folds ")]
    for folder in (out / "trials").glob("*"):
        if _TRIAL.fullmatch(folder.name) and folder.name not in kept and not folder.is_symlink():
            shutil.rmtree(folder, ignore_errors=True)
    files += [file for file in (out / "logs").glob("*.log") if _TRIAL.fullmatch(file.stem) and file.stem not in kept]
    for file in files:
        if file.is_file() or file.is_symlink():
            file.unlink()
