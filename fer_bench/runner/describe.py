"""run.json: everything that a run says of itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench.folds.balance import balance
from fer_bench.folds.facts import Leak, Shared, Verdict
from fer_bench.folds.neighbours import describe_neighbours
from fer_bench.folds.protocols import rule_of
from fer_bench.folds.wording import conclusion, refusals
from fer_bench.methods import MethodSpec, load_methods
from fer_bench.plan.forecast import Forecast
from fer_bench.plan.plan import Plan, Trial
from fer_bench.plan.profiles import AS_PRINTED
from fer_bench.results.genders import told_genders
from fer_bench.results.schema import BEST_TEST_EPOCH, LAST_EPOCH, SCHEMA
from fer_bench.utils import provenance
from fer_bench.utils.plugins import plugin_packages

__all__ = ["describe", "describe_check", "now"]


def describe(plan: Plan, expected: Forecast, sources: Mapping[str, str]) -> dict[str, Any]:
    """Everything of run.json that is known before the first trial.

    Parameters
    ----------
    plan : Plan
    expected : Forecast
    sources : mapping of str to str
        Hash of each method's source as it is now; a trial's record has that of the source that computed it.
    """
    request = plan.request
    return {
        "schema": SCHEMA,
        "suite": request.suite,
        "profile": request.profile,
        "preset": request.preset,
        "selection": BEST_TEST_EPOCH if request.preset == AS_PRINTED else LAST_EPOCH,
        "command": request.command,
        "seed": request.seed,
        "workers": request.n_workers,
        "device": plan.device,
        "started": now(),
        "finished": None,
        "elapsed_seconds": None,
        "notes": list(plan.notes),
        "warnings": list(plan.examined.warnings),
        "dataset": _describe_data(plan),
        "protocols": {name: _describe_folds(plan, name) for name in plan.folds},
        "methods": _describe_methods(plan, sources),
        "plan": [_describe_trial(trial, expected) for trial in plan.trials],
        "forecast": expected.as_json(),
        "packages": provenance.packages() | plugin_packages(),
        "libraries": provenance.libraries(),
        "machine": provenance.machine(),
        "environment": provenance.environment(),
        "code": provenance.code(),
    }


def _describe_data(plan: Plan) -> dict[str, Any]:
    request, manifest = plan.request, plan.dataset.manifest
    return {
        "name": plan.dataset.name,
        "rendered": plan.dataset.rendered,
        "drawn_by": list(plan.dataset.drawn_by),
        "notice": plan.dataset.notice,
        "path": Path(plan.dataset.path).name,
        "manifest_hash": manifest.hash,
        "n_images": len(manifest),
        "n_people": len(manifest.people),
        "expressions": manifest.table["label"].value_counts().sort_index().to_dict(),
        "unit": manifest.unit,
        "people": manifest.people,
        "genders": told_genders(manifest.table),
        "files": asdict(manifest.count) if manifest.count else None,
        "n_excluded": len(manifest.excluded),
        "excluded": [{"file": e.file, "reason": e.reason} for e in manifest.excluded],
        "layout": plan.dataset.layout,
        "layouts": list(plan.dataset.layouts or filter(None, [plan.dataset.layout])),
        "layout_summary": plan.dataset.layout_summary,
        "crop": plan.dataset.crop,
        "crop_choice": _describe_choice(plan),
        "options": request.data_options | ({"test_data": Path(request.test_data).name} if request.test_data else {}),
        "views": sorted(manifest.table["view"].unique()),
        "sessions": sorted(manifest.table["session"].unique()),
    }


def _describe_choice(plan: Plan) -> dict[str, Any] | None:
    """What was seen where looking at the pictures chose how faces are cut out."""
    chosen = plan.dataset.crop_choice
    if chosen is None:
        return None
    share = None if math.isnan(chosen.share) else round(chosen.share, 4)
    return asdict(chosen) | {"share": share, "sentence": chosen.sentence}


def _describe_trial(trial: Trial, expected: Forecast) -> dict[str, Any]:
    found = expected.trials.get(trial.id)
    predicted = {"predicted_seconds": round(found.seconds, 3), "predicted_from": found.source} if found else {}
    return {
        "id": trial.id,
        "method": trial.spec.name,
        "protocol": trial.protocol,
        "fold": trial.fold,
        "seed": trial.seed,
        "watch": trial.watch,
        "estimate_seconds": round(trial.estimate_seconds, 2),
        **predicted,
        "skip": trial.skip or None,
    }


def _describe_folds(plan: Plan, name: str) -> dict[str, Any]:
    folds, even = plan.folds[name], balance(plan.folds[name].table, plan.dataset.manifest)
    roles = folds.table["role"].value_counts()
    # Proven from the folds themselves on every run, never taken from the protocol's name.
    found = plan.examined.verdicts[name]
    disjoint = found.people_apart == "proven"
    rule = rule_of(name, "person" if disjoint else "image")
    return {
        "summary": rule.summary + (f" ({len(folds.numbers)} folds by person)" if rule.kind == "profiles" else ""),
        "splits_by": rule.splits_by,
        "partners": list(rule.partners),
        "optimistic": rule.optimistic,
        "selection": BEST_TEST_EPOCH if rule.optimistic else LAST_EPOCH,
        "folds_hash": folds.hash,
        "n_folds": len(folds.numbers),
        "n_train": round(int(roles["train"]) / len(folds.numbers)),
        "n_test": int(roles["test"]),
        "people_disjoint": disjoint,
        "check": describe_check(found),
        **describe_neighbours(folds.table, plan.dataset.manifest.table),
        **_seen_people(folds.table),
        "balance": even.sentence,
        "largest_class_deviation": round(even.deviation, 6),
    }


def describe_check(found: Verdict) -> dict[str, Any]:
    """What the check of folds found, for whoever reads the run without its data."""
    people = found.people
    return {
        "claim": found.claim,
        "accepted": found.accepted,
        "conclusion": conclusion(found),
        "refusals": refusals(found),
        "n_tests": found.n_tests,
        "people": {
            "state": found.people_apart,
            "counts": dict(people.counts) if people else {},
            "leaks": [_describe_leak(leak) for leak in people.leaks] if people else [],
        },
        "sequences": _describe_shared(found.sequences),
        "copies": {kind: _describe_shared(shared) for kind, shared in found.copies.items()},
    }


def _describe_shared(shared: Shared | None) -> dict[str, Any]:
    if shared is None:
        return {"state": "unknown"}
    return {"state": shared.state, "unknown": shared.unknown} | (_describe_leak(shared.leak) if shared.leak else {})


def _describe_leak(leak: Leak) -> dict[str, Any]:
    examples = [{"fold": fold, "test": test, "train": train} for fold, test, train in leak.pairs]
    counts = {name: value for name, value in asdict(leak).items() if isinstance(value, int)}
    return {**counts, "sources": list(leak.sources), "examples": examples}


def _seen_people(table: pd.DataFrame) -> dict[str, int]:
    """How many people are tested, and how many of them the same fold trains on; 0 where identities are not given."""
    named = table[table["subject"] != ""]
    sides = [frozenset(zip(part["fold"], part["subject"], strict=True)) for _, part in named.groupby("role")]
    both = frozenset.intersection(*sides) if len(sides) == 2 else frozenset()
    tested = named.loc[named["role"] == "test", "subject"].nunique()
    return {"n_people_tested": int(tested), "n_people_also_trained": len({person for _, person in both})}


def _describe_methods(plan: Plan, sources: Mapping[str, str]) -> dict[str, Any]:
    described = {}
    for trial in plan.trials:
        spec = trial.spec
        described[spec.name] = {
            "family": spec.family,
            "features": spec.features,
            "network": spec.network,
            "mode": spec.mode,
            "tuning": spec.tuning,
            "weights": trial.weights.label if trial.weights else "missing" if spec.weights else "none",
            "weights_origin": _origin(trial),
            "params": dict(spec.params),
            "size": spec.image.size,
            **_shortened(spec, plan.request.preset),
            "channels": spec.image.channels,
            "source": spec.image.source,
            **({"landmarks": trial.landmarks} if trial.landmarks else {}),
            "version": spec.version,
            "source_hash": sources[spec.name],
            "summary": spec.summary,
            "reference": spec.reference,
        }
    return described


def _shortened(spec: MethodSpec, preset: str) -> dict[str, Any]:
    """What a method has less of in this run than in a full one, or another network: what is here, and what there."""
    here, full = (
        {
            "size": one.image.size,
            "network": one.params.get("network"),
            "epochs": one.params.get("epochs"),
            "pretraining epochs": (one.params.get("pretraining") or {}).get("epochs"),
        }
        for one in (spec, load_methods()[spec.name].resolve("full", preset))
    )
    less = {
        what: [value, full[what]]
        for what, value in here.items()
        if (value != full[what] if what == "network" else (value or 0) < (full[what] or 0))
    }
    return {"shortened": less} if less else {}


def _origin(trial: Trial) -> str:
    """Whose weights a trial starts from; a local file under another content than the published one is nobody's."""
    if trial.spec.weights is None:
        return ""
    if trial.weights is not None and not trial.weights.published:
        return "a local file, not the published one"
    return trial.spec.weights.origin


def now() -> str:
    """Return the time in UTC, to the second, as run.json has it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
