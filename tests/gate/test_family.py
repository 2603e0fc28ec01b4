"""A gate that asks about many rows at once allows for their number."""

import numpy as np

from fer_bench.gate.expected import Reference
from fer_bench.gate.judge import judge

PEOPLE = np.repeat(np.arange(40), 14)


def _reference(predicted: np.ndarray) -> Reference:
    k, labels = len(predicted), np.zeros(len(PEOPLE), dtype=np.uint8)
    return Reference("m", "p", "people", "none", tuple(range(k)), ("",) * k, labels, predicted, PEOPLE, "")


def test_what_one_row_fails_by_one_of_two_hundred_does_not():
    """A drop that is rare once in a hundred is a regression where one row is asked about, and expected among 200."""
    same = np.zeros((1, len(PEOPLE)), dtype=np.uint8)
    before = _reference(same)
    lost = same[0].copy()
    # Six of forty people lose, nobody gains: one-sided p is 1/64.
    for person in range(6):
        lost[person == PEOPLE] = 1
    alone = judge([(before, lost, 0)], ["people"])
    among = judge([(before, lost, 0)] + [(before, same[0], 0)] * 199, ["people"] * 200)
    assert alone[0].verdict == "regression"
    assert among[0].verdict == "ok"
    assert {row.verdict for row in among} == {"ok"}
    assert among[0].p_value > 0.05 > alone[0].p_value
