"""Calls of `fer_bench.run` as text: written to run.json as the command that reproduces a run, and read back."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

__all__ = ["RUN", "call_arguments", "call_text"]

RUN = "fer_bench.run"


def call_text(arguments: Mapping[str, Any]) -> str:
    """Return the call of `fer_bench.run` with these keyword arguments, whose values are literals, in one line."""
    return f"{RUN}({', '.join(f'{name}={value!r}' for name, value in arguments.items())})"


def call_arguments(command: str) -> dict[str, Any] | None:
    """Return the arguments of a call that `call_text` wrote; None for any other command, such as a shell's."""
    if not command.startswith(f"{RUN}("):
        return None
    try:
        call = ast.parse(command, mode="eval").body
        if not isinstance(call, ast.Call) or call.args:
            return None
        return {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in call.keywords}
    except (SyntaxError, ValueError):
        return None
