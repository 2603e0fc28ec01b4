"""Code may move between files, and no finished trial is thrown away for it."""

from pathlib import Path

import pytest

from fer_bench.methods import without_modules

METHOD = '''
from pathlib import Path

from sklearn.dummy import DummyClassifier


class Guess:
    def __init__(self, rule=None, random_state=0):
        self.rule, self.random_state = rule, random_state

    def fit(self, images, labels, *, groups=None):
        with open(Path(__file__).with_name("fitted"), "a") as log:
            print(len(images), file=log)
        self.inner_ = DummyClassifier(strategy="prior").fit(images.reshape(len(images), -1), labels)
        return self

    def predict_proba(self, images):
        return self.inner_.predict_proba(images.reshape(len(images), -1))


def rule():
    """What the method's parameter names."""
'''
CATALOGUE = """
from fer_bench import ImageSpec, MethodSpec

METHODS = [
    MethodSpec(
        name="guess", family="classical", factory="{module}:Guess", image=ImageSpec(32), version={version},
        params={{"rule": "{module}:rule"}},
    )
]
"""


def install(home: Path, module: str, version: int = 1) -> None:
    """Write a package whose method stands in a module of this name, and nowhere else."""
    for file in home.glob("*.py"):
        file.unlink()
    (home / f"{module}.py").write_text(METHOD)
    (home / "guess_catalogue.py").write_text(CATALOGUE.format(module=module, version=version))
    info = home / "guess-0.1.dist-info"
    info.mkdir(exist_ok=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: guess\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[fer_bench.methods]\nguess = guess_catalogue:METHODS\n")


@pytest.mark.slow
def test_a_factory_that_moves_to_another_file_recomputes_nothing(cli, kdef_folder, tmp_path):
    """A method whose module is renamed keeps its finished trials, until its version says that it is another one."""
    home = tmp_path / "package"
    home.mkdir()
    command = [
        "run",
        "--only",
        "guess",
        "--suite",
        "classical",
        "--data",
        kdef_folder,
        "--workers",
        "1",
        "--out",
        "out",
    ]

    def fits(module: str, version: int = 1) -> int:
        install(home, module, version)
        (home / "fitted").write_text("")
        cli(*command, PYTHONPATH=str(home))
        return len((home / "fitted").read_text().splitlines())

    first = fits("old_place")
    assert first
    assert fits("new_place") == 0
    assert fits("new_place", version=2) == first


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("package.module:thing", "thing"),
        ({"function": "a.b:learn", "epochs": 3}, {"function": "learn", "epochs": 3}),
        (("a:b", [1.5, None, "a:c"]), ["b", [1.5, None, "c"]]),
        ("C:/weights.pth", "C:/weights.pth"),
        ("linear: 3", "linear: 3"),
    ],
)
def test_modules_are_left_out_of_what_names_an_object_alone(value, expected):
    """``"module:object"`` becomes ``"object"`` at any depth; paths, numbers and other texts stay as they are."""
    assert without_modules(value) == expected
