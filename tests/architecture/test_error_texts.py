"""What errors of the library call what a caller gave: parameters by their names, never options of a command."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeVar

import pytest
from typer.main import get_command

from fer_bench.cli.app import app
from fer_bench.cli.option_names import OPTIONS

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"`[\w.-]+ [^`]*`")
"""A whole command in backticks, such as `fer-bench report A B --out DIR`."""
OPTION = re.compile(r"(?<![\w-])--[a-z]")
NAMED = re.compile(r"`(\w+)(?:=True)?`")

Function = ast.FunctionDef | ast.AsyncFunctionDef
T = TypeVar("T")
Pair = tuple[T, ast.Module]
Place = tuple[ast.AST, Function | None, ast.Module]
"""A piece of source, the function that it stands in, and its module."""


class Texts:
    """Every text that an error of some source files may have.

    A text is followed from where it is raised to where it is put together: through names of the function or module,
    constants of other modules, functions that return (parts of) it, and arguments that are handed in.
    """

    def __init__(self, sources: dict[str, str]) -> None:
        self.trees = {name: ast.parse(text) for name, text in sources.items()}
        self.functions: dict[str, list[tuple[Function, ast.Module]]] = {}
        self.calls: dict[str, list[tuple[ast.Call, Function | None, ast.Module]]] = {}
        self.constants: dict[str, list[tuple[ast.expr, ast.Module]]] = {}
        self.imported: dict[ast.Module, set[str]] = {tree: set() for tree in self.trees.values()}
        self.home: dict[ast.AST, Function | None] = {}
        for tree in self.trees.values():
            self._index(tree, tree, None)

    def _index(self, node: ast.AST, tree: ast.Module, inside: Function | None) -> None:
        self.home[node] = inside
        if isinstance(node, Function):
            self.functions.setdefault(node.name, []).append((node, tree))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            self.calls.setdefault(node.func.id, []).append((node, inside, tree))
        elif isinstance(node, ast.ImportFrom):
            self.imported[tree] |= {alias.asname or alias.name for alias in node.names}
        elif node in tree.body and isinstance(node, ast.Assign):
            for name in (target.id for target in node.targets if isinstance(target, ast.Name)):
                self.constants.setdefault(name, []).append((node.value, tree))
        for child in ast.iter_child_nodes(node):
            self._index(child, tree, node if isinstance(node, Function) else inside)

    def of_errors(self) -> Iterator[tuple[str, str]]:
        """Yield place and text of all that may be told by an error that is raised or made."""
        for file, tree in self.trees.items():
            for node in ast.walk(tree):
                made = node.exc if isinstance(node, ast.Raise) else node if _makes_error(node) else None
                if made is not None:
                    yield from ((f"{file}:{node.lineno}", text) for text in self._of((made, self.home[node], tree)))

    def _of(self, start: Place) -> Iterator[str]:
        """Every text that a value may hold."""
        waiting, seen = [start], set()
        while waiting:
            place = waiting.pop()
            if place in seen:
                continue
            seen.add(place)
            node, inside, tree = place
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value
            elif isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
            sources = list(self._sources(place))
            # What is handed to a function of ours is in its text only where the function puts it there.
            parts = [] if isinstance(node, ast.Call) and sources else _parts(node)
            waiting += [*sources, *((part, inside, tree) for part in parts)]

    def _sources(self, place: Place) -> Iterator[Place]:
        """Where a name, or what a function returns, is from."""
        node, inside, tree = place
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            for function, home in self._meant(self.functions, node.func.id, tree):
                ends = (n.value for n in ast.walk(function) if isinstance(n, ast.Return | ast.Yield))
                yield from ((end, function, home) for end in ends if end is not None)
        if not isinstance(node, ast.Name):
            return
        if inside is not None:
            yield from ((value, inside, tree) for value in _assigned(node.id, inside))
            yield from self._handed(node.id, inside, tree)
        yield from ((value, None, home) for value, home in self._meant(self.constants, node.id, tree))

    def _meant(self, known: dict[str, list[Pair[T]]], name: str, tree: ast.Module) -> list[Pair[T]]:
        """What a module means by a name: its own, or what it imports."""
        all_of_it = known.get(name, [])
        own = [(node, home) for node, home in all_of_it if home is tree]
        return own or (all_of_it if name in self.imported[tree] else [])

    def _handed(self, name: str, function: Function, tree: ast.Module) -> Iterator[Place]:
        """What calls hand to a function by a parameter of this name."""
        places = [argument.arg for argument in function.args.args]
        if name not in (*places, *(argument.arg for argument in function.args.kwonlyargs)):
            return
        for call, caller, home in self.calls.get(function.name, ()):
            given = dict(zip(places, call.args, strict=False)) | {word.arg: word.value for word in call.keywords}
            if name in given and (home is tree or function.name in self.imported[home]):
                yield given[name], caller, home


def _parts(node: ast.AST) -> list[ast.AST]:
    """The parts of an expression that its text may be made of."""
    match node:
        case ast.JoinedStr():
            return [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
        case ast.IfExp():
            return [node.body, node.orelse]
        case ast.Call():
            if isinstance(node.func, ast.Attribute):
                return [node.func.value, *(node.args if node.func.attr in ("join", "format") else [])]
            return [*node.args, *(word.value for word in node.keywords)]
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp():
            return [node.elt]
        case ast.Subscript():
            return [node.value]
        case ast.Attribute() | ast.Compare() | ast.Lambda():
            return []
    return list(ast.iter_child_nodes(node))


def _makes_error(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.endswith("Error")


@cache
def _assigned(name: str, inside: Function) -> tuple[ast.expr, ...]:
    """What a name of a function may be: by assignment, or as the target of a loop."""
    found = []
    for node in ast.walk(inside):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.For | ast.comprehension):
            targets, value = [node.target], node.iter
        elif isinstance(node, ast.NamedExpr | ast.AnnAssign | ast.AugAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        if any(isinstance(n, ast.Name) and n.id == name for target in targets for n in ast.walk(target)):
            found.append(value)
    return tuple(found)


@cache
def texts() -> list[tuple[str, str]]:
    """File with line, and text without its commands, of every error of the library."""
    files = [file for room in ("fer_bench", "baselines", "deep") for file in sorted((ROOT / room).rglob("*.py"))]
    # What utils/texts.py shortens is what its callers hand in; followed through it, everybody's texts would be one.
    files = [file for file in files if "cli" not in file.parts and file != ROOT / "fer_bench" / "utils" / "texts.py"]
    sources = {str(file.relative_to(ROOT)): file.read_text() for file in files}
    return [(where, COMMAND.sub("", text)) for where, text in dict.fromkeys(Texts(sources).of_errors())]


@pytest.mark.parametrize(
    "source",
    [
        'raise UserError("--data: no such file")',
        'def f(x):\n    raise UserError(f"{x}: no such file; give --data")',
        'NO = "give --data"\ndef f():\n    raise InputError(f"nothing there; {NO}")',
        'def f(x):\n    why = "give --data"\n    raise UserError(f"{x}: {why}")',
        'def f(x):\n    for what in ("--data", "--out"):\n        raise UserError(f"{what}: {x}")',
        'def f(x):\n    raise _made(x)\ndef _made(x):\n    return UserError(f"--data {x}")',
        'def f(x):\n    raise UserError(_found(x))\ndef _found(x):\n    return "give --data"',
        'def need(x, where):\n    raise UserError(f"{where}: {x}")\ndef f(x):\n    need(x, f"--data {x}")',
        'def need(x, *, remedy):\n    raise UserError(f"{x}; {remedy}")\ndef f(x):\n    need(x, remedy="give --out")',
    ],
)
def test_the_walk_finds_an_option_wherever_it_is_put_into_an_error(source):
    """An option is found in the raised text, its variables, loops, constants, helpers and arguments."""
    assert any(OPTION.search(COMMAND.sub("", text)) for _, text in Texts({"x.py": source}).of_errors())


def test_a_whole_command_in_backticks_may_have_options():
    """`fer-bench report A B --out DIR` is no option of a parameter, also where paths are put into it."""
    source = 'def f(a, b):\n    raise UserError(f"{a}: see `fer-bench report {a} {b} --out DIR`")'
    found = [COMMAND.sub("", text) for _, text in Texts({"x.py": source}).of_errors()]
    assert found
    assert not any(OPTION.search(text) for text in found)


def test_no_error_of_the_library_names_an_option():
    """Whoever calls the library from Python is told of its parameters: no text of an error holds `--option`."""
    found = texts()
    assert len(found) > 300
    assert [(where, text) for where, text in found if OPTION.search(text)] == []


def test_every_parameter_that_an_error_names_has_an_option():
    """A name in backticks in an error is one that the command line turns into an option of its own."""
    named = {name for _, text in texts() for name in NAMED.findall(text)}
    assert len(named) > 20
    assert named <= set(OPTIONS)


def test_options_that_stand_for_parameters_exist():
    """Every option that a parameter is turned into is one of some command, and none is there for nothing."""
    found: set[str] = set()
    waiting = [get_command(app)]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        found |= {word for parameter in command.params for word in parameter.opts if word.startswith("--")}
    assert set(OPTIONS.values()) <= found


def test_names_are_those_of_python():
    """What an error calls a parameter is a parameter of a function here, a field of a request, or a function."""
    names = set()
    for file in sorted((ROOT / "fer_bench").rglob("*.py")):
        if "cli" in file.parts:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, Function):
                names |= {node.name, *(a.arg for a in (*node.args.args, *node.args.kwonlyargs))}
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names.add(node.target.id)
    assert set(OPTIONS) <= names
