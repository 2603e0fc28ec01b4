"""The built-in rendered faces: a renderer of heads in the grammar of KDEF. numpy at import; OpenCV once it renders.

The people don't exist, and nothing measured on them says anything about KDEF or about anybody's face.

Examples
--------
>>> from fer_bench.data.render import portrait_names, render_portrait
>>> len(portrait_names(7))
490
>>> render_portrait("AF01HAS", size=(56, 76)).shape
(76, 56, 3)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .names import MAX_PEOPLE, RENDERER_VERSION, PortraitName, parse_name, portrait_names, software

if TYPE_CHECKING:
    from .export import write_kdef
    from .portrait import Truth, render_many, render_portrait, render_truth

__all__ = [
    "MAX_PEOPLE",
    "RENDERER_VERSION",
    "PortraitName",
    "Truth",
    "parse_name",
    "portrait_names",
    "render_many",
    "render_portrait",
    "render_truth",
    "software",
    "write_kdef",
]

_LAZY = {
    "write_kdef": "export",
    **dict.fromkeys(("Truth", "render_many", "render_portrait", "render_truth"), "portrait"),
}


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(f"{__name__}.{_LAZY[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
