"""Writes docs/api from the docstrings of the public names: ``python docs/make_api.py``.

Reads the source and imports nothing of it, so that the pages are the same under every version of Python and of the
packages. A page is a list of modules; a module's public names are its ``__all__``, or some of them. ``tests/docs``
holds the committed pages against what this makes.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from inspect import cleandoc
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOME = ROOT / "docs" / "api"

PAGES: dict[str, tuple[str, dict[str, tuple[str, ...]]]] = {
    "fer_bench": (
        "Calls: what `import fer_bench as fb` gives",
        {
            "fer_bench": (
                *("load_dataset", "make_folds", "read_folds", "user_folds", "check_folds", "load_methods", "run"),
                "RunOptions",
                *("load_run", "compare", "write_report"),
            )
        },
    ),
    "methods": (
        "The contract of methods",
        {"fer_bench.methods": (), "fer_bench.labels": (), "fer_bench.errors": ()},
    ),
    "folds": (
        "Protocols and folds",
        {
            "fer_bench.folds.protocols": ("PROTOCOLS", "Protocol", "unsupported", "official_parts"),
            "fer_bench.folds.folds": ("Folds",),
            "fer_bench.folds.check": ("CLAIMS", "Verdict", "People", "Shared", "Leak"),
            "fer_bench.folds.balance": ("Balance",),
            "fer_bench.folds.consistency": ("Contradiction", "Difference"),
            "fer_bench.folds.wording": ("verdict_lines",),
        },
    ),
    "data": (
        "Data: manifests and readers",
        {
            "fer_bench.data.manifest": ("Dataset", "Manifest", "FileCount", "Excluded"),
            "fer_bench.data.layouts.contract": (),
            "fer_bench.data.layouts.known": (),
            "fer_bench.data.words": (),
            "fer_bench.data.render": (),
        },
    ),
    "statistics": ("Figures and statistics", {"fer_bench.stats.metrics": (), "fer_bench.stats": ()}),
    "results": (
        "A run read back",
        {
            "fer_bench.results.run_result": ("RunResult",),
            "fer_bench.results.load": ("load_run", "report_seed"),
            "fer_bench.results.run_data": (),
            "fer_bench.results.outcomes": (),
            "fer_bench.results.table": (),
            "fer_bench.results.compare": ("Compared", "Pair"),
        },
    ),
    "baselines": (
        "Classical methods: features and the pipeline",
        {"fer_bench.baselines.features.registry": (), "fer_bench.baselines.pipeline": ()},
    ),
    "deep": (
        "Networks: records and rows",
        {
            "fer_bench.deep.networks.registry": (),
            "fer_bench.deep.catalogue": ("rows",),
            "fer_bench.deep.networks.architectures": ("Parts",),
            "fer_bench.deep.classifier": (),
        },
    ),
}
"""Name of a page to its title and its modules, each with the names that are shown; none means all of ``__all__``."""

_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$", re.MULTILINE)
_HOUSE = {"fer_bench.baselines": "baselines", "fer_bench.deep": "deep"}
_WIDTH = 100
_MADE = "Made by `python docs/make_api.py` from the docstrings; edit those."


@dataclass(frozen=True)
class Name:
    """A public name: its node in the source, or the text below it where it is a value."""

    name: str
    node: ast.stmt
    text: str


def file_of(module: str) -> Path:
    """The file of a module, wherever its package stands."""
    for package, folder in _HOUSE.items():
        if module == package or module.startswith(package + "."):
            module = folder + module.removeprefix(package)
            break
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@cache
def tree_of(module: str) -> ast.Module:
    """A module's syntax tree."""
    return ast.parse(file_of(module).read_text(encoding="utf-8"))


def public(module: str) -> list[str]:
    """What ``__all__`` lists, in its order."""
    found: list[str] = []
    for node in tree_of(module).body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "__all__":
            found += ast.literal_eval(node.value)  # type: ignore[attr-defined]
    return found


def find(module: str, name: str) -> Name:
    """Find where a name is made: in a module, or where that imports it from.

    Raises
    ------
    KeyError
        The module neither makes nor imports it.
    """
    body = tree_of(module).body
    for at, node in enumerate(body):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and node.name == name:
            return Name(name, node, ast.get_docstring(node) or "")
        if isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            if isinstance(target, ast.Name) and target.id == name:
                return Name(name, node, _text_below(body, at))
    for node in ast.walk(tree_of(module)):  # also below `if TYPE_CHECKING`, where what is imported lazily stands
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            if name == (alias.asname or alias.name):
                found = find(_origin(module, node), alias.name)  # type: ignore[arg-type]
                return replace(found, name=name, node=_renamed(found.node, name))
    raise KeyError(f"{module} has no {name}")


def _renamed(node: ast.stmt, name: str) -> ast.stmt:
    """A function under the name that it is imported by."""
    if not isinstance(node, ast.FunctionDef) or node.name == name:
        return node
    renamed = copy.copy(node)
    renamed.name = name
    return renamed


def lineage(node: ast.ClassDef, module: str) -> list[ast.ClassDef]:
    """A class and, in their order, the bases of this package that no page shows by themselves."""
    found = [node]
    for base in (base.id for base in node.bases if isinstance(base, ast.Name)):
        imports = (made for made in tree_of(module).body if isinstance(made, ast.ImportFrom))
        origins = [_origin(module, made) for made in imports if base in {alias.name for alias in made.names}]
        home = origins[0] if origins else module
        shown = any(
            base in (names or public(home)) for _, shown in PAGES.values() for m, names in shown.items() if m == home
        )
        if not shown and home.startswith("fer_bench") and base in _classes(home):
            found += lineage(_classes(home)[base], home)
    return found


def _classes(module: str) -> dict[str, ast.ClassDef]:
    return {node.name: node for node in tree_of(module).body if isinstance(node, ast.ClassDef)}


def _text_below(body: list[ast.stmt], at: int) -> str:
    below = body[at + 1] if at + 1 < len(body) else None
    value = below.value if isinstance(below, ast.Expr) else None
    return cleandoc(value.value) if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""


def _origin(module: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    package = module.split(".") if file_of(module).name == "__init__.py" else module.split(".")[:-1]
    return ".".join([*package[: len(package) - node.level + 1], *([node.module] if node.module else [])])


def signature(node: ast.stmt, module: str = "") -> str:
    """How it is called, in one line or an argument a line."""
    if isinstance(node, ast.FunctionDef):
        returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
        return _call(node.name, _arguments(node), returns)
    if isinstance(node, ast.ClassDef):
        return "class " + _call(node.name, _fields(node, lineage(node, module)), "")
    assert isinstance(node, ast.Assign | ast.AnnAssign)
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    kind = f": {ast.unparse(node.annotation)}" if isinstance(node, ast.AnnAssign) else ""
    value = ast.unparse(node.value) if node.value else ""
    return f"{ast.unparse(target)}{kind} = {value if len(value) < _WIDTH else '...'}"


def _arguments(node: ast.FunctionDef) -> list[str]:
    given, found = node.args, []
    positional = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(positional) - len(given.defaults)) + list(given.defaults)
    found = [_argument(a, d) for a, d in zip(positional, defaults, strict=True) if a.arg not in ("self", "cls")]
    found += [f"*{given.vararg.arg}"] if given.vararg else ["*"] if given.kwonlyargs else []
    found += [_argument(a, d) for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    return found + ([f"**{given.kwarg.arg}"] if given.kwarg else [])


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    kind = f": {ast.unparse(argument.annotation)}" if argument.annotation else ""
    equals = " = " if kind else "="
    return f"{argument.arg}{kind}" + (f"{equals}{ast.unparse(default)}" if default else "")


def _fields(node: ast.ClassDef, with_bases: list[ast.ClassDef]) -> list[str]:
    """Arguments of a class: of its ``__init__``, or its fields where it is a dataclass or a named tuple."""
    for made in (made for each in with_bases for made in each.body):
        if isinstance(made, ast.FunctionDef) and made.name == "__init__":
            return _arguments(made)
    bases = [ast.unparse(base) for base in node.bases]
    if "NamedTuple" not in bases and not any("dataclass" in ast.unparse(made) for made in node.decorator_list):
        return bases
    fields = [field for field in node.body if isinstance(field, ast.AnnAssign)]
    return [ast.unparse(field) for field in fields if not ast.unparse(field.target).startswith("_")]


def _call(name: str, arguments: list[str], returns: str) -> str:
    line = f"{name}({', '.join(arguments)}){returns}"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {argument}," for argument in arguments), f"){returns}"])


def markdown(text: str, module: str = "", name: str = "") -> str:
    """A docstring in numpydoc as Markdown: its sections as headings in bold, its examples as code that imports."""
    if name and not re.search(rf"\bimport .*\b{name}\b", text):
        text = re.sub(r"^([ ]*)>>> ", rf"\1>>> from {module} import {name}\n\1>>> ", text, count=1, flags=re.MULTILINE)
    first, *rest = _SECTION.split(text)
    parts = [_paragraphs(first)]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        listed = title in ("Parameters", "Attributes", "Returns", "Raises", "Yields", "Other Parameters")
        parts.append(f"**{title}**\n\n{_entries(body) if listed else _paragraphs(body)}")
    return "\n\n".join(part for part in parts if part.strip())


def _paragraphs(text: str) -> str:
    """Paragraphs with RST's double backticks made single, and examples fenced."""
    found = []
    for paragraph in re.split(r"\n\s*\n", text.strip("\n")):
        plain = cleandoc(paragraph)
        if plain.startswith(">>>"):
            found.append(f"```python\n{plain}\n```")
        elif paragraph.startswith("    ") and found:
            found.append(f"```py\n{plain}\n```")
        else:
            found.append(_plain(plain))
    return "\n\n".join(found)


def _plain(text: str) -> str:
    return re.sub(r"::$", ":", text.replace("``", "`"))


def _entries(body: str) -> str:
    """``name : type`` with its indented text, as a list."""
    found: list[str] = []
    for line in body.strip("\n").splitlines():
        if line.startswith(" ") and found:
            found[-1] += " " + line.strip()
        elif line.strip():
            name, colon, kind = line.partition(" : ")
            found.append(f"- `{name}`" + (f" ({_plain(kind)})" if colon else "") + ":")
    return "\n".join(_plain(entry).rstrip(":") if entry.endswith(":") else _plain(entry) for entry in found)


def _methods(with_bases: list[ast.ClassDef]) -> Iterator[ast.FunctionDef]:
    seen = set()
    for made in (made for each in with_bases for made in each.body):
        if isinstance(made, ast.FunctionDef) and not made.name.startswith("_") and ast.get_docstring(made):
            if made.name not in seen:
                yield made
            seen.add(made.name)


def _entry(found: Name, module: str) -> Iterator[str]:
    yield f"### {found.name}"
    yield f"```py\n{signature(found.node, module)}\n```"
    yield markdown(found.text, module, found.name)
    for method in _methods(lineage(found.node, module)) if isinstance(found.node, ast.ClassDef) else ():
        is_property = any(ast.unparse(d) in ("property", "cached_property") for d in method.decorator_list)
        call = method.name if is_property else f"{method.name}({', '.join(_arguments(method))})"
        yield f"#### {found.name}.{method.name}"
        yield f"`{call}`"
        yield markdown(ast.get_docstring(method) or "")


def page(name: str) -> str:
    """The text of a page."""
    title, modules = PAGES[name]
    parts = [f"# {title}", _MADE]
    for module, names in modules.items():
        parts += [f"## {module}", markdown(ast.get_docstring(tree_of(module)) or "")]
        for public_name in names or public(module):
            parts += _entry(find(module, public_name), module)
    return "\n\n".join(part for part in parts if part.strip()) + "\n"


def index() -> str:
    """The text of the page that leads to the others."""
    rows = ["| page | what | modules |", "|---|---|---|"]
    for name, (title, modules) in PAGES.items():
        rows.append(f"| [{name}.md]({name}.md) | {title} | {', '.join(f'`{module}`' for module in modules)} |")
    at_hand = ", ".join(f"`{name}`" for name in public("fer_bench"))
    top = f"`import fer_bench` gives {at_hand}: see [python.md](../python.md). Everything else comes from its module."
    return "\n\n".join(["# From Python", _MADE, "\n".join(rows), top]) + "\n"


def pages() -> dict[Path, str]:
    """All pages by file."""
    return {HOME / "README.md": index(), **{HOME / f"{name}.md": page(name) for name in PAGES}}


if __name__ == "__main__":
    HOME.mkdir(exist_ok=True)
    for file, text in pages().items():
        file.write_text(text, encoding="utf-8")
