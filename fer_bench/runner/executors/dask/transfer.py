"""What travels to a cluster, and how often: a trial's ticket each time, what trials have in common once a worker.

Labels, people and folds weigh more than all the rest of a task, and every trial needs the same few of them; images and
weights are files. A ticket names both by the hash of their content.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, cast

from fer_bench.utils.files import sha256_file

from ...task import Task

__all__ = ["Cargo", "Ticket", "pack", "unpack"]

_HEAVY = 1024
"""Bytes of a pickled value from which it is sent once a worker and not with every trial."""

_FILES = ("images", "weights")


@dataclass(frozen=True)
class Ticket:
    """A task without its weight.

    Attributes
    ----------
    task : Task
        With None in place of what `values` names.
    values, files : mapping of str to str
        Field of the task, and the sha256 of what belongs there.
    """

    task: Task
    values: Mapping[str, str]
    files: Mapping[str, str]


@dataclass(frozen=True)
class Cargo:
    """What the tickets of a run name: pickled values, and files of this machine, by sha256."""

    values: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)


def pack(tasks: Iterable[Task]) -> tuple[list[Ticket], Cargo]:
    """Part tasks into light tickets and the cargo that they have in common."""
    cargo = Cargo()
    digests: dict[int, str] = {}
    keep_alive, tickets = [], []  # an id is only its object's while that lives
    for task in tasks:
        task = replace(task, images=task.images.resolve(), folder=task.folder.resolve())
        values = {}
        for name in (f.name for f in fields(task) if f.name not in _FILES):
            value = getattr(task, name)
            if id(value) not in digests:
                keep_alive.append(value)
                digests[id(value)] = _stow(value, cargo)
            if digests[id(value)]:
                values[name] = digests[id(value)]
        paths = {name: Path(getattr(task, name)).resolve() for name in _FILES if getattr(task, name)}
        known = {path: digest for digest, path in cargo.files.items()}
        files = {name: known.get(path) or sha256_file(path) for name, path in paths.items()}
        cargo.files.update({files[name]: path for name, path in paths.items()})
        light = cast(dict[str, Any], dict.fromkeys(values))
        tickets.append(Ticket(replace(task, **light), values, files))
    return tickets, cargo


def _stow(value: Any, cargo: Cargo) -> str:
    """Put a heavy value into the cargo and return its digest; empty for a light one, which stays in the task."""
    pickled = pickle.dumps(value, protocol=5)
    if len(pickled) < _HEAVY:
        return ""
    digest = hashlib.sha256(pickled).hexdigest()
    cargo.values[digest] = pickled
    return digest


def unpack(ticket: Ticket, values: Mapping[str, Any], files: Mapping[str, Path]) -> Task:
    """Put a task together again from what its worker holds."""
    whole: dict[str, Any] = {name: values[digest] for name, digest in ticket.values.items()}
    for name, digest in ticket.files.items():
        whole[name] = type(getattr(ticket.task, name))(files[digest])
    return replace(ticket.task, **whole)
