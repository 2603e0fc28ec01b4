"""Killed at any moment, a run loses nothing that was finished, computes nothing twice, and leaves no litter."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import psutil
import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="kills, and looks for orphans, as Linux does")

HOOK = Path(__file__).parent / "chaos"
MAIN = "from fer_bench.cli.app import main; main()"
SUITE = ["run", "--suite", "classical", "--only", "[lg][dn][ab]-*", "--workers", "2", "--out", "r"]

MEASURED = ["fit_seconds", "predict_seconds", "prepare_seconds", "cpu_seconds", "peak_rss_mb"]
"""Columns of trials.csv that two undisturbed runs do not agree on, either."""
OF_THE_CALL = {"started", "finished", "elapsed_seconds", "phase_seconds", "forecast", "code", "libraries"}
"""Keys of run.json that tell when, how long, by which commit, and what had been loaded by then."""
FORESEEN = ("predicted_seconds", "predicted_from")
"""Keys of its plan that follow from what this machine has measured so far."""


@dataclass
class Place:
    """A folder with a run and a cache of its own, and the processes that work there."""

    folder: Path
    data: Path
    kills: int = 0
    told: list[str] = field(default_factory=list)

    @property
    def out(self) -> Path:
        return self.folder / "r"

    def start(self, **more: str) -> subprocess.Popen:
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = {
            **os.environ,
            "FER_BENCH_CACHE": str(self.folder / "cache"),
            "CHAOS_PLACE": str(self.folder),
            **more,
        }
        with open(self.folder / "said.txt", "w") as said:
            return subprocess.Popen(
                [sys.executable, "-P", "-c", MAIN, *SUITE, "--data", str(self.data)],
                env=environment,
                cwd=self.folder,
                stdout=subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )

    def finish(self, process: subprocess.Popen) -> None:
        """Wait for a call to end by itself; every trial is well."""
        code = process.wait(timeout=300)
        said = (self.folder / "said.txt").read_text()
        assert code == 0, said
        assert "Traceback" not in said

    def processes(self) -> list[psutil.Process]:
        """All that any call here has started and that still lives."""
        found = []
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("CHAOS_PLACE") == str(self.folder)
                if mine and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except (psutil.Error, OSError):
                continue
        return found

    def wait_for_orphans(self) -> None:
        """What a killed driver had started ends by itself."""
        end = time.monotonic() + 20
        while left := self.processes():
            assert time.monotonic() < end, f"orphans: {[p.cmdline() for p in left]}"
            time.sleep(0.05)

    def complete(self) -> dict[str, tuple[int, int]]:
        """Inode and time of every complete trial's record and predictions."""
        found = {}
        for record in self.out.glob("trials/*/trial.json"):
            if json.loads(record.read_text())["state"] == "ok":
                for file in (record, record.with_name("predictions.npz")):
                    found[f"{record.parent.name}/{file.name}"] = (file.stat().st_ino, file.stat().st_mtime_ns)
        return found


def kill_at_random(place: Place, rng: random.Random, seconds: float) -> bool:
    """Start a call and kill in it at random; False where it came to its end all the same.

    Half of the calls have a process that dies around a rename; in all of them workers, and at last the driver, are
    killed after random times.
    """
    counter = place.folder / "renames"
    counter.unlink(missing_ok=True)
    chaos = {}
    if rng.random() < 0.5:
        path = os.pathsep.join(filter(None, [str(HOOK), os.environ.get("PYTHONPATH")]))
        chaos = {"PYTHONPATH": path, "CHAOS_COUNTER": str(counter), "CHAOS_AT": str(rng.randint(1, 25))}
        chaos |= {"CHAOS_AFTER": "1"} if rng.random() < 0.3 else {}
    driver = place.start(**chaos)
    targets = [*(["worker"] * rng.choice([0, 1, 2])), "driver"]
    told = []
    for target in targets:
        end = time.monotonic() + rng.uniform(0.2, seconds) / len(targets)
        while time.monotonic() < end and driver.poll() is None:
            time.sleep(0.005)
        victims = [driver.pid] if target == "driver" else workers(driver)
        if victims and driver.poll() is None:
            os.kill(rng.choice(victims), signal.SIGKILL)
            told.append(target)
    code = driver.wait(timeout=300)
    if chaos and counter.exists() and counter.stat().st_size >= int(chaos["CHAOS_AT"]):
        told.append(f"rename {chaos['CHAOS_AT']}{' after' if 'CHAOS_AFTER' in chaos else ''}")
    place.kills += len(told)
    place.told.append(f"{' + '.join(told) or 'none'} (exit {code})")
    return code == -signal.SIGKILL


def workers(driver: subprocess.Popen) -> list[int]:
    try:
        children = psutil.Process(driver.pid).children()
        return [child.pid for child in children if any("spawn_main" in part for part in child.cmdline())]
    except psutil.Error:
        return []


STAMPS = re.compile(r"stamps(/[0-9a-f]{20}\.(json|lock))?")
"""When pictures were last seen unchanged: kept only of pictures that are some seconds old, so of none in a fast run."""


def names(folder: Path) -> set[str]:
    """All files, but for what methods print, and what depends on the age of the pictures alone."""
    found = {p.relative_to(folder) for p in folder.rglob("*")}
    return {str(p) for p in found if "logs" not in p.parts and not STAMPS.fullmatch(p.as_posix())}


def report(run: Path, scratch: Path) -> dict[str, bytes]:
    """Every file of the report of a run, had all its measured times been one, and all its calls been now."""
    copy = scratch / "r"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(run, copy, ignore=shutil.ignore_patterns("trials", "logs", "report.*", "tables", "figures"))
    (copy / "events.jsonl").unlink()
    trials = pd.read_csv(copy / "trials.csv", keep_default_na=False)
    trials[MEASURED] = 1.0
    trials.to_csv(copy / "trials.csv", index=False)
    info = json.loads((copy / "run.json").read_text())
    for trial in info["plan"]:
        for name in FORESEEN:
            trial.pop(name, None)
    (copy / "run.json").write_text(json.dumps({k: v for k, v in info.items() if k not in OF_THE_CALL}, sort_keys=True))
    done = subprocess.run(
        [sys.executable, "-P", "-c", MAIN, "report", "r"], cwd=scratch, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return {str(p.relative_to(copy)): p.read_bytes() for p in copy.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def calm(kdef_folder, tmp_path_factory) -> tuple[Place, float, dict[str, bytes]]:
    """An undisturbed run, how long it took, and its report."""
    place = Place(tmp_path_factory.mktemp("calm"), kdef_folder)
    begun = time.monotonic()
    place.finish(place.start())
    return place, time.monotonic() - begun, report(place.out, tmp_path_factory.mktemp("calm_report"))


def check_after_rerun(place: Place, calm: tuple[Place, float, dict[str, bytes]], scratch: Path) -> None:
    """One plain rerun: nothing complete is computed again, and all is as in the undisturbed run."""
    undisturbed, _, expected = calm
    place.wait_for_orphans()
    before = place.complete()
    place.finish(place.start())
    place.wait_for_orphans()
    after = place.complete()
    assert before.items() <= after.items(), "a complete trial was computed again"
    assert len(after) == 2 * 24
    for part in ("r", "cache"):
        assert names(place.folder / part) == names(undisturbed.folder / part)
    same = ["predictions.parquet", "manifest.csv", *(f"folds/{file.name}" for file in (place.out / "folds").iterdir())]
    for name in same:
        assert (place.out / name).read_bytes() == (undisturbed.out / name).read_bytes(), name
    found = report(place.out, scratch)
    assert found.keys() == expected.keys()
    told, foreseen = (json.loads(files["run.json"]) for files in (found, expected))
    assert {key: (told[key], foreseen[key]) for key in told if told[key] != foreseen[key]} == {}
    assert [name for name in found if found[name] != expected[name]] == []


def chaos(n_kills: int, calm: tuple[Place, float, dict[str, bytes]], folder: Path) -> None:
    seed = int(os.environ.get("FER_BENCH_CHAOS_SEED", "20261123"))
    rng = random.Random(seed)
    data, seconds = calm[0].data, calm[1]
    kills = number = 0
    while kills < n_kills:
        number += 1
        place = Place(folder / f"place-{number}", data)
        try:
            before: dict[str, tuple[int, int]] = {}
            while kills + place.kills < n_kills and len(place.told) < 8:  # where the machine slows down none may end
                killed = kill_at_random(place, rng, seconds)
                place.wait_for_orphans()
                now = place.complete()
                assert before.items() <= now.items(), "a complete trial was computed again, or lost"
                before = now
                if not killed:
                    break
            check_after_rerun(place, calm, folder)
        finally:
            print(f"FER_BENCH_CHAOS_SEED={seed}, place {number}:", *place.told, sep="\n  ")  # noqa: T201
            for process in place.processes():
                process.kill()
        kills += place.kills
        shutil.rmtree(place.folder)


@pytest.mark.slow
def test_ten_kills_and_a_rerun_equal_an_undisturbed_run(calm, tmp_path):
    """Driver, workers and writers killed at random: one rerun gives the undisturbed run's figures to the bit, computes
    no complete trial again, and leaves no file or process that an undisturbed run would not."""
    chaos(10, calm, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_hundred_kills_and_reruns_equal_an_undisturbed_run(calm, tmp_path):
    """The same with a hundred kills."""
    chaos(100, calm, tmp_path)
