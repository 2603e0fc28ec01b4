"""Copies are found whatever was done to them, and other people are not."""

import numpy as np
import pytest
from changed import CHANGES, encoded, turned
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from fer_bench.data.images.phash import copies, phash
from fer_bench.data.images.pictures import decode, glance
from fer_bench.data.images.rings import DIGITS, MOST_TURNED, ring_copies
from fer_bench.errors import InputError

CUTS = {
    "whole": lambda p: p,
    "48 pixels": lambda p: p.convert("L").crop((40, 105, 240, 305)).resize((48, 48), Image.Resampling.BICUBIC),
}


def hashed(data: bytes) -> str:
    """The hash as the audit takes it."""
    seen = glance(data)
    return phash(seen.grey, seen.width / seen.height)


@pytest.fixture(scope="session", params=CUTS)
def pictures(faces, request) -> list[Image.Image]:
    """Two pictures each of ten people from two sides, whole and as small as FER2013's."""
    return [CUTS[request.param](Image.fromarray(picture)) for picture in faces.values()]


@pytest.fixture(scope="session")
def originals(pictures) -> list[str]:
    return [hashed(encoded(picture, quality=92)) for picture in pictures]


def people_of(faces) -> np.ndarray:
    return np.array([name[1:4] for name in faces])


@pytest.mark.parametrize("change", sorted(CHANGES.keys() - {"half"}))
def test_a_changed_copy_is_found_and_nobody_else_is(faces, pictures, originals, change):
    """Nearly every copy is found, with what was done to it, and none is taken for another person's picture."""
    after = [hashed(CHANGES[change](picture)) for picture in pictures]
    found = copies(originals, after)
    people = people_of(faces)
    assert (people[found["a"]] == people[found["b"]]).all()
    own = found[found["a"] == found["b"]]
    # Turned pixel by pixel, so small a picture is as much noise as face.
    rough = change == "corners black" and pictures[0].width < 64
    assert len(own) >= (0.6 if rough else 0.9) * len(pictures)
    assert own["mirrored"].mean() == (change in ("mirrored", "all at once"))
    angles = {"turned 3 left": 3, "turned 5 right": -5, "turned 10 left": 10, "corners black": 7, "all at once": -6}
    assert np.allclose(own["turned"], angles.get(change, 0), atol=1.5)


def test_a_copy_of_half_the_size_is_found(faces):
    """Also where a JPEG is decoded in the small, which changes its shape."""
    whole = [Image.fromarray(picture) for picture in faces.values()]
    before, after = ([hashed(f(p)) for p in whole] for f in (encoded, CHANGES["half"]))
    found = copies(before, after)
    assert (found["a"] == found["b"]).sum() == len(whole)


def test_other_people_are_not_alike(faces, originals):
    """No two of different people, whichever way round and however turned."""
    found = copies(originals)
    people = people_of(faces)
    assert (people[found["a"]] == people[found["b"]]).all()


def test_photographs_of_other_people_are_not_alike(shared):
    """Nor are real portraits; their mirrored and turned copies are found."""
    files = sorted((shared / "photos").glob("*.jpg"))
    whole = [Image.fromarray(decode(file.read_bytes())) for file in files]
    before = [hashed(encoded(picture, quality=92)) for picture in whole]
    after = [hashed(encoded(turned(ImageOps.mirror(picture), 4), quality=80)) for picture in whole]
    for found in (copies(before), copies(before, after)):
        people = [(files[a].stem[:3], files[b].stem[:3]) for a, b in zip(found["a"], found["b"], strict=True)]
        assert all(a == b for a, b in people)
    found = copies(before, after)
    assert (found["a"] == found["b"]).sum() >= 0.9 * len(files)


def test_a_picture_turned_too_far_is_not_found_at_another_angle(faces):
    """What is turned by more than is looked for is another picture."""
    picture = Image.fromarray(next(iter(faces.values())))
    pair = [hashed(encoded(p, quality=92)) for p in (picture, turned(picture, 2 * MOST_TURNED))]
    assert copies(pair[:1], pair[1:]).empty


def test_each_pair_is_found_whichever_comes_first(originals, pictures):
    """The search among a set finds each pair of the search between sets once."""
    texts = [*originals, *(hashed(CHANGES["all at once"](picture)) for picture in pictures), ""]
    once, both = copies(texts), copies(texts, texts)
    pairs = set(zip(once["a"], once["b"], strict=True))
    assert all(a < b for a, b in pairs)
    assert {(a, b) for a, b in zip(both["a"], both["b"], strict=True) if a != b} == pairs | {(b, a) for a, b in pairs}
    assert len(pairs) >= 0.9 * len(originals)


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(-7, 7), st.booleans())
def test_noise_turned_by_whole_steps_is_found(seed, steps, mirrored):
    """Any hash whose rings are shifted, and read backwards, is like itself, and at that angle.

    Noise loses more than portraits when it is turned pixel by pixel, so it counts as alike from 0.75; other noise is
    below 0.5.
    """
    rng = np.random.default_rng(seed)
    field = rng.normal(size=(16, 16)).astype(np.float32)
    picture = Image.fromarray((128 + 40 * np.clip(field, -3, 3)).astype(np.uint8)).resize((256, 256), 3)
    other = turned(ImageOps.mirror(picture) if mirrored else picture, steps * 360 / 256)
    found = ring_copies(*([phash(np.asarray(p))[64:]] for p in (picture, other)), least=0.75)
    assert found["mirrored"].tolist() == [mirrored]
    assert abs(found["turned"][0]) == pytest.approx(abs(steps) * 360 / 256, abs=1.5)


def test_thousands_that_are_all_alike_are_still_each_found():
    """Each of many equal pictures is found beside some of the others, without a list of all their pairs."""
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (16, 16), dtype=np.uint8)
    text = phash(np.asarray(Image.fromarray(picture).resize((128, 128), 3)))[64:]
    found = ring_copies([text] * 600)
    assert set(found["a"]) | set(found["b"]) == set(range(600))
    assert len(found) <= 600 * 64


def test_an_empty_disc_has_no_rings():
    """Of what has contrast at its edges alone the first part tells, and the second is not there."""
    picture = np.full((100, 300), 120, np.uint8)
    picture[:, :60] = 0
    assert len(phash(picture)) == 64
    assert ring_copies(["", phash(picture)[64:]]).empty


@pytest.mark.parametrize("bad", ["A" * (DIGITS - 1), "!" * DIGITS, "é" * DIGITS])
def test_what_is_no_hash_is_refused(bad):
    """A text of another length or alphabet is named as such, not compared."""
    with pytest.raises(InputError, match="rings"):
        ring_copies(["A" * DIGITS], [bad])
    with pytest.raises(InputError, match="hashes"):
        copies(["0" * 64 + bad])
