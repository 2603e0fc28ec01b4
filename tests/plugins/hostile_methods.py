"""A third-party package of methods that do their worst to the harness and to the machine."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path

import numpy as np

from fer_bench import ImageSpec, MethodSpec

SLEEPER = [sys.executable, "-c", "import time; time.sleep(3600)"]


class Hostile:
    """Does what its parameter says, and predicts the most frequent training label if it gets so far.

    Without scikit-learn, whose import would take most of these tests' time.

    ``place`` is a folder for what tests want to know of it, such as the ids of processes that it has started.
    """

    def __init__(self, does="learn", place="", random_state=0):
        self.does = does
        self.place = place
        self.random_state = random_state

    def fit(self, images, labels, *, groups=None):
        getattr(self, "_" + self.does.replace("-", "_"))()
        self.classes_ = np.arange(7)
        self.counts_ = np.bincount(labels, minlength=7) + 1e-3
        return self

    def predict_proba(self, images):
        proba = np.tile(self.counts_ / self.counts_.sum(), (len(images), 1))
        if self.does == "nan-probabilities":
            proba[0] = np.nan
        return proba

    def _note(self, name, text):
        if self.place:
            with open(Path(self.place) / name, "a") as handle:
                handle.write(f"{text}\n")

    def _learn(self):
        score = Path("/proc/self/oom_score_adj")
        self._note("fits", f"{os.getpid()} {self.random_state} {score.read_text() if score.exists() else 1001}".strip())

    def _slow(self):
        time.sleep(0.5)
        self._learn()

    def _device(self):
        share = os.environ.get("FER_BENCH_PER_GPU", "1")
        self._note("devices", f"{os.getpid()} {os.environ.get('CUDA_VISIBLE_DEVICES')} {share}")
        time.sleep(1.5)

    def _babble(self):
        """Leave behind a child that prints without end."""
        subprocess.Popen(["yes", "x" * 1000])
        time.sleep(0.5)

    def _chat(self):
        print("good morning")  # noqa: T201

    def _hang(self):
        self._note("pids", os.getpid())
        time.sleep(3600)

    def _hang_deaf(self):
        """Hears neither a request nor an order."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self._note("pids", os.getpid())
        while True:
            try:
                time.sleep(3600)
            except BaseException:  # noqa: BLE001 - that is what this one does
                self._note("deaf", "asked")

    def _allocate(self):
        """Take memory without end, as fast as pages can be touched."""
        hoard = []
        while True:
            hoard.append(np.ones(2**21))

    def _allocate_in_child(self):
        subprocess.run(
            [sys.executable, "-c", "import numpy as np\nh=[]\nwhile 1: h.append(np.ones(2**21))"], check=True
        )

    def _fork(self):
        """Hold 150 MB and fork four times."""
        hoard = np.ones(150 * 2**17)
        children = []
        for _ in range(4):
            if (pid := os.fork()) == 0:
                time.sleep(1.5)
                os._exit(0)
            children.append(pid)
        for pid in children:
            os.waitpid(pid, 0)
        assert hoard[-1] == 1

    def _exit(self):
        print("last words", flush=True)  # noqa: T201
        os._exit(3)

    def _kill(self):
        os.kill(os.getpid(), signal.SIGKILL)

    def _crash(self):
        """Crash where all units of the processor are used."""
        if os.environ.get("ONEDNN_MAX_CPU_ISA") != "AVX2":
            os.kill(os.getpid(), signal.SIGFPE)

    def _print_gigabyte(self):
        block = b"x" * (1 << 20)
        os.write(1, b"the beginning\n")
        for _ in range(1024):
            os.write(1, block)
        os.write(2, b"\nthe end\n")

    def _mumble(self):
        """Warn in words that no file takes, and of more than anybody reads; name a parameter as numpy does."""
        for number in range(30):
            warnings.warn(f"no. {number} of /data/caf\udce9.jpg\x1b[31m", stacklevel=1)
        self.tuned_ = {"C": np.float64(0.5), "depth": np.int64(3)}

    def _curse(self):
        """Fail in words that no file takes, that a terminal would obey, and that have no end."""
        raise ValueError("/data/caf\udce9.jpg\n\x1b[2J" + "x" * 10_000_000)

    def _leave(self):
        sys.exit(0)

    def _swear(self):
        """Raise what is no error."""

        class Oath(BaseException):
            pass

        raise Oath("planted")

    def _wander(self):
        """Leave the working folder, for one that is gone when anybody looks."""
        folder = tempfile.mkdtemp()
        os.chdir(folder)
        os.rmdir(folder)

    def _raise(self):
        raise ZeroDivisionError("planted")

    def _orphans(self):
        """Leave behind a child, a child that has a session of its own, and a thread."""
        for own in (False, True):
            self._note("pids", subprocess.Popen(SLEEPER, start_new_session=own).pid)
        self._note("workers", os.getpid())
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()

    def _orphans_and_hang(self):
        self._orphans()
        time.sleep(3600)

    def _orphans_and_exit(self):
        self._orphans()
        os._exit(4)

    def _nan_loss(self):
        self.history_ = {"loss": [1.0, float("nan"), 0.5]}

    def _nan_probabilities(self):
        pass


class Crashing(Hostile):
    """Ends its process by a signal: ``once``, ``always``, or ``with units``, as code for another processor does.

    Notes what each try finds in its environment.
    """

    def __init__(self, signal_name="SIGFPE", when="with units", place="", random_state=0):
        super().__init__("learn", place, random_state)
        self.signal_name = signal_name
        self.when = when

    def fit(self, images, labels, *, groups=None):
        lowered = os.environ.get("ONEDNN_MAX_CPU_ISA", "")
        self._note("tries", json.dumps([os.getpid(), lowered, os.environ.get("FER_BENCH_CAUTIOUS", "")]))
        first = self.place and len((Path(self.place) / "tries").read_text().splitlines()) == 1
        if {"always": True, "once": first, "with units": lowered != "AVX2", "never": False}[self.when]:
            os.kill(os.getpid(), getattr(signal, self.signal_name))
        return super().fit(images, labels, groups=groups)


class Steps(Hostile):
    """Learns in five steps and keeps each; hangs after the third, if it was not there when it began."""

    takes_checkpoint = True

    def fit(self, images, labels, *, groups=None, checkpoint):
        kept = Path(checkpoint) / "steps"
        done = int(kept.read_text()) if kept.exists() else 0
        for step in range(done + 1, 6):
            self._note("steps", step)
            kept.write_text(str(step))
            if step == 3:
                time.sleep(3600)
        return super().fit(images, labels, groups=groups)


BAD = (
    "hang", "hang-deaf", "allocate", "exit", "kill", "print-gigabyte", "raise", "orphans", "nan-loss",
    "nan-probabilities", "slow", "orphans-and-hang", "mumble", "curse", "leave", "swear", "wander",
    "chat",
)  # fmt: skip
METHODS = tuple(
    MethodSpec(
        name=f"hostile-{does}",
        family="classical",
        factory="hostile_methods:Hostile",
        params={"does": does},
        image=ImageSpec(32),
        summary=f"a test method that does its worst: {does}",
    )
    for does in ("learn", "crash", *BAD)
)
