"""`fer-bench compare`: what is paired with what, what is refused, and what is said."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from simulate import PERSON, RANDOM, Simulation, write_run

from fer_bench import stats
from fer_bench.errors import UserError
from fer_bench.results.compare import Compared, compare_runs
from fer_bench.results.load import load_run, report_seed
from fer_bench.results.outcomes import Key, collect_predictions

METHODS = ("knn-lbp", "lda-lbp", "rbf_svc-pixels")


def write(folder: Path, seed: int = 0, **chosen: object) -> Path:
    given = {"people": 12, "folds": 4, "methods": METHODS, "protocols": (PERSON,), "watched": False, "curves": False}
    return write_run(folder, Simulation(seed=seed, **(given | chosen)))


@pytest.fixture(scope="module", name="two")
def _two(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    place = tmp_path_factory.mktemp("runs")
    return write(place / "before"), write(place / "after", seed=1)


def edit(run: Path, **changes: object) -> None:
    """Change values of run.json; ``dataset__name`` is the name of the dataset."""
    info = json.loads((run / "run.json").read_text())
    for name, value in changes.items():
        *outer, last = name.split("__")
        place = info
        for key in outer:
            place = place[key]
        place[last] = value
    (run / "run.json").write_text(json.dumps(info))


def write_manifest(run: Path, content: str = "{}") -> pd.DataFrame:
    """Give a run its manifest.csv; ``content`` words an image's hash."""
    table = pd.read_parquet(run / "predictions.parquet").drop_duplicates("image")[["image", "subject", "label"]]
    table["sha256"] = [content.format(image) for image in table["image"]]
    table.to_csv(run / "manifest.csv", index=False)
    return table


def test_pairs_each_image_with_itself(two: tuple[Path, Path]) -> None:
    """Figures are those of the paired statistics on the two runs' answers, whatever the order of their rows."""
    before, after = two
    found = compare_runs(before, after)
    assert [pair.method_a for pair in found.pairs] == list(METHODS)
    for pair in found.pairs:
        a, b = (collect_predictions(load_run(run))[Key(pair.method_a, PERSON, "last_epoch")] for run in two)
        np.testing.assert_array_equal(a.images, b.images)
        seed = report_seed(load_run(before))
        alone = stats.paired_difference(a.correct, b.correct, a.people, seed=seed)
        assert (pair.difference.test, pair.difference.mcnemar) == (alone.test, alone.mcnemar)
        assert pair.difference.interval.value == pytest.approx(alone.interval.value)
        # all three together cannot be surer than one alone
        assert pair.difference.interval.high - pair.difference.interval.low > alone.interval.high - alone.interval.low
        assert pair.difference.detectable > alone.detectable
        assert pair.p_adjusted >= alone.test.p_value
        assert pair.posterior == stats.probability_better(a.correct, b.correct, a.people)
        assert pair.accuracy_b.value == b.correct.mean()
        assert pair.notes == ()


def test_rows_in_another_order_change_nothing(two: tuple[Path, Path], tmp_path: Path) -> None:
    """A run whose stored rows are shuffled compares the same."""
    before, after = two
    mixed = write(tmp_path / "after", seed=1)
    pd.read_parquet(after / "predictions.parquet").sample(frac=1, random_state=3).to_parquet(
        mixed / "predictions.parquet", index=False
    )
    assert compare_runs(before, mixed).pairs == compare_runs(before, after).pairs


def test_swapping_the_runs_swaps_the_signs(two: tuple[Path, Path]) -> None:
    """B against A is A against B mirrored, with the same p."""
    ab, ba = compare_runs(*two), compare_runs(*two[::-1])
    for one, other in zip(ab.pairs, ba.pairs, strict=True):
        assert one.difference.interval.value == pytest.approx(-other.difference.interval.value)
        assert one.p_adjusted == pytest.approx(other.p_adjusted)


def test_two_methods_of_one_run(two: tuple[Path, Path]) -> None:
    """One run given twice compares two of its methods; nothing differs but the methods."""
    found = compare_runs(two[0], two[0], method_a="lda-lbp", method_b="rbf_svc-pixels")
    (pair,) = found.pairs
    assert (pair.method_a, pair.method_b) == ("lda-lbp", "rbf_svc-pixels")
    assert found.differs == found.left_out == ()
    assert isinstance(pair.folds, stats.FoldTest)


def test_other_folds_are_compared_and_told(two: tuple[Path, Path], tmp_path: Path) -> None:
    """Where models were trained on others the images are still paired, which is said; folds are not."""
    other = write(tmp_path / "other", seed=1, folds=3)
    edit(other, **{"protocols": {PERSON: {"folds_hash": "cd" * 32}}, "seed": 7})
    found = compare_runs(two[0], other)
    assert any(line.startswith(f"folds of {PERSON}: models were trained on other images") for line in found.differs)
    assert "seed: 0 in A, 7 in B" in found.differs
    assert {pair.folds.reason for pair in found.pairs} == {"the two runs have other folds"}
    assert {pair.difference.interval.n for pair in found.pairs} == {12 * 70}


def test_what_differs_is_told(two: tuple[Path, Path], tmp_path: Path) -> None:
    """Code, libraries, crop and a method's version are named where they differ, and nothing else is."""
    other = write(tmp_path / "other")
    changes = {"code": {"commit": "f" * 40, "dirty": True}, "dataset__crop": "none", "packages__numpy": "2.5.0"}
    edit(other, **changes, **{"methods__lda-lbp__version": 2, "packages__matplotlib": "3.11.2"})  # of earlier versions
    assert compare_runs(two[0], other).differs == (
        "crop: kdef-boxes-v1 in A, none in B",
        "code: 0123456789ab in A, ffffffffffff with uncommitted changes in B",
        "numpy: 2.4.6 in A, 2.5.0 in B",
        "version of lda-lbp: 1 in A, 2 in B",
    )


def test_unfinished_runs_are_compared_on_what_is_there(two: tuple[Path, Path], tmp_path: Path) -> None:
    """A fold that failed in one run is left out of both, and a method without predictions is named with its reason."""
    partial = write(tmp_path / "partial", seed=1, states={"lda-lbp": "partial", "knn-lbp": "failed"})
    found = compare_runs(two[0], partial)
    by_name = {pair.method_a: pair for pair in found.pairs}
    assert set(by_name) == {"lda-lbp", "rbf_svc-pixels"}
    assert by_name["lda-lbp"].notes == (
        "B finished only 3 of 4 trials",
        "compared on 630 images; A tested 840, B 630",
    )
    assert by_name["lda-lbp"].difference.interval.people == 9
    assert len(found.left_out) == 1
    assert "knn-lbp" in found.left_out[0]
    assert "ValueError" in found.left_out[0]


def test_what_only_one_run_has_is_told(two: tuple[Path, Path], tmp_path: Path) -> None:
    """Methods and protocols of one run alone are named, not dropped in silence."""
    more = write(tmp_path / "more", methods=("lda-lbp", "tree-lbp"), protocols=(PERSON, RANDOM))
    found = compare_runs(two[0], more)
    assert found.left_out == (
        f"only in {two[0]}: knn-lbp, rbf_svc-pixels (2 methods)",
        f"only in {more}: tree-lbp (1 method)",
        f"only in {more}: {RANDOM} (1 protocol)",
    )


def other_data(tmp_path: Path, content: str = "{}", **chosen: object) -> tuple[Path, Path]:
    runs = write(tmp_path / "one"), write(tmp_path / "two", seed=1, **chosen)
    edit(runs[1], dataset__manifest_hash="2e" * 32, dataset__name="other")
    write_manifest(runs[0])
    write_manifest(runs[1], content)
    return runs


def test_other_data_are_compared_on_images_of_the_same_content(tmp_path: Path) -> None:
    """Runs on overlapping data are compared over the people in common, by content, and say so."""
    runs = other_data(tmp_path, people=8)
    found = compare_runs(*runs)
    assert found.data.startswith("other data: KDEF (840 images) and other (560 images); compared on the 560 images")
    assert {pair.difference.interval.people for pair in found.pairs} == {8}
    assert found.pairs[0].notes == ("compared on 560 images; A tested 840, B 560",)


def test_people_under_other_spellings_are_the_same(tmp_path: Path) -> None:
    """Data in which the same people are spelt otherwise hold the same images."""
    runs = other_data(tmp_path)
    file = runs[1] / "manifest.csv"
    table = pd.read_csv(file, dtype=str)
    table.assign(subject=" " + table["subject"].str.lower()).to_csv(file, index=False)
    assert "compared on the 840 images that are in both" in compare_runs(*runs).data
    table.assign(subject=table["subject"] + "a").to_csv(file, index=False)
    with pytest.raises(UserError, match="no image of one person with one label is in both"):
        compare_runs(*runs)


def test_names_are_not_trusted(tmp_path: Path) -> None:
    """The same names on other pictures are other images: nothing is paired."""
    with pytest.raises(UserError, match="no image of one person with one label is in both"):
        compare_runs(*other_data(tmp_path, content="drawn {}"))


def test_an_image_with_another_label_is_another_image(tmp_path: Path) -> None:
    """Where the two datasets disagree on a label that image is not compared."""
    runs = other_data(tmp_path)
    table = pd.read_csv(runs[1] / "manifest.csv")
    table.loc[:9, "label"] = np.where(table.loc[:9, "label"] == "HA", "SU", "HA")
    table.to_csv(runs[1] / "manifest.csv", index=False)
    assert {pair.difference.interval.n for pair in compare_runs(*runs).pairs} == {830}


def test_other_data_without_manifests_are_refused(two: tuple[Path, Path], tmp_path: Path) -> None:
    """Without manifest.csv nobody can tell which images are the same; the sentence names the run that lacks it."""
    other = write(tmp_path / "other")
    edit(other, dataset__manifest_hash="2e" * 32)
    with pytest.raises(UserError, match=r"before holds no manifest\.csv"):
        compare_runs(two[0], other)


def test_other_units_are_refused(two: tuple[Path, Path], tmp_path: Path) -> None:
    """A run that names people and one that does not cannot be paired."""
    with pytest.raises(UserError, match=r"counts people, .* counts images"):
        compare_runs(two[0], write(tmp_path / "other", unit="image"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"method_a": "lda-lbq", "method_b": "lda-lbp"},
            r"before has no method 'lda-lbq'; .*; did you mean lda-lbp\?$",
        ),
        ({"method_a": "lda-lbp", "method_b": "nothing"}, "after has no method 'nothing'; it has"),
        ({"method_a": "lda-lbp"}, "give both"),
        ({"protocol": "subject"}, "no protocol 'subject'; it has subject-10fold"),
    ],
)
def test_a_mistake_is_one_sentence(two: tuple[Path, Path], arguments: dict[str, str], message: str) -> None:
    """What is not in a run is told with what is."""
    with pytest.raises(UserError, match=message):
        compare_runs(*two, **arguments)


def test_nothing_in_common_is_one_sentence(two: tuple[Path, Path], tmp_path: Path) -> None:
    """The same run twice, no method, no protocol or no prediction in common: each its own sentence."""
    with pytest.raises(UserError, match="is given twice"):
        compare_runs(two[0], two[0])
    with pytest.raises(UserError, match="compared with itself"):
        compare_runs(two[0], two[0], method_a="lda-lbp", method_b="lda-lbp")
    with pytest.raises(UserError, match="no method is in both"):
        compare_runs(two[0], write(tmp_path / "a", methods=("tree-dwt",)))
    with pytest.raises(UserError, match="no protocol is in both"):
        compare_runs(two[0], write(tmp_path / "b", protocols=(RANDOM,)))
    with pytest.raises(UserError, match=r"nothing to compare: .* has no predictions of it"):
        compare_runs(two[0], write(tmp_path / "c", states=dict.fromkeys(METHODS, "skipped")))


def test_rendered_and_quick_runs_carry_their_caution(tmp_path: Path) -> None:
    """A quick run of drawn faces says that it ranks nobody."""
    runs = [write(tmp_path / name, seed=seed, profile="quick", rendered=True) for seed, name in enumerate("ab")]
    found: Compared = compare_runs(*runs)
    assert [line.split(":")[0] for line in found.cautions] == [
        "a quick run is no ranking",
        "rendered faces say nothing about photographs",
    ]


def test_the_command_answers_in_words_and_json(two: tuple[Path, Path], cli) -> None:
    """Text and JSON hold the same figures, n and verdict; the exit code is 0 whatever the difference."""
    before, after = two
    value = json.loads(cli("compare", before, after, "--json").stdout)
    text = cli("compare", before, after).stdout
    assert len(value["pairs"]) == 3
    for pair in value["pairs"]:
        line = next(line for line in text.splitlines() if line.startswith(pair["method_a"]))
        assert f"{100 * pair['accuracy_a']['value']:.1f}" in line
        assert f"{100 * pair['difference']['interval']['low']:+.1f}" in line
        assert pair["verdict"] in line
        assert pair["difference"]["interval"]["people"] == 12
    one = cli("compare", before, after, "--method", "lda-lbp", "--margin", "2").stdout
    assert "sign-flip test over people (of record)" in one
    assert "better by more than 2 points" in one
    assert "McNemar, assumes independent images" in one


def test_identical_runs_have_reasons_and_no_nan(two: tuple[Path, Path], tmp_path: Path, cli) -> None:
    """A run against its copy: no difference, each statistic that does not apply says why, and JSON has no NaN."""
    copy = write(tmp_path / "copy")
    text = cli("compare", two[0], copy, "--method", "lda-lbp").stdout
    assert "A minus B: +0.0 points; both are right and wrong on the same images." in text
    assert "no two people differ" in text
    assert "the difference is the same in all folds" in text
    assert "nan" not in text.lower()
    value = json.loads(cli("compare", two[0], copy, "--json").stdout, parse_constant=pytest.fail)
    assert value["pairs"][0]["difference"]["detectable"] is None
    assert value["pairs"][0]["posterior"]["reason"] == "no two people differ"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--method", "lda-lbp", "--method-a", "knn-lbp"], "give one or the other"),
        (["--method-a", "knn-lbp"], "give both"),
        (["--method", "lda"], "rbf_svc-pixels; did you mean lda-lbp?"),
    ],
)
def test_the_command_tells_mistakes_in_one_line(two: tuple[Path, Path], cli, options: list[str], message: str) -> None:
    """A user's mistake is one line on standard error, exit code 2, nothing on standard output."""
    done = cli("compare", *two, *options, expect=2)
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_a_folder_that_is_no_run_is_told(two: tuple[Path, Path], tmp_path: Path) -> None:
    """An empty folder is refused by name."""
    with pytest.raises(UserError, match="is not a run directory"):
        compare_runs(two[0], tmp_path)


def test_an_image_tested_twice_is_paired_test_by_test(tmp_path: Path) -> None:
    """With two seeds an image's first test meets its first and the second its second, across data, too."""
    runs = other_data(tmp_path, people=8)
    for number, run in enumerate(runs):
        again = write(tmp_path / f"again{number}", seed=5 + number, people=(12, 8)[number])
        for name, read in (("predictions.parquet", pd.read_parquet), ("trials.csv", pd.read_csv)):
            both = pd.concat([read(run / name), read(again / name).assign(seed=1)], ignore_index=True)
            both.to_parquet(run / name) if name.endswith("parquet") else both.to_csv(run / name, index=False)
    pair = compare_runs(*runs, method_a="lda-lbp", method_b="lda-lbp").pairs[0]
    sides = [collect_predictions(load_run(run))[Key("lda-lbp", PERSON, "last_epoch")] for run in runs]
    tables = [pd.DataFrame({"image": o.images, "seed": o.seeds, "right": o.correct, "who": o.people}) for o in sides]
    joined = tables[0].merge(tables[1], on=["image", "seed"])
    assert pair.difference.interval.n == len(joined) == 2 * 560
    score = joined["right_x"].astype(int) - joined["right_y"].astype(int)
    expected = stats.max_t_apiece([(score, joined["who_x"])], seed=report_seed(load_run(runs[0])))
    found = pair.difference.interval
    assert (found.value, found.low, found.high) == (expected.value[0], expected.low[0], expected.high[0])
