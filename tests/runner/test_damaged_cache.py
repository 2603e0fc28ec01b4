"""What was damaged in the cache gives no figures: a run has those of a sound cache, and says what it made anew."""

import pytest

from fer_bench.plan.request import Request
from fer_bench.runner.run import run

ASKED = {"protocols": ("subject-2fold",), "only": ("knn-pixels", "lda-dwt"), "device": "cpu", "offline": True}


@pytest.mark.parametrize("executor", ["in-process", pytest.param("local", marks=pytest.mark.slow)])
def test_a_run_on_a_damaged_cache_has_the_figures_of_a_sound_one(kdef_folder, tmp_path, monkeypatch, capsys, executor):
    """Images and features with changed bytes, in this process and in workers of their own."""
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "cache"))

    def predicted(name):
        assert run(Request("classical", str(kdef_folder), out=tmp_path / name, executor=executor, **ASKED)) == 0
        return (tmp_path / name / "predictions.parquet").read_bytes()

    right = predicted("sound")
    capsys.readouterr()
    files = sorted((tmp_path / "cache").glob("*/*.npy"))
    assert len(files) == 3
    for number, damaged in enumerate([files[:2], files[2:]]):
        for file in damaged:
            data = bytearray(file.read_bytes())
            data[200:] = bytes(byte ^ 255 for byte in data[200:])
            file.write_bytes(data)
        assert predicted(f"damaged-{number}") == right
        told = capsys.readouterr().err
        assert all(file.name in told for file in damaged), told
        assert told.count("anew") == len(damaged), told
