"""A process that has imported what the command line needs, and forks once for each command.

Starting Python and importing pandas, scipy and the report takes two seconds of every test that runs a command; what
they test comes after that. A command that is forked here is a process of its own all the same: its own memory, working
folder, environment, standard streams and exit code, and its workers are started anew as ever.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__)
OWN_START = ("PYTHON", "LANG", "LC_", "OMP_", "LD_")
"""Beginnings of variables that are read when an interpreter or a library starts: these want a process from scratch."""


class Started:
    """The process that forks; `run` is `subprocess.run` for a command of fer-bench."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.process = subprocess.Popen(
            [sys.executable, "-P", str(HERE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def can(self, environment: dict[str, str]) -> bool:
        """Whether a command with this environment is the same forked as started anew."""
        differ = {k for k in environment | self.environment if environment.get(k) != self.environment.get(k)}
        return not any(name.startswith(OWN_START) for name in differ)

    def run(
        self, arguments: Sequence[str], folder: Path, environment: dict[str, str], spool: Path, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run one command; what it prints goes through files in ``spool``."""
        out, err = spool / "stdout", spool / "stderr"
        asked = {
            **{"arguments": list(arguments), "folder": str(folder), "environment": environment},
            **{"out": str(out), "err": str(err), "timeout": timeout},
        }
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        code = json.loads(self.process.stdout.readline())
        if code is None:
            raise subprocess.TimeoutExpired(list(arguments), timeout, out.read_text(), err.read_text())
        return subprocess.CompletedProcess(list(arguments), code, out.read_text("utf-8"), err.read_text("utf-8"))

    def stop(self) -> None:
        """End it: it ends when nothing more can be asked."""
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


def _serve() -> list[str] | None:
    """Fork for each line that is read; only the forked process returns, with its arguments."""
    answers = os.dup(1)
    os.dup2(2, 1)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if not child:
            os.close(answers)
            return _become(asked)
        code = _wait(child, asked["timeout"])
        os.write(answers, (json.dumps(code) + "\n").encode())
    return None


def _become(asked: dict[str, Any]) -> list[str]:
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for number, name in ((1, "out"), (2, "err")):
        file = os.open(asked[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        os.dup2(file, number)
        os.close(file)
    return list(asked["arguments"])


def _wait(child: int, timeout: float) -> int | None:
    """Exit code as `subprocess` tells it; None where time ran out and the process was killed."""
    import select
    import signal

    watched = os.pidfd_open(child)
    in_time = bool(select.select([watched], [], [], timeout)[0])
    os.close(watched)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if in_time else None


if __name__ == "__main__":
    import scipy.stats  # noqa: F401 - as below: so that no command takes the time

    import fer_bench.cli.gate
    import fer_bench.report
    import fer_bench.runner.run  # noqa: F401
    from fer_bench.cli.app import main

    given = _serve()
    if given is not None:
        sys.argv = ["-c", *given]
        main()
