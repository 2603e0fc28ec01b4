"""What all tests share: a cache of their own, a small set of faces in KDEF's layout, and the optional shared folder."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from fer_bench.labels import EMOTIONS, VIEWS

sys.path.insert(0, str(Path(__file__).parent))

ROOT = Path(__file__).parents[1]
PLUGINS = ROOT / "tests" / "plugins"


def pytest_collection_finish() -> None:
    """Leave what was collected, hundreds of thousands of objects, out of every later search for garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    """Nothing is read from or left in the user's cache."""
    before = os.environ.get("FER_BENCH_CACHE")
    os.environ["FER_BENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    os.environ.pop("FER_BENCH_WEIGHTS", None)
    yield
    if before is None:
        del os.environ["FER_BENCH_CACHE"]
    else:
        os.environ["FER_BENCH_CACHE"] = before


def draw_face(label: int, person: int, view: int, session: int, width: int = 96, height: int = 130) -> np.ndarray:
    """Draw a picture whose label a simple classifier can learn and whose person shows: RGB (height, width, 3)."""
    rng = np.random.default_rng([label, person, view, session])
    picture = np.full((height, width, 3), 70 + 9 * person, dtype=np.uint8)
    angle = np.pi * label / len(EMOTIONS)
    middle = np.array([width * (0.5 + 0.06 * (view - 2)), height * 0.56])
    reach = np.array([np.cos(angle), np.sin(angle)]) * width * 0.24
    ends = [tuple(int(v) for v in middle + sign * reach) for sign in (-1, 1)]
    # Whose picture it is must show in shapes: by light alone one person's would be a brighter copy of another's.
    spots = np.random.default_rng(person).uniform((0.1, 0.15), (0.9, 0.32), (4, 2)) * (width, height)
    for x, y in spots.astype(int).tolist():
        cv2.circle(picture, (x, y), width // 16, color=(210, 220 - 10 * person, 220), thickness=-1)
    cv2.line(picture, *ends, color=(230, 220 - 10 * person, 200), thickness=7)
    noise = rng.normal(0, 6, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def write_faces(folder: Path, people: int = 4, views: tuple[str, ...] = VIEWS) -> Path:
    """Write small faces in KDEF's folders and names."""
    names = [f"{sex}{number:02d}" for number in range(1, people // 2 + 1) for sex in "FM"]
    for person, name in enumerate(names):
        for session, letter in enumerate("AB"):
            home = folder / "KDEF" / f"{letter}{name}"
            home.mkdir(parents=True, exist_ok=True)
            for label, code in enumerate(EMOTIONS):
                for view in views:
                    picture = draw_face(label, person, VIEWS.index(view), session)
                    cv2.imwrite(str(home / f"{letter}{name}{code}{view}.JPG"), picture[..., ::-1])
    return folder


@pytest.fixture(scope="session", name="write_faces")
def _write_faces():
    """Give tests the function that writes faces, to be called as ``write_faces(folder, people=4)``."""
    return write_faces


@pytest.fixture(scope="session")
def kdef_folder(tmp_path_factory) -> Path:
    """Four people, two sessions, seven expressions, five views: 280 small pictures."""
    return write_faces(tmp_path_factory.mktemp("faces"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of material that stands beside the project on its developers' machines."""
    folder = Path(os.environ.get("FER_BENCH_SHARED", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"needs the optional material in {folder.name}/ beside the project (or FER_BENCH_SHARED)")
    return folder


@pytest.fixture(scope="session")
def _started(_own_cache):
    """What forks for each command of `cli`; None where nothing can be forked."""
    if not hasattr(os, "pidfd_open"):
        yield None
        return
    from started import Started

    started = Started(_environment())
    yield started
    started.stop()


def _environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(PLUGINS), "COLUMNS": "100", **more}


@pytest.fixture
def cli(tmp_path, tmp_path_factory, _started):
    """Run the installed command line in a process of its own, in an empty folder, with the probe methods installed.

    A run has one worker unless it is told otherwise, since each takes three seconds to start.
    """

    def run(*arguments: object, expect: int | None = 0, **environment: str) -> subprocess.CompletedProcess:
        given, variables = [str(argument) for argument in arguments], _environment(**environment)
        if given[0] == "run" and not {"--workers", "--executor"} & set(given):
            given += ["--workers", "1"]
        if _started is not None and _started.can(variables):
            done = _started.run(given, tmp_path, variables, tmp_path_factory.mktemp("streams"), timeout=500)
        else:
            command = [sys.executable, "-P", "-c", "from fer_bench.cli.app import main; main()", *given]
            done = subprocess.run(
                command, capture_output=True, text=True, cwd=tmp_path, env=variables, timeout=500, check=False
            )
        assert expect is None or done.returncode == expect, done.stdout + done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done

    return run
