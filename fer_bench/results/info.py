"""``run.json``, what a run says of itself: what stands in it, and the one way to read it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

from fer_bench.errors import UserError
from fer_bench.utils.json_files import checked, find_json, read_json
from fer_bench.utils.shapes import shown

from .schema import INFO, OLDEST_SCHEMA, SCHEMA

__all__ = ["RunInfo", "check_schema", "check_written", "find_info", "read_info"]

AGAIN = "run the same `fer-bench run` again"


class _CropAudit(TypedDict, total=False):
    detector: str
    found: int
    fallback: int
    by: dict[str, int] | None
    views: dict[str, tuple[int, int]] | None
    names: list[str]


class _CropChoice(TypedDict):
    crop: str
    detector: str
    limit: float
    looked: int
    found: int
    share: float | None
    sentence: str


class _Excluded(TypedDict):
    file: str
    reason: str


class _Files(TypedDict):
    there: int
    read: int
    told: int
    left_out: int
    besides: int


class _Dataset(TypedDict, total=False):
    name: str
    rendered: bool
    drawn_by: list[str] | None
    notice: str | None
    path: str
    manifest_hash: str
    n_images: int
    n_people: int
    expressions: dict[str, int] | None
    unit: str
    genders: dict[str, str] | None
    files: _Files | None
    excluded: list[_Excluded]
    layout: str | None
    layouts: list[str] | None
    layout_summary: str | None
    crop: str
    options: dict[str, Any] | None
    views: list[str]
    sessions: list[str]
    crop_choice: _CropChoice | None
    crop_audit: _CropAudit | None


class _Pair(TypedDict, total=False):
    fold: int
    test: str
    train: str


class _Found(TypedDict, total=False):
    state: str
    unknown: int
    tests: int
    folds: int
    groups: int
    examples: list[_Pair]
    sources: list[str]


class _People(TypedDict, total=False):
    state: str
    counts: dict[str, int]
    leaks: list[_Found]


class _Check(TypedDict, total=False):
    claim: str
    accepted: bool
    conclusion: str
    refusals: list[str]
    n_tests: int
    people: _People
    sequences: _Found
    copies: dict[str, _Found]


class _Nearest(TypedDict, total=False):
    tests: int
    person: float | None
    other_session: float | None
    label: float
    person_and_label: float | None


class _KnownPerson(TypedDict, total=False):
    in_proportion: float
    most_frequent: float


class _Protocol(TypedDict, total=False):
    summary: str
    splits_by: str
    partners: list[str] | None
    optimistic: bool
    folds_hash: str
    n_folds: int
    n_train: int
    n_test: int | None
    people_disjoint: bool
    check: _Check | None
    n_people_tested: int | None
    nearest: _Nearest | None
    known_person: _KnownPerson | None
    n_people_also_trained: int | None
    balance: str | None
    largest_class_deviation: float


class _Method(TypedDict, total=False):
    family: str
    features: str
    network: str | None
    mode: str
    tuning: str
    weights: str
    weights_origin: str
    params: dict[str, Any]
    size: int
    shortened: dict[str, tuple[Any, Any]] | None
    channels: int
    source: str
    landmarks: str | None
    version: int | str
    source_hash: str | None
    summary: str
    reference: str | None
    n_parameters: float | None


class _PlannedKey(TypedDict):
    id: str


class _Planned(_PlannedKey, total=False):
    method: str
    protocol: str
    fold: int
    seed: int
    watch: bool
    estimate_seconds: float | None
    predicted_seconds: float | None
    predicted_from: str
    skip: str | None


class _Forecast(TypedDict, total=False):
    wall_seconds: float | None


class _Machine(TypedDict, total=False):
    cpu: str | None
    cores: int | None
    memory_gb: float | None
    platform: str | None
    python: str | None
    gpu: str | None
    gpu_driver: str | None


class _Code(TypedDict, total=False):
    version: str | None
    commit: str | None
    dirty: bool | None


class RunInfo(TypedDict, total=False):
    """Kinds of what ``run.json`` may hold; which parts a reader cannot do without is for the reader to say."""

    schema: int
    suite: str
    profile: str
    preset: str
    selection: str
    command: str
    seed: int
    workers: int
    device: str
    started: str | None
    finished: str | None
    elapsed_seconds: float | None
    notes: list[str]
    warnings: list[str] | None
    dataset: _Dataset
    protocols: dict[str, _Protocol]
    methods: dict[str, _Method]
    plan: list[_Planned]
    forecast: _Forecast | None
    packages: dict[str, str] | None
    libraries: list[dict[str, str | None]] | None
    machine: _Machine | None
    environment: dict[str, str] | None
    code: _Code | None
    phase_seconds: dict[str, float] | None


def read_info(folder: Path) -> Mapping[str, Any]:
    """Return what ``run.json`` of a run directory holds.

    Raises
    ------
    UserError
        The folder is no run directory, its ``run.json`` cannot be read, is of another schema, or holds something of
        another kind than `RunInfo` says.
    """
    file = folder / INFO
    if not file.exists():
        raise UserError(f"{folder} is not a run directory: it holds no {INFO}; give a directory `fer-bench run` made")
    info = read_json(file, object, mend=AGAIN)
    check_schema(file, info)  # before all else: another version's file is told as such, whatever it holds
    return checked(info, RunInfo, str(file), AGAIN)


def find_info(folder: Path) -> Mapping[str, Any]:
    """Return what ``run.json`` holds, for who goes on without it: empty where there is none, or a damaged one."""
    return find_json(folder / INFO, RunInfo) or {}


def check_written(folder: Path) -> None:
    """Refuse to go on with a run that another fer-bench lays out differently.

    A folder without a run.json, or with a damaged one, which would be written anew, is none.

    Raises
    ------
    UserError
        See `check_schema`; or a folder stands where the file would be written.
    """
    file = folder / INFO
    if file.is_dir():
        raise UserError(f"{file}: expected a file, found a folder; move it away, or give another folder with `out`")
    info = find_json(file, object)
    if info is not None:
        check_schema(file, info)


def check_schema(file: Path, info: Any) -> None:
    """Refuse the run.json of a fer-bench that lays a run directory out differently.

    Parameters
    ----------
    file : Path
        Where ``info`` was read, for the message.
    info : object
        What its JSON holds.

    Raises
    ------
    UserError
        It has no schema, a newer one, or one that is no longer read.
    """
    found = info.get("schema") if isinstance(info, dict) else None
    if not isinstance(found, int) or isinstance(found, bool):
        raise UserError(
            f"{file}: expected an object with a schema of {SCHEMA}, found none; is it a folder that fer-bench wrote?"
        )
    written = (info.get("code") or {}).get("version") if isinstance(info.get("code"), dict) else None
    by = f"fer-bench {written:.20}" if isinstance(written, str) else "another version of fer-bench"
    if found > SCHEMA:
        raise UserError(
            f"{file}: expected schema {SCHEMA} or older, found {shown(found)}, written by {by}; "
            "update fer-bench, or give another folder"
        )
    if found < OLDEST_SCHEMA:
        raise UserError(
            f"{file}: expected schema {OLDEST_SCHEMA} or newer, found {shown(found)}, written by {by}; "
            "read it with that version, or run the command anew into another folder"
        )
