"""A trial's identity covers exactly what its result depends on; a plan says what will not run, and why."""

from dataclasses import replace
from pathlib import Path

import pytest

from fer_bench.errors import UserError
from fer_bench.methods import load_methods
from fer_bench.plan.plan import make_plan
from fer_bench.plan.request import Request
from fer_bench.plan.suites import load_suite


@pytest.fixture(scope="module")
def request_(kdef_folder):
    return Request(
        suite="classical", data=str(kdef_folder), only=("*_svc-pixels",), workers=1, device="cpu", offline=True
    )


def ids(plan):
    return {(t.spec.name, t.protocol, t.fold): t.id for t in plan.trials}


def write_suite(path, methods, protocols=("subject-2fold",)):
    lines = "".join(f'[[job]]\nmethods = ["{m}"]\nprotocols = {list(protocols)}\n' for m in methods)
    path.write_text('summary = "a test"\n' + lines)
    return str(path)


def test_the_same_request_gives_the_same_identities(request_):
    """Planning twice gives the same trials; each has an identity of its own."""
    first, second = ids(make_plan(request_, fetch=False)), ids(make_plan(request_, fetch=False))
    assert first == second
    assert len(set(first.values())) == len(first) == 8


def test_order_and_company_change_nothing(request_, tmp_path):
    """Reordering a suite, renaming it or adding a method recomputes no trial."""
    one = replace(request_, only=(), suite=write_suite(tmp_path / "a.toml", ["knn-dwt", "gnb-lbp"]))
    two = replace(request_, only=(), suite=write_suite(tmp_path / "b.toml", ["lda-dwt", "gnb-lbp", "knn-dwt"]))
    first, second = ids(make_plan(one, fetch=False)), ids(make_plan(two, fetch=False))
    assert first.items() <= second.items()


@pytest.mark.parametrize("what", ["seed", "params", "version", "people", "crop", "views"])
def test_what_a_result_depends_on_changes_identities(request_, monkeypatch, what):
    """Another seed, parameter, code version or image recomputes exactly the trials that it touches."""
    before = ids(make_plan(request_, fetch=False))
    changed = request_
    methods = load_methods()
    spec = methods["linear_svc-pixels"]
    if what == "seed":
        changed = replace(request_, seed=1)
    if what == "params":
        methods[spec.name] = replace(spec, params={**spec.params, "random": 1})
    if what == "version":
        methods[spec.name] = replace(spec, version=spec.version + 1)
    if what == "crop":
        changed = replace(request_, crop="none")
    if what == "views":
        changed = replace(request_, views=("S", "HL"))
    if what == "people":
        from fer_bench.plan import request as module

        load = module.load_dataset
        monkeypatch.setattr(module, "load_dataset", lambda data, **k: load(data, **{**k, "people": 3}))
    monkeypatch.setattr("fer_bench.plan.plan.load_methods", lambda: methods)
    after = ids(make_plan(changed, fetch=False))
    touched = {key for key in before if before[key] != after[key]}
    if what in ("params", "version"):
        assert touched == {key for key in before if key[0] == spec.name}
    else:
        assert touched == set(before)


def test_only_takes_what_fits_any_of_its_patterns(request_):
    """Several patterns select together; what fits two of them runs once."""
    plan = make_plan(replace(request_, only=("knn-p*", "lda-dwt", "knn-pixels")), fetch=False)
    assert {trial.spec.name for trial in plan.trials} == {"knn-pixels", "lda-dwt"}
    assert len({trial.id for trial in plan.trials}) == len(plan.trials) == 8


def test_missing_weights_are_a_skip_with_reason_and_remedy(request_):
    """A pretrained mode without its weights is skipped, says how large they are and which command gets them."""
    plan = make_plan(replace(request_, suite="deep", only=("vgg16-*",)), fetch=True)
    skipped = {t.spec.mode: t.skip for t in plan.trials if t.skip}
    for mode in ("dense", "last_block", "entire"):
        assert "fer-bench weights fetch vgg16" in skipped[mode]
        assert "528 MB" in skipped[mode]


def test_what_does_not_fit_the_budget_says_so(request_, monkeypatch):
    """Rows over the quick profile's budget are skipped whole, with their cost and how to run them."""
    from fer_bench.plan import profiles

    tight = replace(profiles.PROFILES["quick"], budget_core_seconds=0.001)
    monkeypatch.setitem(profiles.PROFILES, "quick", tight)
    plan = make_plan(request_, fetch=False)
    assert plan.runnable == []
    assert all("does not fit the quick profile" in t.skip for t in plan.trials)


def test_named_systems_are_planned_before_large_networks(request_, tmp_path):
    """A budget that ends among the large networks leaves the named systems in; classical rows stay first."""
    names = ["squeezenet1_0-scratch", "", "cnn2-48", "knn-pixels"]
    names[1] = next(spec.name for spec in load_methods().values() if spec.family == "literature" and spec.uses_torch)
    request = replace(request_, only=(), suite=write_suite(tmp_path / "s.toml", names))
    order = list(dict.fromkeys(trial.spec.family for trial in make_plan(request, fetch=False).trials))
    assert order == ["classical", "cnn", "literature", "deep"]


def test_what_is_done_is_never_skipped_for_its_cost(request_, monkeypatch):
    """A row whose results are there stays in the plan, however small the budget has become."""
    from fer_bench.plan import profiles

    tight = replace(profiles.PROFILES["quick"], budget_core_seconds=0.001)
    monkeypatch.setitem(profiles.PROFILES, "quick", tight)
    plan = make_plan(request_, fetch=False, done=lambda trial_id: True)
    assert len(plan.runnable) == len(plan.trials) == 8


def test_quick_replaces_ten_folds_by_two_and_says_so(request_):
    """A quick run has seven people at most, so its ten folds become two; the plan notes it."""
    plan = make_plan(replace(request_, protocols=("subject-10fold",)), fetch=False)
    assert {t.protocol for t in plan.trials} == {"subject-2fold"}
    assert any("subject-10fold runs as subject-2fold" in note for note in plan.notes)


def test_quick_replaces_one_fold_a_person(request_):
    """Leaving one person out costs a fit a person; a quick run has two folds by person in its place."""
    plan = make_plan(replace(request_, protocols=("subject-loso",)), fetch=False)
    assert {t.protocol for t in plan.trials} == {"subject-2fold"}


def test_a_protocol_that_data_cannot_support_is_refused_by_name_and_skipped_in_a_suite(request_, tmp_path):
    """Asked for by name it is an error with its reason; a suite goes on without it and says so."""
    with pytest.raises(UserError, match=r"protocol official: these data come without a split") as error:
        make_plan(replace(request_, protocols=("official", "random-2fold")), fetch=False)
    assert "\n" not in str(error.value)
    suite = write_suite(tmp_path / "s.toml", ["knn-pixels"], ["official", "session-out", "cross-dataset"])
    plan = make_plan(replace(request_, only=(), suite=suite), fetch=False)
    assert {t.protocol for t in plan.trials} == {"session-out"}
    assert "skipped, protocol official: these data come without a split of their own" in plan.notes
    assert "skipped, protocol cross-dataset: it needs `test_data` PATH" in plan.notes
    nothing = write_suite(tmp_path / "n.toml", ["knn-pixels"], ["official", "cross-dataset"])
    with pytest.raises(UserError, match=r"official: .*; protocol cross-dataset: it needs `test_data`"):
        make_plan(replace(request_, only=(), suite=nothing), fetch=False)


def test_the_authors_selected_split_watches_what_has_epochs(request_):
    """akhand-selected implies watching the test images after every epoch; methods without epochs just run."""
    chosen = replace(request_, only=(), protocols=("akhand-selected",))
    networks = make_plan(replace(chosen, suite="cnn"), fetch=False).trials
    assert networks
    assert all(t.watch for t in networks)
    plain = make_plan(replace(chosen, suite="cnn", protocols=("holdout-10",)), fetch=False).trials
    assert not any(t.watch for t in plain), "the suite's quick form does not watch"
    assert not any(t.watch for t in make_plan(replace(chosen, suite="classical"), fetch=False).trials)


def test_folds_of_a_protocol_given_as_a_file_are_the_same_trials(request_, tmp_path):
    """Folds that were written, committed and given in again lead to the results that are there already."""
    plan = make_plan(request_, fetch=False)
    plan.folds["subject-2fold"].write(tmp_path / "mine.csv")
    again = make_plan(replace(request_, folds=tmp_path / "mine.csv"), fetch=False)
    assert ids(again).items() < ids(plan).items()
    assert {t.protocol for t in again.trials} == {"subject-2fold"}


def test_folds_of_ones_own_replace_every_protocol(request_, tmp_path):
    """Each method of the suite runs on the folds of the file, once, under the file's name."""
    (tmp_path / "mine.csv").write_text("image,role\nAF01HAS,train\nAF01SAS,train\nAM01HAS,test\n")
    plan = make_plan(replace(request_, folds=tmp_path / "mine.csv"), fetch=False)
    assert {(t.protocol, t.n_train, t.n_test) for t in plan.trials} == {("given-mine", 2, 1)}
    assert any("277 images of the data stand in none" in note for note in plan.notes)
    assert not any("runs as" in note for note in plan.notes), "the suite's own protocols do not run"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"folds": Path("nowhere.csv")}, "nowhere.csv: cannot be read"),
        ({"folds": Path("x.csv"), "protocols": ("random-2fold",)}, "`folds` and `protocols` exclude each other"),
        ({"folds": Path("x.csv"), "test_data": "synthetic"}, "`folds` and `test_data` exclude each other"),
        ({"test_data": "synthetic", "protocols": ("random-2fold",)}, "with `test_data` the protocol is cross-dataset"),
        ({"protocols": ("cross-dataset",)}, "needs `test_data`"),
        ({"views": ("S", "UP")}, "no picture in these data shows view UP"),
        ({"crop": "round"}, "`crop` round: expected fixed"),
        ({"suite": "nonsense"}, "no such suite; choose from akhand2021, all, classical"),
        ({"only": ("knn-*", "zzz*")}, "`only` 'zzz\\*' names none of the"),
        ({"protocols": ("nonsense",)}, "no such protocol; choose from subject-10fold"),
        ({"profile": "nonsense"}, "no such profile; choose from quick, full"),
        ({"preset": "nonsense"}, "no such preset; choose from default, as-printed"),
        ({"data": "/nonexistent/place"}, "^`data` /nonexistent/place: no such file or folder"),
        ({"test_data": "/nonexistent/place"}, "^`test_data` /nonexistent/place: no such file or folder"),
    ],
)
def test_mistakes_are_refused_with_what_would_be_right(request_, change, message):
    """An unknown suite, method, protocol, profile, preset or path is one sentence that names the choices."""
    with pytest.raises(UserError, match=message) as error:
        make_plan(replace(request_, **change), fetch=False)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[job", "cannot be read as TOML"),
        (
            '[[job]]\nfamily = "classical"\nprotocol = ["subject-2fold"]\n',
            "job 1, protocol: is not known here; expected protocols, methods, family",
        ),
        ('[[job]]\nprotocols = ["subject-2fold"]\n', "job 1: expected either methods or family, found neither"),
        (
            '[[job]]\nfamily = "cnn"\nprotocols = ["p"]\n[set."cnn2-*"]\nlr = nan\n',
            r"set, cnn2-\*, lr: expected .*found nan",
        ),
        ('[[job]]\nmethods = ["nonsense"]\nprotocols = ["subject-2fold"]\n', "no method is named 'nonsense'"),
    ],
)
def test_a_faulty_suite_file_is_told_with_the_place(request_, tmp_path, text, message):
    """A suite file that is not right is refused with the field that is wrong."""
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        make_plan(replace(request_, suite=str(path)), fetch=False)


def test_the_suite_of_protocols_names_every_protocol_of_one_dataset(request_):
    """All protocols but cross-dataset are in it; what these four people cannot support is said, not dropped."""
    from fer_bench.folds.protocols import PROTOCOLS
    from fer_bench.plan.suites import expand

    entries = expand(load_suite("protocols"), load_methods().values(), "full")
    assert {entry.protocol for entry in entries} == set(PROTOCOLS) - {"cross-dataset"}
    plan = make_plan(replace(request_, suite="protocols", only=(), profile="full"), fetch=False)
    said = [note for note in plan.notes if note.startswith("skipped, protocol")]
    assert len(said) == 2
    assert any("subject-10fold: it needs at least 10 people, the data have 4" in note for note in said)
    assert {t.protocol for t in plan.trials} == set(PROTOCOLS) - {"cross-dataset", "subject-10fold", "official"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("name", ["mine.toml", "MINE.TOML"])
def test_a_suite_file_may_be_as_other_systems_write_it(tmp_path, name, encoding):
    """Endings in capitals, byte order marks and Windows' UTF-16 are read."""
    (tmp_path / name).write_bytes('[[job]]\nmethods = ["knn-*"]\nprotocols = ["random-2fold"]\n'.encode(encoding))
    assert load_suite(str(tmp_path / name)).jobs[0]["methods"] == ["knn-*"]
