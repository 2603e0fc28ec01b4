"""Small changes of a module's syntax tree, for `mutation.py`: each the kind of slip that a person makes.

Left alone is what changes no result: annotations, decorators, docstrings and other texts, what is put into f-strings
(messages), names of imports, `__all__`, and ``strict=True``, which only ever turns a mistake into an error.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Mutant", "of"]

_SWAPPED: dict[type[ast.AST], type[ast.AST]] = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq},
    **{ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And},
    **{ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult},
    **{ast.Pow: ast.Mult, ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.BitXor: ast.BitAnd},
    **{ast.USub: ast.UAdd, ast.Break: ast.Continue, ast.Continue: ast.Break},
}
_LEFT_ALONE = {"annotation", "returns", "decorator_list", "type_params", "type_comment"}
Change = Callable[[Any], None]


@dataclass(frozen=True)
class Mutant:
    """A module with one change; ``before`` and ``after`` are the smallest piece that shows it.

    ``text`` is the line of the source where it stands, whose number ``line`` is.
    """

    line: int
    text: str
    before: str
    after: str
    tree: ast.Module

    @property
    def words(self) -> str:
        """What reasons for survivors are filed under; a line may move."""
        return f"{self.text}: {self.before} -> {self.after}"


def of(source: str) -> list[Mutant]:
    """Return all mutants of a module, in the order of its code."""
    found: list[Mutant] = []
    lines = source.splitlines()
    for place, node in enumerate(_nodes(ast.parse(source))):
        for change in _changes(node):
            tree = ast.parse(source)
            copied = list(_nodes(tree))[place]
            before = ast.unparse(copied)
            change(copied)
            ast.fix_missing_locations(tree)
            after = ast.unparse(copied)
            if before != after:
                line = next((n.lineno for n in ast.walk(node) if hasattr(n, "lineno")), 1)
                found.append(Mutant(line, lines[line - 1].strip(), _short(before), _short(after), tree))
    return found


def _short(code: str) -> str:
    return " ".join(code.split())[:160]


def _nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that may be changed."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in _LEFT_ALONE:
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _left_alone(child):
                yield from _nodes(child)


def _left_alone(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom() | ast.keyword(arg="strict"):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]) | ast.Expr(value=ast.Constant()):
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
    return False


def _changes(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Compare(ops=ops):
            for place, one in enumerate(ops):
                yield lambda copied, place=place, one=one: copied.ops.__setitem__(place, _SWAPPED[type(one)]())
        case ast.BinOp(op=one) | ast.BoolOp(op=one) | ast.AugAssign(op=one) | ast.UnaryOp(op=one):
            if type(one) in _SWAPPED:
                yield lambda copied: setattr(copied, "op", _SWAPPED[type(one)]())
        case ast.Constant(value=bool()):
            yield lambda copied: setattr(copied, "value", not copied.value)
        case ast.Constant(value=int()):
            yield lambda copied: setattr(copied, "value", copied.value + 1)
        case ast.Constant(value=float()):
            yield lambda copied: setattr(copied, "value", 2 * copied.value or 1.0)
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            if not _compares(test):  # a comparison that is swapped says the same
                yield lambda copied: setattr(copied, "test", ast.UnaryOp(ast.Not(), copied.test))
        case ast.comprehension(ifs=[_, *_]):
            yield lambda copied: copied.ifs.clear()
        case ast.Return(value=ast.AST()):
            yield lambda copied: setattr(copied, "value", ast.Constant(None))
    for name in ("body", "orelse"):
        statements = getattr(node, name, None)
        for place, one in enumerate(statements if isinstance(statements, list) else ()):
            if isinstance(one, ast.Expr | ast.Raise | ast.AugAssign) and not _left_alone(one):
                yield lambda copied, name=name, place=place: getattr(copied, name).__setitem__(place, ast.Pass())


def _compares(test: ast.AST) -> bool:
    turned = ast.Eq | ast.NotEq | ast.In | ast.NotIn | ast.Is | ast.IsNot
    return isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], turned)
