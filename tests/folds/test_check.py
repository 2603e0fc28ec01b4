"""`folds check` refuses what leaks, whatever the file says of itself, and accepts what does not."""

import bz2
import gzip
import lzma

import pandas as pd
import pytest
from ckplus import write_split
from drawn import ALL, BY_PERSON, QUICK, manifests
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench.data.datasets import load_dataset
from fer_bench.data.manifest import as_manifest
from fer_bench.data.names import name_facts
from fer_bench.errors import UserError
from fer_bench.folds.check import check_folds, check_table
from fer_bench.folds.splitters import make_folds
from fer_bench.folds.tables import FoldTable, read_fold_table
from fer_bench.folds.wording import verdict_lines


@pytest.fixture(scope="module")
def kdef():
    """The manifest of a set of KDEF's size and names."""
    return load_dataset("synthetic", people=None, workers=1).manifest


@pytest.fixture(scope="module")
def leaky(kdef):
    """Ten folds by person over KDEF's names, of which one image of one person went from test to train."""
    table = make_folds(kdef, "subject-10fold", 0).table.copy()
    row = table.index[(table["fold"] == 3) & (table["role"] == "test")][5]
    table.loc[row, "role"] = "train"
    return table, str(table.loc[row, "image"])


def as_table(table, protocol="subject-10fold"):
    return FoldTable(protocol, "", 0, "", table)


def two_sides(**columns):
    """A fold of four images, of which the second and the third are on two sides."""
    sides = {"fold": 0, "role": ["train", "train", "test", "test"], "image": ["a", "b", "c", "d"]}
    return as_table(pd.DataFrame({**sides, "label": "HA", "subject": ["1", "2", "3", "4"], **columns}), "")


def test_the_popular_split_of_ckplus_is_refused(tmp_path):
    """People of CK+ who stand in train and test are found by the images' names alone, and their share is told."""
    share = write_split(tmp_path / "ck.csv", seed=11)
    assert share == pytest.approx(0.63, abs=0.01)
    verdict = check_folds(tmp_path / "ck.csv")
    assert verdict.refused
    assert "REFUSED: these folds are not subject-independent" in verdict_lines(verdict)
    people = next(line for line in verdict_lines(verdict) if line.startswith("people: REFUSED"))
    assert f"of 984 tests ({100 * share:.0f} %)" in people
    assert "in 10 of 10 folds" in people
    assert "fold 0 tests CK+48/" in people


def test_one_image_of_one_person_of_kdef_is_enough(leaky):
    """A single leaked image refuses 10 folds of 4,900, and the pair is named; nothing else is wrong with them."""
    table, image = leaky
    verdict = check_table(as_table(table), "x")
    assert verdict.refused
    people = [line for line in verdict_lines(verdict) if line.startswith("people: REFUSED, 1 person is")]
    assert len(people) == 1
    assert f"and trains on {image}" in people[0]
    assert "in 1 of 10 folds: 69 of 4,899 tests" in people[0]


@pytest.mark.parametrize("lie", [None, "", "session", "unique"])
def test_a_file_cannot_vouch_for_itself(leaky, lie):
    """Whatever the file's own column says of people, the images' names tell the same woman in two sessions."""
    table, image = leaky
    table = table.drop(columns="subject") if lie is None else table.assign(subject=lie)
    if lie == "session":
        table["subject"] = table["image"].str[:4]
    if lie == "unique":
        table["subject"] = table["image"]
    verdict = check_table(as_table(table), "x")
    assert verdict.refused
    assert any("by the images' names" in line and image in line for line in verdict_lines(verdict))


@settings(QUICK, max_examples=25)
@given(manifests(), st.sampled_from(BY_PERSON), st.integers(0, 5), st.booleans())
def test_every_protocol_by_person_is_accepted(manifest, protocol, seed, known):
    """No random manifest makes a built-in protocol by person look like a leak, with or without the manifest."""
    folds = make_folds(manifest, protocol, seed)
    file = FoldTable(protocol, folds.manifest_hash, seed, folds.hash, folds.table)
    verdict = check_table(file, "x", manifest=manifest if known else None)
    assert not verdict.refused, verdict_lines(verdict)
    assert any(line.startswith("people: proven") for line in verdict_lines(verdict))


@settings(QUICK, max_examples=10)
@given(manifests(), st.sampled_from(sorted(set(ALL) - set(BY_PERSON))), st.integers(0, 5))
def test_no_other_protocol_passes_for_one_by_person(manifest, protocol, seed):
    """What a protocol by image or session promises holds; that people are apart is refused."""
    folds = make_folds(manifest, protocol, seed)
    file = FoldTable(protocol, folds.manifest_hash, seed, folds.hash, folds.table)
    assert not check_table(file, "x", manifest=manifest).refused
    assert "may be called subject-independent" in verdict_lines(check_table(file, "x", manifest=manifest))[-1]
    assert check_table(file, "x", claim="person", manifest=manifest).refused


@pytest.mark.parametrize(
    ("column", "title", "under_image"),
    [("sequence", "sequences", False), ("sha256", "exact duplicates", True), ("phash", "near-duplicates", False)],
)
def test_films_and_copies_on_both_sides_are_refused(column, title, under_image):
    """Frames of one film, one file under two names and look-alikes break a claim by person, and are told otherwise."""
    hashes = ["1" * 64, "2" * 64, "2" * 64, "e" * 64]
    verdict = check_table(two_sides(**{column: hashes}), "x")
    assert verdict.refused
    line = next(line for line in verdict_lines(verdict) if line.startswith(f"{title}: REFUSED"))
    assert "1 of 2 tests (50 %)" in line
    assert "fold 0 tests c and trains on b" in line
    assert check_table(two_sides(**{column: hashes}), "x", claim="image").refused == under_image
    assert not check_table(two_sides(**{column: ["1" * 64, "2" * 64, "d" * 64, "e" * 64]}), "x").refused


def test_a_session_on_both_sides_is_told_and_refused_where_it_is_the_claim():
    """Sessions are part of no promise but their own, and the sessions of different people are not one session."""
    table = two_sides(session=["A", "B", "B", "B"])
    assert "sessions: none on both sides of a fold" in verdict_lines(check_table(table, "x"))
    one = two_sides(session=["A", "B", "B", "B"], subject="1")
    assert any(line.startswith("sessions: 2 of 2 tests") for line in verdict_lines(check_table(one, "x")))
    assert not check_table(table, "x").refused
    assert check_table(table, "x", claim="session").refused
    assert check_table(two_sides(), "x", claim="session").refused, "what is not given is not proven"


def test_a_copy_under_another_name_is_found(tmp_path):
    """Pictures that were augmented before the split (the same name, with a tail) are no new pictures."""
    (tmp_path / "f.csv").write_text("role,image\ntrain,AF01AFS_flip.jpg\ntrain,AM02HAS.JPG\ntest,AF01AFS.JPG\n")
    verdict = check_folds(tmp_path / "f.csv", claim="image")
    assert verdict.refused
    assert any("same pictures: REFUSED" in line and "AF01AFS_flip.jpg" in line for line in verdict_lines(verdict))


def test_people_who_are_not_told_are_not_proven(tmp_path):
    """Names that tell nothing, and no column of people: a claim by person is refused, one by image is not."""
    (tmp_path / "f.csv").write_text("role,image\ntrain,1.jpg\ntest,2.jpg\n")
    assert any("not proven, 2 of 2 images" in line for line in verdict_lines(check_folds(tmp_path / "f.csv")))
    assert check_folds(tmp_path / "f.csv").refused
    assert not check_folds(tmp_path / "f.csv", claim="image").refused


def test_two_half_told_sources_prove_nothing_together(tmp_path):
    """Half of the people by a column and half by names: one woman may go by two names, so nothing is proven."""
    (tmp_path / "f.csv").write_text("role,image,subject\ntrain,AF01AFS,\ntest,2.jpg,Anna\n")
    verdict = check_folds(tmp_path / "f.csv")
    assert verdict.refused
    assert any("not proven, 1 of 2 images" in line for line in verdict_lines(verdict))


def test_the_manifest_of_a_run_is_found_beside_its_folds(tmp_path, kdef):
    """Folds in a run's folder are checked with its manifest.csv, if it is the one that they were made for."""
    folds = make_folds(kdef, "subject-2fold", 0)
    (tmp_path / "folds").mkdir()
    folds.write(tmp_path / "folds" / "subject-2fold.csv")
    kdef.table.to_csv(tmp_path / "manifest.csv", index=False)
    verdict = check_folds(tmp_path / "folds" / "subject-2fold.csv")
    assert "with the manifest beside it (4900 images)" in verdict_lines(verdict)
    assert "exact duplicates: none on both sides of a fold" in verdict_lines(verdict)
    kdef.table.assign(sha256="x").to_csv(tmp_path / "manifest.csv", index=False)
    assert "exact duplicates: not given" in verdict_lines(check_folds(tmp_path / "folds" / "subject-2fold.csv"))
    given_in = check_folds(tmp_path / "folds" / "subject-2fold.csv", manifest=tmp_path / "manifest.csv")
    assert any("made for other data" in line for line in verdict_lines(given_in))
    assert given_in.refused, "every picture has the same hash"


def test_classes_that_a_fold_does_not_train_are_told():
    """An expression that is tested and not trained on is named."""
    verdict = check_table(two_sides(label=["HA", "HA", "HA", "SA"]), "x")
    assert any("trains on none of, such as SA in fold 0" in line for line in verdict_lines(verdict))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("image,fold\na.png,1\nb.png,2\nc.png,1\n", {(1, "test"): 2, (1, "train"): 1, (2, "test"): 1, (2, "train"): 2}),
        ("filename,usage\na,Training\nb,PublicTest\nc,PrivateTest\n", {(0, "train"): 1, (0, "test"): 2}),
        ("Path,Split\na,train\nb,val\nc,TEST\n", {(0, "train"): 2, (0, "test"): 1}),
        ("img,set,cv\na,train,first\nb,test,first\na,test,second\nb,train,second\n",
         {(0, "train"): 1, (0, "test"): 1, (1, "train"): 1, (1, "test"): 1}),
    ],
)  # fmt: skip
def test_tables_of_other_tools_are_read(tmp_path, text, rows):
    """Columns by their usual names, folds by name, validation as train, and tables that name only the test fold."""
    (tmp_path / "f.csv").write_text(text)
    table = read_fold_table(tmp_path / "f.csv").table
    assert table.groupby(["fold", "role"]).size().to_dict() == rows


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "cannot be read"),
        ("a,b\n1,2\n", "a column image"),
        ("image,subject\na,1\n", "role"),
        ("image,role\na,maybe\n", "holds 'maybe'; expected train"),
        ("image,fold\na,1\nb,\n", "row 3 has no fold"),
        ("image,role\n", "no row"),
        ("image,role\na,train\nb,test,1,2\n", "line 3"),
        ("# fer-bench folds 1; protocol=x; manifest=y; seed=0\nfold,role\n1,2,3\n1,2,3,4,5\n", "not a whole"),
    ],
)
def test_a_table_that_is_none_is_one_sentence(tmp_path, text, message):
    """A file that is no table of folds is refused with what was expected."""
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(UserError, match=message) as error:
        read_fold_table(tmp_path / "f.csv")
    assert "\n" not in str(error.value)


def test_names_tell_who_it_is():
    """CK+, KDEF and JAFFE name people in their files; other names tell nothing."""
    assert name_facts("CK+48/anger/S010_004_00000017.png").subject == "S010"
    assert name_facts("C:\\data\\S010_004_00000017_aug2.png").sequence == "S010/004"
    assert name_facts("KDEF/BF01/bf01anhl.jpg").subject == "F01"
    assert name_facts("AF01ANHL").session == "A"
    assert name_facts("KA.AN1.39.tiff").subject == "KA"
    assert name_facts("0001.png") is name_facts("AF36ANHL.JPG") is name_facts("AF01ANHLX.JPG") is None


@pytest.mark.parametrize("column", ["subject", "label", "session", "sequence"])
def test_a_file_that_says_two_things_of_an_image_proves_nothing(column):
    """An image with two people, labels, sessions or films in different rows is refused and named."""
    rows = {"fold": [0, 0, 1, 1], "role": ["train", "test"] * 2, "image": ["a", "b", "b", "a"]}
    said = {"subject": ["1", "2", "2", "1"], "label": ["HA"] * 4, column: ["1", "2", "2", "3"]}
    verdict = check_table(as_table(pd.DataFrame({**rows, **said}), ""), "x")
    assert verdict.refused
    assert any(f"such as a: {column} 1 and 3" in line for line in verdict_lines(verdict))
    said[column] = ["1", "2", "2", ""]
    assert not check_table(as_table(pd.DataFrame({**rows, **said}), ""), "x", claim="image").refused


DATA = as_manifest(
    [{"image": f"{who}{label}", "label": label, "subject": who} for who in "pqrs" for label in ("HA", "SA")], [], "x"
)


@pytest.mark.parametrize(
    ("column", "rename", "fits"),
    [
        ("label", {"HA": "Happy", "SA": "sadness"}, True),
        ("label", {"HA": "3", "SA": "0"}, True),
        ("subject", {"p": "1", "q": "2", "r": "3", "s": "4"}, True),
        ("label", {"HA": "SA", "SA": "HA"}, False),
        ("label", {"HA": "3", "SA": "3"}, False),
        ("subject", {"q": "p"}, False),
        ("subject", {"p": "1", "q": "1", "r": "3", "s": "4"}, False),
    ],
)
def test_what_a_file_states_is_held_against_the_data(column, rename, fits):
    """Other people or expressions than the data's are refused and named; other names for the same ones are not."""
    table = make_folds(DATA, "subject-2fold", 0).table
    table = table.assign(**{column: table[column].replace(rename)})
    verdict = check_table(as_table(table, ""), "x", manifest=DATA)
    assert verdict.refused is not fits, verdict_lines(verdict)
    assert fits is not any("the file states another" in line for line in verdict_lines(verdict))
    assert fits or verdict_lines(verdict)[-1] == "REFUSED: what the file says of its images is not what the data say"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,label\na,HA\na,SA\n", "expected one row an image"),
        ("image,label\na,HA\nb,glad\n", "label 'glad'"),
        ("image\na\n", "columns image and label"),
    ],
)
def test_what_is_no_manifest_is_one_sentence(tmp_path, text, message):
    """A table of folds or another table in the manifest's place is refused with what was expected."""
    (tmp_path / "m.csv").write_text(text)
    (tmp_path / "f.csv").write_text("image,role\na,train\nb,test\n")
    with pytest.raises(UserError, match=message):
        check_folds(tmp_path / "f.csv", manifest=tmp_path / "m.csv")


@pytest.mark.parametrize("tail", ["zip", "tar", "xz", "zst", "gz", "bz2"])
def test_a_plain_table_is_read_whatever_its_name_ends_in(tmp_path, tail):
    """Compression is not guessed from a name."""
    (tmp_path / f"f.{tail}").write_text("image,role\na,train\nb,test\n")
    assert len(read_fold_table(tmp_path / f"f.{tail}").table) == 2


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_compressed_table_is_to_be_unpacked(tmp_path, pack):
    """A table that is really compressed is refused with what to do, as folds and as a manifest."""
    (tmp_path / "f.csv").write_text("image,role\na,train\nb,test\n")
    (tmp_path / "packed.csv").write_bytes(pack(b"image,label\na,HA\n"))
    with pytest.raises(UserError, match="unpack it"):
        read_fold_table(tmp_path / "packed.csv")
    with pytest.raises(UserError, match="unpack it"):
        check_folds(tmp_path / "f.csv", manifest=tmp_path / "packed.csv")


def test_own_folds_with_a_byte_order_mark_are_the_same_folds(tmp_path):
    """An editor that puts a mark in front and Windows' line ends changes nothing."""
    folds = make_folds(DATA, "subject-2fold", 0)
    (tmp_path / "f.csv").write_bytes(b"\xef\xbb\xbf" + folds.text.replace("\n", "\r\n").encode())
    assert read_fold_table(tmp_path / "f.csv").hash == folds.hash


def test_images_of_fold_minus_one_are_never_tested(tmp_path):
    """scikit-learn's -1 is no fold: such images train in all of them, and it is said."""
    (tmp_path / "f.csv").write_text("image,test_fold\na,-1\nb,0\nc,1\n")
    file = read_fold_table(tmp_path / "f.csv")
    tested = file.table[file.table["role"] == "test"]
    assert list(zip(tested["fold"], tested["image"], strict=True)) == [(0, "b"), (1, "c")]
    assert file.notes[0] == "1 images of fold -1 are never tested and trained on in every fold"
    (tmp_path / "f.csv").write_text("image,test_fold\na,-1\nb,-1\n")
    with pytest.raises(UserError, match="no image is tested"):
        read_fold_table(tmp_path / "f.csv")


def test_folds_of_some_views_are_folds_of_these_data(tmp_path, kdef):
    """A file made with --views is told as such when all views are given in."""
    make_folds(kdef.where("view", ["S", "HL"]), "subject-2fold", 0).write(tmp_path / "f.csv")
    kdef.table.to_csv(tmp_path / "m.csv", index=False)
    verdict = check_folds(tmp_path / "f.csv", manifest=tmp_path / "m.csv")
    assert "made for the views HL,S of these data" in verdict_lines(verdict)
    assert not verdict.refused


def test_near_duplicates_claim_no_more_than_was_looked_at():
    """None found is not none there, and images without a hash are counted."""
    hashes = ["1" * 64, "", "d" * 64, "e" * 64]
    lines = verdict_lines(check_table(two_sides(phash=hashes), "x"))
    (line,) = (line for line in lines if line.startswith("near-duplicates"))
    assert "none found (a strongly changed copy may be missed; 1 of 4 images have no hash" in line


def test_look_alikes_of_a_manifest_are_found():
    """Pictures that look the same under two people's names are found through the manifest's hashes."""
    rows = [
        {"image": f"{who}{label}", "label": label, "subject": who, "phash": f"{i:x}{j:x}" * 32}
        for i, who in enumerate("pqrs")
        for j, label in enumerate(["HA", "SA"])
    ]
    rows[7]["phash"] = rows[1]["phash"]
    manifest = as_manifest(rows, [], "x")
    whole = manifest.table[["image"]].assign(fold=0, role=["train"] * 4 + ["test"] * 4)
    verdict = check_table(FoldTable("", "", -1, "", whole), "x", manifest=manifest)
    assert verdict.refused
    assert any(
        "near-duplicates: REFUSED" in line and "tests sSA and trains on pSA" in line for line in verdict_lines(verdict)
    )
