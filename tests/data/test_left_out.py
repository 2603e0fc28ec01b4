"""Files that were left out are grouped by reason in one way, wherever it is told."""

from hypothesis import given
from hypothesis import strategies as st

from fer_bench.data.left_out import by_reason

WORDS = ["a copy of another picture: x/1.jpg", "a copy of another picture: x/2.jpg", "blank frame (0.1)", "odd 3 px"]
FILES = st.lists(st.tuples(st.sampled_from(["a.jpg", "b.jpg", "a", "x: y.png"]), st.sampled_from(WORDS) | st.text()))


@given(FILES)
def test_every_file_stands_in_one_group(files):
    """No file is lost or counted twice, by kinds as by whole reasons, and the largest group comes first."""
    groups = by_reason(files)
    assert sorted(file for group in groups for file in group.files) == sorted(files)
    assert sorted(file for group in groups for part in group.apart() for file in part.files) == sorted(files)
    assert [len(group) for group in groups] == sorted(map(len, groups), reverse=True)
    assert all(len(list(group.details)) == len(group) for group in groups)


def test_names_and_numbers_make_no_reason_of_their_own():
    """What differs by the file's own name, a number or a detail is one kind; its first reason is shown whole."""
    one, other = by_reason(
        [
            ("a.jpg", "a.jpg is 12 pixels wide (of 9)"),
            ("b.jpg", "b.jpg is 7 pixels wide (of 9)"),
            ("c.jpg", "not a picture"),
        ]
    )
    assert one.kind == "# is # pixels wide"
    assert one.reason == "a.jpg is 12 pixels wide (of 9) (names or numbers differ in 1 more)"
    assert (other.kind, other.example, list(other.details)) == ("not a picture", "c.jpg", [("c.jpg", "")])


def test_few_reasons_that_several_files_share_are_told_apart():
    """Two folders that were not understood are two reasons; copies of many pictures are one."""
    folders = [(f"{name}/{i}.jpg", f"unknown: folder '{name}'") for name in ("neural", "suprise") for i in range(3)]
    (group,) = by_reason(folders)
    assert [part.reason for part in group.apart()] == ["unknown: folder 'neural'", "unknown: folder 'suprise'"]
    (copies,) = by_reason([(f"{i}.jpg", f"a copy of another picture: {i}.png") for i in range(6)])
    assert copies.apart() == [copies]
