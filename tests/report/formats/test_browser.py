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


def test_the_keyboard_reaches_everything(browser: Browser, page: Path) -> None:
    """Tab comes to the skip link first, which is then seen; Enter on a heading sorts; a stop has an outline."""
    browser.open(page, width=1280)
    focus = "document.activeElement"
    browser.press("Tab", 9)
    assert browser.evaluate(f"{focus}.className") == "skip"
    assert browser.evaluate(f"{focus}.getBoundingClientRect().left") >= 0
    browser.evaluate("document.querySelector('table.sortable thead button').focus({focusVisible: true})")
    assert browser.evaluate(f"getComputedStyle({focus}).outlineStyle") == "solid"
    browser.press("Enter", 13)
    assert browser.evaluate(f"{focus}.closest('th').getAttribute('aria-sort')") == "descending"
    unnamed = (
        "[...document.querySelectorAll('button, input, select, summary, [tabindex]')].filter((e) => "
        "!(e.textContent.trim() || e.ariaLabel || e.labels?.length || e.title)).map((e) => e.outerHTML.slice(0, 80))"
    )
    assert browser.evaluate(unnamed) == []


def test_what_does_not_scroll_is_no_stop(browser: Browser, page: Path) -> None:
    """A part that scrolls can be reached by Tab and says so by a shadow; one that fits is passed over."""
    browser.open(page, width=390)
    browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    browser.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done, 50)))")
    wrong = (
        "[...document.querySelectorAll('.scroll')].filter((e) => e.hasAttribute('tabindex') !== "
        "(e.scrollWidth > e.clientWidth || e.scrollHeight > e.clientHeight)).length"
    )
    assert browser.evaluate(wrong) == 0
    assert browser.evaluate("document.querySelectorAll('.scroll.more').length") > 3


def test_a_link_opens_what_is_folded(browser: Browser, page: Path) -> None:
    """A link to a folded table opens it."""
    browser.open(page, width=1280)
    browser.evaluate("location.hash = document.querySelector('details').id")
    browser.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert browser.evaluate("document.querySelector('details').open") is True


def test_print_shows_everything(browser: Browser, page: Path, tmp_path: Path) -> None:
    """On paper nothing sticks, nothing scrolls, no tool or folded part is left, and colours are those of paper."""
    browser.open(page, width=1280, dark=True)
    browser.call("Emulation.setEmulatedMedia", media="print")
    browser.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert browser.evaluate("[...document.querySelectorAll('details')].every((one) => one.open)")
    style = "[...document.querySelectorAll('{}')].every((e) => {{ const s = getComputedStyle(e); return {}; }})"
    assert browser.evaluate(style.format(".scroll", "s.overflowX === 'visible' && s.maxHeight === 'none'"))
    assert browser.evaluate(style.format("th, caption", "s.position !== 'sticky'"))
    assert browser.evaluate(style.format(".tools, nav", "s.display === 'none'"))
    assert browser.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    browser.call("Emulation.setEmulatedMedia", media="")
    browser.print(tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF")
