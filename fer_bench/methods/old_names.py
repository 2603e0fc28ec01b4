"""Parameters and arguments of methods that have changed their names: ours take the old ones, the harness gives both."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from fer_bench.utils import renamed

__all__ = [
    "OldName",
    "current_parameters",
    "eval_argument",
    "eval_proba",
    "takes_old_arguments",
    "takes_old_parameters",
]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def takes_old_parameters(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let ``__init__`` take parameters by their old names, too; scikit-learn sees the new ones alone."""
    return _translating(function, "parameter", renamed.PARAMETERS)


def takes_old_arguments(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let ``fit`` take arguments by their old names, too."""
    return _translating(function, "argument", renamed.ARGUMENTS)


def _translating(function: Callable[_P, _R], kind: str, table: Mapping[str, str]) -> Callable[_P, _R]:
    @wraps(function)
    def translated(*args: _P.args, **given: _P.kwargs) -> _R:
        return function(*args, **renamed.current_keywords(kind, given, table))  # type: ignore[arg-type]

    return translated


def current_parameters(given: Mapping[str, Any], known: Collection[str]) -> dict[str, Any]:
    """Return parameters under their names of now, but those that are known by the names that they have."""
    kept = {name: value for name, value in given.items() if name in known}
    others = {name: value for name, value in given.items() if name not in known}
    return {**kept, **renamed.current_keywords("parameter", others, renamed.PARAMETERS)}


class OldName:
    """An attribute's old name: reading and setting it reads and sets the attribute that it is called now."""

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        """Return the value; on the class itself this object."""
        return self if instance is None else getattr(instance, self._now())

    def __set__(self, instance: Any, value: Any) -> None:
        """Set the value under the new name."""
        setattr(instance, self._now(), value)

    def _now(self) -> str:
        return renamed.current("attribute", self._name, {**renamed.PARAMETERS, **renamed.ATTRIBUTES})


def eval_argument(fit: Callable[..., Any]) -> str:
    """Tell what a method's ``fit`` or ``fit_prepared`` calls the images that it predicts after each epoch.

    A method that was written for the old name gets them by that, with a warning that says the new one.
    """
    taken = inspect.signature(fit).parameters
    for old, new in renamed.ARGUMENTS.items():
        if old in taken and new not in taken:
            warnings.warn(
                f"{getattr(fit, '__qualname__', fit)} takes {old}, which is called {new} now, and what it leaves in "
                f"watch_proba_ is eval_proba_; the old names keep working",
                FutureWarning,
                stacklevel=2,
            )
            return old
    return "eval_images"


def eval_proba(method: Any) -> Any:
    """Return what a method predicted after each epoch, (epochs, n, 7), by whichever name it left it."""
    names = [*renamed.ATTRIBUTES.values(), *renamed.ATTRIBUTES]
    return getattr(method, next((name for name in names if hasattr(method, name)), names[0]))
