"""Perceptual hashes: copies are near, other people are not, and the search finds what a plain loop finds."""

import numpy as np
import pytest
from changed import encoded
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fer_bench.data.images.phash import BITS, NEAR, copies, distance, near_pairs, phash
from fer_bench.data.images.pictures import decode, glance
from fer_bench.data.images.rings import DIGITS
from fer_bench.errors import InputError

hashes = st.lists(st.one_of(st.just(""), st.binary(min_size=32, max_size=32).map(bytes.hex)), max_size=12)


COPIES = {
    "quality 60": lambda p: encoded(p, quality=60),
    "half": lambda p: encoded(p.resize((p.width // 2, p.height // 2)), quality=90),
    "grey": lambda p: encoded(p.convert("L"), quality=90),
    "png": lambda p: encoded(p, "PNG"),
    "double": lambda p: encoded(p.resize((p.width * 2, p.height * 2)), quality=90),
}


@pytest.mark.parametrize("copy", COPIES)
def test_a_copy_is_nearest_to_its_picture(faces, copy):
    """Recompressed, halved, doubled, grey or in another format, a picture is nearer to itself than to anyone else, and
    nearly always within the threshold."""
    images = [Image.fromarray(picture) for picture in faces.values()]
    before = [phash(glance(encoded(image, quality=92)).grey) for image in images]
    after = [phash(glance(COPIES[copy](image)).grey) for image in images]
    matrix = np.array([[distance(a, b) for b in before] for a in after])
    people = [name[1:4] for name in faces]
    assert [people[i] for i in matrix.argmin(1)] == people
    assert np.mean(np.diag(matrix) <= NEAR) >= 0.75


def test_other_people_are_not_near(faces):
    """No two pictures of different people are within the threshold."""
    names = list(faces)
    found = near_pairs([phash(p) for p in faces.values()], [phash(p) for p in faces.values()])
    assert all(names[i][1:4] == names[j][1:4] for i, j, _ in found)
    assert len(found) >= len(names)


@pytest.mark.parametrize("contrast", [0.5, 0.25, 0.12, 0.05])
def test_pale_pictures_of_other_people_are_not_near(faces, contrast):
    """However pale and small, no two people look the same; what is too flat to tell has no hash."""
    pale = [Image.fromarray(p).convert("L").resize((48, 65)).point(lambda v: int(v * contrast + 100)) for p in
            faces.values()]  # fmt: skip
    found = [phash(np.asarray(picture)) for picture in pale]
    names = list(faces)
    assert all(names[i][1:4] == names[j][1:4] for i, j, _ in near_pairs(found, found))
    assert contrast < 0.1 or all(found)


def test_a_picture_of_one_grey_has_no_hash():
    """Nothing can be told from a plain picture, so it is near to nothing."""
    assert phash(np.full((60, 60), 128, np.uint8)) == ""


def test_photographs_of_different_people_are_not_near(shared):
    """Among 24 real portraits the only near pairs are of one person."""
    files = sorted((shared / "photos").glob("*.jpg"))
    of_file = [phash(decode(file.read_bytes())) for file in files]
    pairs = [(files[i].stem, files[j].stem) for i, j, _ in near_pairs(of_file, of_file) if i != j]
    assert all(a.split("_")[0] == b.split("_")[0] for a, b in pairs)


def test_colour_and_grey_have_one_hash(faces):
    """The hash reads grey levels: an RGB picture and its grey copy agree to a few bits."""
    picture = next(iter(faces.values()))
    grey = np.asarray(Image.fromarray(picture).convert("L"))
    assert len(phash(picture)) == 64 + DIGITS
    assert distance(phash(picture), phash(grey)) <= 2


@given(hashes, hashes, st.integers(0, BITS))
def test_the_search_finds_what_a_plain_loop_finds(a, b, threshold):
    """All pairs within the threshold, with their distances, nearest first; files without a hash are in none."""
    expected = sorted(
        (distance(x, y), i, j)
        for i, x in enumerate(a) for j, y in enumerate(b) if x and y and distance(x, y) <= threshold
    )  # fmt: skip
    assert [(d, i, j) for i, j, d in near_pairs(a, b, threshold).tolist()] == expected


@given(st.binary(min_size=32, max_size=32), st.sets(st.integers(0, BITS - 1)))
def test_the_distance_counts_flipped_bits(data, flips):
    """Flipping n bits of a hash moves it by n."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8))
    bits[list(flips)] ^= 1
    assert distance(data.hex(), np.packbits(bits).tobytes().hex()) == len(flips)


def test_the_search_reaches_over_blocks():
    """Pairs beyond the first block of rows are found, too, with the right rows."""
    rng = np.random.default_rng(0)
    a = [rng.bytes(32).hex() for _ in range(5000)]
    b = [rng.bytes(32).hex() for _ in range(3000)]
    b[2999] = a[4321]
    assert near_pairs(a, b, 20).tolist() == [[4321, 2999, 0]]


def test_a_few_bits_of_the_first_part_tell_only_where_there_is_no_second(faces):
    """Pale and small, two people may be four bits apart: what the rings tell apart is not taken for copies."""
    first, second = (phash(p) for p in list(faces.values())[:2])
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(first[:64]), np.uint8))
    bits[[3, 70, 130, 200]] ^= 1
    close = np.packbits(bits).tobytes().hex()
    assert copies([first], [close + second[64:]]).empty
    assert len(copies([first], [close])) == len(copies([first[:64]], [close + second[64:]])) == 1


@pytest.mark.parametrize("bad", ["12", "g" * 64, "0" * 62 + "  "])
def test_what_is_no_hash_is_refused(bad):
    """A text of another length or alphabet is named as such, not compared."""
    with pytest.raises(InputError, match="perceptual hashes"):
        near_pairs(["0" * 64], [bad])
