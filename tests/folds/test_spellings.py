"""Folds and data that spell a person differently mean one person, whichever of them is read."""

import pandas as pd
import pytest

from fer_bench.data.manifest import as_manifest
from fer_bench.folds.check import check_folds, check_table
from fer_bench.folds.given import user_folds
from fer_bench.folds.splitters import make_folds
from fer_bench.folds.tables import FoldTable, read_fold_table
from fer_bench.folds.wording import verdict_lines
from fer_bench.labels import EMOTIONS


@pytest.fixture(scope="module")
def manifest():
    """Four people by number."""
    rows = [
        {"image": f"{person}{label}", "file": f"{person}{label}", "label": label, "subject": str(person)}
        for person in range(1, 5)
        for label in EMOTIONS
    ]
    return as_manifest(rows, [], "drawn")


def sides(**columns):
    """Two images that are trained on and two that are tested."""
    known = {"fold": 0, "role": ["train", "train", "test", "test"], "image": ["a", "b", "c", "d"]}
    return FoldTable("", "", -1, "", pd.DataFrame({**known, "label": ["HA", "SA"] * 2, **columns}))


@pytest.mark.parametrize(
    "people",
    [
        ["Anna", "bob", "anna ", "cleo"],
        ["1", "2", "01", "3"],
        ["1", "2", "1.0", "3"],
        ["Jos\u00e9", "bob", "Jose\u0301", "cleo"],
        ["S 1", "S 2", "S  1", "S 3"],
    ],
)
def test_a_person_under_two_spellings_is_in_train_and_test(people):
    """The claim is refused and the merged names are told; the same people under one spelling each are accepted."""
    verdict = check_table(sides(subject=people), "mine")
    assert verdict.refused
    assert [leak.tests for leak in verdict.people.leaks] == [1]
    assert "1 person stands under 2 spellings" in "\n".join(verdict_lines(verdict))
    assert check_table(sides(subject=["1", "2", "3", "4"]), "mine").accepted


@pytest.mark.parametrize("people", [["1", "2", "1a", "3"], ["Ann", "b", "Anne", "c"], ["01", "x", "1", "y"]])
def test_near_names_are_other_people(people):
    """Nothing but the way of writing makes two names one."""
    assert check_table(sides(subject=people), "mine").accepted


def test_unknown_people_prove_nothing():
    """Two images of nobody in particular are not one person, and not shown to be two."""
    verdict = check_table(sides(subject=["1", "unknown", "2", "nan"]), "mine")
    assert verdict.refused
    assert (verdict.people.state, verdict.people.unknown) == ("unknown", 2)
    assert "2 of 4 pictures say 'nan' or 'unknown' (column subject): taken as not given" in verdict.notes


def test_sessions_and_films_are_compared_alike():
    """A film under two spellings stands on both sides."""
    verdict = check_table(sides(subject=list("1234"), sequence=["Film 1", "x", "film 1", "y"]), "mine")
    assert verdict.sequences.leak.tests == 1
    verdict = check_table(sides(session=["A", "A", "a", "a"]), "mine", claim="session")
    assert verdict.sessions.leak.tests == 2


def test_a_file_contradicts_itself_only_where_it_means_two():
    """Anna and ANNA of one image are one; Anna and bob are two."""
    table = sides(subject=["1", "2", "3", "4"]).table
    again = table.assign(fold=1, role=table["role"][::-1].to_numpy(), subject=["01", "2.0", "3", "4"])
    same = FoldTable("", "", -1, "", pd.concat([table, again], ignore_index=True))
    assert check_table(same, "mine").contradictions == ()
    other = FoldTable("", "", -1, "", pd.concat([table, again.assign(subject=list("1235"))], ignore_index=True))
    assert [found.image for found in check_table(other, "mine").contradictions] == ["d"]


def test_a_file_that_spells_the_data_s_people_differently_agrees(manifest, tmp_path):
    """Folds whose subject is 01 against the data's 1 name the same person, in the check and in a run."""
    table = make_folds(manifest, "subject-2fold", 0).table
    table.assign(subject="0" + table["subject"], role=table["role"].str.title()).to_csv(tmp_path / "f.csv")
    verdict = check_folds(tmp_path / "f.csv", manifest=manifest)
    assert verdict.accepted
    assert verdict.differences == ()
    assert user_folds(tmp_path / "f.csv", manifest)[1] == ()
    swapped = table.assign(subject=table["subject"].map({"1": "02", "2": "01", "3": "03", "4": "04"}))
    swapped.to_csv(tmp_path / "other.csv")
    (found,) = check_folds(tmp_path / "other.csv", manifest=manifest).differences
    assert (found.column, found.images) == ("subject", 14)
    (note,) = user_folds(tmp_path / "other.csv", manifest)[1]
    assert "the person differs from the data's own in 28 rows" in note


def test_an_old_manifest_with_two_spellings_hides_nobody(manifest, tmp_path):
    """The manifest of an earlier run, which has both spellings, is compared by the normal form."""
    table = manifest.table.assign(subject=["0" * (i % 2) + name for i, name in enumerate(manifest.table["subject"])])
    table.to_csv(tmp_path / "manifest.csv", index=False)
    folds = make_folds(as_manifest(table.to_dict("records"), [], "old"), "subject-2fold", 0)
    folds.write(tmp_path / "folds.csv")
    assert set(read_fold_table(tmp_path / "folds.csv").table["subject"]) == set(table["subject"])
    assert check_folds(tmp_path / "folds.csv", manifest=tmp_path / "manifest.csv").people.state == "refused"
    assert check_folds(tmp_path / "folds.csv").people.state == "refused"
