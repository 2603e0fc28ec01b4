"""Whether faces are cut out is chosen by looking: whole portraits are, faces that fill the frame are not."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench.data.datasets import load_dataset
from fer_bench.data.images.crop import cut
from fer_bench.data.images.detect import Detector, Face, find_detector
from fer_bench.data.images.look import FILLED, LOOKED_AT, choose_crop
from fer_bench.data.images.pictures import decode
from fer_bench.data.manifest import Dataset, as_manifest
from fer_bench.labels import EMOTIONS
from fer_bench.methods import source_hashes
from fer_bench.plan.plan import make_plan
from fer_bench.plan.request import Request
from fer_bench.runner.describe import describe

WIDTH, HEIGHT = 60, 80


def dataset_of(n: int) -> Dataset:
    """A set of ``n`` blank pictures, whose first two pixels tell which one each is."""
    rows = [
        {"image": f"i{i}", "file": f"f{i}", "label": EMOTIONS[i % 7], "sha256": f"{i:064d}", "subject": f"p{i % 5}"}
        for i in range(n)
    ]

    def pictures(manifest, _):
        for file in manifest.table["file"]:
            picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            picture[0, :2, 0] = divmod(int(file[1:]), 256)
            yield picture

    return Dataset("set", as_manifest(rows, [], "set"), "", "set", rendered=False, crop="", pictures=pictures)


def detector_of(shares, name="yunet") -> Detector:
    """A detector that finds in picture ``i`` a face of ``shares[i]`` of the longer side, and none where it is None."""

    def find(picture):
        share = shares[int(picture[0, 0, 0]) * 256 + int(picture[0, 1, 0])]
        return None if share is None else Face(0, 0, 0.5 * share * HEIGHT, share * HEIGHT, name)

    return Detector(name, "0" * 64, find)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.05, 1.1), min_size=2, max_size=LOOKED_AT), st.sampled_from(sorted(FILLED)))
def test_the_middle_face_decides(shares, name):
    """Faces are cut out if and only if the median face fills less of the frame than the detector's limit."""
    chosen = choose_crop(dataset_of(len(shares)), detector_of(shares, name))
    assert chosen.share == pytest.approx(np.median(shares))
    assert chosen.crop == ("detect" if chosen.share < FILLED[name] else "none")
    assert (chosen.looked, chosen.found) == (len(shares), len(shares))
    assert f"{100 * chosen.share:.0f} %" in chosen.sentence


@settings(max_examples=30, deadline=None)
@given(st.integers(2, 60), st.integers(0, 25))
def test_too_few_faces_decide_nothing(n, found):
    """Where a face is found in fewer than a third of the pictures nothing is cut out, and the sentence says why."""
    shares = [0.4 if i < found else None for i in range(n)]
    chosen = choose_crop(dataset_of(n), detector_of(shares))
    assert chosen.looked == min(n, LOOKED_AT)
    told = 3 * chosen.found >= chosen.looked and chosen.found > 0
    assert chosen.crop == ("detect" if told else "none")
    assert ("too few to tell" in chosen.sentence) == (not told)


@settings(max_examples=20, deadline=None)
@given(st.permutations(range(80)))
def test_order_and_names_choose_nothing(order):
    """The same pictures in another order under other names give the same sample, and so the same choice."""
    whole = dataset_of(80)
    shares = list(np.random.default_rng(3).uniform(0.3, 1.1, 80))
    table = whole.manifest.table.iloc[list(order)].reset_index(drop=True)
    table["image"] = [f"n{i}" for i in range(80)]
    other = replace(whole, manifest=replace(whole.manifest, table=table))
    assert choose_crop(other, detector_of(shares)) == choose_crop(whole, detector_of(shares))


@pytest.mark.parametrize("weights", ["weights", None])
def test_portraits_are_cut_and_what_was_cut_is_not(shared, weights, monkeypatch):
    """Of real portraits, whole and cut out before at several sizes, both detectors tell which are whole."""
    monkeypatch.delenv("FER_BENCH_WEIGHTS", raising=False)
    detector = find_detector(shared / weights if weights else None)
    assert detector.name == ("yunet" if weights else "haar")
    whole = [decode(file.read_bytes()) for file in sorted((shared / "photos").glob("*.jpg"))]
    faces = [cut(picture, "", "detect", detector) for picture in whole]
    for pictures, crop in ((whole, "detect"), (faces, "none")):
        dataset = dataset_of(len(whole))
        shown = replace(dataset, pictures=lambda manifest, _, p=pictures: (p[int(f[1:])] for f in manifest.table.file))
        chosen = choose_crop(shown, detector)
        assert chosen.crop == crop, chosen
        assert chosen.found > 20


def portraits(shared: Path, folder: Path) -> Path:
    """Real portraits under names of JAFFE's: twelve people take the places of ten women."""
    (folder / "jaffe").mkdir(parents=True)
    for i, file in enumerate(sorted((shared / "photos").glob("*.jpg"))[:20]):
        woman = ("KA", "KL", "KM", "KR", "MK", "NA", "NM", "TM", "UY", "YM")[i // 2]
        code = "HA" if "smiling" in file.name else "NE"
        (folder / "jaffe" / f"{woman}.{code}1.{i + 1}.jpg").write_bytes(file.read_bytes())
    return folder


def test_a_set_of_portraits_is_cut_unless_asked_otherwise(shared, tmp_path, kdef_folder):
    """JAFFE's names on whole portraits default to detect, told and recorded; an explicit crop wins; KDEF is fixed."""
    folder = portraits(shared, tmp_path / "data")
    looked = load_dataset(folder, workers=1)
    assert (looked.layout, looked.crop, looked.crop_choice.crop) == ("jaffe", "detect", "detect")
    for crop in ("none", "detect"):
        asked = load_dataset(folder, workers=1, crop=crop)
        assert (asked.crop, asked.crop_choice) == (crop, None)
    kdef = load_dataset(kdef_folder, workers=1)
    assert (kdef.crop, kdef.crop_choice) == ("fixed", None)
    fewer = load_dataset(folder, workers=1, people=2)
    assert fewer.crop_choice == looked.crop_choice


def test_the_choice_is_in_notes_and_in_run_json(shared, tmp_path):
    """A plan says in one line what was seen and chosen, and run.json records it."""
    folder = portraits(shared, tmp_path / "data")
    plan = make_plan(Request(data=str(folder), suite="classical", only=("knn-pixels",), workers=1), fetch=False)
    (note,) = (note for note in plan.notes if "pictures looked at" in note)
    assert note.startswith("Faces are found and cut out, as these are whole portraits")
    from fer_bench.plan.forecast import forecast

    dataset = describe(plan, forecast(plan), source_hashes(trial.spec for trial in plan.trials))["dataset"]
    assert dataset["crop"] == "detect"
    assert dataset["crop_choice"]["sentence"] == note
    assert dataset["crop_choice"]["looked"] == 20
    asked = make_plan(
        Request(data=str(folder), suite="classical", only=("knn-pixels",), workers=1, crop="none"), fetch=False
    )
    assert not any("looked at" in note for note in asked.notes)
    assert (
        describe(asked, forecast(asked), source_hashes(trial.spec for trial in asked.trials))["dataset"]["crop_choice"]
        is None
    )


def test_two_sets_that_were_looked_at_have_faces_of_one_size(shared, tmp_path):
    """Portraits joined to faces that were cut out before: a detector cuts both, and the reader is told."""
    from layouts import write_fer2013

    folder, other = portraits(shared, tmp_path / "data"), write_fer2013(tmp_path / "other")
    joined = load_dataset(other, test_data=folder, workers=1)
    assert joined.crop == "detect"
    assert any("both found and cut out" in note for note in joined.notes)
