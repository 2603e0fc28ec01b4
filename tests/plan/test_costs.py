"""Recorded costs make predictions truer; they never change what a trial is, and only ever let more trials run."""

import json
import multiprocessing
import threading
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench.cli.planned import planned, planned_json, planned_lines
from fer_bench.methods import load_methods
from fer_bench.plan import costs, machine_speed, profiles
from fer_bench.plan.costs import Cost, History, costs_file, kind_of_cost, load_history, record_cost
from fer_bench.plan.forecast import PredictedCost, _schedule, forecast
from fer_bench.plan.plan import make_plan
from fer_bench.plan.request import Request
from fer_bench.runner.resume import predicted_before


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def plan(kdef_folder):
    request = Request(suite="classical", data=str(kdef_folder), only=("*-lbp",), workers=2, device="cpu", offline=True)
    return make_plan(request, fetch=False, history=History())


def spec_of(name="knn-lbp"):
    return load_methods()[name].resolve("quick", "default")


def record(seconds=1.0, *, n_train=100, n_test=50, state="ok", **more):
    return {
        "state": state,
        "device": "cpu",
        "n_train": n_train,
        "n_test": n_test,
        "fit_seconds": 0.75 * seconds + 0.3,
        "predict_seconds": 0.25 * seconds + 0.15,
        "prepare_seconds": 0.45,
        "peak_rss_mb": 321.0,
        **more,
    }


def costs_of(plan, factor, *, methods=None, n_train=1.0):
    """What history would hold, had every trial taken ``factor`` times its shipped estimate."""
    return [
        Cost(
            kind_of_cost(t.spec, t.device, t.watch),
            t.spec.family,
            round(n_train * t.n_train),
            t.n_test,
            factor * t.spec.estimate_seconds(round(n_train * t.n_train), t.n_test),
            t.spec.estimate_seconds(round(n_train * t.n_train), t.n_test),
            0.01,
            500.0,
        )
        for t in plan.trials
        if methods is None or t.spec.name in methods
    ]


def never():
    raise AssertionError("the machine was calibrated without need")


def test_what_was_recorded_is_what_is_predicted(cache):
    """A finished trial's own seconds and memory come back for trials like it; failed trials teach nothing."""
    spec = spec_of()
    record_cost(spec, record(1.0), watch=False)
    record_cost(spec, record(3.0), watch=False)
    record_cost(spec, record(1.2), watch=False)
    record_cost(spec, record(900.0, state="timeout"), watch=False)
    found, kind = load_history(), kind_of_cost(spec, "cpu", False)
    assert found.measured(kind, 100, 50) == pytest.approx(1.2)
    assert found.rss_mb(kind, 100, 50) == 321.0
    assert found.shared(kind) == pytest.approx(0.45 / 150)
    assert found.measured(kind, 200, 50) is None
    assert found.measured(kind_of_cost(spec, "cpu", True), 100, 50) is None, "watching after each epoch costs more"
    assert found.measured(kind_of_cost(replace(spec, version=99), "cpu", False), 100, 50) is None


def test_other_numbers_of_images_are_scaled_as_the_estimate_grows(cache):
    """Ten times the images: ten, or a hundred, times the seconds, as the method's own cost function says."""
    spec = spec_of("rbf_svc-lbp")
    record_cost(spec, record(5 * spec.estimate_seconds(100, 50)), watch=False)
    scaled = load_history().scaled(spec, kind_of_cost(spec, "cpu", False), 1000, 500)
    assert scaled == pytest.approx(5 * spec.estimate_seconds(1000, 500), rel=1e-3)


def test_other_machines_teach_nothing(cache):
    """Costs in a cache that two machines share are told apart by processor and cores."""
    record_cost(spec_of(), record(), watch=False, machine="another")
    assert load_history().by_kind == {}
    assert len(load_history("another").by_kind) == 1


def test_a_trial_is_predicted_from_the_best_source_there_is(plan):
    """Measured, else scaled, else what its family took, else the calibrated estimate; the machine is asked once."""
    asked = []

    def slowness():
        asked.append(1)
        return 2.0

    nothing = forecast(plan, history=History(), slowness=slowness)
    assert asked == [1]
    assert nothing.sources == {"calibrated": len(plan.trials)}
    assert nothing.slowness == 2.0
    some = [c for m in ("knn-lbp", "gnb-lbp") for c in costs_of(plan, 3.0, methods=[m])]
    other = costs_of(plan, 3.0, methods=["lda-lbp"], n_train=2.0)
    found = forecast(plan, history=History.of([*some, *other]), slowness=never)
    for trial in plan.trials:
        predicted = found.trials[trial.id]
        source = {"knn-lbp": "measured", "gnb-lbp": "measured", "lda-lbp": "scaled"}.get(trial.spec.name, "family")
        assert predicted.source == source
        assert predicted.seconds == pytest.approx(3 * trial.estimate_seconds, rel=1e-3)
        assert nothing.trials[trial.id].seconds == pytest.approx(2 * trial.estimate_seconds)
    few = forecast(plan, history=History.of(some), slowness=slowness)
    assert "family" not in few.sources, "two methods are too few to speak for a family"


def test_memory_is_measured_where_all_of_it_was(plan):
    """The largest trials that may run side by side, from history where that knows every trial."""
    found = forecast(plan, history=History.of(costs_of(plan, 1.0)), slowness=never)
    assert (found.memory_gb, found.memory_measured) == (pytest.approx(1.0), True)
    guessed = forecast(plan, history=History(), slowness=lambda: 1.0)
    assert not guessed.memory_measured
    assert 0.5 < guessed.memory_gb < 4


def test_prediction_with_hindsight_is_none(plan, tmp_path):
    """What was predicted before a trial ran is kept by later calls; what is done again is predicted anew."""
    first, second = plan.trials[0].id, plan.trials[1].id
    rows = [{"id": t, "predicted_seconds": 77.0, "predicted_from": "calibrated"} for t in (first, second)]
    (tmp_path / "run.json").write_text(json.dumps({"plan": [*rows, {"id": "old"}]}))
    before = predicted_before(tmp_path, except_for={second})
    found = forecast(plan, history=History.of(costs_of(plan, 1.0)), slowness=never, before=before)
    assert found.trials[first] == PredictedCost(77.0, "calibrated")
    assert found.trials[second].source == "measured"
    assert predicted_before(tmp_path / "nowhere") == {}


@settings(max_examples=40, deadline=None)
@given(
    seconds=st.lists(st.floats(0.1, 1000), min_size=1, max_size=40),
    workers=st.integers(1, 8),
)
def test_the_schedule_is_possible(plan, seconds, workers):
    """Predicted wall time is at least the longest trial and an even spread, at most one longest trial more."""
    trials = tuple(replace(plan.trials[i % len(plan.trials)], id=str(i)) for i in range(len(seconds)))
    small = replace(plan, trials=trials, request=replace(plan.request, workers=workers))
    predicted = {str(i): PredictedCost(s, "measured") for i, s in enumerate(seconds)}
    lanes = _schedule(small, predicted, {}, workers)
    total, wall = sum(lanes), max(lanes)
    assert total == pytest.approx(sum(seconds), rel=0.3, abs=1)
    assert wall >= max(seconds)
    assert wall >= total / len(lanes) - 1e-9
    assert wall <= total / len(lanes) + max(seconds) + 0.1


def test_history_only_ever_admits_more(kdef_folder, monkeypatch):
    """A budget that holds little: cheaper trials than estimated let more run, dearer ones keep none out; ids stay."""
    request = Request(suite="classical", data=str(kdef_folder), only=("*-lbp",), workers=1, device="cpu", offline=True)
    free = make_plan(request, fetch=False, history=History())
    assert all(t.budget_seconds == t.estimate_seconds for t in free.trials)
    budget = 0.6 * sum(t.estimate_seconds for t in free.trials)
    tight = replace(profiles.PROFILES["quick"], budget_core_seconds=budget)
    monkeypatch.setitem(profiles.PROFILES, "quick", tight)
    plans = {
        factor: make_plan(request, fetch=False, history=History.of(costs_of(free, factor) if factor else []))
        for factor in (None, 0.5, 10.0)
    }
    runs = {factor: {t.id for t in plan.runnable} for factor, plan in plans.items()}
    assert 0 < len(runs[None]) < len(free.trials)
    assert runs[10.0] == runs[None]
    assert runs[0.5] == {t.id for t in free.trials}
    assert all([t.id for t in plan.trials] == [t.id for t in plans[None].trials] for plan in plans.values())


def test_the_file_of_costs_stays_small_and_keeps_the_latest(cache, monkeypatch):
    """Grown too large, it keeps the latest costs of each kind of trial; torn lines and other texts cost nothing."""
    monkeypatch.setattr(costs, "_LARGEST_BYTES", 20_000)
    spec = spec_of()
    for i in range(300):
        record_cost(spec, record(float(i)), watch=False)
        record_cost(spec, record(float(i), n_train=1000), watch=False)
    assert costs_file().stat().st_size < 25_000
    with open(costs_file(), "a") as handle:
        handle.write('not json\n{"kind": 1}\n[]\n{"torn')
    record_cost(spec, record(299.0), watch=False)
    found = load_history()
    assert found.measured(kind_of_cost(spec, "cpu", False), 1000, 50) > 280
    latest = found.by_kind[kind_of_cost(spec, "cpu", False)][-1]
    assert latest.seconds == pytest.approx(299.0)


def _record_many(worker):
    for i in range(50):
        record_cost(spec_of(), record(1.0 + i, n_train=100 * worker), watch=False)


def test_runs_side_by_side_lose_no_cost(cache):
    """Several drivers that share a cache add their lines whole."""
    threads = [threading.Thread(target=_record_many, args=(worker,)) for worker in (1, 2)]
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_record_many, args=(worker,)) for worker in (3, 4)]
    for job in (*processes, *threads):
        job.start()
    for job in (*processes, *threads):
        job.join()
    lines = costs_file().read_text().splitlines()
    assert len(lines) == 200
    assert all(json.loads(line)["method"] == "knn-lbp" for line in lines)


def test_a_cache_that_cannot_be_written_costs_no_result(tmp_path, monkeypatch):
    """Where no history can be kept, none is, and nothing fails."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "file"))
    record_cost(spec_of(), record(), watch=False)
    assert load_history().by_kind == {}
    monkeypatch.setattr(machine_speed, "measure", lambda: 0.1)
    assert machine_speed.machine_slowness() > 0


def test_the_machine_is_measured_once(cache, monkeypatch):
    """The calibration is kept in the cache, by machine; a file that holds nonsense is measured anew."""
    times = iter([0.116, 0.174])
    monkeypatch.setattr(machine_speed, "measure", lambda: next(times))
    first = machine_speed.machine_slowness()
    assert first == pytest.approx(0.116 / machine_speed._NOMINAL_SECONDS)
    assert machine_speed.machine_slowness() == first
    (file,) = cache.glob("calibration-*.json")
    file.write_text('{"slowness": "fast"}')
    assert machine_speed.machine_slowness() == pytest.approx(1.5 * first)


def test_the_calibration_is_short():
    """It takes under two seconds of processor time, and gives a plausible figure."""
    import time

    before = time.process_time()
    seconds = machine_speed.measure()
    assert time.process_time() - before < 2
    assert 0.001 < seconds < 1


def test_the_plan_is_told_with_where_its_figures_come_from(plan):
    """`plan` prints time, memory, disk and downloads, and how many trials were measured; JSON says the same."""
    known = {"history": History.of(costs_of(plan, 2.0, methods=["knn-lbp"])), "slowness": lambda: 1.5}
    done = {t.id for t in plan.trials if t.spec.name == "gnb-lbp"}
    found = planned(plan, lambda trial: trial in done, **known)
    text = "\n".join(planned_lines(found))
    n = len(plan.trials)
    assert f"trials: {n}, of which 0 are skipped, {len(done)} done before and {n - len(done)} to run" in text
    assert "4 trials (measured): measured on this machine before" in text
    assert f"{n - 4 - len(done)} trials (calibrated)" in text
    assert "(x 1.50)" in text
    for word in ("time: about", "memory: up to", "disk: at most"):
        assert word in text
    told = json.loads(json.dumps(planned_json(found)))
    assert told["trials"] == {"planned": n, "done": len(done), "skipped": 0, "to_run": n - len(done)}
    assert told["forecast"]["sources"] == {"measured": 4, "calibrated": n - 4 - len(done)}
    rows = {(row["method"], row["protocol"]): row for row in told["rows"]}
    assert rows["gnb-lbp", "subject-2fold"]["done"] == 2
    assert rows["knn-lbp", "subject-2fold"]["sources"] == ["measured"]
    expected = sum(
        2 * t.estimate_seconds for t in plan.trials if (t.spec.name, t.protocol) == ("knn-lbp", "subject-2fold")
    )
    assert rows["knn-lbp", "subject-2fold"]["seconds"] == pytest.approx(expected, abs=0.02)
    over = planned(plan, lambda trial: True, **known)
    assert "time:" not in "\n".join(planned_lines(over))
