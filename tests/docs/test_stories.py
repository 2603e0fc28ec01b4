"""Every page, run from top to bottom as a reader would."""

import shutil

import pytest
from blocks import PAGES, blocks, name_of
from story import Story, first_missing, furnish, small

QUICK = ("docs/suites.md", "docs/protocols.md", "docs/api")
"""Pages that take seconds. The others are for `tox -e docs` and `tox -e slow`."""

TOLD = [page for page in PAGES if any(block.told for block in blocks(page))]


def _page(page):
    quick = name_of(page).startswith(QUICK)
    return pytest.param(page, id=name_of(page), marks=() if quick else pytest.mark.slow)


@pytest.fixture(scope="session")
def furniture(tmp_path_factory, write_faces):
    """What a reader has before the first command, made once."""
    folder = tmp_path_factory.mktemp("furniture")
    furnish(folder, write_faces)
    return folder


@pytest.mark.parametrize("page", [_page(page) for page in TOLD])
def test_a_page_works_from_top_to_bottom(page, furniture, tmp_path):
    """All blocks of a page, one after the other in one folder, do what the page says and print what it shows."""
    story = Story(tmp_path)
    shutil.copytree(furniture, story.folder, dirs_exist_ok=True)
    for block in blocks(page):
        if block.told:
            story.tell(block)


def test_what_a_page_shows_is_looked_for_line_by_line():
    """A line that was not printed, or in another order, is found; dots stand for anything, blanks for blanks."""
    assert first_missing("b  1\n...\n", "a\nb 1\nc\n") == ""
    assert first_missing("left out, ... files: x", "left out, 70 files: x") == ""
    assert first_missing("c\nb 1", "a\nb 1\nc\n") == "b 1"
    assert first_missing("d", "a\n") == "d"


def test_only_whole_suites_are_made_smaller():
    """A suite that ships with fer-bench gives way to its small one; one's own, and what --only chooses, do not."""
    assert small("fer-bench run --suite all --data x") == "fer-bench run --suite all.toml --data x"
    for stays in ("fer-bench run --suite mine.toml", "fer-bench run --suite classical --only 'knn-*'"):
        assert small(stays) == stays
