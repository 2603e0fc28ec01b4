"""Options of `load_dataset`: fewer people or images, stricter, other views, other crops."""

import pytest
from layouts import WRITERS, write_ckplus, write_fer2013, write_jaffe

from fer_bench.data.datasets import load_dataset
from fer_bench.data.layouts.kdef import STRICT
from fer_bench.data.manifest import choose_images
from fer_bench.errors import UserError


def test_views_keep_those_views_alone(kdef_folder):
    """A filter by view keeps all people and sessions, and makes other data of it."""
    whole = load_dataset(str(kdef_folder), people=None, workers=2)
    some = load_dataset(str(kdef_folder), people=None, workers=2, views=("S", "HL"))
    assert set(some.manifest.table["view"]) == {"S", "HL"}
    assert len(some.manifest) == 112
    assert some.manifest.people == whole.manifest.people
    assert some.manifest.hash != whole.manifest.hash


@pytest.mark.parametrize("views", [("X",), ("S", "HLL"), ("left",)])
def test_a_view_that_no_picture_shows_is_refused(kdef_folder, views):
    """An unknown view is a mistake, named with the views that there are."""
    with pytest.raises(UserError, match="they have FL, FR, HL, HR, S"):
        load_dataset(str(kdef_folder), people=None, workers=2, views=views)


def test_the_strict_list_leaves_out_its_78(kdef_folder):
    """``strict`` leaves out, with the reason, exactly the listed pictures that are there."""
    loose = load_dataset(str(kdef_folder), people=None, workers=2)
    strict = load_dataset(str(kdef_folder), people=None, workers=2, strict=True)
    gone = set(loose.manifest.table["image"]) - set(strict.manifest.table["image"])
    assert gone == set(loose.manifest.table["image"]) & STRICT
    assert gone
    assert {e.file.split("/")[-1].removesuffix(".JPG") for e in strict.manifest.excluded} == gone
    assert len(STRICT) == 78


def test_the_strict_list_holds_for_rendered_faces_too():
    """The built-in rendered faces stand under KDEF's names, and so does the list."""
    assert len(load_dataset("synthetic", people=None, workers=1, strict=True).manifest) == 4900 - 78


def test_crop_is_the_layouts_unless_asked_for(kdef_folder, tmp_path):
    """KDEF is cut by fixed boxes, other data are not; an option overrides either."""
    write_jaffe(tmp_path)
    assert load_dataset(str(kdef_folder), people=None, workers=2).crop == "fixed"
    assert load_dataset(str(kdef_folder), people=None, workers=2, crop="none").crop == "none"
    assert load_dataset(str(tmp_path), people=None, workers=2).crop == "none"
    assert load_dataset(str(tmp_path), people=None, workers=2, crop="detect").crop == "detect"
    with pytest.raises(UserError, match="expected fixed, detect, none"):
        load_dataset(str(tmp_path), people=None, workers=2, crop="tight")


def test_a_quick_run_without_people_takes_images_of_every_class_and_part(tmp_path):
    """Where identities are not given a quick run takes images evenly over classes and parts, always the same ones."""
    write_fer2013(tmp_path)
    dataset = load_dataset(str(tmp_path), people=None, workers=2)
    assert load_dataset(str(tmp_path), people=1, workers=2).manifest.hash == dataset.manifest.hash
    chosen = choose_images(dataset.manifest, 21)
    assert chosen == choose_images(dataset.manifest, 21)
    table = dataset.manifest.where("image", chosen).table
    assert len(table) == 21
    assert table.groupby(["label", "split"]).size().eq(1).all()


def test_a_quick_run_never_cuts_a_sequence(tmp_path):
    """Groups of pictures taken in one go are taken whole, as many as it takes to reach the number asked for."""
    manifest = load_dataset(WRITERS["kaggle-kdef"](tmp_path), people=None, workers=2).manifest
    some = manifest.where("image", choose_images(manifest, 30))
    assert len(some) == 42
    assert some.table.groupby("sequence").size().eq(21).all()


def test_a_quick_run_says_how_many_pictures_it_takes(tmp_path, monkeypatch):
    """What a quick run leaves aside stands in the notice that the report prints."""
    monkeypatch.setattr("fer_bench.data.datasets._IMAGES_A_PERSON", 21)
    dataset = load_dataset(str(write_fer2013(tmp_path)), people=1, workers=2)
    assert len(dataset.manifest) == 21
    assert dataset.notice.endswith("A quick run takes 21 of the 42 pictures.")


def test_a_quick_run_takes_those_with_most_images_where_sex_is_not_told(tmp_path):
    """CK+ has people with a single sequence: those with more come first."""
    write_ckplus(tmp_path)
    whole = load_dataset(str(tmp_path), people=None, workers=2).manifest.table.groupby("subject").size()
    chosen = load_dataset(str(tmp_path), people=2, workers=2).manifest.people
    assert len(chosen) == 2
    assert whole[chosen].min() >= whole.drop(chosen).max()
