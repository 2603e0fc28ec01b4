"""A table of one's own: what it tells is used, what it gets wrong is said with its line."""

import os
import sys
import zipfile

import pytest
from layouts import save, square, write_csv

from fer_bench.data.datasets import load_dataset
from fer_bench.errors import UserError


def load(path):
    return load_dataset(str(path), people=None, workers=2)


def test_people_sessions_and_views_come_from_the_table(tmp_path):
    """Optional columns fill the manifest; labels are read by code and by name."""
    dataset = load(write_csv(tmp_path))
    table = dataset.manifest.table
    assert dataset.manifest.people == ["p1", "p2", "p3", "p4"]
    assert table.groupby(["subject", "session", "label"]).size().eq(1).all()
    assert set(table["view"]) == {"S"}
    assert len(table) == 56


def test_what_is_not_used_is_named(tmp_path):
    """A picture that is not there, and contempt, are left out by name."""
    reasons = {e.file: e.reason for e in load(write_csv(tmp_path)).manifest.excluded}
    assert reasons == {
        "pictures/lost.png": "no such file: line 58 of table.csv",
        "pictures/1-happy-A.png": "contempt is none of the seven expressions",
    }


def test_a_table_without_people_says_why_nobody_is_told_apart(tmp_path):
    """Without the column subject there are no people, and the reason names the column."""
    path = write_csv(tmp_path)
    path.write_text("\n".join(",".join(line.split(",")[:2]) for line in path.read_text().splitlines()))
    dataset = load(path)
    assert dataset.manifest.people == []
    assert "no column subject" in dataset.why_no_people


def test_a_table_with_people_gives_no_such_reason(tmp_path):
    """Where people are given there is nothing to explain."""
    assert load(write_csv(tmp_path)).why_no_people == ""


def test_one_picture_under_two_labels_is_used_under_neither(tmp_path):
    """Two rows that contradict each other are both left out."""
    save(square("AF01HAS", 48), tmp_path / "a.png")
    save(square("AF01SAS", 48), tmp_path / "b.png")
    save(square("AF01SUS", 48), tmp_path / "c.png")
    (tmp_path / "t.csv").write_text("path,label\na.png,HA\na.png,SA\nb.png,SA\nc.png,SU\n")
    manifest = load(tmp_path / "t.csv").manifest
    assert list(manifest.table["image"]) == ["b.png", "c.png"]
    assert all("contradictory labels" in e.reason for e in manifest.excluded)


def test_one_picture_of_two_people_is_used_for_neither(tmp_path):
    """A path that is listed for two people is left out; listed in two parts of the split, the test part keeps it."""
    for name, face in zip("abc", ("AF01HAS", "AF01SAS", "AF02SAS"), strict=True):
        save(square(face, 48), tmp_path / f"{name}.png")
    rows = "a.png,HA,1,train\na.png,HA,2,train\nb.png,SA,1,train\nb.png,SA,1,test\nc.png,HA,2,train\n"
    (tmp_path / "t.csv").write_text("path,label,subject,split\n" + rows)
    manifest = load(tmp_path / "t.csv").manifest
    assert manifest.table.set_index("image")["split"].to_dict() == {"b.png": "test", "c.png": "train"}
    assert [(e.file, e.reason) for e in manifest.excluded] == [
        ("a.png", "contradictory people: a.png is 1 (a.png) and 2 (a.png)"),
        ("a.png", "contradictory people: a.png is 1 (a.png) and 2 (a.png)"),
        ("b.png", "a second file of an image: b.png is used, test and not train"),
    ]


def test_a_spreadsheets_table_is_read(tmp_path):
    """A byte order mark, Windows' line ends, quotes and back slashes are what spreadsheets write."""
    for name, face in (("a,1", "AF01HAS"), ("b", "AF01SAS")):
        save(square(face, 48), tmp_path / "pictures" / f"{name}.png")
    text = '\ufeffPath,Label\r\n"pictures\\a,1.png",Happy\r\npictures\\b.png,SAD\r\n\r\n'
    (tmp_path / "t.csv").write_bytes(text.encode())
    assert list(load(tmp_path / "t.csv").manifest.table["label"]) == ["HA", "SA"]


def test_a_table_in_a_folder_or_zip_is_found(tmp_path):
    """The folder of a table may be given in its place."""
    path = write_csv(tmp_path)
    assert load(tmp_path).manifest.hash == load(path).manifest.hash


def test_a_table_in_an_archive_reaches_no_file_outside(tmp_path):
    """A path that leads out of the folder that is given is not followed."""
    save(square("AF01HAS", 48), tmp_path / "secret.png")
    (tmp_path / "data").mkdir()
    for i, face in enumerate(("AF01HAS", "AF01SAS")):
        save(square(face, 48), tmp_path / "data" / f"{i}.png")
    (tmp_path / "data" / "t.csv").write_text("path,label\n0.png,HA\n1.png,SA\n../secret.png,SU\n")
    (outside,) = load(tmp_path / "data").manifest.excluded
    assert outside.file == "../secret.png"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"path|label\na.png|HA\n", "found path|label"),
        (b"\xff\xfe\x00\x01", "expected a table with the columns path and label"),
        (b"path,label\n\xff.png,HA\n", "not a table of text in UTF-8"),
        (b"path,label,split\na.png,HA,train\nb.png,SA,\n", "the column split is filled in 1 rows and empty in 1"),
        (b"path,label,label\na.png,HA,SA\n", "a column stands twice in the header"),
        (b"path,label\n,HA\n", "line 2: the column path is empty"),
        (b"path,label\na.png,3\n", "unknown label '3'"),
    ],
)
def test_mistakes_are_told_in_one_sentence(tmp_path, content, message):
    """Each mistake names the table, and the line where there is one."""
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(UserError, match=r"t\.csv") as error:
        load(tmp_path / "t.csv")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_table_is_said(tmp_path):
    """A path that ends in .csv and is not there is not searched for elsewhere."""
    with pytest.raises(UserError, match="no such file"):
        load(os.path.join(tmp_path, "nowhere.csv"))


@pytest.fixture
def outside(tmp_path):
    """A table of two pictures outside its folder; returns its path and the two as it calls them."""
    for i, name in enumerate(("AF01HAS", "AF01SAS")):
        save(square(name, 48), tmp_path / "else" / f"{i}.png")
    (tmp_path / "t").mkdir()
    names = ["../else/1.png", f"{tmp_path}/else/0.png"]
    (tmp_path / "t" / "t.csv").write_text(f"path,label\n{names[1]},HA\n{names[0]},SA\n")
    return tmp_path / "t" / "t.csv", names


def test_pictures_may_lie_elsewhere_where_that_is_asked_for(outside):
    """With ``allow_outside`` a table may name pictures anywhere; whole paths do not depend on where one stands."""
    path, names = outside
    for data in (path, path.parent):
        manifest = load_dataset(str(data), workers=1, allow_outside=True).manifest
        assert list(manifest.table["image"]) == names
        assert manifest.count.sentence == "3 files: 2 read, 1 read for what it says, 0 left out"


def test_a_table_reaches_no_picture_outside_its_folder_by_itself(outside):
    """Where all pictures lie outside, the table is refused with what to do, by itself and in its folder."""
    path, names = outside
    for data in (path, path.parent):
        with pytest.raises(
            UserError, match=r"every picture.*outside the table's folder.*give `allow_outside`"
        ) as error:
            load(data)
        assert names[1] in str(error.value)


def test_some_pictures_outside_are_left_out_and_told(outside):
    """Where some lie outside, they are left out by name, and a note says how many, and what reads them."""
    path, names = outside
    for i, name in enumerate(("AF02HAS", "AF02SAS")):
        save(square(name, 48), path.parent / "in" / f"{i}.png")
    whole = path.parent / "in" / "1.png"
    path.write_text(path.read_text() + f"in/0.png,HA\nx/../{whole.relative_to(path.parent)},SA\n")
    dataset = load(path)
    assert list(dataset.manifest.table["image"]) == ["in/0.png", "in/1.png"]
    assert {e.file for e in dataset.manifest.excluded} == set(names)
    assert all("--allow-outside reads it" in e.reason for e in dataset.manifest.excluded)
    assert dataset.notes[0].startswith("2 pictures of the table t.csv are left out")
    assert "`allow_outside` reads them" in dataset.notes[0]


def test_a_whole_path_inside_is_inside(tmp_path):
    """An absolute path to a picture below the table needs no permission, by the table or by its folder."""
    path = write_csv(tmp_path)
    path.write_text(path.read_text().replace("pictures/", f"{tmp_path}/pictures/"))
    assert len(load(path).manifest) == len(load(tmp_path).manifest) == 56


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_of_a_table_lead_nowhere_by_themselves(outside):
    """A link to a picture, and a picture in a linked folder, count as outside; ``allow_outside`` follows them."""
    path, _ = outside
    save(square("AF02HAS", 48), path.parent / "a.png")
    (path.parent / "link.png").symlink_to(path.parent.parent / "else" / "0.png")
    (path.parent / "folder").symlink_to(path.parent.parent / "else")
    path.write_text("path,label\na.png,HA\nlink.png,HA\nfolder/1.png,SA\n")
    with pytest.raises(UserError, match="all 1 usable images show HA"):
        load(path)
    path.write_text("path,label\nlink.png,HA\nfolder/1.png,SA\n")
    with pytest.raises(UserError, match="behind a link"):
        load(path)
    assert len(load_dataset(path, workers=1, allow_outside=True)) == 2


@pytest.mark.parametrize(
    ("name", "encoding", "between"),
    [
        ("t.tsv", "utf-8", "\t"),
        ("t.TSV", "utf-16", "\t"),
        ("t.tab", "utf-8-sig", "\t"),
        ("t.csv", "utf-8-sig", ";"),
        ("t.csv", "utf-16", "\t"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_tables_as_spreadsheets_save_them(tmp_path, name, encoding, between, packed):
    """Tabs and semicolons between cells, byte order marks and UTF-16 are read, from a file, a folder and a zip."""
    write_csv(tmp_path)
    rows = (tmp_path / "table.csv").read_text()
    (tmp_path / "table.csv").unlink()
    (tmp_path / name).write_bytes(rows.replace(",", between).encode(encoding))
    if packed:
        with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
            for file in tmp_path.rglob("*"):
                if file.suffix != ".zip" and file.is_file():
                    archive.write(file, file.relative_to(tmp_path))
        assert len(load(tmp_path / "t.zip").manifest) == 56
    else:
        assert len(load(tmp_path / name).manifest) == len(load(tmp_path).manifest) == 56
