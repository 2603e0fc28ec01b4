"""A simulated run that is held against its own expectation at once; tests spoil copies of both."""

import json
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from fer_bench.gate.check import GateVerdict, check_gate
from fer_bench.gate.expected import write_expected

sys.path[:0] = [str(Path(__file__).parents[1] / "report")]

PERSON, RANDOM = "subject-10fold", "random-10fold"
METHODS = ("knn-lbp", "lda-dwt", "cnn2-48")


@dataclass
class Case:
    """A run and its expectation, which differ in nothing."""

    run: Path
    file: Path

    def check(self, **options) -> GateVerdict:
        return check_gate(self.run, self.file, few_seeds=True, **options)

    def edit(self, change, *, run: bool = False) -> None:
        """Change what the expectation says, or run.json."""
        file = self.run / "run.json" if run else self.file
        value = json.loads(file.read_text())
        change(value)
        file.write_text(json.dumps(value))

    def turn(self, method: str, share: float, *, right: bool, protocol: str = PERSON) -> None:
        """Let a method answer a share of its images rightly, or wrongly, instead of as it did."""
        table = pd.read_parquet(self.run / "predictions.parquet")
        table["predicted"] = table["predicted"].astype(str)
        rows = table.index[(table["method"] == method) & (table["protocol"] == protocol)]
        wrong = table.loc[rows, "predicted"] != table.loc[rows, "label"].astype(str)
        rows = rows[wrong if right else ~wrong]
        rows = rows[: max(1, round(share * len(rows)))]
        labels = table.loc[rows, "label"].astype(str)
        table.loc[rows, "predicted"] = labels if right else ["AF" if one != "AF" else "AN" for one in labels]
        for name in (name for name in table if name.startswith("p_")):
            table.loc[rows, name] = (table.loc[rows, "predicted"] == name.removeprefix("p_")).astype("float32")
        table.to_parquet(self.run / "predictions.parquet")


@pytest.fixture(scope="session")
def _sound(tmp_path_factory) -> Case:
    from simulate import Simulation, write_run  # stands in the folder that is named above

    folder = tmp_path_factory.mktemp("simulated")
    chosen = Simulation(people=12, sessions=1, folds=2, methods=METHODS, protocols=(PERSON, RANDOM), epochs=2)
    write_run(folder / "r", chosen)
    write_expected(folder / "r", folder / "e.json", few_seeds=True)
    return Case(folder / "r", folder / "e.json")


@pytest.fixture
def case(_sound, tmp_path) -> Case:
    """A copy of both, to be spoilt."""
    shutil.copytree(_sound.run, tmp_path / "r")
    shutil.copy(_sound.file, tmp_path / "e.json")
    return Case(tmp_path / "r", tmp_path / "e.json")
