"""Which trial is next, and where: rules that all executors share."""

from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from fer_bench.methods import ImageSpec, MethodSpec
from fer_bench.runner.executors.local import visible_gpus
from fer_bench.runner.executors.queue import KINDS, TrialQueue, kind_of
from fer_bench.runner.executors.signals import Stop

LIGHT = MethodSpec("light", "classical", "a:B", ImageSpec(32))
TORCH = replace(LIGHT, name="net", uses_torch=True)


@dataclass(frozen=True)
class Fake:
    """What an trial_queue looks at of a task."""

    id: str
    kind: str
    protocol: str = "p"
    fold: int = 0
    estimate_seconds: float = 0.0

    @property
    def spec(self):
        return LIGHT if self.kind == "light" else TORCH

    @property
    def device(self):
        return "cuda" if self.kind == "gpu" else "cpu"


def trial_queue(kinds, **more):
    tasks = [Fake(str(i), kind) for i, kind in enumerate(kinds)]
    return tasks, TrialQueue(tasks, on_done=lambda record: None, **more)


@given(st.lists(st.sampled_from(KINDS), max_size=30), st.data())
def test_every_trial_is_started_once_and_in_order_of_its_kind(kinds, data):
    """Whatever workers ask for in whatever order: each task comes once, those of a kind in the plan's order."""
    tasks, todo = trial_queue(kinds)
    taken = []
    while len(todo):
        wanted = data.draw(st.permutations(KINDS))
        task = todo.next(*wanted)
        assert kind_of(task) == next(k for k in wanted if any(t.kind == k and t not in taken for t in tasks))
        taken.append(task)
    assert sorted(taken, key=lambda t: int(t.id)) == tasks
    for kind in KINDS:
        assert [t for t in taken if t.kind == kind] == [t for t in tasks if t.kind == kind]
    assert todo.outcome(Stop()).not_started == ()


def test_a_worker_without_a_gpu_gets_no_trial_for_one():
    """Trials for a GPU wait for a worker that has one, however many others are idle."""
    _, todo = trial_queue(["gpu", "gpu"])
    assert todo.next("light", "torch") is None
    assert todo.next("gpu", "light", "torch").kind == "gpu"


@given(st.lists(st.booleans(), max_size=20), st.integers(1, 5))
def test_no_trial_is_started_after_the_last_failure_that_is_allowed(failures, allowed):
    """Trials start until so many have failed; those left are named with the reason."""
    tasks, todo = trial_queue(["light"] * len(failures), max_failures=allowed)
    started = 0
    while (task := todo.next()) is not None:
        started += 1
        todo.done({"id": task.id, "state": "failed" if failures[int(task.id)] else "ok"})
    expected = next((i for i in range(len(failures) + 1) if sum(failures[:i]) == allowed), len(failures))
    assert started == expected
    outcome = todo.outcome(Stop())
    assert outcome.not_started == tuple(t.id for t in tasks[expected:])
    assert outcome.why == ("failures" if outcome.not_started else "")


def test_cheap_trials_still_start_where_dear_ones_come_too_late():
    """A trial whose estimate no longer fits is left out; one behind it that fits is not."""
    tasks = [Fake("dear", "light", estimate_seconds=1e6), Fake("cheap", "light")]
    todo = TrialQueue(tasks, deadline=float(10**12), on_done=lambda record: None)
    assert todo.next().id == "dear", "there is time for both"
    import time

    todo = TrialQueue(tasks, deadline=time.monotonic() + 1000, on_done=lambda record: None)
    assert todo.next().id == "cheap"
    assert todo.next() is None
    assert todo.outcome(Stop()).not_started == ("dear",)
    assert todo.outcome(Stop()).why == "deadline"


def test_gpus_are_those_that_this_process_may_use(monkeypatch):
    """CUDA_VISIBLE_DEVICES says which; empty or -1 means none."""
    for given_, expected in {"0,2": ["0", "2"], "GPU-8a, MIG-1": ["GPU-8a", "MIG-1"], "": [], "-1": []}.items():
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given_)
        assert visible_gpus() == expected
