"""A worker: a spawned, persistent process that runs one trial at a time, is watched, and is ended when it overstays.

What travels between it and its owner is tasks and small records; it writes its own results (see
fer_bench.runner.trial). Its owner looks at it often (`Worker.poll`), which also moves its end on: it is asked (SIGINT,
which a trial meets as KeyboardInterrupt), told (SIGTERM), killed, and all that it has started is killed with it.
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from fer_bench.utils.spawn import SPAWN
from fer_bench.utils.standard_streams import hold_standard_files, ready_streams

from ..task import Task
from ..trial import CAUTION, lost_record, run_task, second_try
from .limits import over_memory, over_time
from .output import BoundedLog
from .process_tree import ProcessTree, lead_group, tree, volunteer_for_oom
from .queue import kind_of
from .retries import Death

__all__ = ["THREADS", "Ended", "Worker", "environment", "thread_variables"]

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
THREADS = 1
"""Of each worker. Sums in another order give other last bits, so a number of threads that followed from the number of
workers would make figures depend on it; and two processes of one thread beat one of two by far."""

_LOOK_SECONDS = 0.2
"""Least time between two looks at a worker's memory."""
_GRACE_SECONDS = 2.0
"""Between asking, telling and killing."""
_START_SECONDS = 120.0
"""A process that serves nobody after so long has failed; until it serves, its trial's time does not count."""
_READY = "ready"
_PIPE_READS = 16
"""Of 64 kB each: as much as a pipe can be set to hold on Linux without privileges."""
_ANSWER = (
    *("id", "method", "protocol", "fold", "state", "reason", "fit_seconds", "predict_seconds", "peak_rss_mb"),
    "rebuilt",
)


@dataclass(frozen=True)
class Ended:
    """How a task of a worker ended.

    Attributes
    ----------
    record : mapping or None
        The trial's record, shortened. None where there is none: the process died or was stopped on request.
    lost : Death or None
        How the process ended, where it did so by itself.
    """

    task: Task
    record: Mapping[str, Any] | None
    lost: Death | None = None


class Worker:
    """A process that runs one task at a time; replaced by a fresh one when it ends.

    A cautious task has a process of its own, with `fer_bench.runner.trial.CAUTION` in its environment from the start.

    Parameters
    ----------
    name : str
        For events.
    logs : Path
        Folder of ``<trial>.log``, where what methods print goes (see `BoundedLog`).
    gpu : str
        The device that is all it sees of ``CUDA_VISIBLE_DEVICES``; empty: as its owner.
    takes_gpu : bool
        Whether its owner gives it trials for a GPU.
    shares_gpu : int
        How many workers share that GPU: told to methods as ``FER_BENCH_PER_GPU``, for their planning of its memory.
    """

    def __init__(self, name: str, logs: Path, *, gpu: str = "", takes_gpu: bool = False, shares_gpu: int = 1) -> None:
        self.name, self.gpu, self.takes_gpu, self._shares_gpu = name, gpu, takes_gpu, shares_gpu
        self.task: Task | None = None
        self._logs = logs
        self._launch()

    def _launch(self, *, cautious: bool = False) -> None:
        self._cautious = cautious
        hold_standard_files()  # else a pipe below could be number 1 or 2, over which the process puts another
        self.channel, theirs = SPAWN.Pipe()
        self._output, printed = SPAWN.Pipe(duplex=False)
        more = {"CUDA_VISIBLE_DEVICES": self.gpu} if self.gpu else {}
        more |= {"FER_BENCH_PER_GPU": str(self._shares_gpu)} if self._shares_gpu > 1 else {}
        more |= CAUTION if cautious else {}
        with environment(thread_variables() | more):
            # Not daemonic: a method may start processes of its own.
            self._process = SPAWN.Process(target=_serve, args=(theirs, printed), daemon=False)
            self._process.start()
        theirs.close()
        printed.close()
        self._reader = _Reader(self._output)
        self._processes = ProcessTree(self.pid)
        self.has_torch = False
        self._verdict: tuple[str, str] | None = None
        self._next_signal = self._looked = 0.0
        self._signals: list[int] = []
        self._launched, self._ready = time.monotonic(), False
        self.peak_bytes = 0

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid or 0

    def start(self, task: Task) -> None:
        """Send a task; a process that died idle, or is of the other kind, cautious or not, is replaced first."""
        if task.cautious or self._cautious or not self._process.is_alive():
            self._replace(cautious=bool(task.cautious))
        self.task, self._started, self.peak_bytes, self._sent = task, time.monotonic(), 0, False
        self.has_torch |= kind_of(task) != "light"
        # What the first try said last is what there is to know of its end.
        again = f"\nsecond try after {task.cautious}: {second_try(task)['how']}\n" if task.cautious else ""
        self._reader.open(self._logs / f"{task.id}.log", again)
        if self._ready:
            self._send(task)

    def _send(self, task: Task) -> None:
        """Send a task to a process that waits for one: to another, a large one would block until it is read."""
        self._sent = True
        with suppress(BrokenPipeError, ConnectionError):  # found dead by the next look
            self.channel.send(task)

    def poll(self) -> Ended | None:
        """Take what it has to say: a record, its death, or nothing for too long. None while the task runs on."""
        task = self.task
        if task is None:
            return None
        try:
            while self.channel.poll():
                if (said := self.channel.recv()) == _READY:
                    self._ready, self._started = True, time.monotonic()
                    if not self._sent:
                        self._send(task)
                    continue
                record, stays = said
                return self._end(task, record, replace=not stays or bool(self._signals))
        except (EOFError, ConnectionError):
            self._process.join(0.05)  # on its way out: told below
        if not self._process.is_alive():
            return self._died(task)
        if self._verdict is None:
            self._hold_to_limits(task)
        if self._verdict is not None:
            self._escalate()
        return None

    def _hold_to_limits(self, task: Task) -> None:
        now = time.monotonic()
        seconds = now - self._started if self._ready else 0.0
        if not self._ready and now - self._launched > _START_SECONDS:
            self.terminate("failed", f"its process did not start within {_START_SECONDS:.0f} s")
        elif over := over_time(task, seconds):
            self.terminate("timeout", over)
        elif now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self.peak_bytes = max(self.peak_bytes, used := self._processes.resident())
            if over := over_memory(task, used, self._processes.resident_once):
                self.terminate("oom", over)

    def terminate(self, state: str = "", reason: str = "") -> None:
        """Begin to end what runs; without a state no record is written, as if it had never started."""
        if self.task is not None and self._verdict is None:
            self._verdict = (state, reason)
            self._signals, self._next_signal = [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], 0.0

    def _escalate(self) -> None:
        if self._signals and time.monotonic() >= self._next_signal:
            number = self._signals.pop(0)
            self._next_signal = time.monotonic() + _GRACE_SECONDS
            if number == signal.SIGKILL:
                self._processes.kill()
            else:
                self._processes.resident()  # those that it leaves are out of sight when it has gone
                with suppress(OSError):
                    os.kill(self.pid, number)

    def _died(self, task: Task) -> Ended:
        """Its process is gone: by verdict, or by itself."""
        verdict, code, peak = self._verdict, self._process.exitcode or 0, self.peak_bytes
        self._end(task, None, replace=True)  # before anything is written: what it has started may hold its lock
        if verdict is not None:
            record = lost_record(task, *verdict, peak_rss_mb=peak / 2**20) if verdict[0] else None
            return Ended(task, record)
        return Ended(task, None, Death(code))

    def _end(self, task: Task, record: Mapping[str, Any] | None, *, replace: bool) -> Ended:
        self._reader.close()
        self.task = None
        if replace:
            self._replace()
        return Ended(task, record)

    def _replace(self, *, cautious: bool = False) -> None:
        self._kill()
        self._launch(cautious=cautious)

    def dismiss(self) -> None:
        """Let an idle process leave by itself."""
        if self.task is None:
            with suppress(BrokenPipeError, ConnectionError):
                self.channel.send(None)

    def stop(self) -> None:
        """End the process for good; an idle one leaves by itself."""
        self.dismiss()
        if self.task is None:
            self._process.join(_GRACE_SECONDS)
        self._kill()

    def _kill(self) -> None:
        self._processes.kill()
        if self._process.is_alive():
            self._process.kill()  # where there are no groups
        self._process.join()
        self._reader.end()
        self.channel.close()


class _Reader:
    """A thread that takes what a worker prints and gives it to the log of the trial in flight."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self._log: BoundedLog | None = None
        os.set_blocking(pipe.fileno(), False)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._over = threading.Event()
        self._thread.start()

    def open(self, path: Path, again: str = "") -> None:
        """Begin a log: anew, or, with a line that says so, behind what is there."""
        with self._lock:
            self._drain()
            self._log = BoundedLog(path, append=bool(again))
            with suppress(OSError):
                self._log.write(again.encode())

    def close(self) -> None:
        """Finish the log: what the trial has printed is in the pipe by now, or in the log."""
        with self._lock:
            self._drain()
            if self._log is not None:
                with suppress(OSError):
                    self._log.close()
            self._log = None

    def end(self) -> None:
        self._over.set()
        self._thread.join()
        self.close()
        self._pipe.close()

    def _read(self) -> None:
        while not self._over.is_set():
            if wait([self._pipe], timeout=0.5):
                with self._lock:
                    if not self._drain():
                        return

    def _drain(self) -> bool:
        """Read what is there, or as much as a pipe can hold; False where nobody holds the other end any more.

        A child that a trial leaves behind may print without end: waiting for its silence would be for ever.
        """
        for _ in range(_PIPE_READS):
            try:
                data = os.read(self._pipe.fileno(), 1 << 16)
            except BlockingIOError:
                return True
            except OSError:
                return False
            if not data:
                return False
            if self._log is not None:
                with suppress(OSError):  # a full disk takes the log, not the run
                    self._log.write(data)
        return True


def thread_variables() -> dict[str, str]:
    """Return the variables that cap the threads of libraries, which read them when they are imported."""
    return dict.fromkeys(_THREAD_VARIABLES, str(THREADS))


_ENVIRONMENT = threading.RLock()


@contextmanager
def environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Set variables for the processes that are started inside, and put them back."""
    with _ENVIRONMENT:
        before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _die_with_parent() -> None:
    """End a worker whose driver is gone: nobody would stop it, and the next run would do its trial beside it."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        ProcessTree(os.getpid()).kill()
        os._exit(1)


def _serve(channel: Connection, printed: Connection) -> None:
    """Be a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lead_group()
    volunteer_for_oom()
    threading.Thread(target=_die_with_parent, daemon=True).start()
    ready_streams()
    sys.stdout.flush()
    sys.stderr.flush()
    for number in (1, 2):
        os.dup2(printed.fileno(), number)
    printed.close()
    faulthandler.enable(2)  # the line of Python at which a process crashes is the last that its trial's log holds
    with suppress(BrokenPipeError, ConnectionError):
        channel.send(_READY)
    while True:
        try:
            task = channel.recv()
        except (EOFError, ConnectionError):  # the driver is gone
            return
        if task is None:
            return
        try:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            record, stays = _run(task)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            channel.send((record, stays))
        except (KeyboardInterrupt, BrokenPipeError, ConnectionError):  # stopped, or the driver is gone
            return


def _run(task: Task) -> tuple[dict[str, Any], bool]:
    """Run a trial; also tells whether the process is as clean as before, with no thread or process left behind."""
    threads = set(threading.enumerate())
    record = run_task(task)
    sys.stdout.flush()
    sys.stderr.flush()
    stays = len(tree(os.getpid())) == 1 and not set(threading.enumerate()) - threads
    return {k: record.get(k) for k in _ANSWER}, stays
