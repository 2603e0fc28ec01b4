"""The plan of a run: every trial with its identity, estimated cost and, where it cannot run, the reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from fnmatch import fnmatchcase

from fer_bench.data.images.crop import crop_identity
from fer_bench.data.images.landmarks import NO_MARKER, find_marker
from fer_bench.data.manifest import Dataset
from fer_bench.errors import UserError
from fer_bench.folds.doubts import Examined, examine
from fer_bench.folds.folds import Folds
from fer_bench.folds.given import user_folds
from fer_bench.folds.protocols import PROTOCOLS, rule_of, unsupported
from fer_bench.folds.splitters import make_folds
from fer_bench.methods import FAMILIES, MethodSpec, WeightsSpec, load_methods, without_modules
from fer_bench.methods.weights import FoundWeights
from fer_bench.seeds import derive_seed
from fer_bench.utils.files import to_json
from fer_bench.utils.near import did_you_mean

from .costs import History, kind_of_cost, load_history
from .overrides import settings_notes, with_grids, with_settings
from .profiles import AS_PRINTED, PRESETS, Profile, get_profile
from .request import Request, asked_protocols, open_data
from .resources import WeightsFinder, choose_device
from .skipped import SkippedLike
from .suites import SuiteEntry, expand, load_suite

__all__ = ["Plan", "Request", "Trial", "make_plan"]

TRIAL_VERSION = 1
"""Part of every trial's identity; raised when the harness itself changes what a trial computes."""
# Versions of packages are no part of it: most updates change no figure, and each would throw away days of results. They
# stand in every trial's record, and a run that mixes them says so (`runner.run_dir.other_versions`); a method whose
# figures an update does change raises its own version. Nor are threads: every trial has one, whatever is asked for.


@dataclass(frozen=True)
class Trial:
    """One method on one fold of one protocol with one seed.

    Attributes
    ----------
    id : str
        Hash of exactly what its result depends on.
    spec : MethodSpec
        The method with profile and preset applied.
    random_state : int
        The method's own seed, derived from the run's.
    weights : FoundWeights or None
        The file that a pretrained mode starts from.
    watch : bool
        Predict the test images after every epoch, too.
    estimate_seconds : float
        What was shipped as estimate: nominal seconds on one core of a laptop.
    budget_seconds : float
        What counts against a profile's budget and deadline: the estimate, or less where this machine's own history
        shows that the trial is cheaper. Never more, so that a fresh machine plans what every fresh machine plans.
    skip : str
        Why it does not run; empty where it does.
    like : SkippedLike or None
        What it has in common with others that do not run.
    landmarks : str
        Who places the landmarks that it reads; empty where it reads pictures, or nobody can.
    """

    id: str
    spec: MethodSpec
    protocol: str
    fold: int
    seed: int
    random_state: int
    device: str
    weights: FoundWeights | None
    watch: bool
    n_train: int
    n_test: int
    estimate_seconds: float
    budget_seconds: float
    skip: str = ""
    landmarks: str = ""
    like: SkippedLike | None = None


@dataclass(frozen=True)
class Plan:
    """Everything that a run will do."""

    request: Request
    profile: Profile
    dataset: Dataset
    folds: dict[str, Folds]
    trials: tuple[Trial, ...]
    device: str
    downloads: tuple[WeightsSpec, ...] = ()
    notes: tuple[str, ...] = field(default=())
    examined: Examined = field(default=Examined({}))

    @property
    def runnable(self) -> list[Trial]:
        """The trials that are not skipped."""
        return [trial for trial in self.trials if not trial.skip]


def make_plan(
    request: Request,
    *,
    fetch: bool,
    done: Callable[[str], bool] = lambda _: False,
    history: History | None = None,
) -> Plan:
    """Read the data, make the folds and list the trials.

    Parameters
    ----------
    request : Request
        What is asked for.
    fetch : bool
        Download missing weights now (a run), or list them (``fer-bench plan``).
    done : callable
        Tells by a trial's id whether its result is there: what is done costs nothing and is never skipped for cost.
    history : History, optional
        What trials cost on this machine; default: what it has recorded.

    Raises
    ------
    UserError
        Something asked for does not exist or does not fit the data.
    """
    profile = get_profile(request.profile)
    if request.preset not in PRESETS:
        near = did_you_mean(request.preset, PRESETS)
        raise UserError(f"`preset` {request.preset}: no such preset; choose from {', '.join(PRESETS)}{near}")
    if request.weights_dir is not None and not request.weights_dir.is_dir():
        raise UserError(f"`weights_dir` {request.weights_dir}: no such folder")
    entries, notes = _entries(request, profile)
    device = choose_device(request.device, request.executor)
    dataset, folds, said = _data_and_folds(request, profile, entries)
    examined = _examined(request, dataset, folds)
    said += [*examined.warnings, *examined.remarks]
    if request.folds:
        # The file says which folds run: what the profile would have put in a protocol's place does not.
        entries, notes = _under(entries, list(folds)), []
    entries = [e for e in entries if e.protocol in folds]
    methods = load_methods()
    specs = {name: methods[name].resolve(profile.name, request.preset) for name in {e.method for e in entries}}
    suite = load_suite(request.suite)
    specs = with_settings(specs, suite)
    specs = with_grids(specs, suite) if request.tune else specs
    said += settings_notes(specs, suite)
    weights = WeightsFinder(request, profile, fetch)
    said += weights.notes
    watch_all = request.preset == AS_PRINTED
    entries = [
        replace(e, watch=e.watch or ((watch_all or rule_of(e.protocol).optimistic) and specs[e.method].watches))
        for e in entries
    ]
    cut = _Cut(crop_identity(dataset, request.weights_dir), _landmarks(request, dataset, specs.values()))
    history = load_history() if history is None else history
    rows = [_row(request, entry, specs, folds, weights, device, cut, history) for entry in entries]
    trials = tuple(trial for row in _within_budget(rows, profile, done) for trial in row)
    said += [f"landmarks: {cut.landmarks}"] if cut.landmarks else []
    return Plan(request, profile, dataset, folds, trials, device, tuple(weights.downloads), (*notes, *said), examined)


@dataclass(frozen=True)
class _Cut:
    """How faces are cut out, and who places landmarks on them; empty where none are wanted, or nobody can."""

    faces: str
    landmarks: str


def _landmarks(request: Request, dataset: Dataset, specs: Iterable[MethodSpec]) -> str:
    if not any(spec.image.source == "landmarks" for spec in specs):
        return ""
    marker = find_marker(dataset, request.weights_dir)
    return marker.label if marker else ""


def _entries(request: Request, profile: Profile) -> tuple[list[SuiteEntry], list[str]]:
    """The suite's methods and protocols after --only, --protocol and the profile had their say."""
    methods = load_methods()
    entries = expand(load_suite(request.suite), methods.values(), profile.name)
    known = {entry.method for entry in entries}
    for glob in request.only:
        if not any(fnmatchcase(name, glob) for name in known):
            raise UserError(
                f"`only` {glob!r} names none of the {len(known)} methods of suite {request.suite}; "
                f"`fer-bench list methods` shows the names{_meant(glob, known, methods)}"
            )
    entries = [entry for entry in entries if any(fnmatchcase(entry.method, glob) for glob in request.only or ("*",))]
    asked = asked_protocols(request)
    for protocol in [*asked, *(entry.protocol for entry in entries)]:
        if protocol not in PROTOCOLS:
            near = did_you_mean(protocol, PROTOCOLS)
            raise UserError(f"`protocols` {protocol}: no such protocol; choose from {', '.join(PROTOCOLS)}{near}")
    if asked:
        entries = _under(entries, asked)
    unique: dict[tuple[str, str], SuiteEntry] = {}
    replaced = {}
    for entry in entries:
        protocol = profile.protocols.get(entry.protocol, entry.protocol)
        if protocol != entry.protocol:
            replaced[entry.protocol] = protocol
        unique.setdefault((entry.method, protocol), replace(entry, protocol=protocol))
    notes = [f"profile {profile.name}: {old} runs as {new}" for old, new in replaced.items()]
    return list(unique.values()), notes


def _meant(glob: str, known: Iterable[str], installed: Iterable[str]) -> str:
    """What a pattern that names no method of a suite may have meant."""
    elsewhere = next((name for name in installed if fnmatchcase(name, glob)), "")
    return f"; {elsewhere} is in other suites" if elsewhere else did_you_mean(glob.strip("*?"), known)


def _under(entries: list[SuiteEntry], protocols: Sequence[str]) -> list[SuiteEntry]:
    """The methods of a suite under other protocols; what was watched under any is watched."""
    watch = {entry.method: False for entry in entries}
    for entry in entries:
        watch[entry.method] |= entry.watch
    return [SuiteEntry(name, protocol, w) for name, w in watch.items() for protocol in protocols]


def _data_and_folds(
    request: Request, profile: Profile, entries: Sequence[SuiteEntry]
) -> tuple[Dataset, dict[str, Folds], list[str]]:
    """Read the data, make or read the folds, and say what was left out or differs."""
    said = []
    people = profile.people
    if request.folds:
        # A file of folds names its images: fewer people would leave some of them out.
        people = None
        if profile.people is not None:
            said.append(f"profile {profile.name}: all people, because --folds names the images")
    dataset, joined = open_data(request, people)
    said += joined
    if request.folds:
        given, notes = user_folds(request.folds, dataset.manifest)
        return dataset, {given.protocol: given}, [*said, *notes]
    reasons = unsupported(dataset.manifest, dataset.why_no_people)
    names = list(dict.fromkeys(entry.protocol for entry in entries))
    able = [name for name in names if name not in reasons]
    refused = [f"protocol {name}: {reasons[name]}" for name in names if name in reasons]
    if refused and (asked_protocols(request) or not able):
        raise UserError("; ".join(refused))
    said += [f"skipped, {what}" for what in refused]
    return dataset, {name: make_folds(dataset.manifest, name, request.seed) for name in able}, said


def _examined(request: Request, dataset: Dataset, folds: Mapping[str, Folds]) -> Examined:
    """Check the folds; strict reading does not go on where they do not hold what they promise."""
    found = examine(dataset.manifest, folds)
    if request.strict and found.warnings:
        raise UserError(f"`strict`: {found.warnings[0]}; without `strict` the run goes on and tells")
    return found


def _row(
    request: Request,
    entry: SuiteEntry,
    specs: dict[str, MethodSpec],
    folds: dict[str, Folds],
    weights: WeightsFinder,
    device: str,
    cut: _Cut,
    history: History,
) -> list[Trial]:
    """The trials of one method under one protocol: they run together or are skipped together."""
    spec, table = specs[entry.method], folds[entry.protocol]
    found, marks, skip, like = _supplies(spec, weights, cut)
    where = device if "device" in spec.wants else "cpu"
    kind = kind_of_cost(spec, where, entry.watch)
    row = []
    for fold in table.numbers:
        n_train, n_test = table.sizes(fold)
        estimate = spec.estimate_seconds(n_train, n_test)
        measured = history.measured(kind, n_train, n_test)
        random_state = derive_seed(request.seed, spec.name, entry.protocol, fold)
        identity = {
            "version": TRIAL_VERSION,
            "method": without_modules([spec.name, spec.factory, dict(spec.params), spec.version]),
            "image": [asdict(spec.image), cut.faces, *([marks] if marks else [])],
            "folds": [table.hash, fold],
            "manifest": table.manifest_hash,
            "weights": found.sha256 if found else None,
            "seed": random_state,
            "device": where,
            "watch": entry.watch,
        }
        row.append(
            Trial(
                id=hashlib.sha256(to_json(identity).encode()).hexdigest()[:16],
                spec=spec,
                protocol=entry.protocol,
                fold=fold,
                seed=request.seed,
                random_state=random_state,
                device=where,
                weights=found,
                watch=entry.watch,
                n_train=n_train,
                n_test=n_test,
                estimate_seconds=estimate,
                budget_seconds=estimate if measured is None else min(estimate, measured),
                skip=skip,
                landmarks=marks,
                like=like,
            )
        )
    return row


def _supplies(
    spec: MethodSpec, weights: WeightsFinder, cut: _Cut
) -> tuple[FoundWeights | None, str, str, SkippedLike | None]:
    """The weights and whose landmarks a method gets; why it does not run where it lacks one, and what others share."""
    found, skip, like = weights.get(spec.weights) if spec.weights else (None, "", None)
    marks = cut.landmarks if spec.image.source == "landmarks" else ""
    if spec.image.source == "landmarks" and not (marks or skip):
        skip, like = NO_MARKER, SkippedLike("read landmarks", NO_MARKER)
    return found, marks, skip, like


def _within_budget(rows: Sequence[list[Trial]], profile: Profile, done: Callable[[str], bool]) -> Iterable[list[Trial]]:
    """Order rows by family, cheap networks first, and skip those that no longer fit the profile's budget.

    Systems of the literature come before the large networks, which are many: a reduced run is not to end before them.
    """
    turns = {family: turn for turn, family in enumerate(FAMILIES)} | {"literature": FAMILIES.index("deep") - 0.5}

    def rank(row: list[Trial]) -> tuple[float, float]:
        return turns[row[0].spec.family], sum(t.estimate_seconds for t in row) if row[0].spec.uses_torch else 0.0

    spent = 0.0
    for row in sorted(rows, key=rank):
        cost = sum(trial.budget_seconds for trial in row)
        if row[0].skip or all(done(trial.id) for trial in row):
            yield row
        elif spent + cost > profile.budget_core_seconds:
            how = "--profile full" if cost > profile.budget_core_seconds else f"--only '{row[0].spec.name}'"
            reason = (
                f"does not fit the {profile.name} profile: it needs about {cost:,.0f} core-seconds, and "
                f"{profile.budget_core_seconds - spent:,.0f} of {profile.budget_core_seconds:,.0f} are left; "
                f"run it with {how}"
            )
            like = SkippedLike(
                f"do not fit the {profile.name} profile ({profile.budget_core_seconds:,.0f} core-seconds)",
                "--profile full, or fewer methods at a time with --only",
            )
            yield [replace(trial, skip=reason, like=like) for trial in row]
        else:
            spent += cost
            yield row
