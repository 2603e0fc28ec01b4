"""The gallery is a local page of pictures, written only where it is asked for and only of the run's own data."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from simulate import PERSON, Simulation, write_run
from typer.testing import CliRunner

from fer_bench.cli.app import app
from fer_bench.errors import UserError
from fer_bench.report import write_gallery

METHODS = ("linear_svc-lbp", "knn-pixels")
SMALL = Simulation(people=2, sessions=1, views=("S",), folds=2, methods=METHODS, protocols=(PERSON,), curves=False)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run whose first two images all methods misclassify, and the pictures that it read."""
    folder = write_run(tmp_path / "run", SMALL)
    table = pd.read_parquet(folder / "predictions.parquet")
    missed = sorted(table["image"].unique())[:2]
    wrong = table["label"].map(lambda code: "SU" if code != "SU" else "HA")
    table["predicted"] = wrong.where(table["image"].isin(missed), table["label"])
    table["image"] = table["image"].str.removesuffix(".JPG")
    table.to_parquet(folder / "predictions.parquet", index=False)
    data = tmp_path / "my pictures"
    data.mkdir()
    for image in table["image"].unique():
        noise = np.random.default_rng(sum(image.encode())).integers(0, 255, (76, 56, 3), dtype=np.uint8)
        Image.fromarray(noise).save(data / f"{image}.JPG")
    info = json.loads((folder / "run.json").read_text())
    info["command"] = f"fer-bench run --data '{data}'"
    info["dataset"]["notice"] = "KDEF may not be redistributed <in any form>."
    (folder / "run.json").write_text(json.dumps(info))
    return folder


def test_pictures_come_from_where_the_run_read_them(run: Path) -> None:
    """The two missed images are shown with name and wrong answer, behind a notice and the data's own."""
    page = write_gallery(run)
    text = page.read_text(encoding="utf-8")
    assert page == run / "gallery.html"
    assert text.count("<img ") == text.count("data:image/jpeg;base64,") == 2
    assert "Do not publish it" in text
    assert "KDEF may not be redistributed &lt;in any form&gt;." in text
    assert "most often misclassified as surprised (2 of 2 methods)" in text
    assert str(run.parent) not in text


def test_only_the_option_writes_it(run: Path) -> None:
    """`report` alone writes no picture; with --gallery it writes the page beside the report."""
    runner = CliRunner()
    assert runner.invoke(app, ["report", str(run)]).exit_code == 0
    assert not (run / "gallery.html").exists()
    found = runner.invoke(app, ["report", str(run), "--gallery"])
    assert found.exit_code == 0, found.output
    assert (run / "gallery.html").exists()
    assert "base64" not in (run / "report.html").read_text(encoding="utf-8")


def test_pictures_that_moved_are_found_with_data(run: Path) -> None:
    """Where the folder is gone one sentence asks for `data`, and with it the page is written."""
    data = run.parent / "my pictures"
    moved = data.rename(run.parent / "moved")
    with pytest.raises(UserError, match="say where they are with `data`"):
        write_gallery(run)
    assert write_gallery(run, str(moved)).exists()


def test_other_data_are_refused(run: Path) -> None:
    """Pictures that lack an image, or call it something else, are not shown as the run's."""
    data = run.parent / "my pictures"
    first = sorted(data.iterdir())[0]
    kept = first.read_bytes()
    first.unlink()
    with pytest.raises(UserError, match="does not hold"):
        write_gallery(run)
    first.write_bytes(kept)
    table = pd.read_parquet(run / "predictions.parquet")
    image = first.stem
    table.loc[table["image"] == image, "label"] = "HA"
    table.to_parquet(run / "predictions.parquet", index=False)
    with pytest.raises(UserError, match="other pictures"):
        write_gallery(run)


def test_one_method_has_no_gallery(tmp_path: Path) -> None:
    """Of one method it cannot be said what all miss."""
    folder = write_run(tmp_path / "run", Simulation(people=2, sessions=1, folds=2, methods=METHODS[:1], curves=False))
    with pytest.raises(UserError, match="fewer than two"):
        write_gallery(folder)


def test_a_place_without_gallery_is_a_mistake(run: Path) -> None:
    """--data without --gallery is refused: it would do nothing."""
    found = CliRunner().invoke(app, ["report", str(run), "--data", "x"])
    assert isinstance(found.exception, UserError)


def test_a_page_of_somebody_else_stays(run: Path) -> None:
    """A file of that name that is no gallery is not written over; a gallery is."""
    (run / "gallery.html").write_text("<p>mine</p>")
    with pytest.raises(UserError, match="which would be lost"):
        write_gallery(run)
    assert (run / "gallery.html").read_text() == "<p>mine</p>"
    (run / "gallery.html").unlink()
    assert write_gallery(run).read_bytes() == write_gallery(run).read_bytes()
