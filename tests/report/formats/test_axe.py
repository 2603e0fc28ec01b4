"""axe-core finds no serious violation in any report, on any width, in light and in dark."""

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, find_chromium
from simulate import PERSON, RANDOM, Simulation, write_run

from fer_bench.report import write_report

CHROMIUM = find_chromium()
REPORTS = Path(__file__).parents[3] / "reports"
METHODS = (
    *("linear_svc-lbp", "knn-pixels", "tree-dwt", "gnb-lbp", "forest-lbp", "lda-lbp", "cnn2-48", "cnn2-64"),
    *("resnet18-entire", "vgg16-entire", "vgg16-dense", "squeezenet1_0-last_block"),
)
STATES = {"knn-pixels": "partial", "tree-dwt": "failed", "vgg16-dense": "skipped"}
PAGES = ("full", "quick", "merged", *sorted(folder.parent.name for folder in REPORTS.glob("*/run.json")))
QUICK_CHECKS = {("full", 390, False), ("full", 1280, True)}
"""What every change is held against; the rest of the pages take minutes."""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is installed")


def find_axe() -> Path | None:
    """axe-core's own file, as the test group's axe-playwright-python carries it."""
    found = importlib.util.find_spec("axe_playwright_python")
    file = Path(str(found.origin)).with_name("axe.min.js") if found else None
    return file if file and file.is_file() else None


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A full run on photographs, a quick one on drawn faces, both in one report, and those that are committed."""
    folder = tmp_path_factory.mktemp("runs")
    full = Simulation(people=8, sessions=1, folds=2, methods=METHODS, states=STATES, epochs=3)
    quick = Simulation(people=5, sessions=1, folds=2, methods=METHODS, profile="quick", rendered=True, epochs=3)
    runs = [write_run(folder / "full", full), write_run(folder / "quick", quick)]
    made = {run.name: write_report([run]) for run in runs} | {"merged": write_report(runs, folder / "merged")}
    return made | {name: REPORTS / name / "report.html" for name in PAGES if name not in made}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(str(CHROMIUM), seconds=1500) as opened:
        yield opened


@pytest.mark.parametrize(
    ("name", "width", "dark"),
    [
        pytest.param(name, width, dark, marks=[] if (name, width, dark) in QUICK_CHECKS else pytest.mark.slow)
        for name in PAGES
        for width in (390, 1280)
        for dark in (False, True)
    ],
)
def test_no_serious_violation(browser: Browser, pages: dict[str, Path], name: str, width: int, dark: bool) -> None:
    """All rules, with every folded part open: nothing serious or critical. Rows beyond the fourth repeat the markup."""
    axe = find_axe()
    if axe is None:
        pytest.skip("axe-core is not installed: pip install axe-playwright-python")
    browser.open(pages[name], width=width, dark=dark)
    browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.evaluate(
        "document.querySelectorAll('tbody').forEach((b) => [...b.rows].slice(4).forEach((r) => r.remove()))"
    )
    browser.evaluate(axe.read_text(encoding="utf-8"))
    found = browser.evaluate(
        "axe.run(document, {resultTypes: ['violations']}).then((r) => r.violations.map((v) => "
        "[v.impact, v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary]))"
    )
    assert [one for one in found if one[0] in ("serious", "critical")] == []


def test_axe_sees_what_is_wrong(browser: Browser, tmp_path: Path) -> None:
    """A picture without words and grey on grey are found: the check can fail."""
    axe = find_axe()
    if axe is None:
        pytest.skip("axe-core is not installed: pip install axe-playwright-python")
    bad = tmp_path / "bad.html"
    bad.write_text(
        '<!doctype html><html lang="en"><title>x</title><img src="data:,"><p style="color:#ddd">pale words</p></html>'
    )
    browser.open(bad, width=1280)
    browser.evaluate(axe.read_text(encoding="utf-8"))
    found = browser.evaluate("axe.run(document).then((r) => r.violations.map((v) => v.id))")
    assert {"image-alt", "color-contrast"} <= set(found)


def test_reports_of_every_kind_are_checked(pages: dict[str, Path]) -> None:
    """The pages of the list are all there."""
    assert set(pages) == set(PAGES)
    assert all(page.is_file() for page in pages.values())
    assert {PERSON, RANDOM} <= set(Simulation().protocols)
