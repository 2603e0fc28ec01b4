"""Sections say what the predictions say: hard pictures, people, calibration, ranks, protocols, costs, sources."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from browser import Browser, find_chromium
from simulate import PERSON, RANDOM, Simulation, write_run
from truth import write_truth

from fer_bench.labels import EMOTIONS
from fer_bench.report import write_report
from fer_bench.report.model.report_run import ReportRun, gather
from fer_bench.report.model.tables import Embedded, Table
from fer_bench.report.sections.bibliography import method_entries
from fer_bench.report.sections.leakage import _ladder
from fer_bench.report.write import build_document
from fer_bench.results.genders import find_genders
from fer_bench.stats import metrics

METHODS = ("linear_svc-lbp", "knn-pixels", "cnn2-48", "cnn2-64", "resnet18-entire", "vgg16-dense")
TRUTH = dict(zip(METHODS, (0.5, 0.45, 0.55, 0.6, 0.85, 0.7), strict=True))
FULL = Simulation(people=22, sessions=2, views=("HL", "S"), folds=2, methods=METHODS, epochs=2)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    simulation = replace(FULL, folds=4, protocols=(PERSON, "subject-2fold", "session-out", "random-2fold", RANDOM))
    folder = write_truth(tmp_path_factory.mktemp("runs") / "run", simulation, TRUTH)
    return write_report([folder]).parent


@pytest.fixture(scope="module")
def view(run: Path) -> ReportRun:
    return gather([run])[0]


@pytest.fixture(scope="module")
def right(run: Path) -> pd.DataFrame:
    """Whether each image was classified correctly, images by methods, under the protocol by person."""
    table = pd.read_parquet(run / "predictions.parquet")
    mine = table[table["protocol"] == PERSON]
    return mine.assign(right=mine["label"] == mine["predicted"]).pivot(index="image", columns="method", values="right")


def read(run: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(run / "tables" / f"{name}.csv")


Blocks = dict[str, Table | Embedded]


def blocks_of(view: ReportRun) -> Blocks:
    found = (block for section in build_document([view]).sections for block in section.blocks)
    return {block.id: block for block in found if isinstance(block, Table | Embedded)}


@pytest.fixture(scope="module")
def blocks(view: ReportRun) -> Blocks:
    return blocks_of(view)


def test_pictures_that_no_method_reads_are_named(run: Path, right: pd.DataFrame) -> None:
    """The named images are exactly those that every method misclassifies, and the counts by expression add up."""
    missed = sorted(right.index[~right.any(axis=1)])
    assert sorted(read(run, f"missed-{PERSON}")["image"]) == missed
    table = read(run, f"hard-{PERSON}")
    assert table["none"].sum() == len(missed) > 0
    assert table["all"].sum() == right.all(axis=1).sum()
    assert table["n"].sum() == len(right)


def test_where_none_is_missed_by_all_the_hardest_are_named(tmp_path: Path) -> None:
    """With a method that reads everything, the list holds the images that fewest of the others read."""
    folder = write_truth(tmp_path / "run", replace(FULL, people=4, methods=METHODS[:3], protocols=(PERSON,)), TRUTH)
    table = pd.read_parquet(folder / "predictions.parquet")
    table["predicted"] = table["predicted"].where(table["method"] != "cnn2-48", table["label"])
    table.to_parquet(folder / "predictions.parquet", index=False)
    write_report([folder])
    found = read(folder, f"missed-{PERSON}")
    assert len(found) == 50
    assert found["right"].is_monotonic_increasing
    assert found["right"].min() == 1


def test_no_picture_is_in_the_report(run: Path) -> None:
    """Neither the page nor its twin holds an image, whatever the data."""
    for name in ("report.html", "report.md"):
        text = (run / name).read_text(encoding="utf-8")
        assert not re.search(r"<img|data:image|base64,", text)
    assert not (run / "gallery.html").exists()


def test_people_are_told_one_by_one(run: Path, right: pd.DataFrame) -> None:
    """Worst and best person of each method are those of the predictions, under the code that the data give them."""
    people = right.groupby(right.index.str[1:4]).mean()
    for row in read(run, f"persons-{PERSON}").itertuples():
        assert row.worst == pytest.approx(people[row.method].min())
        assert people.loc[row.who, row.method] == pytest.approx(row.worst)
        assert row.best == pytest.approx(people[row.method].max())
        assert row.spread == pytest.approx(people[row.method].std())


def test_women_and_men_are_compared_as_different_people(run: Path, right: pd.DataFrame) -> None:
    """The difference is that of the means over persons; its interval is scipy's Welch's, widened for all methods."""
    from scipy import stats

    people = right.groupby(right.index.str[1:4]).mean()
    women, men = people[people.index.str[0] == "F"], people[people.index.str[0] == "M"]
    factors = []
    for row in read(run, f"gender-{PERSON}").itertuples():
        oracle = stats.ttest_ind(women[row.method], men[row.method], equal_var=False)
        value = women[row.method].mean() - men[row.method].mean()
        assert row.difference == pytest.approx(value)
        assert (row.difference_low + row.difference_high) / 2 == pytest.approx(value)
        bounds = oracle.confidence_interval()
        error = value / oracle.statistic
        factors.append((row.difference_high - value) / error)
        assert row.difference_low < bounds.low < bounds.high < row.difference_high
        assert row.adjusted >= oracle.pvalue - 0.01
        assert (row.adjusted < 0.05) == (row.difference_low > 0 or row.difference_high < 0)
    assert factors == pytest.approx([factors[0]] * len(factors))


def of_four(folder: Path, **dataset: object) -> tuple[Path, pd.DataFrame]:
    """A run of F01, M01, F02 and M02 whose run.json tells no gender but what is given; and its predictions."""
    write_run(folder, replace(FULL, people=4, methods=METHODS[:2], protocols=(PERSON,)))
    info = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    del info["dataset"]["genders"]
    info["dataset"] |= dataset
    (folder / "run.json").write_text(json.dumps(info), encoding="utf-8")
    return folder, pd.read_parquet(folder / "predictions.parquet")


def test_gender_is_not_guessed(tmp_path: Path) -> None:
    """Where neither run.json nor a manifest tells genders nothing is said of F01 and M01, whatever they look like."""
    folder, _ = of_four(tmp_path / "run")
    write_report([folder])
    assert not list((folder / "tables").glob("gender*"))
    assert "do not tell women from men" in (folder / "report.md").read_text(encoding="utf-8")


def test_gender_is_the_one_that_is_told(tmp_path: Path) -> None:
    """Told the other way round than their names, women are those whom run.json calls women, and the note says so."""
    told = {"F01": "M", "F02": "M", "M01": "F", "M02": "F"}
    folder, rows = of_four(tmp_path / "run", genders=told, layout="csv")
    write_report([folder])
    right = (rows["label"] == rows["predicted"]).groupby([rows["method"], rows["subject"]]).mean()
    for row in read(folder, f"gender-{PERSON}").itertuples():
        women, men = right[row.method][["M01", "M02"]], right[row.method][["F01", "F02"]]
        assert row.difference == pytest.approx(women.mean() - men.mean())
        assert (row.women, row.men) == pytest.approx((women.mean(), men.mean()))
    assert "2 women and 2 men, as given in the data." in (folder / "report.md").read_text(encoding="utf-8")


def test_gender_of_an_earlier_run_is_its_manifests(tmp_path: Path) -> None:
    """A run whose run.json tells no genders has those of its manifest.csv; who is told as both is told as none."""
    folder, _ = of_four(tmp_path / "run")
    rows = [("F01", "F"), ("F02", "F"), ("M01", "M"), ("M02", "M"), ("M02", "")]
    pd.DataFrame(rows, columns=["subject", "gender"]).to_csv(folder / "manifest.csv", index=False)
    assert find_genders(folder, {"dataset": {}}) == dict(rows[:4])
    write_report([folder])
    assert (folder / "tables" / f"gender-{PERSON}.csv").is_file()
    pd.DataFrame([*rows, ("M02", "F")], columns=["subject", "gender"]).to_csv(folder / "manifest.csv", index=False)
    assert "M02" not in find_genders(folder, {"dataset": {}})


def test_gender_may_stand_in_words(tmp_path: Path) -> None:
    """Runs of tables that say Female, woman or male tell women from men; other words tell nothing."""
    words = {"a": "Female", "b": "woman", "c": "male", "d": "M", "e": "unknown", "f": "2"}
    pd.DataFrame(words.items(), columns=["subject", "gender"]).to_csv(tmp_path / "manifest.csv", index=False)
    told = {"a": "F", "b": "F", "c": "M", "d": "M"}
    assert find_genders(tmp_path, {"dataset": {}}) == find_genders(tmp_path, {"dataset": {"genders": words}}) == told


def test_calibration_is_that_of_the_metrics(run: Path, view: ReportRun) -> None:
    """Error, Brier score and log loss equal those of `stats.metrics`; the interval holds the error's order."""
    for row in read(run, f"calibration-{PERSON}").itertuples():
        outcome = view.outcome(row.method, PERSON)
        assert row.error == pytest.approx(metrics.expected_calibration_error(outcome.labels, outcome.probabilities))
        assert row.brier == pytest.approx(metrics.brier_score(outcome.labels, outcome.probabilities))
        assert row.loss == pytest.approx(metrics.log_loss(outcome.labels, outcome.probabilities))
        assert row.over == pytest.approx(row.sure - _top_accuracy(outcome))
        assert row.error_low < row.error_high


def _top_accuracy(outcome) -> float:
    return float((outcome.probabilities.argmax(axis=1) == outcome.labels).mean())


def test_ranks_are_mean_ranks_over_people(run: Path, right: pd.DataFrame) -> None:
    """Mean ranks equal those that pandas gives; a quick run ranks nobody."""
    people = right.groupby(right.index.str[1:4]).mean()
    expected = people.rank(axis=1, ascending=False).mean()
    table = read(run, f"ranks-{PERSON}").set_index("method")
    assert table["rank"].to_dict() == pytest.approx(expected.to_dict())


def test_a_quick_run_ranks_nobody(tmp_path: Path) -> None:
    """No diagram of ranks, and every answer at the top says why nothing is decided."""
    folder = write_run(tmp_path / "run", replace(FULL, people=6, profile="quick", protocols=(PERSON,)))
    text = write_report([folder]).with_name("report.md").read_text(encoding="utf-8")
    assert "ranks nobody" in text
    answers = read(folder, "answers").set_index("question")["answer"]
    assert "quick run" in answers["Which method is best?"]
    assert "quick run" in answers["What did the article claim, and does it hold?"]
    assert not any(method in answers["Which method is best?"] for method in METHODS)


def test_questions_are_answered_with_the_figures_of_the_tables(run: Path) -> None:
    """Best, lead, cost and worst expression at the top are those of the tables that they link to."""
    answers = read(run, "answers").set_index("question")["answer"]
    board = read(run, f"leaderboard-{PERSON}")
    first, second = board.iloc[0], board.iloc[1]
    assert f"{first['method']}: {100 * first['accuracy']:.1f} [" in answers["Which method is best?"]
    assert f"+{-100 * second['behind']:.1f} [" in answers["By how much, and is it significant?"]
    assert f"the next, {second['method']}" in answers["By how much, and is it significant?"]
    assert f"{first['fit']:,.0f}"[:2] in answers["What does it cost?"]
    rates = read(run, f"expressions-{PERSON}").set_index("method").loc[first["method"]]
    worst = min(EMOTIONS, key=lambda code: float(rates[code]))
    assert f"faces {100 * float(rates[worst]):.1f} [" in answers["Where does it fail?"]
    assert "fer-bench run" in answers["How do I reproduce these figures?"]


def test_links_of_the_answers_lead_somewhere(run: Path) -> None:
    """Every link inside the page has its target."""
    page = (run / "report.html").read_text(encoding="utf-8")
    ids = set(re.findall(r'\bid="([^"]+)"', page))
    links = re.findall(r'href="#([^"]+)"', page)
    assert len(links) > 20
    assert set(links) <= ids


def test_protocols_are_drawn_as_slopes_of_equal_training_size(run: Path, view: ReportRun) -> None:
    """By image, by session, by person: the three that train on equally much; the table has the drawing's figures."""
    assert _ladder(view) == ["random-2fold", "session-out", "subject-2fold"]
    table = read(run, "ladder").set_index("method")
    for method in METHODS:
        for name in _ladder(view):
            assert table.loc[method, name] == pytest.approx(view.outcome(method, name).correct.mean())
    drawing = (run / "figures" / "ladder-figure.svg").read_text(encoding="utf-8")
    assert drawing.count('class="line"') == len(METHODS)


def test_confusions_of_every_method_are_in_the_page(view: ReportRun, blocks: Blocks) -> None:
    """The embedded counts are those of the metric, for every finished method and protocol."""
    found = blocks["confusions-any"]
    assert [part["name"] for part in found.data["protocols"]] == [view.shown(name) for name in view.protocols]
    for part, name in zip(found.data["protocols"], view.protocols, strict=True):
        assert {method["name"] for method in part["methods"]} == set(METHODS)
        for method in part["methods"]:
            outcome = view.outcome(method["name"], name)
            expected = metrics.confusion_matrix(outcome.labels, outcome.predicted).ravel().tolist()
            assert method["counts"] == expected


def test_fronts_hold_what_nothing_cheaper_beats(run: Path) -> None:
    """A method is Pareto-optimal in training time exactly if all faster ones are less accurate."""
    table = read(run, f"cost-{PERSON}")
    for row in table.itertuples():
        faster = table[table["fit"] < row.fit]
        marked = "training time" in str(row.front)
        assert marked == bool((faster["accuracy"] < row.accuracy).all())


def test_tables_published_on_kdef_are_folded_on_other_data(tmp_path: Path, blocks: Blocks) -> None:
    """On KDEF's photographs they stand open; on rendered faces each is folded and says that it is of other data."""
    assert not blocks["article-1"].folded
    folder = write_run(tmp_path / "run", replace(FULL, people=4, rendered=True, views=("S",), protocols=(PERSON,)))
    other = blocks_of(gather([folder])[0])
    for name in ("article-1", "article-2", "article-3", "article-4"):
        table = other[name]
        assert table.folded
        assert "another data set" in table.title
    assert "another data set" in next(c.title for c in other["article-1"].columns if c.key == "published")


def test_a_set_that_is_called_rendered_is_taken_for_rendered(tmp_path: Path) -> None:
    """Earlier runs did not look for marks: their names tell; names that merely hold the letters do not count."""
    folder = write_run(tmp_path / "run", replace(FULL, people=4, methods=METHODS[:2], protocols=(PERSON,)))
    info = json.loads((folder / "run.json").read_text())
    for name, rendered in (("kdef_render", True), ("KDEF-rendered", True), ("surrender", False), ("KDEF", False)):
        info["dataset"]["name"] = name
        (folder / "run.json").write_text(json.dumps(info))
        assert gather([folder])[0].rendered == rendered, name


@pytest.mark.parametrize("drawn", [True, False])
def test_faces_are_what_the_run_found_them_to_be(tmp_path: Path, drawn: bool) -> None:
    """Photographs in a folder called my-render-set have a winner; drawn faces under KDEF's name have none."""
    folder = write_run(tmp_path / "run", replace(FULL, methods=METHODS[:2], protocols=(PERSON,)))
    info = json.loads((folder / "run.json").read_text())
    tools = ["fer-bench renderer 7, seed 0"] if drawn else []
    info["dataset"] |= {"name": "KDEF" if drawn else "my-render-set", "rendered": drawn, "drawn_by": tools}
    (folder / "run.json").write_text(json.dumps(info))
    found = gather([folder])[0]
    assert (found.rendered, found.declares_winner) == (drawn, not drawn)
    write_report([folder])
    page = (folder / "report.md").read_text(encoding="utf-8")
    assert ("No winner is declared" in page) == drawn
    assert ("| faces | photographs |" in page) == (not drawn)


def test_hit_rates_of_people_stand_beside_straight_views(run: Path, right: pd.DataFrame) -> None:
    """Recalled rates say so; ours beside them are of straight views alone."""
    table = read(run, f"people-{PERSON}").set_index("method")
    straight = right[right.index.str.contains("S.JPG", regex=False)]
    assert table.loc["People (Goeleven et al. 2008)", "AF"] == pytest.approx(0.4303)
    assert float(table.loc["resnet18-entire", "accuracy"]) == pytest.approx(straight["resnet18-entire"].mean())
    assert "recalled, unverified" in (run / "report.md").read_text(encoding="utf-8")


def test_every_source_becomes_an_entry() -> None:
    """Names, year and doi are taken apart; same names get letters; the article is not listed twice; braces are safe."""
    found = method_entries(
        [
            "Boser, Guyon and Vapnik 1992, doi 10.1145/130385.130401",
            "Ahonen et al. 2006, doi 10.1109/TPAMI.2006.244",
            "Ahonen et al. 2006, another paper",
            "the rule 0R in Holte 1993, doi 10.1023/A:1022631118932",
            "Akhand et al. 2021, Electronics 10(9):1036, doi 10.3390/electronics10091036",
            "our own {unfinished} idea",
        ]
    )
    assert found[0] == (
        "@misc{boser1992, author = {Boser and Guyon and Vapnik}, year = {1992}, doi = {10.1145/130385.130401}}"
    )
    assert found[1].startswith("@misc{ahonen2006, author = {Ahonen and others}")
    assert found[2].startswith("@misc{ahonen2006b,")
    assert found[3].startswith("@misc{holte1993, author = {Holte}")
    assert len(found) == 5
    assert r"\{unfinished\}" in found[4]
    for entry in found:
        bare = entry.replace(r"\{", "").replace(r"\}", "")
        assert bare.count("{") == bare.count("}")


def test_references_are_written_beside_the_report(run: Path) -> None:
    """The file holds the benchmark, the article, the pictures and each method's source once, and so does the page."""
    text = (run / "references.bib").read_text(encoding="utf-8")
    keys = re.findall(r"@\w+\{([^,]+),", text)
    assert keys[:4] == ["fer_bench", "akhand2021", "kdef1998", "goeleven2008"]
    assert "cortes1995" in keys
    assert len(keys) == len(set(keys))
    assert text.strip() in (run / "report.md").read_text(encoding="utf-8")


@pytest.mark.skipif(find_chromium() is None, reason="no Chromium on this machine")
def test_two_methods_are_chosen_and_subtracted_in_the_page(run: Path, view: ReportRun) -> None:
    """Choosing a second method shows the difference of the two matrices; the axis of costs changes by its list."""
    a, b = (view.outcome(name, PERSON) for name in ("resnet18-entire", "linear_svc-lbp"))
    shares = [metrics.recall_by_class(o.labels, o.predicted)[0] for o in (a, b)]
    with Browser(find_chromium()) as page:
        page.open(run / "report.html", width=1280)
        chosen = "document.querySelectorAll('#confusions-any select')"
        for place, name in ((1, "resnet18-entire"), (2, "linear_svc-lbp")):
            page.evaluate(f"{chosen}[{place}].value = '{name}'; {chosen}[{place}].dispatchEvent(new Event('change'))")
        cell = page.evaluate("document.querySelector('#confusions-any tbody td').textContent")
        assert cell == f"{100 * (shares[0] - shares[1]):+.1f}".replace("-", "−")
        axis = "document.querySelector('#cost-any select')"
        before = page.evaluate("document.querySelector('#cost-any svg').outerHTML")
        page.evaluate(f"{axis}.value = 0; {axis}.dispatchEvent(new Event('change'))")
        assert page.evaluate("document.querySelector('#cost-any svg').outerHTML") != before
        assert page.evaluate("[...document.querySelectorAll('.otherwise')].every((p) => p.hidden)")
        assert page.complaints == []


def test_probabilities_that_are_no_numbers_leave_calibration_out(tmp_path: Path) -> None:
    """A method with NaN probabilities keeps its accuracy and has no calibration; nothing crashes."""
    folder = write_run(tmp_path / "run", replace(FULL, people=4, methods=METHODS[:2], protocols=(PERSON,)))
    table = pd.read_parquet(folder / "predictions.parquet")
    table.loc[table["method"] == METHODS[0], "p_AF"] = np.nan
    table.to_parquet(folder / "predictions.parquet", index=False)
    write_report([folder])
    found = read(folder, f"calibration-{PERSON}").set_index("method")
    assert np.isnan(found.loc[METHODS[0], "error"])
    assert found.loc[METHODS[1], "error"] > 0
