"""One trial in a worker process: fit on train, predict test, measure, write. The only broad ``except`` is here."""

from __future__ import annotations

import json
import os
import time
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_bench.errors import FerBenchError, StorageError
from fer_bench.labels import N_CLASSES
from fer_bench.methods import Method
from fer_bench.methods.old_names import eval_argument, eval_proba
from fer_bench.results.records import PREDICTIONS, TRIAL_LOCK, complete_record, held, write_record
from fer_bench.utils.files import atomic_write, locked, need_space, sha256_file
from fer_bench.utils.json_files import json_text
from fer_bench.utils.provenance import NOT_INSTALLED, cpu, packages
from fer_bench.utils.texts import one_line, writable

from .features import shared_features
from .order import draw_order, put_back
from .resume import CHECKPOINT, begin_attempt, drop_checkpoint
from .task import Task, identify

__all__ = ["CAUTION", "UNWRITTEN", "lost_record", "need_room", "run_task", "second_try", "versions"]

UNWRITTEN = "unwritten"
"""State of a trial that could not be stored. It is in no record, and such a trial counts as never started."""
CAUTION: Mapping[str, str] = {"FER_BENCH_CAUTIOUS": "1", "ONEDNN_MAX_CPU_ISA": "AVX2"}
"""Environment of a process that tries a trial again after a crash. The first tells methods that choose how they compute
to choose the safest way: networks then take float32 on a processor. The second, read when torch is loaded, keeps oneDNN
from units such as AMX, in whose code it may have crashed."""
_LOCK_SECONDS = 2.0

_RESERVE_BYTES = 2e7
"""What must be free on a run's disk for a trial to start."""
_FULL_BYTES = 1e6
"""With less free than this, a trial's error is the disk's."""
_OF_TABLES, _OF_TORCH = ("pandas", "pyarrow"), ("torch", "torchvision")
"""Packages that no trial computes with, and that only one with torch does."""
_MOST_WARNINGS = 20
_LONGEST_TRACEBACK = 20_000
_OTHER_RUN = "copy the run to a larger disk, and give the same command again with `out`"


def run_task(task: Task) -> dict[str, Any]:
    """Run a trial and write its folder, whatever happens; returns the record.

    Where the trial is complete by now, whoever did it, its record is returned and nothing is computed. Two processes
    that come to one trial do not compute it at once: the second waits for the first and takes its result.
    """
    try:
        with locked(task.folder / TRIAL_LOCK, wait=True):
            record = complete_record(task.folder, task.id)
            if record is None:
                # Found out before hours are spent on what cannot be stored.
                need_room(task)
                record = _run(task)
                drop_checkpoint(task)
            if record["state"] == "ok":
                # Who holds it still finds the record when its turn comes.
                (task.folder / TRIAL_LOCK).unlink(missing_ok=True)
            return record
    except StorageError as error:
        return _unwritten(task, error)


def second_try(task: Task, precision: str = "") -> dict[str, str]:
    """Return what a record says of a safer try: after what, and how it computed, or was to compute.

    Parameters
    ----------
    precision : str
        Of the finished method, where it tells one.
    """
    if not precision and task.spec.uses_torch and task.device == "cpu":
        precision = "float32 where the method may choose"
    lowered = f"ONEDNN_MAX_CPU_ISA={CAUTION['ONEDNN_MAX_CPU_ISA']}"
    return {"after": task.cautious, "how": f"{precision}, {lowered}" if precision else lowered}


def _told(task: Task, record: Mapping[str, Any]) -> dict[str, Any]:
    """What is added to the record of a safer try: the facts, and a sentence for tables and the report."""
    if not task.cautious:
        return {}
    told = second_try(task, str(record.get("precision", "")))
    sentence = f"second try: the process of the first ended by {told['after']}; this one computed safer: {told['how']}"
    return {"second_try": told, "warnings": [sentence, *record.get("warnings", [])]}


def need_room(task: Task) -> None:
    """Refuse a trial that cannot be stored where its folder is.

    Raises
    ------
    StorageError
        Too little is free there.
    """
    need_space(task.folder, 64 * len(task.test), "a trial", remedy=_OTHER_RUN, reserve_bytes=_RESERVE_BYTES)


def _unwritten(task: Task, error: StorageError) -> dict[str, Any]:
    return {**identify(task), "state": UNWRITTEN, "reason": str(error)}


def _run(task: Task) -> dict[str, Any]:
    record: dict[str, Any] = {
        **identify(task),
        "threads": int(os.environ.get("OMP_NUM_THREADS", "0")) or os.cpu_count(),
        "started": time.time(),
        "versions": versions(task.spec.uses_torch),
        "code": task.code,
        "source_hash": task.source_hash or None,
        "cpu": _cpu_name(),
    }
    _reset_peak_memory()
    try:
        with _same_folder():
            record |= {"state": "ok", "reason": "", **_measure(task)}
    except MemoryError as error:
        record |= {
            "state": "oom",
            "reason": f"out of memory: {one_line(str(error))}" if str(error) else "out of memory",
        }
    except StorageError:
        raise
    except FerBenchError as error:
        record |= {"state": "failed", "reason": one_line(str(error))}
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - a method may raise anything; the others must go on
        # Libraries tell a full disk in words of their own; it is not the method's failure.
        need_space(task.folder, 0, "a trial", remedy=_OTHER_RUN, reserve_bytes=_FULL_BYTES)
        state = "oom" if type(error).__name__ == "OutOfMemoryError" else "failed"
        record |= {
            "state": state,
            "reason": one_line(f"{type(error).__name__}: {error}"),
            "traceback": writable(traceback.format_exc()[-_LONGEST_TRACEBACK:]),
        }
    record |= {"peak_rss_mb": _peak_memory_mb(), **_told(task, record)}
    write_record(task.folder, record)
    return record


def lost_record(task: Task, state: str, reason: str, **more: Any) -> dict[str, Any]:
    """Write the record of a trial whose process could not, unless it is complete: then that one counts.

    What a training has kept of itself stays after a timeout, so that a longer limit goes on from there.
    """
    lost = {**identify(task), "state": state, "reason": one_line(reason), **_told(task, {}), **more}
    try:
        with _turn(task) as mine:
            record = complete_record(task.folder, task.id)
            if record is None and mine:
                write_record(task.folder, lost)
            if mine and (record is not None or state != "timeout"):
                drop_checkpoint(task)
            if mine and record is not None:
                (task.folder / TRIAL_LOCK).unlink(missing_ok=True)
    except StorageError as error:
        return _unwritten(task, error)
    return record or lost


@contextmanager
def _same_folder() -> Iterator[None]:
    """Come back to the working folder, which a method may leave and the next trial counts on."""
    here = Path.cwd()
    try:
        yield
    finally:
        with suppress(OSError):  # a method may have removed it
            os.chdir(here)


@contextmanager
def _turn(task: Task) -> Iterator[bool]:
    """Hold a trial's lock, which a process that was just killed may take a moment to free; yields whether it was got.

    Who holds it for longer is another process that computes this trial: its result must not be written over.
    """
    until = time.monotonic() + _LOCK_SECONDS
    while True:
        with held(task.folder) as mine:
            if mine or time.monotonic() > until:
                yield mine
                return
        time.sleep(0.05)


@cache
def _cpu_name() -> str:
    return str(cpu()["cpu"])


@cache
def versions(uses_torch: bool) -> dict[str, str]:
    """Return the versions of the packages that a trial's figures depend on."""
    found = {name: told for name, told in packages().items() if name not in _OF_TABLES and told != NOT_INSTALLED}
    return {"fer-bench": version("fer-bench")} | {k: v for k, v in found.items() if uses_torch or k not in _OF_TORCH}


def _measure(task: Task) -> dict[str, Any]:
    images = np.load(task.images, mmap_mode="r")
    supplied = {"random_state": task.random_state, "device": task.device, "weights": task.weights}
    method = task.spec.make(**supplied)
    prepared = hasattr(method, "prepare")
    measured = (_fit_prepared if prepared else _fit_images)(task, method, images)
    order = draw_order(task)
    proba = measured.pop("proba")
    _check_probabilities(proba, len(task.test))
    history = {k: [float(v) for v in values] for k, values in getattr(method, "history_", {}).items()}
    _check_losses(history)
    arrays: dict[str, Any] = {"index": task.test.astype(np.int32), "proba": put_back(proba, order).astype(np.float32)}
    if task.watch:
        arrays["eval_proba"] = put_back(_watched(task, method), order, axis=1).astype(np.float32)
    with atomic_write(task.folder / PREDICTIONS) as handle:
        np.savez_compressed(handle, **arrays)
    measured["predictions_sha256"] = sha256_file(task.folder / PREDICTIONS)
    measured["history"] = history
    if tuned := getattr(method, "tuned_", None):
        # Here, where what no file takes is still the method's failure; numpy's numbers become Python's.
        measured["tuned"] = json.loads(json_text(tuned, default=_plain))
    if (gpu := getattr(method, "peak_gpu_mb_", None)) is not None:
        measured["peak_gpu_mb"] = float(gpu)
    if precision := getattr(method, "precision_", ""):
        measured["precision"] = precision
    return measured


def _fit_images(task: Task, method: Method, images: NDArray[np.uint8]) -> dict[str, Any]:
    """Fit and predict from pixels."""
    train, test = images[task.train], images[task.test[draw_order(task)]]
    more: dict[str, Any] = {}
    earlier = 0.0
    if getattr(method, "takes_checkpoint", False):
        more["checkpoint"], earlier = task.folder / CHECKPOINT, begin_attempt(task)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if task.watch:
            more[eval_argument(method.fit)] = test
        wall, cpu = time.perf_counter(), time.process_time()
        method.fit(train, task.labels.copy(), groups=task.groups.copy(), **more)
        fit_seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
        method.predict_proba(test[:2])  # warm-up: lazy initialisation is not the method's speed
        wall = time.perf_counter()
        proba = method.predict_proba(test)
        predict_seconds = time.perf_counter() - wall
    return {
        "proba": proba,
        "fit_seconds": fit_seconds + earlier,
        "predict_seconds": predict_seconds,
        "prepare_seconds": 0.0,
        # One thread: before it was killed, too, it computed about as long as it took.
        "cpu_seconds": cpu_seconds + earlier,
        "resumed_seconds": earlier,
        "warnings": _texts(caught, method),
    }


def _fit_prepared(task: Task, method: Any, images: NDArray[np.uint8]) -> dict[str, Any]:
    """Fit and predict from features that all folds share; their cost is added as if this fold stood alone."""
    features, seconds_per_image, rebuilt = shared_features(task, method, images)
    train, test = features[task.train], features[task.test[draw_order(task)]]
    predicting = seconds_per_image * getattr(method, "prepared_share_of_prediction", 1.0)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        more = {eval_argument(method.fit_prepared): test} if task.watch else {}
        wall, cpu = time.perf_counter(), time.process_time()
        method.fit_prepared(train, task.labels.copy(), groups=task.groups.copy(), **more)
        fit_seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
        method.predict_proba_prepared(test[:2])
        wall = time.perf_counter()
        proba = method.predict_proba_prepared(test)
        predict_seconds = time.perf_counter() - wall
    return {
        "proba": proba,
        "fit_seconds": fit_seconds + seconds_per_image * len(train),
        "predict_seconds": predict_seconds + predicting * len(test),
        "prepare_seconds": seconds_per_image * len(train) + predicting * len(test),
        "cpu_seconds": cpu_seconds,
        "warnings": _texts(caught, method),
        **({"rebuilt": rebuilt} if rebuilt else {}),
    }


def _watched(task: Task, method: Any) -> NDArray[Any]:
    """Probabilities after each epoch, (epochs, n, 7), which the driver scores: the article's habit, kept apart."""
    proba = np.asarray(eval_proba(method))
    if proba.ndim != 3 or not len(proba) or proba.shape[1:] != (len(task.test), N_CLASSES):
        raise FerBenchError(f"eval_proba_: expected shape (epochs, {len(task.test)}, {N_CLASSES}), found {proba.shape}")
    return proba


def _check_probabilities(proba: NDArray[Any], n: int) -> None:
    if proba.shape != (n, N_CLASSES):
        raise FerBenchError(f"predict_proba: expected shape {(n, N_CLASSES)}, found {proba.shape}")
    if not np.isfinite(proba).all():
        raise FerBenchError(f"predict_proba: {int((~np.isfinite(proba)).any(axis=1).sum())} of {n} rows are not finite")
    if (proba < 0).any() or np.abs(proba.sum(axis=1) - 1).max() > 1e-3:
        raise FerBenchError("predict_proba: rows must be probabilities that sum to one")


def _check_losses(history: Mapping[str, list[float]]) -> None:
    """A training whose loss is no number has failed, whatever it predicts."""
    for name, values in history.items():
        bad = next((i for i, value in enumerate(values) if not np.isfinite(value)), None)
        if "loss" in name and bad is not None:
            raise FerBenchError(f"history_: {name} of epoch {bad + 1} of {len(values)} is {values[bad]}, not finite")


def _texts(caught: list[warnings.WarningMessage], method: Any) -> list[str]:
    texts = [str(item.message).split("\n")[0] for item in caught] + list(map(str, getattr(method, "warnings_", [])))
    found = list(dict.fromkeys(map(one_line, texts)))
    more = len(found) - _MOST_WARNINGS
    return found if more <= 0 else [*found[:_MOST_WARNINGS], f"and {more} other warnings"]


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)


def _reset_peak_memory() -> None:
    """Let Linux count the peak anew; elsewhere the process's peak so far is what can be known."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def _peak_memory_mb() -> float:
    try:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    import psutil

    return float(psutil.Process().memory_info().rss / 1e6)
