"""The driver's connection to a scheduler: where there is none, that is found out early and told in a sentence."""

from __future__ import annotations

import logging
import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

from distributed import Client

from fer_bench.errors import UserError
from fer_bench.utils.json_files import read_json
from fer_bench.utils.paths import given_path

from . import node as node

__all__ = ["connected", "difference", "reach"]

_CONNECT_SECONDS = 15.0
_AT_SCHEDULER = ("Python", "fer-bench")
"""What must agree at the scheduler, which passes trials on and runs none."""


class _SchedulerFile(TypedDict):
    address: str


def reach(scheduler: str) -> str:
    """Return a scheduler's address, given that or its file, when somebody listens there.

    Raises
    ------
    UserError
        No address, no such file, or nobody listens: Dask would try again until its time is over.
    """
    address = scheduler if "://" in scheduler else _address(given_path(scheduler, "`scheduler`"))
    try:
        parts = urlsplit(address)
        if parts.scheme in ("tcp", "tls"):
            if not parts.hostname or not parts.port:
                raise ValueError("expected tcp://host:port")
            socket.create_connection((parts.hostname, parts.port), timeout=_CONNECT_SECONDS).close()
    except (OSError, ValueError) as error:
        raise _absent(scheduler, error) from error
    return address


def _address(file: Path) -> str:
    mend = "give an address such as tcp://host:8786, or the file that `dask scheduler --scheduler-file` writes"
    return read_json(file, _SchedulerFile, name=f"`scheduler` {file}", mend=mend)["address"]


def _absent(scheduler: str, error: Exception) -> UserError:
    why = getattr(error, "strerror", None) or error
    start = "start one with `dask scheduler`, or mend the address"
    return UserError(f"`scheduler` {scheduler}: no Dask scheduler answers there ({why}); {start}")


@contextmanager
def connected(scheduler: str) -> Iterator[Client]:
    """Be a client of a scheduler, given by its address or its file.

    Raises
    ------
    UserError
        None answers, or it runs other versions.
    """
    address = reach(scheduler)
    # What ails a cluster is said here in a sentence; its own loggers speak to its developers.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            client = Client(address, timeout=_CONNECT_SECONDS, set_as_default=False, name="fer-bench")
    except (OSError, ValueError, TypeError) as error:
        raise _absent(scheduler, error) from error
    try:
        _check_scheduler(client, scheduler)
        yield client
    finally:
        with suppress(Exception):
            client.close(timeout=5)


def _check_scheduler(client: Client, scheduler: str) -> None:
    """Refuse a scheduler that cannot pass on what it gets."""
    try:
        there = client.run_on_scheduler(node.facts)
    except Exception as error:
        raise UserError(
            f"`scheduler` {scheduler}: fer-bench cannot be used there ({error}); install the same version at both ends"
        ) from error
    here = node.facts()
    if why := difference(*({name: facts.get(name, "") for name in _AT_SCHEDULER} for facts in (there, here))):
        raise UserError(f"`scheduler` {scheduler}: {why}; install the same versions at both ends")


def difference(there: Mapping[str, str], here: Mapping[str, str]) -> str:
    """Say what differs between the ends, name by name; empty where nothing does."""
    differing = [name for name in {**here, **there} if there.get(name) != here.get(name)]
    return ", ".join(
        f"{name} is {there.get(name, 'not installed')} there and {here.get(name, 'not installed')} here"
        for name in differing
    )
