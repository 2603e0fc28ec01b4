"""Runs a page from top to bottom in a folder of its own, as a reader does who types what it says.

What stands in for what a reader has: a small ``KDEF_and_AKDEF.zip`` and other pictures (`furnish`), the installed
fer-bench under that name, and built-in suites cut down to two quick methods, under the same names.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
from blocks import Block

SMALL = """
summary = "stands in for suite {name}"
[[job]]
methods = ["knn-pixels", "linear_svc-lbp"]
protocols = {protocols}
[tune.knn]
n_neighbors = [1, 5]
"""
SUITES = {
    "all": ["subject-10fold", "random-10fold"],
    "classical": ["subject-10fold", "random-10fold"],
    "akhand2021": ["holdout-10", "subject-10fold"],
    "protocols": ["subject-10fold", "random-10fold", "session-out", "frontal-to-profile"],
    "mine": ["subject-2fold"],  # a suite of the reader's own
}
PROGRAMS = {
    "fer-bench": 'exec {python} -P -c "from fer_bench.cli.app import main; main()" "$@"',
    "python": 'exec {python} "$@"',
    "python3": 'exec {python} "$@"',
    # Built from what is there, since a test has no network, and put where it does not stay.
    "pip": 'exec {python} -m pip "$@" --quiet --no-index --no-deps --no-build-isolation --target {packages}',
}


class Story:
    """A page that is being run: its folder, and what the last block printed."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder / "home", ""
        packages, programs = folder / "packages", folder / "bin"
        for made in (self.folder, packages, programs):
            made.mkdir()
        for name, text in PROGRAMS.items():
            file = programs / name
            file.write_text("#!/bin/sh\n" + text.format(python=sys.executable, packages=packages) + "\n")
            file.chmod(0o755)
        for name, protocols in SUITES.items():
            (self.folder / f"{name}.toml").write_text(SMALL.format(name=name, protocols=protocols))
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        self.environment = {**os.environ, "PATH": path, "PYTHONPATH": str(packages), "COLUMNS": "200"}

    def tell(self, block: Block) -> None:
        """Do what a block says."""
        if block.file:
            self._write(block.file, block.text)
        elif block.language == "sh":
            self.said = self.run(small(block.text), int(block.value) if block.marker == "exit code" else 0, str(block))
        elif block.language == "python":
            self._python(block)
        elif block.language == "text":
            command = block.marker == "printed by"
            printed = self.run(small(block.value), 0, str(block)) if command else self.said
            missing = first_missing(block.text, printed)
            assert not missing, f"{block}: {missing!r} was not printed, but\n{printed}"
        else:
            raise AssertionError(f"{block}: a block of {block.language} needs a file's name")

    def run(self, script: str, code: int, where: str) -> str:
        """Run a script as a shell does, and return what it prints."""
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"{where}: exit code {done.returncode}, expected {code}\n{done.stdout}"
        assert "Traceback" not in done.stdout, f"{where}\n{done.stdout}"
        return done.stdout

    def _write(self, name: str, text: str) -> None:
        file = self.folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def _python(self, block: Block) -> None:
        doctest = ">>>" in block.text
        self._write("block.txt" if doctest else "block.py", block.text)
        how = "python -m doctest -o ELLIPSIS -o NORMALIZE_WHITESPACE block.txt" if doctest else "python block.py"
        self.said = self.run(how, 0, str(block))


def small(script: str) -> str:
    """The same commands on the suites that stand in for built-in ones; those that choose with --only stay."""

    def smaller(match: re.Match[str]) -> str:
        whole = rf"--suite ({'|'.join(SUITES)})(?=\s|$)"
        return match[0] if "--only" in match[0] else re.sub(whole, r"--suite \1.toml", match[0])

    return re.sub(r"fer-bench[^\n;&|]*", smaller, script.replace("\\\n", " "))


def first_missing(expected: str, printed: str) -> str:
    """The first line of what a page shows that was not printed, in this order; ``...`` stands for anything."""
    lines: Iterator[str] = iter(" ".join(line.split()) for line in printed.splitlines())
    for wanted in expected.splitlines():
        pattern = ".*".join(map(re.escape, " ".join(wanted.split()).split("...")))
        if pattern.strip(".*") and not any(re.fullmatch(pattern, line) for line in lines):
            return wanted
    return ""


def furnish(folder: Path, write_faces: Callable[..., Path]) -> None:
    """Lay out what a reader of the pages has: KDEF as it comes, and pictures of one's own."""
    kdef = write_faces(folder / "KDEF_and_AKDEF", people=10)
    one = kdef / "KDEF" / "AF01" / "AF01AFS.JPG"
    (kdef / "AKDEF").mkdir()
    for average in ("FAFS", "MSUS"):
        shutil.copy(one, kdef / "AKDEF" / f"{average}.JPG")
    cv2.imwrite(str(kdef / "KDEF" / "AF01" / "AF01SUFR.JPG"), np.zeros((130, 96, 3), np.uint8))
    shutil.make_archive(str(folder / "KDEF_and_AKDEF"), "zip", folder, "KDEF_and_AKDEF")
    names = dict(zip(("AF", "AN", "DI", "HA", "NE", "SA", "SU"), WORDS, strict=True))
    for person, code in (("anna", "F01"), ("bert", "M01"), ("cleo", "F02"), ("dirk", "M02")):
        for label, word in names.items():
            for take, view in enumerate(("S", "HL", "HR"), start=1):
                source = kdef / "KDEF" / f"A{code}" / f"A{code}{label}{view}.JPG"
                for target in (folder / "my-pictures" / f"{person}_{word}_{take}.jpg", folder / "my-folders" / word):
                    home = target if target.suffix == "" else target.parent
                    home.mkdir(parents=True, exist_ok=True)
                    shutil.copy(source, home / f"{person}_{word}_{take}.jpg")
    shutil.rmtree(kdef)


WORDS = ("afraid", "angry", "disgusted", "happy", "neutral", "sad", "surprised")
