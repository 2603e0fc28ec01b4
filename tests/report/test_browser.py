"""The report in a real browser: it fits every width, complains of nothing, fetches nothing, sorts and filters."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import Browser, find_chromium
from simulate import Simulation, all_methods, write_run

from fer_bench.report import write_report

CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome is installed")


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    methods = (*all_methods()[:30], "vgg16-entire", "resnet18-entire", "squeezenet1_0-last_block")
    states = {"knn-pixels": "partial", "tree-dwt": "failed", "vgg16-entire": "skipped"}
    simulation = Simulation(people=5, sessions=1, folds=2, methods=methods, states=states, epochs=3)
    return write_report([write_run(tmp_path_factory.mktemp("run"), simulation)])


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser(str(CHROMIUM), seconds=120) as opened:
        yield opened


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_page_fits_its_width(browser: Browser, page: Path, width: int, dark: bool) -> None:
    """No sideways scrolling of the page, nothing on the console, no request but the file itself."""
    browser.complaints.clear()
    browser.requests.clear()
    browser.open(page, width=width, dark=dark)
    browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.complaints == []
    assert {url for url in browser.requests if not url.startswith("data:")} == {page.resolve().as_uri()}


def test_dark_differs_from_light(browser: Browser, page: Path) -> None:
    """The page follows the system's colour scheme."""
    colours = []
    for dark in (False, True):
        browser.open(page, width=1280, dark=dark)
        colours.append(browser.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert colours[0] != colours[1]


def test_sorting_by_keyboard(browser: Browser, page: Path) -> None:
    """A heading is a button: pressed once it sorts downwards, twice upwards, and says so to a screen reader."""
    browser.open(page, width=1280)
    browser.evaluate("const heads = [...document.querySelectorAll('table.sortable')[0].tHead.querySelectorAll('th')]")
    place = browser.evaluate("heads.findIndex((head) => head.textContent.startsWith('macro-F1'))")
    rows = "[...document.querySelector('table.sortable').tBodies[0].rows]"
    for order, reverse in (("descending", True), ("ascending", False)):
        browser.evaluate(f"heads[{place}].querySelector('button').click()")
        values = browser.evaluate(f"{rows}.map((row) => parseFloat(row.cells[{place}].textContent))")
        assert values == sorted(values, reverse=reverse)
        assert browser.evaluate(f"heads[{place}].getAttribute('aria-sort')") == order


def test_filtering(browser: Browser, page: Path) -> None:
    """Typing a name and clearing a family leave the rows that fit, and the count says how many."""
    browser.open(page, width=1280)
    shown = "[...document.querySelector('table.sortable').tBodies[0].rows].filter((r) => !r.hidden).length"
    every = browser.evaluate(shown)
    browser.evaluate(
        "(() => { const find = document.querySelector('.tools input[type=search]'); find.value = 'lbp';"
        "find.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )
    lbp = browser.evaluate(shown)
    assert 0 < lbp < every
    assert browser.evaluate("document.querySelector('.tools output').textContent") == f"{lbp} of {every} methods"
    browser.evaluate("document.querySelector('.tools input[value=classical]').click()")
    assert browser.evaluate(shown) == 0
