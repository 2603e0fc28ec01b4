"""Folds as scikit-learn's splitters: the rows of the data that they are of, or no answer."""

from pathlib import Path

import numpy as np
import pytest
from drawn import ALL, QUICK, manifests
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import GridSearchCV, check_cv, cross_val_score

from fer_bench.data.datasets import load_dataset
from fer_bench.data.manifest import Manifest
from fer_bench.errors import UserError
from fer_bench.folds.folds import read_folds
from fer_bench.folds.given import user_folds
from fer_bench.folds.splitters import make_folds


@settings(QUICK, max_examples=40)
@given(manifests(), st.sampled_from(ALL), st.integers(0, 5))
def test_a_split_is_what_the_table_says(manifest, protocol, seed):
    """For every protocol, fold after fold, rows are those of `indices`, and their images those of the folds' table."""
    folds = make_folds(manifest, protocol, seed)
    names = manifest.table["image"].to_numpy()
    for how in ((), (np.zeros((len(manifest), 2)), manifest.labels, manifest.groups), (manifest,)):
        found = list(folds.split(*how))
        assert len(found) == folds.get_n_splits(*how) == len(folds.numbers)
        for fold, sides in zip(folds.numbers, found, strict=True):
            for rows, known, role in zip(sides, folds.indices(manifest, fold), ("train", "test"), strict=True):
                assert np.array_equal(rows, known)
                own = folds.table[(folds.table["fold"] == fold) & (folds.table["role"] == role)]
                assert list(names[rows]) == sorted(own["image"]), "a manifest is sorted by image"


@pytest.fixture(scope="module")
def data():
    """Four people, seen straight: 56 images, which nothing renders here."""
    return load_dataset(people=4, views="S")


@pytest.fixture(scope="module")
def file(data, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("folds") / "f.csv"
    make_folds(data, "random-2fold", 3).write(str(path))
    return path


def rows_of(folds, *how):
    return [(train.tolist(), test.tolist()) for train, test in folds.split(*how)]


def test_scikit_learn_takes_folds(data):
    """`check_cv` gives folds back as they are; cross-validation and a search fit once a fold."""
    folds, X = make_folds(data, "subject-2fold"), np.zeros((len(data), 1))
    assert check_cv(folds) is folds
    assert len(cross_val_score(DummyClassifier(), X, data.labels, cv=folds)) == 2
    search = GridSearchCV(DummyClassifier(), {"strategy": ["prior", "uniform"]}, cv=folds).fit(X, data.labels)
    assert search.n_splits_ == 2


@pytest.mark.parametrize("n", [0, 55, 57])
def test_arrays_of_other_data_are_refused(data, n):
    """An X of another length than the dataset's is refused in one sentence, before any row is given."""
    with pytest.raises(UserError, match=f"X has {n} rows, expected 56") as error:
        make_folds(data, "subject-2fold").split(np.zeros((n, 3)))
    assert "\n" not in str(error.value)


def test_folds_from_a_file_find_their_rows_by_name(data, file):
    """Read back, folds know no rows until they are given a dataset; in a larger one they find the same images."""
    made, read = make_folds(data, "random-2fold", 3), read_folds(file)
    for X in (None, np.zeros((56, 1))):
        with pytest.raises(UserError, match=r"folds\.split\(dataset\) or folds\.bind\(dataset\)"):
            read.split(X)
    assert rows_of(read, data) == rows_of(read.bind(data)) == rows_of(made)
    assert read.bind(data).hash == made.hash
    turned = Manifest(data.table.iloc[::-1].reset_index(drop=True))
    for (train, test), (other_train, other_test) in zip(made.split(), read.split(turned), strict=True):
        assert set(55 - other_train) == set(train)
        assert set(55 - other_test) == set(test)


def test_folds_of_other_data_are_refused_by_name(file):
    """Images that a dataset lacks are told when folds are bound to it, and when they are split by it."""
    other = load_dataset(people=4, views="HL")
    for ask in (read_folds(file).bind, lambda data: list(read_folds(file).split(data))):
        with pytest.raises(UserError, match="are not in the data"):
            ask(other)


def test_given_folds_are_bound_to_their_data(data, tmp_path):
    """Another tool's table, held against the data, splits them at once."""
    rows = data.table.assign(fold=[int(subject in ("F01", "M01")) for subject in data.table["subject"]])
    rows[["image", "fold"]].to_csv(tmp_path / "mine.csv", index=False)
    folds, notes = user_folds(str(tmp_path / "mine.csv"), data)
    assert folds.protocol == "given-mine"
    assert any("no column says train or test" in note for note in notes)
    for (_, test), fold in zip(folds.split(np.zeros((56, 1))), (0, 1), strict=True):
        assert set(rows["fold"].to_numpy()[test]) == {fold}
