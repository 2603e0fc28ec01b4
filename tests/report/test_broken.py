"""Whatever a run lacks, and whatever its names hold: a report that says so, or one clear sentence."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from simulate import PERSON, RANDOM, Simulation, write_run

from fer_bench.errors import UserError
from fer_bench.report import write_report

METHODS = ("linear_svc-lbp", "cnn2-48", "resnet18-entire")
SMALL = Simulation(people=5, sessions=1, folds=2, methods=METHODS, epochs=2)
TABLES = ("predictions.parquet", "watched.parquet")


def change(folder: Path, file: str, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    parquet = file.endswith("parquet")
    table = edit(pd.read_parquet(folder / file) if parquet else pd.read_csv(folder / file))
    (table.to_parquet if parquet else table.to_csv)(folder / file, index=False)


def change_info(folder: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    info = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    edit(info)
    (folder / "run.json").write_text(json.dumps(info), encoding="utf-8")


def opening(folder: Path) -> str:
    """What the Markdown says before the first table of figures."""
    return (folder / "report.md").read_text(encoding="utf-8").split("## Leaderboard")[0]


def nan_probabilities(folder: Path) -> None:
    strange = {"p_AF": np.float32("nan")}
    change(folder, TABLES[0], lambda t: t.assign(**strange).where(t["method"] == METHODS[0], t))


def no_surprise(folder: Path) -> None:
    for file in TABLES:
        change(folder, file, lambda t: t[t["label"] != "SU"])


def one_person(folder: Path) -> None:
    for file in TABLES:
        change(folder, file, lambda t: t.assign(subject="F01"))


def unwatched(folder: Path) -> None:
    (folder / "watched.parquet").unlink()


def all_failed(folder: Path) -> None:
    change(folder, "trials.csv", lambda t: t.assign(state="failed", reason="ValueError: <no>"))


def empty(folder: Path) -> None:
    change(folder, "trials.csv", lambda t: t.iloc[:0])
    for file in TABLES:
        (folder / file).unlink()


def lost_rows(folder: Path) -> None:
    change(folder, TABLES[0], lambda t: t.iloc[3:])


@pytest.mark.parametrize(
    ("breakage", "words"),
    [
        (nan_probabilities, "predictions hold probabilities that are no numbers (NaN), of linear_svc-lbp: log loss"),
        (no_surprise, f"{PERSON}: no test image shows surprised; figures of it are empty"),
        (one_person, "Only one person was tested: no interval over people"),
        (unwatched, "watched.parquet is missing or empty"),
        (all_failed, "No trial of this run has finished"),
        (empty, "No trial of this run has finished"),
        (lost_rows, f"linear_svc-lbp on fold 0 of {PERSON} has 105 test images in the one and 102 in the other"),
    ],
)
def test_what_a_run_lacks_is_said_first(tmp_path: Path, breakage: Callable[[Path], None], words: str) -> None:
    """The report of an odd run is written in every form, and its opening says what is odd."""
    folder = write_run(tmp_path / "run", SMALL)
    breakage(folder)
    write_report([folder])
    assert words in opening(folder)
    everything = json.loads((folder / "tables" / "report.json").read_text(encoding="utf-8"))
    assert words in " ".join([*everything["warnings"], *everything["headlines"]])


def test_a_sound_run_has_no_doubts(tmp_path: Path) -> None:
    """Nothing odd is claimed of a run that is whole."""
    write_report([write_run(tmp_path / "run", SMALL)])
    for word in ("NaN", "no test image shows", "one person", "missing or empty", "differ:"):
        assert word not in opening(tmp_path / "run")


def test_nan_probabilities_leave_accuracy_alone(tmp_path: Path) -> None:
    """Accuracy comes from the predicted class; only what needs probabilities is empty."""
    folder = write_run(tmp_path / "run", SMALL)
    write_report([folder])
    before = pd.read_csv(folder / "results.csv")
    nan_probabilities(folder)
    write_report([folder])
    after = pd.read_csv(folder / "results.csv")
    pd.testing.assert_series_equal(before["accuracy"], after["accuracy"])
    assert after.loc[after["method"] == METHODS[0], "log_loss"].isna().all()
    assert after.loc[after["method"] != METHODS[0], "log_loss"].notna().all()


def truncated(name: str) -> Callable[[Path], None]:
    def breakage(folder: Path) -> None:
        whole = (folder / name).read_bytes()
        (folder / name).write_bytes(whole[: len(whole) // 2])

    return breakage


def info_with(**parts: Any) -> Callable[[Path], None]:
    return lambda folder: change_info(folder, lambda info: info.update(parts))


def text_in(column: str) -> Callable[[Path], None]:
    return lambda folder: change(folder, "trials.csv", lambda t: t.assign(**{column: "soon"}))


@pytest.mark.parametrize(
    ("breakage", "words"),
    [
        (truncated("predictions.parquet"), r"predictions\.parquet cannot be read as Parquet .* again"),
        (truncated("watched.parquet"), r"watched\.parquet cannot be read as Parquet"),
        (truncated("run.json"), r"run\.json cannot be read as JSON"),
        (lambda folder: (folder / "trials.csv").write_text(""), r"trials\.csv cannot be read as CSV"),
        (lambda folder: (folder / "trials.csv").write_bytes(b"\xff\xfe\x00"), r"trials\.csv cannot be read as CSV"),
        (lambda folder: (folder / "predictions.parquet").unlink(), r"predictions\.parquet is missing"),
        (lambda folder: (folder / "run.json").write_text("[]"), "expected an object"),
        (info_with(dataset=[]), "dataset: expected an object, found \\[\\]"),
        (info_with(methods=["a"]), "methods: expected an object"),
        (info_with(protocols={PERSON: 3}), f"protocols, {PERSON}: expected an object, found 3"),
        (info_with(seed="soon"), "seed: expected a whole number, found 'soon'"),
        (info_with(dataset={"name": "KDEF"}), "dataset: n_images, n_people is missing"),
        (text_in("fit_seconds"), "expected a number in column fit_seconds, found 'soon' in row 1"),
        (text_in("fold"), "expected a whole number in column fold"),
        (text_in("threads"), "expected a number in column threads, found 'soon' in row 1"),
        (text_in("state"), "state 'soon' is none of"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, breakage: Callable[[Path], Any], words: str) -> None:
    """One sentence that names the file and what was found; no report is begun."""
    folder = write_run(tmp_path / "run", SMALL)
    breakage(folder)
    with pytest.raises(UserError, match=words) as raised:
        write_report([folder])
    assert str(folder) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not (folder / "report.html").exists()


@pytest.mark.parametrize("kind", ["file", "folder of a file"])
def test_a_place_that_cannot_hold_a_report(tmp_path: Path, kind: str) -> None:
    """--out that is a file is refused in words."""
    folder = write_run(tmp_path / "run", SMALL)
    (tmp_path / "file").write_text("mine")
    out = tmp_path / "file" if kind == "file" else tmp_path / "file" / "report"
    with pytest.raises((UserError, OSError)):
        write_report([folder], out)
    assert (tmp_path / "file").read_text() == "mine"


def test_files_of_others_in_the_folder_stay(tmp_path: Path) -> None:
    """What an earlier report wrote and this one does not is removed; nobody else's table or figure is."""
    folder = write_run(tmp_path / "run", SMALL)
    write_report([folder], tmp_path / "out")
    for mine in ("tables/mine.csv", "figures/mine.svg"):
        (tmp_path / "out" / mine).write_text("mine")
    assert (tmp_path / "out" / "tables" / f"leaderboard-{RANDOM}.csv").exists()
    for file in ("trials.csv", *TABLES):
        change(folder, file, lambda t: t[t["protocol"] == PERSON])
    write_report([folder], tmp_path / "out")
    assert not (tmp_path / "out" / "tables" / f"leaderboard-{RANDOM}.csv").exists()
    assert not (tmp_path / "out" / "tables" / f"leaderboard-{RANDOM}.tex").exists()
    for mine in ("tables/mine.csv", "figures/mine.svg"):
        assert (tmp_path / "out" / mine).read_text() == "mine"


@pytest.mark.parametrize(
    "simulation",
    [
        Simulation(people=3, sessions=1, folds=1, methods=METHODS[:1], protocols=(PERSON,), curves=False),
        Simulation(people=1, sessions=1, folds=2, methods=METHODS, protocols=(RANDOM,), epochs=1),
        Simulation(people=4, sessions=1, folds=2, methods=METHODS, states=dict.fromkeys(METHODS, "skipped")),
        Simulation(people=4, sessions=1, folds=2, methods=METHODS, states=dict.fromkeys(METHODS, "partial")),
        Simulation(people=4, sessions=1, folds=2, methods=METHODS, states=dict.fromkeys(METHODS, "oom"), rendered=True),
    ],
    ids=["one method on one fold", "one person", "all skipped", "all partial", "all out of memory"],
)
def test_small_runs_are_reported_in_every_form(tmp_path: Path, simulation: Simulation) -> None:
    """However little a run holds, all files are written and none holds a raw nan or None."""
    folder = write_run(tmp_path / "run", simulation)
    write_report([folder])
    for name in ("report.md", "summary.md"):
        assert not re.search(r"\bnan\b|\bNone\b", (folder / name).read_text(encoding="utf-8"))
    json.loads((folder / "tables" / "report.json").read_text(encoding="utf-8"), parse_constant=pytest.fail)
    for file in (folder / "figures").glob("*.svg"):
        ET.parse(file)


NASTY = "=cmd|'/C x'!A1<script>alert(1)</script>[x](http://evil)`*_~\\input{x}%$#&^{}\"\x07"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


@pytest.fixture(scope="module")
def nasty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose methods, protocols, people, images, reasons and dataset carry markup of every kind."""
    folder = write_run(tmp_path_factory.mktemp("runs") / "run", SMALL)
    names = {METHODS[0]: NASTY, METHODS[2]: "-" + NASTY, PERSON: NASTY + "/../../p", RANDOM: "+" + NASTY}
    for file in ("trials.csv", *TABLES, "curves.csv"):
        change(folder, file, lambda t: t.replace(names))
    for file in TABLES:
        change(
            folder,
            file,
            lambda t: t.assign(subject=t["subject"] + NASTY, view=t["view"] + NASTY, image=t["image"] + NASTY),
        )
    change(folder, "trials.csv", lambda t: t.assign(warnings=NASTY, device=NASTY))

    def edit(info: dict[str, Any]) -> None:
        for part in ("methods", "protocols"):
            info[part] = {names.get(key, key): value for key, value in info[part].items()}
        info["methods"][NASTY] |= {"family": NASTY, "reference": NASTY, "summary": NASTY, "params": {NASTY: NASTY}}
        info["protocols"][names[PERSON]] |= {"summary": NASTY, "balance": NASTY}
        info["dataset"] |= {"name": NASTY, "notice": NASTY, "crop": NASTY, "views": [NASTY]}
        info["machine"], info["command"], info["packages"] = {"cpu": NASTY}, NASTY, {NASTY: NASTY}
        info["notes"] = [NASTY, "half of a pair: \ud800"]

    change_info(folder, edit)
    write_report([folder])
    return folder


def test_names_run_nothing_in_the_page(nasty: Path) -> None:
    """No element and no handler comes from a name; the names are there to be read."""
    page = (nasty / "report.html").read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert tags.found.count("script") == 1 + page.count("data-draw=")
    assert not tags.handlers
    assert "alert(1)" in page
    assert "<script>alert" not in page


def test_names_are_no_markup_in_markdown(nasty: Path) -> None:
    """No tag, no link and no emphasis comes from a name."""
    for name in ("report.md", "summary.md"):
        text = (nasty / name).read_text(encoding="utf-8")
        bare = re.sub(r"`[^`\n]*`", "", re.sub(r"(?ms)^(```+).*?^\1$", "", text))
        assert "alert(1)" in bare
        assert "<script" not in bare
        assert "](http" not in bare


def test_names_are_no_formulas_in_tables(nasty: Path) -> None:
    """No cell of a CSV opens with what a spreadsheet would run."""
    cells = 0
    for file in [*(nasty / "tables").glob("*.csv"), nasty / "results.csv"]:
        for row in csv.reader(file.open(encoding="utf-8", newline="")):
            for cell in row:
                cells += 1
                if cell[:1] in tuple("=+-@\t\r"):
                    float(cell)
    assert cells > 1000


def test_names_are_no_commands_in_latex(nasty: Path) -> None:
    r"""No command but ours, no open group: \input of a name is printed, not run."""
    ours = re.compile(
        r"\\(textbackslash|textasciicircum|textasciitilde|textasciigrave|textless|textgreater|textbar|textquotedbl|"
        r"textquotesingle|texttt|times|pm|leq|geq|ldots|mu|to|begin|end|toprule|midrule|bottomrule|endhead|endlastfoot|"
        r"caption|label|centering|small|footnotesize|smallskip|par|begingroup|endgroup|usepackage|multicolumn)\b"
        r"|\\[\\{}$&#_%]"
    )
    for file in (nasty / "tables").glob("*.tex"):
        text = file.read_text(encoding="utf-8")
        bare = ours.sub("", text)
        assert "\\" not in bare, (file.name, bare[bare.index("\\") :][:40])
        body = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
        assert "%" not in body.replace(r"\%", "")
        assert body.replace(r"\{", "").count("{") == body.replace(r"\}", "").count("}")


def test_names_leave_files_where_they_belong(nasty: Path) -> None:
    """No table climbs out of its folder, no anchor is given twice, and figures are well-formed."""
    assert not list(nasty.parent.glob("*.csv"))
    ids = re.findall(r'\sid="([^"]*)"', (nasty / "report.html").read_text(encoding="utf-8"))
    assert len(ids) == len(set(ids))
    figures = list((nasty / "figures").glob("*.svg"))
    assert figures
    for file in figures:
        assert not [tag for tag in ET.parse(file).iter() if tag.tag.endswith("script")]


def test_half_of_a_pair_is_replaced(nasty: Path) -> None:
    """Signs that no file can hold are told by their number, and the rest of the text stays."""
    assert "half of a pair: \\\\ud800" in (nasty / "report.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_five_hundred_methods(tmp_path: Path) -> None:
    """A run of 500 methods is reported; the page stays below 20 MB."""
    methods = tuple(f"linear_svc{i}-lbp" for i in range(400)) + tuple(f"resnet18-m{i}" for i in range(100))
    simulation = Simulation(people=6, sessions=1, folds=2, methods=methods, protocols=(PERSON,), curves=False)
    page = write_report([write_run(tmp_path / "run", simulation)])
    assert page.stat().st_size < 20_000_000
    assert len(pd.read_csv(page.parent / "tables" / f"leaderboard-{PERSON}.csv")) == 500
