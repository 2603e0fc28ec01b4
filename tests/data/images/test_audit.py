"""The audit: every file judged, once, by its content."""

import io
import json
import os
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from fer_bench.data.images import audit as module
from fer_bench.data.images.audit import AuditResult, audit
from fer_bench.data.images.phash import copies, distance, phash
from fer_bench.data.sources.open_source import open_source
from fer_bench.utils.files import cache_dir


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def folder(tmp_path):
    """Six pictures: good, blank, tiny, no picture, empty, and a copy of the good one."""
    home = tmp_path / "data"
    home.mkdir()
    rng = np.random.default_rng(0)
    good = Image.fromarray(rng.integers(0, 256, (130, 96, 3), dtype=np.uint8)).resize((90, 120))
    good.save(home / "good.png")
    (home / "copy.png").write_bytes((home / "good.png").read_bytes())
    Image.new("RGB", (90, 120), (3, 3, 3)).save(home / "blank.png")
    Image.new("RGB", (90, 31), "white").save(home / "tiny.png")
    (home / "text.png").write_text("hello")
    (home / "empty.png").touch()
    return home


def judged(folder) -> dict[str, AuditResult]:
    source = open_source(folder)
    return dict(zip(source.files, audit(source.files, source, 2), strict=True))


def settle(folder) -> None:
    """Wait until files are old enough for their stamps to be trusted."""
    youngest = max(os.stat(file).st_ctime for file in folder.iterdir())
    time.sleep(max(0.0, youngest + 2.1 - time.time()))


def test_verdicts_say_what_a_picture_is_and_why_it_is_not_used(folder):
    """Size and hashes of what can be decoded, and one reason for each file that is not used."""
    seen = judged(folder)
    assert seen["good.png"].reason == ""
    assert (seen["good.png"].width, seen["good.png"].height) == (90, 120)
    assert seen["copy.png"] == seen["good.png"]
    whole = phash(np.asarray(Image.open(folder / "good.png")))
    assert distance(seen["good.png"].phash, whole) <= 2
    reasons = {name: verdict.reason for name, verdict in seen.items() if verdict.reason}
    assert reasons.keys() == {"blank.png", "tiny.png", "text.png", "empty.png"}
    assert "blank frame (mean grey level 3.0)" in reasons["blank.png"]
    assert "90x31 pixels" in reasons["tiny.png"]
    assert "not a picture" in reasons["text.png"]
    assert "empty" in reasons["empty.png"]


def test_a_file_that_cannot_be_read_is_told_apart(folder):
    """A file that goes between listing and reading has no hash, a reason, and is not remembered."""
    source = open_source(folder)
    (folder / "good.png").unlink()
    verdict = audit(["good.png"], source, 1)[0]
    assert verdict.sha256 == ""
    assert verdict.reason.startswith("cannot be read: ")


def test_a_second_audit_opens_nothing(folder, monkeypatch):
    """What stands as it stood is neither read nor decoded again, and the verdicts are the same."""
    settle(folder)
    first = judged(folder)
    source = open_source(folder)
    object.__setattr__(source, "read", None)
    monkeypatch.setattr(module, "glance", None)
    assert audit(source.files, source, 2) == list(first.values())


def test_what_was_written_anew_is_looked_at_anew(folder):
    """Another content of the same length under the same name and with the old time is judged by what it is."""
    settle(folder)
    before = judged(folder)["good.png"]
    path = folder / "good.png"
    times = path.stat()
    path.write_bytes(b"x" * times.st_size)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = judged(folder)["good.png"]
    assert after.sha256 != before.sha256
    assert after.reason.startswith("not a picture")


def test_a_moved_set_is_hashed_but_not_decoded_again(folder, tmp_path, monkeypatch):
    """Verdicts go by content: the same pictures in another place are known."""
    first = judged(folder)
    folder.rename(tmp_path / "elsewhere")
    monkeypatch.setattr(module, "glance", None)
    assert judged(tmp_path / "elsewhere") == first


@pytest.mark.parametrize("damage", ["", "{", "[1, 2]", '{"a.png": 3}', '{"a.png": [1]}'])
def test_a_damaged_cache_is_no_cache(folder, damage):
    """A cache file of any content is made anew; verdicts do not suffer."""
    settle(folder)
    first = judged(folder)
    for path in cache_dir().rglob("*.json"):
        path.write_text(damage)
    assert judged(folder) == first
    assert judged(folder) == first
    for path in cache_dir().rglob("*.json"):
        assert json.loads(path.read_text())


def test_a_verdict_with_a_changed_letter_is_none(folder, capsys):
    """A good picture is not left out, nor a blank one used, because a letter changed on the disk; it is told."""
    settle(folder)
    first = judged(folder)
    (cache,) = cache_dir().glob("audit-*.json")
    for before, after in (("blank frame", "blank grame"), ('"", 90, 120', '"", 90, 121')):
        text = cache.read_text()
        assert before in text
        cache.write_text(text.replace(before, after, 1))
        assert judged(folder) == first
        assert capsys.readouterr().err.count(f"{cache}: damaged") == 1
    assert judged(folder) == first
    assert not capsys.readouterr().err


def test_audits_at_once_keep_each_others_verdicts(tmp_path):
    """Eight audits of different folders at the same time all end up in one sound cache."""

    def one(i: int) -> str:
        home = tmp_path / f"set{i}"
        home.mkdir()
        target = io.BytesIO()
        Image.new("RGB", (64, 64), (i * 20 + 50, 90, 90)).save(target, "PNG")
        (home / "a.png").write_bytes(target.getvalue())
        return judged(home)["a.png"].sha256

    with ThreadPoolExecutor(8) as pool:
        digests = list(pool.map(one, range(8)))
    (cache,) = cache_dir().glob("audit-*.json")
    assert set(digests) <= json.loads(cache.read_text())["value"].keys()
    assert not list(cache_dir().rglob(".tmp-*"))


def test_a_turned_copy_of_a_tall_picture_is_known_whatever_the_format(tmp_path):
    """A JPEG is looked at in the small and in another shape, a PNG as it is; neither hides what was turned."""
    home = tmp_path / "tall"
    home.mkdir()
    rng = np.random.default_rng(1)
    tall = Image.fromarray(rng.integers(0, 256, (16, 10), dtype=np.uint8)).resize((300, 480), Image.Resampling.BICUBIC)
    tall.save(home / "a.jpg", quality=90)
    tall.rotate(8).save(home / "b.jpg", quality=90)
    tall.rotate(-8).save(home / "c.png")
    hashes = [verdict.phash for verdict in judged(home).values()]
    found = copies([hashes[0]], hashes[1:])
    assert found["b"].tolist() == [0, 1]
    assert np.allclose(found["turned"], [8, -8], atol=1.5)
