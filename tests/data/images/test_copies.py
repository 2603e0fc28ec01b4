"""Pictures of one dataset are compared once, whatever is asked of them afterwards."""

import numpy as np
import pytest
from PIL import Image

from fer_bench.data.images import copies as module
from fer_bench.data.images.copies import near_hashes
from fer_bench.data.images.phash import phash
from fer_bench.utils.files import cache_dir


@pytest.fixture(autouse=True)
def _nothing_known(tmp_path, monkeypatch):
    monkeypatch.setenv("FER_BENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(module, "_found", [])


@pytest.fixture
def compared(monkeypatch) -> list[int]:
    """How many hashes were compared, each time that some were."""
    counts = []
    search = module.copies
    monkeypatch.setattr(module, "copies", lambda texts: counts.append(len(texts)) or search(texts))
    return counts


@pytest.fixture(scope="module")
def hashes() -> list[str]:
    """Eight pictures of noise, a mirrored copy of the first and a turned one of the second."""
    rng = np.random.default_rng(0)
    pictures = [Image.fromarray(rng.integers(0, 255, (12, 12), dtype=np.uint8)).resize((128, 128), 3) for _ in range(8)]
    pictures += [pictures[0].transpose(Image.Transpose.FLIP_LEFT_RIGHT), pictures[1].rotate(5)]
    return [phash(np.asarray(picture)) for picture in pictures]


def pairs_of(hashes, chosen) -> set[tuple[int, int, bool, bool]]:
    """Pairs as places in the list."""
    found = near_hashes(chosen).assign(a=lambda t: t["a"].map(hashes.index), b=lambda t: t["b"].map(hashes.index))
    return set(found.itertuples(index=False, name=None))


EXPECTED = {(0, 8, True, False), (8, 0, True, False), (1, 9, False, True), (9, 1, False, True)}


def test_pairs_are_told_in_both_orders_with_what_was_done(hashes, compared):
    """Mirrored is mirrored and turned is turned; no hash is near to nothing, and order does not matter."""
    assert pairs_of(hashes, [*hashes, "", ""]) == EXPECTED
    assert pairs_of(hashes, hashes[::-1]) == EXPECTED
    assert compared == [10]


def test_some_of_them_are_not_compared_again(hashes, compared):
    """Folds of some of the pictures, as after other folds, take what is known."""
    near_hashes(hashes)
    assert pairs_of(hashes, hashes[1:]) == {pair for pair in EXPECTED if 0 not in pair[:2]}
    assert pairs_of(hashes, hashes[:8]) == set()
    assert compared == [10]
    near_hashes([*hashes, "0" * 64])
    assert compared == [10, 11]


def test_many_are_kept_for_the_next_command(hashes, compared, monkeypatch):
    """A set that takes seconds is compared once; the next process reads what was found."""
    monkeypatch.setattr(module, "_QUICK", 5)
    near_hashes(hashes)
    module._found.clear()
    assert pairs_of(hashes, hashes) == EXPECTED
    assert compared == [10]


@pytest.mark.parametrize(
    "harm", [lambda b: b[: len(b) // 2], lambda b: b.replace(b"True", b"False"), lambda b: b"\xff"]
)
def test_what_was_kept_and_is_damaged_is_found_again(hashes, compared, monkeypatch, harm):
    """Cut short, changed or overwritten, it gives no other answer."""
    monkeypatch.setattr(module, "_QUICK", 5)
    near_hashes(hashes)
    (file,) = (cache_dir() / "copies").iterdir()
    file.write_bytes(harm(file.read_bytes()))
    module._found.clear()
    assert pairs_of(hashes, hashes) == EXPECTED
    assert compared == [10, 10]


def test_where_nothing_can_be_kept_it_is_found_all_the_same(hashes, monkeypatch):
    """A cache that cannot be written to costs time, no answer."""
    monkeypatch.setattr(module, "_QUICK", 5)
    cache_dir().mkdir()
    (cache_dir() / "copies").write_text("no folder")
    assert pairs_of(hashes, hashes) == EXPECTED
