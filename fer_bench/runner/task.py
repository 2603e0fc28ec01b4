"""What a worker needs to know of a trial: everything but the labels of the images that it is tested on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fer_bench.methods import MethodSpec

__all__ = ["Task", "identify"]


@dataclass(frozen=True)
class Task:
    """What a worker needs to know of a trial.

    Attributes
    ----------
    images : Path
        The store, (n, size, size[, 3]) uint8.
    train, test : array of int64
        Rows of the store.
    labels : array of int64
        (n_train,) labels of the rows in ``train``. Those of ``test`` stay with the driver, which scores: what a process
        does not hold no method in it can find, by whatever way it looks.
    groups : array of str
        (n_train,) the people on them.
    folder : Path
        ``trials/<id>`` of the run.
    memory_bytes : float
        Limit of what its process and all that it starts may hold in memory; 0: none.
    code : str
        Of the harness that asks for it: version and commit, for its record.
    source_hash : str
        Of the method's source (`fer_bench.methods.source_hashes`), for its record; empty where it is not known.
    cautious : str
        What ended the process of a first try (``"signal 8 (SIGFPE)"``), where this is the second, safer one.
    """

    id: str
    spec: MethodSpec
    protocol: str
    fold: int
    seed: int
    random_state: int
    device: str
    weights: str | None
    watch: bool
    images: Path
    train: NDArray[np.int64]
    test: NDArray[np.int64]
    labels: NDArray[np.int64]
    groups: NDArray[Any]
    folder: Path
    estimate_seconds: float
    timeout_seconds: float
    memory_bytes: float = 0.0
    code: str = ""
    source_hash: str = ""
    cautious: str = ""


def identify(task: Task) -> dict[str, Any]:
    """Return the part of a record that is known before a trial runs, whoever writes it."""
    return {
        "id": task.id,
        "method": task.spec.name,
        "protocol": task.protocol,
        "fold": task.fold,
        "seed": task.seed,
        "n_train": len(task.train),
        "n_test": len(task.test),
        "device": task.device,
        "limits": {"seconds": round(task.timeout_seconds, 1), "memory_gb": round(task.memory_bytes / 1e9, 3)},
    }
