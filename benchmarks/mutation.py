"""Which changes of a module do its tests miss? One small change at a time, each in a process of its own.

    python benchmarks/mutation.py fer_bench/gate/judge.py            # what its tests miss, to the terminal
    python benchmarks/mutation.py fer_bench/gate/judge.py --write    # also to benchmarks/results/mutation.md
    python benchmarks/mutation.py fer_bench/gate fer_bench/folds     # all modules of packages

A change is one of the syntax tree (`mutants.py`): another comparison, operator, number or default, a condition negated,
a statement left out. Every mutant is forked from one process that has imported everything, and is compiled in the place
of the module's own code; modules that depend on it are imported anew. Nothing on the disk changes, and a mutant costs
little more than its tests, which stop at the first that fails, the quickest first. Tests that start programs of their
own would run the code on the disk there: they are left out, and so are tests of more than ``--longest`` seconds. A
mutant that its tests let pass **survives**; one that takes more than ``--limit`` seconds of a processor is taken for
killed. mutation_reasons.toml says why a survivor may stay.

Why neither mutmut nor cosmic-ray, which can both be installed: mutmut 3 changes code inside functions alone, while half
of the gate's rules are constants, and runs a copy of the sources by their paths, where baselines/ and deep/ are not the
packages that an installation makes of them. cosmic-ray changes the checkout's own files, and brings twenty packages,
among them a web client and a database.
"""

from __future__ import annotations

import argparse
import ast
import importlib.machinery
import importlib.util
import os
import re
import resource
import signal
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy is imported

import hypothesis
import mutants
import pytest

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "mutation.md"
REASONS = ROOT / "benchmarks" / "mutation_reasons.toml"
TESTS = {
    "fer_bench/gate": "tests/gate/test_judge.py tests/gate/test_forged.py tests/gate/test_reused.py "
    "tests/gate/test_exit_codes.py",
    "fer_bench/folds": "tests/folds",
    "fer_bench/stats": "tests/stats",
    "fer_bench/results": "tests/results",
    "fer_bench/runner/trial.py": "tests/runner",
    "fer_bench/report/sections/claims.py": "tests/report/sections",
}
"""What tests the modules of a package, or one module."""
PROGRAMS = {"cli", "project"}
"""Fixtures of tests that start programs."""
HEAD = """# What the tests miss

Written by `tox -e mutation -- MODULE --write`: each section by a call on its module. Mutants are small changes of a
module, one at a time; its tests kill a mutant by failing. Definition: `benchmarks/mutation.py`.
"""


class Planted(importlib.machinery.SourceFileLoader):
    """Loads a module from other code than its file's."""

    def __init__(self, name: str, file: Path, code: CodeType) -> None:
        super().__init__(name, str(file))
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        """Whatever stands in the file."""
        return self._code


class Finder:
    """Finds the one module that is planted."""

    def __init__(self, name: str, file: Path, code: CodeType) -> None:
        self.loader = Planted(name, file, code)

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        """As of `sys.meta_path`."""
        if name != self.loader.name:
            return None
        return importlib.util.spec_from_file_location(name, self.loader.path, loader=self.loader)


class Order:
    """Leaves out tests that start programs or took too long, and lets the quickest begin; measures them."""

    def __init__(self, seconds: dict[str, float], longest: float) -> None:
        self.seconds, self.longest = seconds, longest
        self.took: dict[str, float] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the rest, by how long it took before."""
        fit = [item for item in items if not PROGRAMS & set(getattr(item, "fixturenames", ()))]
        fit = [item for item in fit if self.seconds.get(item.nodeid, 0.0) <= self.longest]
        items[:] = sorted(fit, key=lambda item: self.seconds.get(item.nodeid, 0.0))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """Note what a test takes of a processor, on a busy machine, too; fixtures are shared, and nobody's."""
        begun = time.process_time()
        try:
            return (yield)
        finally:
            self.took[item.nodeid] = time.process_time() - begun


def dependents(target: str) -> set[str]:
    """Modules that are imported by now and hold something of a module, itself and all tests among them."""
    loaded = {name: module for name, module in sys.modules.items() if getattr(module, "__file__", None)}
    found = {name for name, module in loaded.items() if str(module.__file__).startswith(f"{ROOT / 'tests'}{os.sep}")}
    ours = {name: _imports(name, module) for name, module in loaded.items() if name.split(".")[0] == "fer_bench"}
    grown = {target}
    while grown:
        found |= grown
        grown = {name for name, used in ours.items() if used & grown} - found
    return found


def _imports(name: str, module: Any) -> set[str]:
    package = name if hasattr(module, "__path__") else name.rpartition(".")[0]
    found = set()
    for node in ast.walk(ast.parse(Path(module.__file__).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            start = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            found |= {start, *(f"{start}.{alias.name}" for alias in node.names)}
    return found


def quietly(arguments: list[str], plugins: list[Any]) -> int:
    """Call pytest without a word."""
    told, null = [os.dup(stream) for stream in (1, 2)], os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(null, stream)
    try:
        return int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-m", "not slow", *arguments], plugins))
    finally:
        for stream, before in zip((1, 2), told, strict=True):
            os.dup2(before, stream)


def run(tests: str, order: Order, plant: Finder | None, stale: set[str], report: int) -> int:
    """Run tests in this process, a fork, with a module planted; tell what each took."""
    if plant:
        sys.meta_path.insert(0, plant)  # type: ignore[arg-type]
    for name in stale:
        sys.modules.pop(name, None)
    code = quietly(tests.split(), [order])
    os.write(report, "\n".join(f"{took:.3f} {name}" for name, took in order.took.items()).encode())
    return code


def forked(tests: str, order: Order, plant: Finder | None, stale: set[str], limit: int) -> tuple[int, dict[str, float]]:
    """Exit code, and seconds of tests that ran with a module planted."""
    report, kept = tempfile.mkstemp()
    child = os.fork()
    if child == 0:
        code = 3
        try:
            resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))
            code = run(tests, order, plant, stale, report)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    lines = [line.split(" ", 1) for line in Path(kept).read_text(encoding="utf-8").splitlines()]
    os.close(report)
    os.unlink(kept)
    return os.waitstatus_to_exitcode(status), {name: float(took) for took, name in lines}


def examine(module: str, tests: str, limit: int, longest: float, most: int) -> list[str]:
    """Try every mutant of a module, and word the result as a section of Markdown."""
    file = ROOT / module
    name = module.removesuffix(".py").replace("/", ".")
    stale = dependents(name)
    code, seconds = forked(tests, Order({}, longest), None, stale, 3600)
    if code != 0:
        raise SystemExit(f"{module}: {tests} fails without any change (pytest's exit code {code}); mend that first")
    chosen = {test: took for test, took in seconds.items() if took <= longest}
    everything = mutants.of(file.read_text(encoding="utf-8"))
    step = len(everything) / min(most or len(everything), len(everything))
    found = [everything[int(place * step)] for place in range(round(len(everything) / step))]
    print(
        f"{module}: {len(found)} mutants, {len(chosen)} of {len(seconds)} tests in {sum(chosen.values()):.0f} s",
        flush=True,
    )
    reasons = tomllib.loads(REASONS.read_text(encoding="utf-8")).get(module, {})
    killed, late, lines = 0, 0, []
    for place, mutant in enumerate(found):
        plant = Finder(name, file, compile(mutant.tree, str(file), "exec"))
        code, _ = forked(tests, Order(seconds, longest), plant, stale, limit)
        killed, late = killed + (code != 0), late + (code == -signal.SIGXCPU)
        if code == 0:
            why = reasons.get(mutant.words, "not explained")
            cells = (f"{mutant.line}: `{mutant.text}`", f"`{mutant.before}`", f"`{mutant.after}`", why)
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
            print(f"  line {mutant.line}: {mutant.words}  [{why}]", flush=True)
        if place % 20 == 19:
            print(f"  {place + 1} of {len(found)}, {killed} killed", flush=True)
    share, unexplained = 100 * killed / max(1, len(found)), sum(line.endswith("| not explained |") for line in lines)
    told = (
        f"{len(found)} of {len(everything)} mutants tried, {killed} killed ({share:.1f} %), {late} of these by the "
        f"limit of time; {len(lines)} survived, {unexplained} unexplained. Tests: {len(chosen)} of "
        f"{', '.join(tests.split())}."
    )
    print(told)
    table = ["| line | is | became | why it may stay |", "|---|---|---|---|", *lines] if lines else []
    return [f"## {module}", "", told, "", *table, *([""] if table else [])]


def modules(chosen: Sequence[str]) -> dict[str, str]:
    """Modules that are meant, with their tests."""
    found = {}
    for given in chosen:
        place = given.rstrip("/")
        for owner, tests in TESTS.items():
            if place == owner or place.startswith(f"{owner}/"):
                files = [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).glob("[!_]*.py"))
                found |= {file.relative_to(ROOT).as_posix(): tests for file in files}
    if not found:
        raise SystemExit(f"expected modules or packages of {', '.join(TESTS)}; found {', '.join(chosen) or 'none'}")
    return found


def write(section: list[str]) -> None:
    """Put a section in the place of an earlier one of the same module; sections are sorted."""
    text = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else HEAD
    parts = {part.split("\n", 1)[0]: part for part in re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]}
    parts[section[0]] = "\n".join(section)
    RESULTS.write_text("\n".join([HEAD, *(parts[name].rstrip() + "\n" for name in sorted(parts))]), encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("module", nargs="*", help="modules or packages, such as fer_bench/gate/judge.py")
    parser.add_argument("--tests", default="", help="other tests than the package's own")
    parser.add_argument("--limit", type=int, default=120, help="seconds of a processor a mutant")
    parser.add_argument("--most", type=int, default=0, help="try so many mutants of a module, evenly spaced; 0: all")
    parser.add_argument("--longest", type=float, default=5.0, help="seconds of the longest test that is used")
    parser.add_argument("--write", action="store_true", help=f"to {RESULTS.relative_to(ROOT)}, too")
    given = parser.parse_args()
    os.chdir(ROOT)
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # a failure is enough, however long it is
    hypothesis.settings.register_profile("mutation", database=None, derandomize=True, deadline=None, phases=phases)
    hypothesis.settings.load_profile("mutation")
    chosen = modules(given.module)
    for tests in {given.tests or tests for tests in chosen.values()}:
        quietly(["--collect-only", *tests.split()], [])  # imports what all mutants share
    for module, tests in chosen.items():
        section = examine(module, given.tests or tests, given.limit, given.longest, given.most)
        if given.write:
            write(section)


if __name__ == "__main__":
    main()
