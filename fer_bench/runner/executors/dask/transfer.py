"""What travels to a cluster, and how often: a trial's message each time, what trials have in common once a worker.

Labels, people and folds weigh more than all the rest of a task, and every trial needs the same few of them; images and
weights are files. A message names both by the hash of their content.
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

__all__ = ["Payload", "TaskMessage", "pack", "unpack"]

_HEAVY = 1024
"""Bytes of a pickled value from which it is sent once a worker and not with every trial."""

_FILES = ("images", "weights")


@dataclass(frozen=True)
class TaskMessage:
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
class Payload:
    """What the messages of a run name: pickled values, and files of this machine, by sha256."""

    values: dict[str, bytes] = field(default_factory=dict)
    files: dict[str, Path] = field(default_factory=dict)


def pack(tasks: Iterable[Task]) -> tuple[list[TaskMessage], Payload]:
    """Part tasks into light messages and the payload that they have in common."""
    payload = Payload()
    digests: dict[int, str] = {}
    keep_alive, messages = [], []  # an id is only its object's while that lives
    for task in tasks:
        task = replace(task, images=task.images.resolve(), folder=task.folder.resolve())
        values = {}
        for name in (f.name for f in fields(task) if f.name not in _FILES):
            value = getattr(task, name)
            if id(value) not in digests:
                keep_alive.append(value)
                digests[id(value)] = _stow(value, payload)
            if digests[id(value)]:
                values[name] = digests[id(value)]
        paths = {name: Path(getattr(task, name)).resolve() for name in _FILES if getattr(task, name)}
        known = {path: digest for digest, path in payload.files.items()}
        files = {name: known.get(path) or sha256_file(path) for name, path in paths.items()}
        payload.files.update({files[name]: path for name, path in paths.items()})
        light = cast(dict[str, Any], dict.fromkeys(values))
        messages.append(TaskMessage(replace(task, **light), values, files))
    return messages, payload


def _stow(value: Any, payload: Payload) -> str:
    """Put a heavy value into the payload and return its digest; empty for a light one, which stays in the task."""
    pickled = pickle.dumps(value, protocol=5)
    if len(pickled) < _HEAVY:
        return ""
    digest = hashlib.sha256(pickled).hexdigest()
    payload.values[digest] = pickled
    return digest


def unpack(message: TaskMessage, values: Mapping[str, Any], files: Mapping[str, Path]) -> Task:
    """Put a task together again from what its worker holds."""
    whole: dict[str, Any] = {name: values[digest] for name, digest in message.values.items()}
    for name, digest in message.files.items():
        whole[name] = type(getattr(message.task, name))(files[digest])
    return replace(message.task, **whole)
