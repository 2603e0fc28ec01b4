"""What trials print: kept up to a size, wherever they run."""

from hypothesis import given
from hypothesis import strategies as st

from fer_bench.runner.executors.output import BoundedLog


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(1, 50), st.integers(1, 50))
def test_beginning_and_end_are_kept_and_the_rest_is_counted(tmp_path_factory, parts, head, tail):
    """Whatever comes in whatever pieces: all of it up to the size, else both ends and the number of bytes between."""
    path = tmp_path_factory.mktemp("log") / "trial.log"
    log = BoundedLog(path, head_bytes=head, tail_bytes=tail)
    for part in parts:
        log.write(part)
    log.close()
    data = b"".join(parts)
    if not data:
        assert not path.exists()
    elif len(data) <= head + tail:
        assert path.read_bytes() == data
    else:
        said = b"\n[... %d bytes left out ...]\n" % (len(data) - head - tail)
        assert path.read_bytes() == data[:head] + said + data[-tail:]


def test_in_process_what_a_method_prints_is_in_its_log(make_task, run_all, tmp_path, capsys):
    """A method's prints do not mix with a command's answer."""
    records, _ = run_all([make_task("chat")], "in-process")
    assert records["chat-0"]["state"] == "ok"
    assert (tmp_path / "logs" / "chat-0.log").read_text() == "good morning\n"
    assert capsys.readouterr().out == ""


def test_in_process_a_run_goes_on_after_a_failure(make_task, run_all):
    """A method that raises fails alone here, too."""
    records, outcome = run_all([make_task("raise"), make_task("learn")], "in-process")
    assert [records[name]["state"] for name in ("raise-0", "learn-0")] == ["failed", "ok"]
    assert outcome.not_started == ()
