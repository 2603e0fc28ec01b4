"""The report says the same in all its forms, survives broken runs, and promises no more than a run supports."""

import json
import re
from collections.abc import Callable
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulate import PERSON, RANDOM, Simulation, write_run

from fer_bench.errors import UserError
from fer_bench.report import write_report

METHODS = ("linear_svc-lbp", "knn-pixels", "tree-dwt", "gnb-lbp", "cnn2-48", "resnet18-entire", "vgg16-dense")
STATES = {"knn-pixels": "partial", "tree-dwt": "failed", "vgg16-dense": "skipped", "gnb-lbp": "missing"}
QUICK = Simulation(
    people=7, sessions=1, folds=2, methods=METHODS, states=STATES, profile="quick", rendered=True, epochs=2
)
FULL = Simulation(people=24, sessions=1, folds=3, methods=METHODS, epochs=3)


class Tables(HTMLParser):
    """Caption and rows of every table of a page, without what is hidden from readers of the text."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[list[str]]]] = []
        self.ids: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        self.tags.append(tag)
        if known.get("id"):
            self.ids.append(str(known["id"]))
        if tag == "table":
            self.found.append(("", []))
        elif tag == "tr":
            self.found[-1][1].append([])
        elif tag == "caption" or (tag in ("td", "th") and known.get("aria-hidden") != "true"):
            self.text = []

    def handle_endtag(self, tag: str) -> None:
        if self.text is None or tag not in ("caption", "td", "th"):
            return
        text = " ".join("".join(self.text).split())
        if tag == "caption":
            self.found[-1] = (re.sub(r" \(\d+ rows\)$", "", text), self.found[-1][1])
        else:
            self.found[-1][1][-1].append(text)
        self.text = None

    def handle_data(self, data: str) -> None:
        if self.text is not None:
            self.text.append(data)


def html_tables(text: str) -> Tables:
    parser = Tables()
    parser.feed(text)
    return parser


def markdown_tables(text: str) -> list[tuple[str, list[list[str]]]]:
    found: list[tuple[str, list[list[str]]]] = []
    title = ""
    for line in text.splitlines():
        if line.startswith("### "):
            title = plain(line[4:])
        elif line.startswith("|---"):
            continue
        elif line.startswith("| "):
            if title:
                found.append((title, []))
                title = ""
            found[-1][1].append([plain(cell) for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return found


def plain(text: str) -> str:
    return " ".join(unescape(re.sub(r"\\([\\*|~])", r"\1", text)).replace("`", "").split())


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report([write_run(tmp_path_factory.mktemp("runs") / "quick", QUICK)]).parent


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_report([write_run(tmp_path_factory.mktemp("runs") / "full", FULL)]).parent


@pytest.mark.parametrize("name", ["quick", "full"])
def test_html_and_markdown_hold_the_same_tables(name: str, request: pytest.FixtureRequest) -> None:
    """Every cell of every table reads the same in both forms."""
    folder = request.getfixturevalue(name)
    page = html_tables((folder / "report.html").read_text(encoding="utf-8")).found
    twin = markdown_tables((folder / "report.md").read_text(encoding="utf-8"))
    assert [title for title, _ in page] == [title for title, _ in twin]
    for (title, rows), (_, twins) in zip(page, twin, strict=True):
        assert [[cell.replace("`", "") for cell in row] for row in rows] == twins, title
    assert len(page) > 15


def test_leaderboard_is_what_results_csv_says(full: Path) -> None:
    """The leaderboard's accuracies and intervals are those of results.csv, and so is its order."""
    results = pd.read_csv(full / "results.csv")
    mine = results[(results["protocol"] == PERSON) & (results["selection"] == "last_epoch")]
    mine = mine.sort_values("accuracy", ascending=False)
    page = dict(html_tables((full / "report.html").read_text(encoding="utf-8")).found)
    rows = next(rows for title, rows in page.items() if title.startswith(f"{PERSON}: tested on people"))
    place = rows[0].index("accuracy, %")
    expected = [
        f"{100 * row.accuracy:.1f} [{100 * row.accuracy_low:.1f}, {100 * row.accuracy_high:.1f}]"
        for row in mine.itertuples()
    ]
    assert [row[place] for row in rows[1:]] == expected
    written = pd.read_csv(full / "tables" / f"leaderboard-{PERSON}.csv")
    np.testing.assert_allclose(written["accuracy"], mine["accuracy"])


def test_same_files_same_bytes(full: Path, tmp_path: Path) -> None:
    """Written again elsewhere, all files of the report are equal byte for byte."""
    write_report([full], tmp_path)
    for file in tmp_path.rglob("*"):
        if file.is_file():
            assert file.read_bytes() == (full / file.relative_to(tmp_path)).read_bytes(), file.name


def test_quick_run_on_rendered_faces_declares_nothing(quick: Path) -> None:
    """First come the warnings; no sentence names a winner and no row has a rank."""
    text = (quick / "report.md").read_text(encoding="utf-8")
    opening = text.split("## Leaderboard")[0]
    assert "rendered faces" in opening
    assert "say nothing about KDEF" in opening
    assert "declares no winner" in opening
    assert text.index("say nothing about KDEF") < text.index("methods were trained")
    assert "beats" not in opening
    assert "| # |" not in text
    assert "first is better" not in text


def test_full_run_on_photographs_says_who_is_better(full: Path) -> None:
    """The headline names both methods, the interval, the people and the test."""
    headline = (full / "report.md").read_text(encoding="utf-8").split("### ")[0]
    assert re.search(
        r"best deep network, \S+, beats the best classical pipeline, \S+, by \d+\.\d \[\d+\.\d, \d+\.\d\] points "
        r"on people it has never seen \([\d,]+ images; sign-flip test over 24 people, all 21 pairs at once, p ",
        headline,
    )


def test_equal_methods_are_not_told_apart(tmp_path: Path) -> None:
    """Where both families give the same answers the headline says that the data support no difference."""
    folder = write_run(tmp_path / "run", FULL)
    table = pd.read_parquet(folder / "predictions.parquet")
    first = table[table["method"] == "linear_svc-lbp"]
    pd.concat([first.assign(method=name) for name in METHODS]).to_parquet(folder / "predictions.parquet")
    text = write_report([folder]).with_name("report.md").read_text(encoding="utf-8")
    assert "The data support no difference" in text.split("### ")[0]


def test_partial_rows_are_not_ranked(tmp_path: Path) -> None:
    """A partial row stands last, without a rank, says partial, and is the best of no family."""
    states = {"resnet18-entire": "partial", "vgg16-dense": "skipped"}
    simulation = Simulation(people=21, sessions=1, folds=3, methods=METHODS, states=states, epochs=2)
    page = write_report([write_run(tmp_path / "run", simulation)])
    tables = dict(html_tables(page.read_text(encoding="utf-8")).found)
    last = next(rows for title, rows in tables.items() if title.startswith(f"{PERSON}: tested on"))[-1]
    assert last[0] == "–" or last[0] == ""
    assert last[1] == "resnet18-entire"
    assert last[-1] == "partial"
    assert "deep" not in [row[0] for row in tables[f"{PERSON}: families"]]


def test_reasons_are_told(quick: Path) -> None:
    """Skipped, failed and never reached trials stand with reason and count; excluded files with theirs."""
    tables = dict(html_tables((quick / "report.html").read_text(encoding="utf-8")).found)
    rows = {row[0]: row for row in tables["Planned, without a figure"][1:]}
    assert rows["skipped"][2:] == ["4", "1", "vgg16-dense"]
    assert "weights fetch" in rows["skipped"][1]
    assert rows["failed"][2:] == ["6", "2", "knn-pixels, tree-dwt"]
    assert rows["not reached"][4] == "gnb-lbp"
    assert ["AF01SUFR.JPG", "black picture (mean 0.6)"] in tables["Left out: 2 files"]


def test_published_figures_carry_their_status(full: Path) -> None:
    """Recalled figures are never shown without saying so; verified ones read as printed in the article."""
    tables = dict(html_tables((full / "report.html").read_text(encoding="utf-8")).found)
    third = next(rows for title, rows in tables.items() if title.startswith("Article's Table 3"))
    status = {row[0]: (row[1], row[2]) for row in third[1:]}
    assert status["DenseNet-161"] == ("98.78", "verified")
    assert status["ResNet-34"] == ("96.33", "recalled, unverified")
    ours = next(row for row in third[1:] if row[3] == "resnet18-entire")
    assert re.fullmatch(r"\d+\.\d \[\d+\.\d, \d+\.\d\]", ours[5])


def test_nothing_is_fetched_and_nothing_unescaped(quick: Path) -> None:
    """No address to load from, no markup from names, unique anchors."""
    text = (quick / "report.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=[\"'](?!#|data:)", text)
    assert "@import" not in text
    assert "<b>notes</b>" not in text
    assert "&lt;b&gt;notes&lt;/b&gt;" in text
    ids = html_tables(text).ids
    assert len(ids) == len(set(ids))


def test_names_with_markup_stay_text(tmp_path: Path) -> None:
    """A method, a protocol, a person and a notice full of markup appear as they are, and run nothing."""
    folder = write_run(tmp_path / "run", Simulation(people=4, sessions=1, folds=2, methods=("gnb-lbp", "cnn2-48")))
    nasty = "<script>alert('x')</script>|`*_"
    for file in ("trials.csv", "predictions.parquet", "watched.parquet", "curves.csv"):
        read, write = (pd.read_csv, "to_csv") if file.endswith("csv") else (pd.read_parquet, "to_parquet")
        table = read(folder / file).replace({"gnb-lbp": nasty, PERSON: nasty + "/../../p"})
        getattr(table, write)(folder / file, index=False)
    info = json.loads((folder / "run.json").read_text())
    info["methods"][nasty] = info["methods"].pop("gnb-lbp") | {"family": nasty, "reference": nasty}
    info["protocols"][nasty + "/../../p"] = info["protocols"].pop(PERSON)
    info["dataset"] |= {"name": nasty, "notice": nasty}
    (folder / "run.json").write_text(json.dumps(info))
    page = write_report([folder])
    text = page.read_text(encoding="utf-8")
    data = text.count('<script type="application/json"')  # parsed as JSON, never run
    assert html_tables(text).tags.count("script") == 1 + data
    assert text.count("<script>") == 1
    assert "alert(&#39;x&#39;)" in text
    twin = page.with_name("report.md").read_text(encoding="utf-8")
    assert "<script" not in re.sub(r"(?ms)^```.*?^```$", "", twin)
    assert not list(tmp_path.glob("*.csv"))


def keep(folder: Path, file: str, choose: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    parquet = file.endswith("parquet")
    table = choose((pd.read_parquet if parquet else pd.read_csv)(folder / file))
    (table.to_parquet if parquet else table.to_csv)(folder / file, index=False)


def empty_plan(folder: Path) -> None:
    keep(folder, "trials.csv", lambda table: table.iloc[:0])


def nothing_finished(folder: Path) -> None:
    keep(folder, "trials.csv", lambda table: table.assign(state="failed", reason="a <reason>"))
    (folder / "predictions.parquet").unlink()


def nan_probabilities(folder: Path) -> None:
    keep(folder, "predictions.parquet", lambda table: table.assign(p_AF=np.float32("nan")))


def no_extras(folder: Path) -> None:
    (folder / "watched.parquet").unlink()
    (folder / "curves.csv").unlink()


def class_without_images(folder: Path) -> None:
    for file in ("predictions.parquet", "watched.parquet"):
        keep(folder, file, lambda table: table[table["label"] != "SU"])


def one_person(folder: Path) -> None:
    for file in ("predictions.parquet", "watched.parquet"):
        keep(folder, file, lambda table: table.assign(subject="F01"))


def no_views(folder: Path) -> None:
    for file in ("predictions.parquet", "watched.parquet"):
        keep(folder, file, lambda table: table.assign(view=None, session=None))


def sparse_info(folder: Path) -> None:
    info = json.loads((folder / "run.json").read_text())
    for name in ("packages", "machine", "code", "started", "finished", "elapsed_seconds", "workers", "device"):
        del info[name]
    info["methods"], info["protocols"] = {}, {}
    (folder / "run.json").write_text(json.dumps(info))


def curves_of_loss_only(folder: Path) -> None:
    keep(folder, "curves.csv", lambda table: table.drop(columns=["train_accuracy", "test_accuracy"]))


@pytest.mark.parametrize(
    "breakage",
    [
        empty_plan,
        nothing_finished,
        nan_probabilities,
        no_extras,
        class_without_images,
        one_person,
        no_views,
        sparse_info,
        curves_of_loss_only,
    ],
)
def test_odd_runs_still_get_a_report(tmp_path: Path, breakage: Callable[[Path], None]) -> None:
    """Whatever is absent from a run, the report is written in all forms and prints no raw nan."""
    methods = ("linear_svc-lbp", "cnn2-48", "resnet18-entire")
    folder = write_run(tmp_path / "run", Simulation(people=5, sessions=1, folds=2, methods=methods, epochs=2))
    breakage(folder)
    page = write_report([folder])
    tables = html_tables(page.read_text(encoding="utf-8")).found
    cells = {cell for _, rows in tables for row in rows for cell in row}
    assert not {cell for cell in cells if re.search(r"\bnan\b|\bNone\b", cell)}
    twin = markdown_tables(page.with_name("report.md").read_text(encoding="utf-8"))
    assert [rows for _, rows in tables] == [rows for _, rows in twin]


def test_one_method_is_told_in_the_singular(tmp_path: Path) -> None:
    """A quick run of one method says its accuracy, not a range."""
    simulation = Simulation(people=3, sessions=1, folds=2, methods=("gnb-lbp",), profile="quick", curves=False)
    text = write_report([write_run(tmp_path / "run", simulation)]).with_name("report.md").read_text(encoding="utf-8")
    assert re.search(r"1 method was trained .* Its accuracy on subject-10fold is \d+\.\d %; chance", text)


def test_one_method_on_one_fold(tmp_path: Path) -> None:
    """The smallest run has a headline, a leaderboard of one row and no comparison."""
    simulation = Simulation(people=3, sessions=1, folds=1, methods=("gnb-lbp",), protocols=(PERSON,), curves=False)
    page = write_report([write_run(tmp_path / "run", simulation)])
    text = page.with_name("report.md").read_text(encoding="utf-8")
    assert "gnb-lbp classifies" in text
    assert "Fewer than two of the families" in text


def test_runs_are_merged_with_their_names(quick: Path, full: Path, tmp_path: Path) -> None:
    """Two runs in one report: each row says its run, each run has a headline, results.csv holds both."""
    page = write_report([quick, full], tmp_path / "both")
    results = pd.read_csv(page.parent / "results.csv")
    assert set(results["run"]) == {"quick", "full"}
    assert len(results) == sum(len(pd.read_csv(folder / "results.csv")) for folder in (quick, full))
    tables = dict(html_tables(page.read_text(encoding="utf-8")).found)
    rows = next(rows for title, rows in tables.items() if title.startswith(f"{PERSON}: tested on"))
    assert {row[rows[0].index("run")] for row in rows[1:]} == {"quick", "full"}
    ids = html_tables(page.read_text(encoding="utf-8")).ids
    assert len(ids) == len(set(ids))


def test_calls_that_cannot_work_are_refused(tmp_path: Path, quick: Path, full: Path) -> None:
    """No run, several runs without a place to write, or a folder that is no run: one clear sentence."""
    with pytest.raises(UserError, match="no run directory"):
        write_report([])
    with pytest.raises(UserError, match="with `out`"):
        write_report([quick, full])
    with pytest.raises(UserError, match=r"run\.json"):
        write_report([tmp_path])


@pytest.mark.slow
def test_size_of_a_whole_suite(tmp_path: Path) -> None:
    """76 methods under two protocols on 4,900 images: under 2 MB."""
    page = write_report([write_run(tmp_path / "run", Simulation(protocols=(PERSON, RANDOM)))])
    assert page.stat().st_size < 2_000_000
