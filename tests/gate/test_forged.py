"""A file of expected results that was edited does not pass for one that was written, and tells nothing of its user."""

import base64
import json
import time
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_bench.errors import UserError
from fer_bench.gate.expected import read_expected, write_expected
from fer_bench.gate.maker import without_places
from fer_bench.gate.packing import MOST_IMAGES, pack, unpack

PERSON = "subject-10fold"


def forged(case, change) -> str:
    """What reading the expectation says once it was changed."""
    case.edit(change)
    with pytest.raises(UserError) as error:
        case.check()
    return str(error.value)


def test_the_run_passes_what_nobody_edited(case):
    """Without an edit the run passes, so that what is refused below is refused for its edit."""
    found = case.check()
    assert (found.exit_code, found.faults, len(found.rows)) == (0, (), 6)


def test_accuracies_are_those_of_the_answers(case):
    """An accuracy that was lowered, or is lacking, is no accuracy of these answers."""

    def lower(value):
        value["rows"][0]["accuracy"][0] -= 0.000002

    assert "its answers give" in forged(case, lower)
    assert "accuracies and predictions differ in number" in forged(case, lambda v: v["rows"][0].update(accuracy=[]))
    assert "accuracy" in forged(case, lambda v: v["rows"][0].pop("accuracy"))


def test_answers_that_were_exchanged_need_other_accuracies(case):
    """Answers of another row are not the answers whose accuracy stands beside them."""
    assert "its answers give" in forged(
        case, lambda value: value["rows"][0].update(predicted=value["rows"][2]["predicted"])
    )


def test_a_rule_that_was_exchanged_is_told(case):
    """A row cannot be made lenient by hand: which rule it has follows from its method."""

    def loosen(value):
        value["rows"][0]["rule"] = "people" if value["rows"][0]["rule"] == "exact" else "exact"

    case.edit(loosen)
    found = case.check()
    assert found.exit_code == 2
    assert len(found.rows) == 5
    assert "in the file: it was edited" in found.faults[0]


@pytest.mark.parametrize("where", ["manifest_hash", "protocol", "method", "weights", "folds"])
def test_what_the_file_says_reaches_no_terminal_raw(case, where):
    """Line breaks and control characters of the file are told as signs, in errors and in faults."""

    def spoil(value):
        if where == "manifest_hash":
            value[where] = "a\nb\x1b[2J"
        else:
            value["rows"][0][where] = ["a\nb\x1b[2J"] if where == "folds" else "a\nb\x1b[2J"

    case.edit(spoil)
    try:
        told = case.check().faults
    except UserError as error:
        told = [str(error)]
    assert any("\\x1b" in text for text in told)
    assert not any("\x1b" in text or "\n" in text for text in told)


@pytest.mark.parametrize("where", ["labels", "people"])
def test_labels_and_people_are_those_of_the_run(case, where):
    """With labels (and accuracies that fit them) or people of one's own nothing is judged, and both are told."""
    before = read_expected(case.file)

    def turn(value):
        test = value["tested"][PERSON]
        if where == "people":
            test["people"] = pack(np.arange(test["n"]), np.int32)
            return
        labels = (unpack(test["labels"], test["n"], 6) + 1) % 7
        test["labels"] = pack(labels)
        for row in (row for row in value["rows"] if row["protocol"] == PERSON):
            answers = before.rows[row["method"], PERSON].predicted
            row["accuracy"] = [round(float((one == labels).mean()), 6) for one in answers]

    case.edit(turn)
    found = case.check()
    assert found.exit_code == 2
    assert len(found.faults) == 3
    assert f"images have other {where} in the run than in the file" in found.faults[0]
    assert {row.protocol for row in found.rows} == {"random-10fold"}


def test_one_label_that_was_changed_is_one_too_many(case):
    """A single other label is told with its number."""
    before = read_expected(case.file)

    def turn(value):
        test = value["tested"][PERSON]
        labels = unpack(test["labels"], test["n"], 6).copy()
        labels[5] = (labels[5] + 1) % 7
        test["labels"] = pack(labels)
        for row in (row for row in value["rows"] if row["protocol"] == PERSON):
            answers = before.rows[row["method"], PERSON].predicted
            row["accuracy"] = [round(float((one == labels).mean()), 6) for one in answers]

    case.edit(turn)
    assert "1 of 420 images have other labels" in case.check().faults[0]


def test_another_unit_is_other_data(case):
    """Images in the place of people would make every test reject; nothing is compared."""
    assert "expected unit image, the run in" in forged(case, lambda value: value.update(unit="image"))


@pytest.mark.parametrize(("place", "number"), [("labels", 7), ("predicted", 255), ("people", -1)])
def test_numbers_are_classes_and_people(case, place, number):
    """A class above 6 and a person below 0 are damage."""

    def put(value):
        test = value["tested"][PERSON]
        if place == "predicted":
            value["rows"][0]["predicted"] = [pack(np.full(test["n"], number))]
        else:
            test[place] = pack(np.full(test["n"], number), np.int32 if place == "people" else np.uint8)

    assert f"found {number}" in forged(case, put)


def test_a_deleted_row_is_a_fault(case, tmp_path):
    """A row that is in the run alone fails, named or counted, unless `only` says what is judged."""
    case.edit(lambda value: value["rows"].pop(0))
    found = case.check()
    assert found.exit_code == 2
    assert "1 rows of the run are not in the file, such as knn-lbp under subject-10fold" in found.faults[0]
    found = case.check(only=("lda-*", "cnn2-48"))
    assert (found.exit_code, len(found.rows)) == (0, 4)
    assert "2 rows are not judged, such as knn-lbp under random-10fold" in found.notes[-1]
    with pytest.raises(UserError, match=r"`only` 'svm-\*' names none of the 3 methods"):
        case.check(only=("lda-*", "svm-*"))


def test_a_failed_row_that_was_deleted_is_a_fault_too(case):
    """Without predictions a row is in the run's plan all the same; one that was never to run there is not."""
    file = case.run / "trials.csv"
    whole = file.read_text()
    case.edit(lambda value: [value["rows"].remove(row) for row in value["rows"][:2]])
    for state, code in (("failed", 2), ("skipped", 0)):
        lines = [line.replace(",ok,", f",{state},") if ",knn-lbp," in line else line for line in whole.splitlines()]
        file.write_text("\n".join(lines) + "\n")
        assert case.check().exit_code == code


def test_a_bomb_is_not_unfolded(case):
    """A small text that unfolds to a gigabyte costs neither time nor memory, whatever number of images it claims."""
    bomb = base64.b64encode(zlib.compress(bytes(300_000_000), 9)).decode()
    start = time.process_time()
    with pytest.raises(ValueError, match="expected 420 images, found 421"):
        unpack(bomb, 420, 6)
    with pytest.raises(ValueError, match="images, found 300000000"):
        unpack(bomb, 300_000_000, 6)

    def claim(value):
        value["tested"][PERSON]["n"] = MOST_IMAGES
        value["rows"][0]["predicted"] = [bomb] * 60

    assert "answers at most, found 6" in forged(case, claim)
    assert time.process_time() - start < 2


@given(st.lists(st.integers(0, 6), min_size=1, max_size=50), st.binary(min_size=1, max_size=5))
def test_what_is_packed_is_unpacked_whole(values, more):
    """Numbers come back as they were; cut short, or with something after them, nothing comes back."""
    text = pack(np.array(values))
    assert unpack(text, len(values), 6).tolist() == values
    packed = base64.b64decode(text)
    for spoilt in (packed[:-1], packed + more):
        with pytest.raises((ValueError, zlib.error)):
            unpack(base64.b64encode(spoilt).decode(), len(values), 6)
    with pytest.raises(ValueError, match="images, found"):
        unpack(text, len(values) + 1, 6)
    if max(values):
        with pytest.raises(ValueError, match=f"found {max(values)}"):
            unpack(text, len(values), max(values) - 1)


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("fer-bench run --data /home/ann/KDEF --seed 3", "fer-bench run --data KDEF --seed 3"),
        ("fer-bench run --data=~/KDEF.zip --out ~ann/r", "fer-bench run --data=KDEF.zip --out r"),
        (r"fer-bench run --data 'C:\Users\ann\my faces'", "fer-bench run --data 'my faces'"),
        (r"fer-bench run --data '\\server\ann\faces'", "fer-bench run --data faces"),
        ("fer-bench run --suite mine/two.toml --out runs/a", "fer-bench run --suite mine/two.toml --out runs/a"),
        ("fer-bench run --scheduler tcp://host:8786 --only '*-lbp'", None),
        ("/opt/ann/bin/fer-bench run '--out=/x/a b'", "fer-bench run '--out=a b'"),
        ("a hand's /home/ann/x", "a 'hand'\"'\"'s' x"),
        ("/home/ann/mine suite.toml", "mine suite.toml"),
        ("classical", "classical"),
        ("", ""),
    ],
)
def test_commands_lose_their_places(command, told):
    """What begins at a root or a home keeps its last part alone; all else of a command stays."""
    assert without_places(command) == (command if told is None else told)


def test_the_file_names_no_place_of_its_user(case, tmp_path):
    """Nowhere in the file stands an absolute path, whatever the run's command and suite were."""
    case.edit(lambda info: info.update(command="fer-bench run --data /home/ann/K", suite="/home/ann/s.toml"), run=True)
    write_expected(case.run, tmp_path / "new.json", few_seeds=True)
    text = (tmp_path / "new.json").read_text()
    assert "/home" not in text
    assert str(tmp_path) not in text
    made = json.loads(text)["made_by"][0]
    assert (made["command"], made["suite"]) == ("fer-bench run --data K", "s.toml")
