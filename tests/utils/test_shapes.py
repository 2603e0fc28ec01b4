"""What a shape lets pass, and how it names what it does not."""

from typing import Annotated, Any, Literal, TypedDict

import pytest

from fer_bench.utils.shapes import Rule, faults, shown


class Needed(TypedDict):
    name: str


class Job(Needed, total=False):
    size: int | None
    share: float
    quick: bool
    kind: Literal["a", "b"]
    pair: tuple[int, str]
    more: dict[str, Any]
    names: Annotated[list[str], Rule("a list of one name or more", bool)]


@pytest.mark.parametrize(
    "job",
    [
        {"name": ""},
        {"name": "x", "size": None, "share": 3, "quick": False, "kind": "b", "pair": [1, "y"], "names": ["z"]},
        {"name": "x", "more": {"any": [None, {"thing": 1.5}]}, "unknown": object},
    ],
)
def test_what_fits_has_no_faults(job):
    """Whole numbers are numbers, null fits where nothing may stand, and unnamed keys are nobody's business."""
    assert faults([job], list[Job]) == []


@pytest.mark.parametrize(
    ("job", "words"),
    [
        (3, "entry 2: expected an object, found 3"),
        ({}, "entry 2: name is missing"),
        ({"name": 3}, "entry 2, name: expected text, found 3"),
        ({"name": "x", "size": True}, "entry 2, size: expected a whole number, found true"),
        ({"name": "x", "size": 2**63}, "entry 2, size: expected a whole number, found 9223372036854775808"),
        ({"name": "x", "size": 1.0}, "entry 2, size: expected a whole number, found 1.0"),
        ({"name": "x", "share": float("nan")}, "entry 2, share: expected a number, found nan"),
        ({"name": "x", "share": 10**400}, "entry 2, share: expected a number, found 1000"),
        ({"name": "x", "quick": 1}, "entry 2, quick: expected true or false, found 1"),
        ({"name": "x", "kind": "c"}, "entry 2, kind: expected one of a, b, found 'c'"),
        ({"name": "x", "kind": []}, "entry 2, kind: expected one of a, b, found []"),
        ({"name": "x", "pair": [1]}, "entry 2, pair: expected a list of 2: a whole number, text, found [1]"),
        ({"name": "x", "names": []}, "entry 2, names: expected a list of one name or more, found []"),
        ({"name": "x", "names": ["y", None]}, "entry 2, names 2: expected text, found nothing"),
        ({"name": "x", "more": "y"}, "entry 2, more: expected an object, found 'y'"),
    ],
)
def test_what_does_not_fit_is_named_with_its_place(job, words):
    """The place, counted from one, what was expected and what was found."""
    (found,) = faults([{"name": "first"}, job], list[Job])
    assert found.startswith(words)


def test_all_faults_are_told_and_unknown_keys_where_asked():
    """One look finds every fault; a closed shape names the key that it does not know, and those that it does."""
    found = faults({"job": [{"size": "x", "sise": 3}]}, dict[str, list[Job]], closed=True)
    assert found[:2] == ["job 1: name is missing", "job 1, size: expected a whole number, found 'x'"]
    assert found[2].startswith("job 1, sise: is not known here; expected name, size, share")


@pytest.mark.parametrize("value", ["x" * 10_000, [[[[0]]]] * 1000, {str(i): i for i in range(1000)}, 10**4000, None])
def test_values_are_shown_short(value):
    """However large a value is, a message shows a line of it."""
    assert len(shown(value)) < 200
    assert "\n" not in shown(value)


def test_keys_of_a_file_cannot_break_the_line():
    """A key with a line's end or a terminal's command in it is escaped and cut."""
    (found,) = faults({"a\nb\x1b[2J" + "c" * 1000: 3}, dict[str, str])
    assert len(found) < 150
    assert found.isprintable()
