"""What a run allows: failures and memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_bench.errors import UserError
from fer_bench.runner.executors import EXECUTORS, get_executor
from fer_bench.runner.executors.limits import failures_allowed, memory_share
from fer_bench.runner.executors.process_tree import available_memory


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_number_of_failures_is_taken_as_it_is(n, trials):
    """--max-failures 5 means five, however many trials there are."""
    assert failures_allowed(str(n), trials) == n


@given(st.floats(0.01, 100), st.integers(1, 10**5))
def test_a_share_of_failures_is_of_the_planned_trials(percent, trials):
    """--max-failures P% is the least number of trials that is at least that share, and at least one."""
    text = f"{percent:.2f}%"
    n = failures_allowed(text, trials)
    share = float(text[:-1]) * trials / 100
    assert n >= 1
    assert n >= share - 1e-6
    assert n == 1 or n - 1 < share + 1e-6


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "0%", "101%", "many", "%", "5 %%", "1e3", "nan", "inf%"])
def test_what_is_no_number_of_failures_is_refused(text):
    """Anything else is one sentence that says what is expected."""
    with pytest.raises(UserError, match=r"`max_failures` .*: expected a number of trials of at least 1, or a perc"):
        failures_allowed(text, 100)


def test_without_the_option_any_number_may_fail():
    """An empty text is no limit."""
    assert failures_allowed("", 100) is None


def test_memory_is_shared_by_the_workers():
    """Nine tenths of what is free, divided evenly; never more than there is."""
    assert 0 < memory_share(4) * 4 < available_memory() * 1.1
    assert memory_share(2) == pytest.approx(2 * memory_share(4), rel=0.2)


def test_executors_are_found_by_name_and_refused_in_a_sentence():
    """Each name gives a function of the same keywords; others, and schedulers out of place, are refused."""
    for name in set(EXECUTORS) - {"dask"}:
        assert get_executor(name).__name__ == "execute"
    with pytest.raises(UserError, match="`executor` slurm: no such executor; choose from local, in-process, dask"):
        get_executor("slurm")
    with pytest.raises(UserError, match="only `executor` dask has a scheduler, found `executor` local"):
        get_executor("local", "tcp://host:1")
    with pytest.raises(UserError, match="`executor` dask: give the scheduler's address"):
        get_executor("dask")


def test_bad_limits_stop_a_run_before_it_starts(cli, tmp_path):
    """A mistake in an option is one sentence and exit code 2; nothing is written."""
    done = cli("run", "--max-failures", "none", "--out", tmp_path / "r", expect=2)
    assert "--max-failures none: expected" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "9223372036854775807" in cli("run", "--seed", str(2**63), "--out", tmp_path / "r", expect=2).stderr
    assert not (tmp_path / "r").exists()
