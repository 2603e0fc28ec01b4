"""The renderer's public functions: names, pixels that repeat, truth, files."""

import csv
import hashlib
import platform
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

from fer_bench.data.render import (
    RENDERER_VERSION,
    portrait_names,
    render_many,
    render_portrait,
    render_truth,
    write_kdef,
)
from fer_bench.errors import InputError

SIZE = (84, 114)


def digest(pictures):
    return hashlib.sha256(b"".join(p.tobytes() for p in pictures)).hexdigest()


@pytest.mark.parametrize("n", [1, 2, 7, 70])
def test_names_are_sorted_kdef_names(n):
    """n people have 70 n distinct, sorted names in KDEF's grammar, women and men in turn."""
    names = portrait_names(n)
    assert len(set(names)) == 70 * n
    assert names == sorted(names)
    assert all(re.fullmatch(r"[AB][FM](0[1-9]|[12]\d|3[0-5])(AF|AN|DI|HA|NE|SA|SU)(FL|HL|S|HR|FR)", x) for x in names)
    women = {x[1:4] for x in names if x[1] == "F"}
    assert len(women) == (n + 1) // 2


def test_pixels_do_not_depend_on_what_was_rendered_before():
    """A portrait is the same array first in the process, after others, and from render_many."""
    names = ["AF01NES", "BM02HAHL", "AF01SUFR"]
    alone = {n: render_portrait(n, size=SIZE) for n in names}
    for name, picture in render_many([*names, *names[::-1]], size=SIZE):
        np.testing.assert_array_equal(picture, alone[name])
        assert picture.shape == (SIZE[1], SIZE[0], 3)
        assert picture.dtype == np.uint8


def test_pixels_do_not_depend_on_workers():
    """Spawned workers give the pictures of one process, in the order of the names."""
    names = portrait_names(2)[::3]
    one = list(render_many(names, size=SIZE))
    two = list(render_many(names, size=SIZE, workers=2))
    assert [n for n, _ in two] == names
    assert digest(p for _, p in one) == digest(p for _, p in two)


def test_another_process_gives_the_same_pixels():
    """A fresh interpreter with another hash seed and thread count renders byte for byte the same."""
    code = (
        "import hashlib; from fer_bench.data.render import render_portrait; "
        f"print(hashlib.sha256(render_portrait('BF03DIHR', size={SIZE}, seed=5).tobytes()).hexdigest())"
    )
    env = {"PYTHONHASHSEED": "77", "OMP_NUM_THREADS": "2", "PATH": ""}
    other = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, env=env)
    assert other.stdout.strip() == digest([render_portrait("BF03DIHR", size=SIZE, seed=5)])


@pytest.mark.parametrize(
    ("a", "b"), [("AF01NES", "AF02NES"), ("AF01NES", "BF01NES"), ("AF01NES", "AF01SUS"), ("AF01NES", "AF01NEHL")]
)
def test_person_session_expression_and_view_change_the_picture(a, b):
    """Each part of the name shows in the pixels."""
    assert np.abs(render_portrait(a, size=SIZE).astype(int) - render_portrait(b, size=SIZE)).mean() > 1.0


def test_seed_changes_people():
    """Another seed draws other people."""
    assert digest([render_portrait("AF01NES", size=SIZE)]) != digest([render_portrait("AF01NES", size=SIZE, seed=1)])


@pytest.mark.parametrize("bad", ["AF01NE", "CF01NES", "AF36NES", "AF01NES.JPG", "af01nes", ""])
def test_bad_names_are_refused(bad):
    """A name outside the grammar raises InputError that shows the name."""
    with pytest.raises(InputError, match="portrait name"):
        render_portrait(bad)
    with pytest.raises(InputError, match="portrait name"):
        render_truth(bad)


def test_bad_arguments_are_refused_before_work():
    """Impossible numbers of people, sizes, seeds and workers raise InputError at the call."""
    with pytest.raises(InputError, match="n_people"):
        portrait_names(71)
    with pytest.raises(InputError, match="size"):
        render_portrait("AF01NES", size=(5, 5))
    with pytest.raises(InputError, match="seed"):
        render_portrait("AF01NES", seed=-1)
    with pytest.raises(InputError, match="workers"):
        render_many(["AF01NES"], workers=0)
    with pytest.raises(InputError, match="portrait name"):
        render_many(["AF01NES", "nobody"])


def test_written_set_is_kdef_shaped(tmp_path):
    """write_kdef leaves KDEF's folders of readable JPEGs near the rendered pixels, one row of truth each, a note."""
    calls = []
    root = write_kdef(
        tmp_path, n_people=1, size=(56, 76), workers=1, progress=lambda done, total: calls.append((done, total))
    )
    files = sorted(root.rglob("*.JPG"))
    assert [f.stem for f in files] == portrait_names(1)
    assert root == tmp_path / "KDEF"
    assert calls == [(i + 1, 70) for i in range(70)]
    picture = cv2.imread(str(root / "AF01" / "AF01HAS.JPG"))[:, :, ::-1].astype(int)
    assert np.abs(picture - render_portrait("AF01HAS", size=(56, 76))).mean() < 6
    with (tmp_path / "truth.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [r["name"] for r in rows] == portrait_names(1)
    note = (tmp_path / "README.txt").read_text(encoding="utf-8")
    assert f"version {RENDERER_VERSION}" in note
    assert "nothing about KDEF" in note
    assert not list(tmp_path.rglob("*.part"))


def test_import_is_light():
    """Importing the package imports neither OpenCV nor SciPy."""
    code = "import sys, fer_bench.data.render; print(sorted({'cv2', 'scipy', 'torch', 'sklearn'} & set(sys.modules)))"
    out = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="emulates an older x86 processor")
def test_an_older_processor_gives_the_same_pixels_within_one_level(tmp_path):
    """Without AVX2 and FMA in NumPy and OpenCV no grey level moves by more than one."""
    names = ["AF01NES", "BM02HAHL", "AF05SUFR"]
    out = tmp_path / "old.npy"
    code = (
        "import numpy as np; from fer_bench.data.render import render_portrait; "
        f"np.save({str(out)!r}, np.stack([render_portrait(n, size=(200, 271)) for n in {names}]))"
    )
    env = {
        "PATH": "",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX2 FMA3 AVX512F",
        "OPENCV_CPU_DISABLE": "AVX2,FMA3,AVX",
    }
    subprocess.run([sys.executable, "-P", "-c", code], check=True, env=env, capture_output=True)
    here = np.stack([render_portrait(n, size=(200, 271)) for n in names]).astype(int)
    assert np.abs(here - np.load(out)).max() <= 1
