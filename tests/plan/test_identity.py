"""A trial's id changes exactly when something changes that its result depends on. Plans are real, nothing is fitted."""

import shutil
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fer_bench.methods import ImageSpec, load_methods
from fer_bench.plan import plan as module
from fer_bench.plan.costs import Cost, History, kind_of_cost
from fer_bench.plan.plan import make_plan
from fer_bench.plan.request import Request

METHODS = ("knn-lbp", "lda-dwt", "rbf_svc-pixels", "gnb-lbp", "cnn2-48", "squeezenet1_0-scratch")
PROTOCOLS = ("subject-2fold", "random-2fold", "session-out")
EXAMPLES = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def ids(request, history=None):
    plan = make_plan(request, fetch=False, history=history or History())
    return {(t.spec.name, t.protocol, t.fold): t.id for t in plan.trials}


def suite(folder, methods=METHODS, protocols=PROTOCOLS, name="mine"):
    """Write a suite of one job a method, in the given order."""
    jobs = "".join(f'[[job]]\nmethods = ["{m}"]\nprotocols = {list(protocols)}\n' for m in methods)
    path = Path(folder) / f"{name}.toml"
    path.write_text('summary = "a test"\n' + jobs)
    return str(path)


def touched(before, after):
    """Axes whose id is another one; both plans have the same axes."""
    assert before.keys() == after.keys()
    return {axes for axes in before if before[axes] != after[axes]}


@pytest.fixture(scope="module")
def request_(kdef_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("suites")
    return Request(suite=suite(folder), data=str(kdef_folder), workers=1, device="cpu", offline=True)


@pytest.fixture(scope="module")
def before(request_):
    return ids(request_)


@contextmanager
def patched(name, value):
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(module, name, value)
        yield


def test_every_trial_has_an_id_of_its_own(before):
    """Method, protocol and fold alone make another trial."""
    assert len(before) == len(METHODS) * len(PROTOCOLS) * 2
    assert len(set(before.values())) == len(before)


@EXAMPLES
@given(
    methods=st.lists(st.sampled_from(METHODS), min_size=1, unique=True),
    protocols=st.lists(st.sampled_from(PROTOCOLS), min_size=1, unique=True),
    name=st.from_regex(r"[a-z]{1,8}", fullmatch=True),
    workers=st.integers(1, 8),
    factor=st.one_of(st.none(), st.floats(0.1, 10)),
)
def test_order_company_names_workers_and_history_change_no_id(
    request_, before, tmp_path, methods, protocols, name, workers, factor
):
    """Reordering, renaming or extending a suite, another folder, more workers, known costs: the same trials."""
    other = replace(
        request_,
        suite=suite(tmp_path, methods, protocols, name),
        out=tmp_path / name,
        workers=workers,
        command=f"fer-bench run {name}",
        max_failures="3",
        memory_limit=float(workers),
        executor="in-process",
    )
    specs = {m: load_methods()[m].resolve("quick", "default") for m in METHODS}
    costs = [Cost(kind_of_cost(s, "cpu", False), s.family, 140, 140, factor or 1.0, 1.0) for s in specs.values()]
    found = ids(other, History.of(costs if factor else []))
    assert found == {axes: before[axes] for axes in before if axes[0] in methods and axes[1] in protocols}


@EXAMPLES
@given(name=st.sampled_from(METHODS), what=st.sampled_from(["version", "params", "image", "source", "factory"]))
def test_a_method_that_changes_is_recomputed_and_no_other(request_, before, name, what):
    """Another code version, parameter, picture size or source of one method touches its trials alone."""
    methods = load_methods()
    spec = methods[name]
    image = spec.image
    changes = {
        "version": {"version": spec.version + 1},
        "params": {"params": {**spec.params, "another": 1}},
        "image": {"image": ImageSpec(image.size + 8, image.channels, image.source), "profiles": {}},
        "source": {"image": replace(image, source="grey256"), "profiles": {}},
        "factory": {"factory": "another:Method"},
    }
    if what in ("image", "source"):  # the profile's own image would replace it, so both plans go without
        methods[name] = replace(spec, profiles={})
        with patched("load_methods", lambda: methods):
            before = ids(request_)
    changed = {**methods, name: replace(spec, **changes[what])}
    with patched("load_methods", lambda: changed):
        after = ids(request_)
    assert touched(before, after) == {axes for axes in before if axes[0] == name}


@EXAMPLES
@given(protocol=st.sampled_from(PROTOCOLS), row=st.integers(0, 279))
def test_one_folds_file_that_changes_touches_its_protocol_and_no_other(request_, before, protocol, row):
    """One image dropped from one file of folds: all its trials, and theirs alone, are recomputed."""
    make = module.make_folds

    def dropped(manifest, name, seed):
        folds = make(manifest, name, seed)
        return replace(folds, table=folds.table.drop(folds.table.index[row])) if name == protocol else folds

    with patched("make_folds", dropped):
        after = ids(request_)
    assert touched(before, after) == {axes for axes in before if axes[1] == protocol}


@EXAMPLES
@given(seed=st.integers(1, 2**31))
def test_another_seed_is_another_run(request_, before, seed):
    """Every trial has another id under another seed."""
    assert touched(before, ids(replace(request_, seed=seed))) == set(before)


def test_weights_touch_the_methods_that_start_from_them(request_, tmp_path):
    """Another file of weights under the same name recomputes the pretrained modes of that network, nothing else."""
    names = ("squeezenet1_0-dense", "squeezenet1_0-entire", "squeezenet1_0-scratch", "knn-lbp")
    request = replace(request_, suite=suite(tmp_path, names, ["subject-2fold"]), weights_dir=tmp_path)
    found = []
    for content in (b"one", b"two"):
        (tmp_path / "squeezenet1_0.pth").write_bytes(content)
        found.append(ids(request))
    assert {axes[0] for axes in touched(*found)} == {"squeezenet1_0-dense", "squeezenet1_0-entire"}
    (tmp_path / "squeezenet1_0.pth").rename(tmp_path / "squeezenet1_0-mine.pth")
    assert ids(request) == found[1], "where the file lies and what it is called is nothing that a result depends on"


def test_the_pictures_and_how_they_are_cut_touch_everything(request_, before, kdef_folder, tmp_path):
    """One picture with another content, or another crop, makes every trial another one; a copy elsewhere none."""
    data = tmp_path / "copy" / kdef_folder.name
    shutil.copytree(kdef_folder, data)
    copied = replace(request_, data=str(data))
    assert ids(copied) == before
    assert touched(before, ids(replace(request_, crop="none"))) == set(before)
    file = next(data.rglob("*.JPG"))
    picture = cv2.imread(str(file))
    cv2.imwrite(str(file), 255 - picture)
    assert touched(before, ids(copied)) == set(before)


def test_watching_touches_what_is_watched(request_, before, tmp_path):
    """The article's habit of looking at the test images after each epoch is another trial, for networks alone."""
    text = Path(request_.suite).read_text().replace("protocols =", "watch = true\nprotocols =")
    (tmp_path / "watched.toml").write_text(text)
    after = ids(replace(request_, suite=str(tmp_path / "watched.toml")))
    networks = {m for m in METHODS if load_methods()[m].watches}
    assert networks
    assert {axes[0] for axes in touched(before, after)} == networks
