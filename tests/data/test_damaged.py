"""Three hundred damaged files: each bad one is named, each good one is used, nothing else happens."""

import json
import sys
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from damage import damage, is_sound

from fer_bench.data.layouts.kdef import read_kdef

EVIL = ("../evil.JPG", "../../BF01NES.JPG", "/tmp/evil/BF01NES.JPG", "C:\\evil\\BF01NES.JPG", "KDEF/../../../x.JPG")


@pytest.fixture(scope="module")
def damaged_folder(tmp_path_factory, write_faces) -> Path:
    """Ten people, 700 pictures in KDEF's names, 300 of them damaged; links and a pipe beside them."""
    home = tmp_path_factory.mktemp("outer") / "data"
    write_faces(home, people=10)
    secret = home.parent / "AF35NES.JPG"
    secret.write_bytes((home / "KDEF" / "AF01" / "AF01NES.JPG").read_bytes())
    damage(sorted(home.rglob("*.JPG")), seed=20210426)
    if sys.platform != "win32":
        (home / "AF35NES.JPG").symlink_to(secret)
        (home / "AF34NES.JPG").symlink_to("/dev/zero")
        (home / "KDEF" / "again").symlink_to(home)
    return home


@pytest.fixture(scope="module")
def sound(damaged_folder) -> set[str]:
    """Names of the pictures that Pillow alone finds sound."""
    files = [path for path in damaged_folder.rglob("*.JPG") if not path.is_symlink()]
    found = {path.relative_to(damaged_folder).as_posix() for path in files if is_sound(path)}
    assert len(files) == 700
    assert 400 < len(found) < 500  # the 400 untouched ones, and those that flips did not harm or that were renamed
    return found


def everything(folder: Path) -> dict[str, int]:
    return {str(p): p.lstat().st_mtime_ns for p in sorted(folder.rglob("*")) if "cache" not in p.parts}


@pytest.mark.timeout(120)
def test_each_bad_file_is_named_and_each_good_one_is_used(damaged_folder, sound):
    """The audit and an independent strict decoder agree on all 700 files; links are named, none is followed."""
    before = everything(damaged_folder.parent)
    dataset = read_kdef(damaged_folder, 2)
    manifest = dataset.manifest
    assert set(manifest.table["file"]) == sound
    reasons = {e.file: e.reason for e in manifest.excluded}
    links = {"AF35NES.JPG", "AF34NES.JPG", "KDEF/again"} if sys.platform != "win32" else set()
    bad = {p.relative_to(damaged_folder).as_posix() for p in damaged_folder.rglob("*.JPG")} - sound
    assert reasons.keys() == bad | links
    assert all(reason and "\n" not in reason and " at 0x" not in reason for reason in reasons.values())
    pictures = list(dataset.pictures(manifest, 2))
    assert len(pictures) == len(sound)
    assert min(min(p.shape[:2]) for p in pictures) >= 32
    assert everything(damaged_folder.parent) == before


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", ["zip", "tgz"])
def test_an_archive_of_them_with_members_that_lead_outside(damaged_folder, sound, tmp_path, kind):
    """From an archive the same files are used and named, evil members are named too, and nothing is written."""
    home = tmp_path / "inner" / "home"
    home.mkdir(parents=True)
    path = home / f"faces.{kind}"
    good = (damaged_folder / sorted(sound)[0]).read_bytes()
    evil = home.parent / "payload"
    evil.write_bytes(good)
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in damaged_folder.rglob("*.JPG"):
                if not file.is_symlink():
                    archive.write(file, file.relative_to(damaged_folder))
            for name in EVIL:
                archive.writestr(name, good)
    else:
        with tarfile.open(path, "w:gz") as archive:
            archive.add(damaged_folder / "KDEF", "KDEF", filter=lambda m: None if m.issym() else m)
            for name in EVIL:
                member = archive.gettarinfo(str(evil), name)
                member.name = name
                with open(evil, "rb") as handle:
                    archive.addfile(member, handle)
    before = everything(tmp_path)
    manifest = read_kdef(path, 2).manifest
    assert set(manifest.table["file"]) == sound
    assert sum("outside" in e.reason for e in manifest.excluded) == len(EVIL)
    assert len(manifest.excluded) == 700 - len(sound) + len(EVIL)
    assert everything(tmp_path) == before


@pytest.mark.timeout(300)
def test_the_command_line_stands_them(damaged_folder, sound, cli, tmp_path):
    """`data inspect` names every bad file; `run` trains and tests on all good ones; no traceback, nothing outside."""
    before = everything(damaged_folder.parent)
    told = cli("data", "inspect", damaged_folder, "--all")
    assert f"{len(sound)} usable images" in told.stdout
    bad = {p.relative_to(damaged_folder).as_posix() for p in damaged_folder.rglob("*.JPG")} - sound
    assert not [name for name in bad if name not in told.stdout]
    arguments = ["--only", "knn-pixels", "--protocol", "subject-10fold", "--profile", "full", "--suite", "classical"]
    cli("run", "--data", damaged_folder, *arguments, "--out", tmp_path / "out", "--workers", 1)
    record = json.loads((tmp_path / "out" / "run.json").read_text())
    assert record["dataset"]["n_images"] == len(sound)
    assert bad <= {e["file"] for e in record["dataset"]["excluded"]}
    tested = [np.load(file)["proba"] for file in (tmp_path / "out").rglob("predictions.npz")]
    assert sum(map(len, tested)) == len(sound)
    assert everything(damaged_folder.parent) == before
