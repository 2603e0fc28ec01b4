"""Verdicts on the article's claims are right where the truth is known, and withheld where nothing may be said."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from simulate import PERSON, RANDOM, Simulation
from truth import write_truth

from fer_bench.report.model.report_run import gather
from fer_bench.report.sections.claims import CANNOT_TELL, NOT_SUPPORTED, SUPPORTED, UNDECIDED, Finding, judge_claims
from fer_bench.report.sections.contrast import contrast, trend
from fer_bench.report.sections.published import load_published
from fer_bench.report.write import build_document

RESNETS = tuple(f"resnet{depth}-entire" for depth in (18, 34, 50, 152))
SIZES = tuple(f"cnn2-{size}" for size in (48, 64, 128, 224, 360))
MODES = ("vgg16-dense", "vgg16-last_block", "vgg16-entire")
SEVENTY = Simulation(people=70, sessions=1, folds=5, protocols=(PERSON,), curves=False, watched=False)


def verdicts(folder: Path, methods, truth, *, seconds=None, simulation: Simulation = SEVENTY) -> dict[str, Finding]:
    run = write_truth(folder / "run", replace(simulation, methods=tuple(methods)), truth, seconds=seconds)
    view = gather([run])[0]
    return {finding.claim.id: finding for finding in judge_claims(view, str(view.primary))}


@pytest.mark.parametrize(("claim", "methods"), [("deeper", RESNETS), ("larger", SIZES), ("layers", MODES)])
@pytest.mark.parametrize(("step", "expected"), [(0.03, SUPPORTED), (-0.03, NOT_SUPPORTED)])
def test_a_true_order_is_found_and_its_reverse_too(tmp_path, claim, methods, step, expected):
    """Methods that rise, or fall, by three points a step are called supported, or not supported."""
    truth = {name: 0.6 + step * place for place, name in enumerate(methods)}
    found = verdicts(tmp_path, methods, truth)[claim]
    assert found.verdict == expected
    assert found.evidence.figure.estimate.value == pytest.approx(step * (len(methods) - 1), abs=0.03)
    assert found.holm < 0.05


@pytest.mark.parametrize(("claim", "methods"), [("deeper", RESNETS), ("larger", SIZES), ("layers", MODES)])
def test_equal_methods_support_nothing(tmp_path, claim, methods):
    """Where all are equally good the claim is never supported, and the reason says what could have been seen."""
    found = verdicts(tmp_path, methods, dict.fromkeys(methods, 0.7))[claim]
    assert found.verdict in (NOT_SUPPORTED, CANNOT_TELL)
    assert found.evidence.figure.estimate.low < 0 < found.evidence.figure.estimate.high
    assert "ends below" in found.why or "would often go unseen" in found.why


def test_equal_methods_are_supported_at_most_once_in_twenty(tmp_path):
    """Of 40 runs of equally good networks, no more than chance allows (five) call depth an advantage or a harm."""
    small = replace(SEVENTY, people=24, views=("S",))
    called = 0
    for seed in range(40):
        run = write_truth(
            tmp_path / str(seed), replace(small, methods=RESNETS[:2]), dict.fromkeys(RESNETS[:2], 0.7), seed=seed
        )
        view = gather([run])[0]
        figure = next(f for f in judge_claims(view, PERSON) if f.claim.id == "deeper").evidence.figure
        called += figure.p_value < 0.05
    assert called <= 5


def test_missing_rows_cannot_tell_and_say_which(tmp_path):
    """A run of two classical pipelines can test one claim; the others name the rows that are missing."""
    found = verdicts(tmp_path, ("knn-pixels", "linear_svc-lbp"), {"knn-pixels": 0.3, "linear_svc-lbp": 0.7})
    missing = {name: finding for name, finding in found.items() if name != "classical"}
    assert {finding.verdict for finding in missing.values()} == {CANNOT_TELL}
    assert "resnet18-entire" in missing["deeper"].why
    assert "cnn2-48" in missing["larger"].why
    assert "from scratch" in missing["transfer"].why
    assert "frontal-to-profile" in missing["frontal"].why


@pytest.mark.parametrize(
    ("best", "expected"), [(0.3, SUPPORTED), (0.8, NOT_SUPPORTED), (0.5, CANNOT_TELL)], ids=["fail", "work", "half"]
)
def test_classical_methods_fail_below_one_half(tmp_path, best, expected):
    """The best pipeline decides: far below half supports the claim, far above refutes it, half leaves it open."""
    methods = ("linear_svc-lbp", "knn-pixels")
    simulation = replace(SEVENTY, views=("S",)) if best == 0.5 else SEVENTY
    found = verdicts(tmp_path, methods, {methods[0]: 0.25, methods[1]: best}, simulation=simulation)["classical"]
    assert found.verdict == expected
    assert "best linear one, linear_svc-lbp" in found.evidence.tested


@pytest.mark.parametrize(
    ("accuracy", "seconds", "expected", "why"),
    [
        (0.8, 10, SUPPORTED, "less time"),
        (0.8, 400, NOT_SUPPORTED, "longer"),
        (0.5, 10, NOT_SUPPORTED, "fewer images"),
        (0.8, 100, CANNOT_TELL, "zero"),
    ],
    ids=["cheaper", "dearer", "worse", "same"],
)
def test_transfer_has_to_be_cheaper_and_no_worse(tmp_path, accuracy, seconds, expected, why):
    """A tenth of the time at better accuracy supports it; more time, or cheapness paid in accuracy, refutes it."""
    truth = {"vgg16-dense": accuracy, "vgg16-scratch": 0.7}
    found = verdicts(tmp_path, tuple(truth), truth, seconds={"vgg16-dense": seconds, "vgg16-scratch": 100})["transfer"]
    assert found.verdict == expected
    assert why in found.why
    assert found.evidence.saved.value == pytest.approx(1 - seconds / 100, abs=0.2 if seconds <= 100 else 0.8)


FRONTAL = replace(SEVENTY, protocols=("subject-2fold", "frontal-to-profile"), folds=2)


@pytest.mark.parametrize(
    ("turned", "all_views", "expected"),
    [(0.4, 0.7, SUPPORTED), (0.2, 0.35, NOT_SUPPORTED), (0.7, 0.7, NOT_SUPPORTED), (0.7, 0.5, NOT_SUPPORTED)],
    ids=["cause", "fail anyway", "no cost", "reverse"],
)
def test_frontal_training_is_the_cause_only_where_its_absence_heals(tmp_path, turned, all_views, expected):
    """Pipelines that still fail with all views in training, or lose nothing, do not fail because of frontal faces."""
    methods = ("linear_svc-lbp", "knn-pixels", "rbf_svc-lbp", "lda-pixels")
    truth = {(name, "frontal-to-profile"): turned for name in methods}
    truth |= {(name, "subject-2fold"): all_views for name in methods}
    found = verdicts(tmp_path, methods, truth, simulation=FRONTAL)["frontal"]
    assert found.verdict == expected or (turned == all_views and found.verdict == CANNOT_TELL)
    assert found.evidence.figure.estimate.n == 70 * 7 * 2


@pytest.mark.parametrize("change", [{"profile": "quick"}, {"rendered": True}], ids=["quick", "rendered"])
def test_quick_and_rendered_runs_decide_nothing_but_show_the_figure(tmp_path, change):
    """However clear the order, such a run gives its figure and no verdict, in the page as well."""
    truth = {name: 0.5 + 0.1 * place for place, name in enumerate(RESNETS)}
    simulation = replace(SEVENTY, methods=RESNETS, **change)
    view = gather([write_truth(tmp_path / "run", simulation, truth)])[0]
    found = {f.claim.id: f for f in judge_claims(view, PERSON)}
    assert all(f.verdict.startswith(UNDECIDED) for f in found.values())
    assert found["deeper"].evidence.figure.estimate.value == pytest.approx(0.3, abs=0.03)
    section = next(s for s in build_document([view]).sections if s.id == "claims")
    table = next(block for block in section.blocks if getattr(block, "head", "") == "claim")
    assert {row["verdict"].startswith(UNDECIDED) for row in table.rows} == {True}
    assert table.rows[0]["figure"].n == 70 * 7 * 5


def test_a_trend_is_the_least_squares_line(tmp_path):
    """The figure equals the slope of a line fitted to the accuracies, times the number of steps."""
    run = write_truth(tmp_path / "run", replace(SEVENTY, methods=SIZES), dict.fromkeys(SIZES, 0.6))
    view = gather([run])[0]
    outcomes = [view.outcome(name, PERSON) for name in SIZES]
    means = [outcome.correct.mean() for outcome in outcomes]
    slope = np.polyfit(range(5), means, 1)[0]
    found = contrast(view, trend(outcomes))
    assert found.estimate.value == pytest.approx(4 * slope)
    assert found.estimate.n == len(outcomes[0].labels)
    two = contrast(view, trend(outcomes[:2]))
    plain = view.difference(outcomes[1], outcomes[0])
    assert two.estimate.value == pytest.approx(plain.interval.value)
    assert (two.estimate.low, two.estimate.high) == pytest.approx((plain.interval.low, plain.interval.high))
    assert two.p_value == pytest.approx(plain.test.p_value)


def test_a_contrast_counts_images_that_all_were_tested_on(tmp_path):
    """Under protocols that test different images only those in common count; none in common gives no figure."""
    simulation = replace(FRONTAL, methods=("knn-pixels",))
    view = gather([write_truth(tmp_path / "run", simulation, {"knn-pixels": 0.5})])[0]
    turned, every = (view.outcome("knn-pixels", name) for name in ("frontal-to-profile", "subject-2fold"))
    assert contrast(view, trend([turned, every])).estimate.n == len(turned.labels)
    straight = every.where(every.views == "S")
    assert contrast(view, trend([turned, straight])) is None


def test_every_claim_has_a_status_and_a_test():
    """Six claims, each saying what is verified and what is recalled."""
    claims = load_published().claims
    assert [claim.id for claim in claims] == ["deeper", "larger", "layers", "transfer", "classical", "frontal"]
    assert all("verified" in claim.status or "recalled" in claim.status for claim in claims)


def test_claims_are_also_held_against_the_articles_kind_of_split(tmp_path):
    """A run with a split by image tells what the claims look like there, folded, beside the split by person."""
    run = write_truth(
        tmp_path / "run", replace(SEVENTY, methods=RESNETS, protocols=(PERSON, RANDOM)), dict.fromkeys(RESNETS, 0.7)
    )
    section = next(s for s in build_document(gather([run])).sections if s.id == "claims")
    assert any(getattr(b, "id", "") == f"claims-{RANDOM}" and b.folded for b in section.blocks)
