"""Writes simulated run directories: people who differ, methods that differ, trials that fail, and no learning at all.

Each method has a true accuracy, each person an own ease, each expression and view an own difficulty; predictions are
drawn from these. Good for testing what reads runs; says nothing about any real method.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_bench.labels import EMOTIONS, VIEWS

CLASSIFIERS = ("linear_svc", "rbf_svc", "knn", "lda", "fisher", "logreg", "gnb", "tree", "forest")
NETWORKS = (
    *("vgg16", "vgg19", "vgg19_bn", "resnet18", "resnet34", "resnet50", "resnet152", "inception_v3"),
    *("densenet161", "mobilenet_v2", "squeezenet1_0"),
)
MODES = ("dense", "last_block", "entire", "scratch")
PERSON, RANDOM = "subject-10fold", "random-10fold"
PARTNERS = {
    PERSON: [RANDOM],
    RANDOM: [PERSON],
    "session-out": ["random-2fold", "subject-2fold"],
    "random-2fold": ["subject-2fold", "session-out"],
    "subject-2fold": ["random-2fold", "session-out"],
}
SPLITS_BY = {"random": "image", "holdout": "image", "akhand": "image", "session": "session", "official": "dataset"}


@dataclass(frozen=True)
class Simulation:
    """What to simulate; the defaults make a full run of 76 methods on photographs of 70 people."""

    people: int = 70
    sessions: int = 2
    views: tuple[str, ...] = VIEWS
    folds: int = 10
    protocols: tuple[str, ...] = (PERSON, RANDOM)
    methods: tuple[str, ...] = ()
    profile: str = "full"
    rendered: bool = False
    seed: int = 0
    states: dict[str, str] = field(default_factory=dict)
    watched: bool = True
    curves: bool = True
    epochs: int = 12
    unit: str = "person"
    lifts: dict[str, float] = field(default_factory=lambda: {RANDOM: 0.3})


def all_methods() -> tuple[str, ...]:
    """Names of the 76 methods of suite ``all``."""
    classical = [f"{classifier}-{kind}" for kind in ("pixels", "dwt", "lbp") for classifier in CLASSIFIERS]
    small = [f"cnn2-{size}" for size in (48, 64, 128, 224, 360)]
    return (*classical, *small, *[f"{network}-{mode}" for network in NETWORKS for mode in MODES])


def write_run(folder: Path, simulation: Simulation | None = None) -> Path:
    """Write a simulated run directory and return its path."""
    chosen = simulation or Simulation()
    rng = np.random.default_rng(chosen.seed)
    names = chosen.methods or all_methods()
    images = _images(chosen)
    folder.mkdir(parents=True, exist_ok=True)
    trials, predictions, watched, curves = [], [], [], []
    ease = {person: 0.25 * rng.standard_normal() for person in images["subject"].unique()}
    folds = {protocol: _folds(images, protocol, chosen, rng) for protocol in chosen.protocols}
    if chosen.unit != "person":
        images["subject"] = images["image"] if chosen.unit == "image" else images["session"] + images["subject"]
        ease = {unit: 0.25 * rng.standard_normal() for unit in images["subject"].unique()}
    for name in names:
        for protocol in chosen.protocols:
            rows = _trials(name, protocol, folds[protocol], images, chosen, rng)
            trials += rows
            done = [row["fold"] for row in rows if row["state"] == "ok"]
            if not done:
                continue
            help_ = chosen.lifts.get(protocol, 0.0)
            table = _predict(name, protocol, images.assign(fold=folds[protocol]), ease, rng, lift=help_)
            predictions.append(table[table["fold"].isin(done)])
            if family_of(name) != "classical":
                if chosen.watched:
                    more = help_ + 0.15
                    lifted = _predict(name, protocol, images.assign(fold=folds[protocol]), ease, rng, lift=more)
                    watched.append(lifted[lifted["fold"].isin(done)])
                curves += _curves(name, protocol, done, chosen, rng)
    pd.DataFrame(trials, columns=list(_trial("", "", 0, 1, 1))).to_csv(folder / "trials.csv", index=False)
    for file, tables in (("predictions", predictions), ("watched", watched)):
        if tables:
            pd.concat(tables, ignore_index=True).to_parquet(folder / f"{file}.parquet", index=False)
    if chosen.curves and curves:
        pd.DataFrame(curves).to_csv(folder / "curves.csv", index=False)
    (folder / "run.json").write_text(json.dumps(_info(chosen, names, images, trials), indent=1), encoding="utf-8")
    return folder


def family_of(name: str) -> str:
    """The family, by the name alone."""
    if name == "dbn" or "-rendered-" in name:
        return "literature" if name == "dbn" else "rendered"
    if name.startswith("cnn2"):
        return "cnn"
    return "deep" if name.split("-")[0] in NETWORKS else "classical"


def _images(chosen: Simulation) -> pd.DataFrame:
    people = [f"{'FM'[number % 2]}{number // 2 + 1:02d}" for number in range(chosen.people)]
    rows = [
        (f"{session}{person}{emotion}{view}.JPG", person, view, session, emotion)
        for person, session, emotion, view in product(people, "AB"[: chosen.sessions], EMOTIONS, chosen.views)
    ]
    return pd.DataFrame(rows, columns=["image", "subject", "view", "session", "label"])


def _folds(images: pd.DataFrame, protocol: str, chosen: Simulation, rng: np.random.Generator) -> np.ndarray:
    """Fold of each image, -1 where it is never tested."""
    n_folds = 2 if protocol.endswith("-2fold") else chosen.folds
    people = {person: i for i, person in enumerate(images["subject"].unique())}
    numbers, views = images["subject"].map(people).to_numpy(), images["view"].to_numpy()
    if protocol.startswith("subject"):
        return numbers % n_folds
    if protocol == "session-out":
        return (images["session"] == "B").to_numpy().astype(int)
    if protocol == "view-out":
        return 2 * images["view"].map({view: i for i, view in enumerate(chosen.views)}).to_numpy() + numbers % 2
    if protocol == "frontal-to-profile":
        return np.where(np.isin(views, ("FL", "FR")), numbers % n_folds, -1)
    if protocol == "akhand-selected":
        return np.where(rng.permutation(len(images)) < len(images) // 20, 0, -1)
    return rng.permutation(np.arange(len(images)) % n_folds)


def _n_train(protocol: str, folds: np.ndarray, fold: int, images: pd.DataFrame) -> int:
    tested = images[folds == fold]
    if protocol == "view-out":
        others = ~images["subject"].isin(tested["subject"]) & ~images["view"].isin(tested["view"])
        return int(others.sum())
    if protocol == "frontal-to-profile":
        return int((~images["subject"].isin(tested["subject"]) & (images["view"] == "S")).sum())
    return len(images) - len(tested)


def _trial(name: str, protocol: str, fold: int, n_train: int, n_test: int) -> dict[str, Any]:
    return {
        "id": f"{name}|{protocol}|{fold}",
        "method": name,
        "protocol": protocol,
        "fold": fold,
        "seed": 0,
        "state": "ok",
        "reason": "",
        "fit_seconds": np.nan,
        "predict_seconds": np.nan,
        "prepare_seconds": np.nan,
        "cpu_seconds": np.nan,
        "peak_rss_mb": np.nan,
        "n_train": n_train,
        "n_test": n_test,
        "device": "cpu",
        "threads": 1,
        "estimate_seconds": 1.0,
        "warnings": "",
    }


def _trials(
    name: str,
    protocol: str,
    folds: np.ndarray,
    images: pd.DataFrame,
    chosen: Simulation,
    rng: np.random.Generator,
) -> list[dict[str, Any]]:
    state = chosen.states.get(name, "ok")
    reasons = {
        "failed": "ValueError: a value is trapped only for <some> folds & not for others",
        "timeout": "stopped after 3,600 s",
        "oom": "needed more than the 4 GB of memory that were free",
        "skipped": f"no weights of {name.split('-')[0]} on this machine; get them: `fer-bench weights fetch`",
        "missing": "",
    }
    cost = {"classical": 2.0, "cnn": 40.0}.get(family_of(name), 900.0) * np.exp(rng.normal(0, 0.8))
    rows = []
    for fold in range(int(folds.max()) + 1):
        tested = int((folds == fold).sum())
        row = _trial(name, protocol, fold, _n_train(protocol, folds, fold, images), tested)
        row["state"] = "ok" if state == "partial" and fold else {"partial": "failed"}.get(state, state)
        if row["state"] == "ok":
            seconds = cost * np.exp(rng.normal(0, 0.1))
            row |= {"fit_seconds": seconds, "predict_seconds": cost / 50, "prepare_seconds": 0.5}
            row |= {"cpu_seconds": seconds * 1.1, "peak_rss_mb": 300 + cost}
        else:
            row["reason"] = reasons[row["state"]]
        rows.append(row)
    return rows


def _predict(
    name: str, protocol: str, images: pd.DataFrame, ease: dict[str, float], rng: np.random.Generator, *, lift: float
) -> pd.DataFrame:
    base = {"classical": 1.6, "cnn": 1.9, "deep": 3.2}.get(family_of(name), 2.0)
    taste = {person: 0.3 * rng.standard_normal() for person in ease}
    own = np.random.default_rng(sum(name.encode())).normal(0, 0.9)
    hard = images["label"].map(dict(zip(EMOTIONS, (-1.0, 0.1, 0.0, 1.2, 0.4, -0.4, 0.2), strict=True)))
    turned = images["view"].map(dict(zip(VIEWS, (-0.5, 0.1, 0.4, 0.1, -0.5), strict=True)))
    person = images["subject"].map({who: ease[who] + taste[who] for who in ease})
    pull = base + own + lift + hard + turned + person
    truth = images["label"].map({code: i for i, code in enumerate(EMOTIONS)}).to_numpy()
    scores = rng.gumbel(size=(len(images), len(EMOTIONS)))
    scores[np.arange(len(images)), truth] += pull.to_numpy()
    given = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    table = images.assign(method=name, protocol=protocol, seed=0)
    table["predicted"] = np.array(EMOTIONS)[given.argmax(axis=1)]
    return table.assign(**{f"p_{code}": given[:, i].astype(np.float32) for i, code in enumerate(EMOTIONS)})


def _curves(
    name: str, protocol: str, folds: list[int], chosen: Simulation, rng: np.random.Generator
) -> list[dict[str, Any]]:
    rows = []
    for fold in folds:
        for epoch in range(1, chosen.epochs + 1):
            rise = 1 - np.exp(-epoch / 4)
            rows.append(
                {
                    **{"method": name, "protocol": protocol, "fold": fold, "seed": 0, "epoch": epoch},
                    "loss": 1.95 * (1 - 0.9 * rise) + 0.02 * rng.standard_normal(),
                    "train_accuracy": min(1.0, 1 / 7 + 0.8 * rise),
                    "test_accuracy": min(1.0, 1 / 7 + 0.7 * rise) if chosen.watched else np.nan,
                }
            )
    return rows


def _info(
    chosen: Simulation, names: tuple[str, ...], images: pd.DataFrame, trials: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "schema": 1,
        "suite": "all",
        "profile": chosen.profile,
        "preset": "default",
        "command": "fer-bench run --suite all",
        "started": "2026-11-22T10:00:00Z",
        "finished": "2026-11-22T12:34:56Z",
        "seed": chosen.seed,
        "elapsed_seconds": 9296.0,
        "dataset": _dataset(chosen, images),
        "protocols": {
            protocol: {
                "folds_hash": "ab" * 32,
                "n_folds": chosen.folds,
                "splits_by": SPLITS_BY.get(protocol.split("-")[0], "person"),
                "people_disjoint": protocol.split("-")[0] not in SPLITS_BY,
                "partners": PARTNERS.get(protocol, []),
                "optimistic": protocol == "akhand-selected",
                "balance": "490 test images, 7 people a fold",
                "n_test": len(images),
            }
            for protocol in chosen.protocols
        },
        "methods": {name: _method(name) for name in names},
        "plan": [
            {
                **{name: trial[name] for name in ("id", "method", "protocol", "fold", "seed", "estimate_seconds")},
                "skip": trial["reason"] if trial["state"] == "skipped" else None,
            }
            for trial in trials
        ],
        "packages": {"numpy": "2.4.6", "torch": "2.15.0"},
        "machine": {
            **{"cpu": "Some CPU", "cores": 2, "memory_gb": 7.7, "platform": "Linux", "python": "3.11.9"},
            "gpu": None,
        },
        "code": {"version": "0.1.0", "commit": "0123456789abcdef", "dirty": False},
        "workers": 2,
        "device": "cpu",
        "selection": "last_epoch",
    }


def _dataset(chosen: Simulation, images: pd.DataFrame) -> dict[str, Any]:
    return {
        "name": "synthetic" if chosen.rendered else "KDEF",
        "rendered": chosen.rendered,
        "notice": "Simulated predictions made by a test, not by any method.",
        "path": "kdef.zip",
        "manifest_hash": "1f" * 32,
        "n_images": len(images),
        "n_people": chosen.people if chosen.unit == "person" else 0,
        "unit": chosen.unit,
        "genders": {person: person[0] for person in images["subject"].unique()},
        "n_excluded": 2,
        "excluded": [
            {"file": "AF01SUFR.JPG", "reason": "black picture (mean 0.6)"},
            {"file": "<b>notes</b>.JPG", "reason": "not an image & not a name of KDEF's"},
        ],
        "crop": "kdef-boxes-v1",
        "views": list(chosen.views),
        "sessions": list("AB"[: chosen.sessions]),
    }


def _method(name: str) -> dict[str, Any]:
    family, (head, _, tail) = family_of(name), name.partition("-")
    deep = family == "deep"
    return {
        "family": family,
        "features": tail if family == "classical" else "",
        "network": "" if family == "classical" else head,
        "mode": tail if deep else "",
        "tuning": "none",
        "weights": f"{head}-0123abcd.pth sha256:0123456789ab" if deep and tail != "scratch" else "none",
        "params": {"epochs": 50} if deep else {"C": 1.0},
        "size": int(tail) if family == "cnn" else (224 if deep else 128),
        "channels": 3 if deep else 1,
        "version": 1,
        "summary": f"{head} on {tail}",
        "reference": "Cortes & Vapnik 1995, doi 10.1007/BF00994018" if head.endswith("svc") else "",
    }
