"""What training holds of those who are tested is counted, and what it is worth to know who is shown and no more."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_bench.folds.neighbours import MOST_TESTS, describe_neighbours, find_nearest, known_person
from fer_bench.labels import EMOTIONS


@st.composite
def drawn(draw: st.DrawFn) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Up to 14 pictures of three people on random sides of two folds, with hashes that differ in few bits."""
    n = draw(st.integers(4, 14))
    pick = lambda values: draw(st.lists(st.sampled_from(values), min_size=n, max_size=n))  # noqa: E731
    facts = pd.DataFrame(
        {
            **{
                "image": [f"i{i}" for i in range(n)],
                "label": pick(["HA", "SA", "NE"]),
                "subject": pick(["a", "b", "c"]),
            },
            **{"session": pick(["A", "B"]), "phash": [f"{value:064x}" for value in pick([0, 1, 3, 7, 15, 255])]},
        }
    )
    sides = [draw(st.lists(st.booleans(), min_size=n, max_size=n)) for _ in range(2)]
    parts = [
        pd.DataFrame(
            {"fold": fold, "role": np.where([*side[:-2], True, False], "test", "train"), "image": facts["image"]}
        )
        for fold, side in enumerate(sides)
    ]
    return pd.concat(parts, ignore_index=True), facts


@settings(max_examples=60, deadline=None)
@given(drawn())
def test_shares_are_those_counted_one_by_one(found: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    """For random folds the shares equal a count over tests and training pictures, equally near ones in part."""
    table, facts = found
    rows = {row["image"]: row for row in facts.to_dict("records")}
    sums, guesses, tests = np.zeros(4), np.zeros(2), 0
    for _, fold in table.groupby("fold"):
        train = [rows[name] for name in fold.loc[fold["role"] == "train", "image"]]
        for name in fold.loc[fold["role"] == "test", "image"]:
            me, tests = rows[name], tests + 1
            bits = [(int(me["phash"], 16) ^ int(other["phash"], 16)).bit_count() for other in train]
            near = [other for other, apart in zip(train, bits, strict=True) if apart == min(bits)]
            for other in near:
                who, what = other["subject"] == me["subject"], other["label"] == me["label"]
                kinds = (who, who and other["session"] != me["session"], what, who and what)
                sums += np.array(kinds, dtype=float) / len(near)
            known = [o["label"] for o in train if o["subject"] == me["subject"]] or [o["label"] for o in train]
            most = [code for code in set(known) if known.count(code) == max(map(known.count, known))]
            guesses += [known.count(me["label"]) / len(known), (me["label"] in most) / len(most)]
    nearest, person = find_nearest(table, facts), known_person(table, facts)
    assert nearest is not None
    assert person is not None
    told = [nearest.person, nearest.other_session, nearest.label, nearest.person_and_label]
    expected = list(sums / tests)
    if facts["session"].nunique() == 1:
        expected[1] = None
    assert told == [None if value is None else pytest.approx(value) for value in expected]
    assert (person.in_proportion, person.most_frequent) == pytest.approx(tuple(guesses / tests))


def _folds(facts: pd.DataFrame, fold: np.ndarray) -> pd.DataFrame:
    parts = [
        pd.DataFrame({"fold": k, "role": np.where(fold == k, "test", "train"), "image": facts["image"]})
        for k in np.unique(fold)
    ]
    return pd.concat(parts, ignore_index=True)


def _portraits() -> pd.DataFrame:
    rows = [
        {"image": f"{s}{p:02d}{e}", "label": e, "subject": f"{p:02d}", "session": s, "phash": ""}
        for p in range(20)
        for s in "AB"
        for e in EMOTIONS
    ]
    return pd.DataFrame(rows)


def test_zero_is_no_null_for_a_split_by_image() -> None:
    """Who knows only the person is below chance under random folds, and at chance by person and by session."""
    facts = _portraits()
    by_image = np.random.default_rng(0).permutation(np.arange(len(facts)) % 10)
    random = known_person(_folds(facts, by_image), facts)
    person = known_person(_folds(facts, facts["subject"].astype(int).to_numpy() % 10), facts)
    session = known_person(_folds(facts, (facts["session"] == "B").to_numpy().astype(int)), facts)
    assert random is not None
    assert random.most_frequent < random.in_proportion < 1 / 7 - 0.05
    assert (person, session) != (None, None)
    for unbiased in (person, session):
        assert unbiased is not None
        assert (unbiased.in_proportion, unbiased.most_frequent) == pytest.approx((1 / 7, 1 / 7))


def test_what_is_not_known_is_not_told() -> None:
    """Without hashes there is no nearest picture, without names of people nobody who could be known."""
    facts = _portraits().assign(subject="")
    assert describe_neighbours(_folds(facts, np.arange(len(facts)) % 2), facts) == {
        "nearest": None,
        "known_person": None,
    }


def test_many_tests_are_sampled_evenly() -> None:
    """Of more than `MOST_TESTS` tests so many are looked up, from all folds."""
    n = 3 * MOST_TESTS
    facts = pd.DataFrame(
        {
            **{"image": [f"i{i}" for i in range(n)], "label": "HA", "subject": "", "session": ""},
            "phash": [f"{i:064x}" for i in range(n)],
        }
    )
    found = find_nearest(_folds(facts, np.arange(n) // (n // 10)), facts)
    assert found is not None
    assert (found.tests, found.label, found.person) == (MOST_TESTS, 1.0, None)
