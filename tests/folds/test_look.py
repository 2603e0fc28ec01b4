"""Copies on both sides of a fold are found by their look, however they were changed, and no more is claimed."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance, ImageOps

from fer_bench.data.datasets import load_dataset
from fer_bench.data.images.phash import phash
from fer_bench.data.render import render_many
from fer_bench.folds.check import check_folds, check_table
from fer_bench.folds.splitters import make_folds
from fer_bench.folds.tables import FoldTable
from fer_bench.folds.wording import verdict_lines

CHANGES = {
    "anew.jpg": lambda p: p,
    "flip.png": ImageOps.mirror,
    "rot.png": lambda p: p.rotate(5, fillcolor="grey"),
    "br.png": lambda p: ImageEnhance.Brightness(p).enhance(1.2),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Class folders with a split: eight people trained on, four tested, of whose pictures copies are trained on."""
    home = tmp_path_factory.mktemp("look")
    names = [f"A{sex}{person:02d}{label}S" for sex in "FM" for person in range(1, 7) for label in ("HA", "SU")]
    for name, picture in render_many(names, size=(96, 96), workers=1):
        image = Image.fromarray(picture)
        side = "test" if int(name[2:4]) > 4 else "train"
        for part in ("train", "test"):
            (home / part / {"HA": "happy", "SU": "surprise"}[name[4:6]]).mkdir(parents=True, exist_ok=True)
        place = home / side / {"HA": "happy", "SU": "surprise"}[name[4:6]]
        image.save(place / f"{ord(name[1])}{name[2:4]}.png")
        for tail, change in CHANGES.items() if side == "test" else ():
            copy = home / "train" / place.name / f"{ord(name[1])}{name[2:4]}_{tail}"
            change(image).save(copy, **({"quality": 60} if tail.endswith("jpg") else {}))
    return home


def near_line(verdict) -> str:
    return next(line for line in verdict_lines(verdict) if line.startswith("near-duplicates"))


def table(rows: list[tuple[str, str, str]]) -> FoldTable:
    """A fold of role, image and phash, of which everybody is another person."""
    whole = pd.DataFrame(rows, columns=["role", "image", "phash"]).assign(fold=0, label="HA")
    return FoldTable("", "", -1, "", whole.assign(subject=whole["image"]))


def noise(seed: int) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 255, (12, 12), dtype=np.uint8)).resize((128, 128), 3)


def hashed(picture: Image.Image) -> str:
    return phash(np.asarray(picture))


def test_changed_copies_across_a_makers_split_are_found(folder):
    """Each of the tested pictures, and that there are mirrored and turned ones among their copies."""
    data = load_dataset(str(folder), workers=1)
    verdict = check_folds(make_folds(data, "official", 0), data=data, claim="person")
    near = verdict.near_duplicates
    assert (near.state, near.refuses) == ("found", True)
    assert (near.leak.tests, near.leak.mirrored, near.leak.turned) == (8, 8, 8)
    assert (
        "8 of 8 tests (100 %) look the same as a picture that is trained on, 8 of them to a mirrored one"
        in near_line(verdict)
    )
    assert verdict.refused


@pytest.mark.parametrize("kind", CHANGES)
def test_each_kind_of_copy_is_found_alone(folder, kind):
    """None hides behind another: with one kind of copies in training, each tested picture is found."""
    data = load_dataset(str(folder), workers=1)
    rows = data.manifest.table
    kept = rows[rows["split"].eq("test") | rows["image"].str.contains(kind, regex=False)]
    assert len(kept) == 16
    whole = kept[["image"]].assign(fold=0, role=np.where(kept["split"].eq("test"), "test", "train"))
    near = check_table(FoldTable("", "", -1, "", whole), "x", manifest=data.manifest).near_duplicates
    assert near.leak.tests == 8
    assert (near.leak.mirrored, near.leak.turned) == (8 * (kind == "flip.png"), 8 * (kind == "rot.png"))


def test_without_the_copies_nobody_is_accused(folder):
    """Other people under the same light, with the same expressions, are no copies of one another."""
    data = load_dataset(str(folder), workers=1)
    rows = data.manifest.table
    kept = rows[~rows["image"].str.contains("_")]
    whole = kept[["image"]].assign(fold=0, role=np.where(kept["split"].eq("test"), "test", "train"))
    near = check_table(FoldTable("", "", -1, "", whole), "x", manifest=data.manifest).near_duplicates
    assert near.state == "none"


def test_older_hashes_tell_what_they_can():
    """A manifest of 64 digits an image is read: equal ones are found, and what they do not tell is said."""
    first, second = noise(1), noise(2)
    old = {name: hashed(p)[:64] for name, p in {"a": first, "b": second, "c": ImageOps.mirror(first)}.items()}
    none = check_table(table([("train", "a", old["a"]), ("train", "b", old["b"]), ("test", "c", old["c"])]), "x")
    assert none.near_duplicates.state == "none"
    said = "3 of 3 images have a hash that does not tell mirrored and turned copies"
    assert said in near_line(none)
    some = check_table(table([("train", "a", old["a"]), ("train", "b", old["b"]), ("test", "c", old["b"])]), "x")
    assert some.near_duplicates.leak.tests == 1
    assert said in near_line(some)


def test_older_hashes_are_compared_with_newer_ones():
    """Tables of both kinds are told apart image by image."""
    picture = noise(1)
    found = check_table(table([("train", "a", hashed(picture)[:64]), ("test", "b", hashed(picture))]), "x")
    assert found.near_duplicates.leak.tests == 1
    assert "1 of 2 images have a hash" in near_line(found)


def test_one_look_of_several_files_is_found_and_one_file_is_not():
    """Equal hashes of different files look the same; the same file under two names is an exact duplicate alone."""
    rows = table([("train", "a", hashed(noise(1))), ("train", "b", hashed(noise(2))), ("test", "c", hashed(noise(1)))])
    for c, state in (("1" * 64, "none"), ("3" * 64, "found")):
        files = rows.table.assign(sha256=["1" * 64, "2" * 64, c])
        assert check_table(FoldTable("", "", -1, "", files), "x").near_duplicates.state == state


def test_every_fold_is_counted_by_itself():
    """A copy in training counts in the folds that train on it, once an image, with an example each."""
    pictures = {"a": noise(1), "b": ImageOps.mirror(noise(1)), "c": noise(2), "d": noise(3)}
    rows = [
        {"fold": fold, "role": "test" if name in tested else "train", "image": name, "phash": hashed(picture)}
        for fold, tested in enumerate(("a", "b", "ab", "cd"))
        for name, picture in pictures.items()
    ]
    whole = pd.DataFrame(rows).assign(label="HA", subject=lambda t: t["image"])
    leak = check_table(FoldTable("", "", -1, "", whole), "x", claim="image").near_duplicates.leak
    assert (leak.tests, leak.folds, leak.mirrored, leak.turned) == (2, 2, 2, 0)
    assert leak.pairs == ((0, "a", "b"), (1, "b", "a"))
