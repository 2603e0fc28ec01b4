"""Verdicts on the article's claims are right where the truth is known, and withheld where nothing may be said."""

import importlib.util
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from simulate import PERSON, RANDOM, Simulation
from truth import write_truth

from fer_bench.report.model.report_run import gather
from fer_bench.report.sections.claims import CANNOT_TELL, NOT_SUPPORTED, SUPPORTED, UNDECIDED, Finding, judge_claims
from fer_bench.report.sections.claims_tables import claims_section
from fer_bench.report.sections.contrast import contrast, trend
from fer_bench.report.sections.published import load_published
from fer_bench.report.write import build_document

ROOT = Path(__file__).parents[3]


def _load_simulation():
    spec = importlib.util.spec_from_file_location("simulate_claims", ROOT / "benchmarks" / "simulate_claims.py")
    module = importlib.util.module_from_spec(spec)
    # dataclasses look their module up by name
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


simulate_claims = _load_simulation()


def judged(claim: str, truth, seconds=None, seed: int = 0) -> Finding:
    """What is said of a claim in a run that is drawn in memory."""
    run = simulate_claims.simulate(simulate_claims.World(truth, True, seconds), seed)
    return next(f for f in judge_claims(run, simulate_claims.ALL) if f.claim.id == claim)


RESNETS = tuple(f"resnet{depth}-entire" for depth in (18, 34, 50, 152))
SIZES = tuple(f"cnn2-{size}" for size in (48, 64, 128, 224, 360))
MODES = ("vgg16-dense", "vgg16-last_block", "vgg16-entire")
SEVENTY = Simulation(people=70, sessions=1, folds=5, protocols=(PERSON,), curves=False, watched=False)


def verdicts(
    folder: Path, methods, truth, *, seconds=None, simulation: Simulation = SEVENTY, seed: int = 1
) -> dict[str, Finding]:
    run = write_truth(folder / "run", replace(simulation, methods=tuple(methods)), truth, seconds=seconds, seed=seed)
    view = gather([run])[0]
    return {finding.claim.id: finding for finding in judge_claims(view, str(view.primary))}


@pytest.mark.parametrize(("claim", "methods"), [("deeper", RESNETS), ("larger", SIZES), ("layers", MODES)])
@pytest.mark.parametrize(("step", "expected"), [(0.06, SUPPORTED), (-0.06, NOT_SUPPORTED)])
def test_a_true_order_is_found_and_its_reverse_too(tmp_path, claim, methods, step, expected):
    """Methods that rise, or fall, by six points a step are called supported, or not supported."""
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
    """A run of two classical pipelines can test no claim, and each names the rows that are missing."""
    missing = verdicts(tmp_path, ("knn-pixels", "linear_svc-lbp"), {"knn-pixels": 0.3, "linear_svc-lbp": 0.7})
    assert missing["classical"].why == "this run finished no network"
    assert {finding.verdict for finding in missing.values()} == {CANNOT_TELL}
    assert "resnet18-entire" in missing["deeper"].why
    assert "cnn2-48" in missing["larger"].why
    assert "from scratch" in missing["transfer"].why
    assert "frontal-to-profile" in missing["frontal"].why


CHANCE = 1 / 7


@pytest.mark.parametrize(
    ("ours", "networks", "expected", "why"),
    [
        (0.4, 0.7, SUPPORTED, "every part holds"),
        (0.8, 0.7, NOT_SUPPORTED, "ahead of the best network"),
        (CHANCE, CHANCE, CANNOT_TELL, "no network is significantly above chance"),
    ],
    ids=["behind", "ahead", "noise"],
)
def test_to_fail_is_to_be_behind_networks_that_have_learnt(ours, networks, expected, why):
    """Behind networks above chance supports the claim, ahead refutes it; where none has learnt nothing has failed."""
    truth = {"linear_svc-lbp": 0.9 * ours, "knn-pixels": ours, "resnet18-entire": networks, "cnn2-48": 0.9 * networks}
    truth = dict.fromkeys(truth, CHANCE) if ours == CHANCE else truth
    found = judged("classical", truth)
    assert found.verdict == expected
    assert why in found.why
    assert "linear_svc-lbp" in found.evidence.tested
    assert "best network, " in found.evidence.tested


def test_larger_is_not_better_where_the_order_breaks():
    """The article's own Table 1 rises by 11 points along a line, and falls by 7 from 128 to 224: not supported."""
    truth = dict(zip(SIZES, (0.6163, 0.6939, 0.8081, 0.7346, 0.7387), strict=True))
    found = judged("larger", truth)
    assert found.evidence.figure.estimate.low > 0
    assert found.verdict == NOT_SUPPORTED
    assert "cnn2-224 minus cnn2-128" in found.why
    assert len(found.evidence.parts) == 4


def test_a_series_that_falls_is_not_outweighed_by_one_that_rises():
    """Depth that helps ResNet by 18 points and costs VGG 8 is no advantage of depth, though the mean is above zero."""
    truth = {name: 0.5 + 0.06 * place for place, name in enumerate(RESNETS)}
    truth |= {"vgg16-entire": 0.7, "vgg19-entire": 0.62}
    found = judged("deeper", truth)
    assert found.evidence.figure.estimate.low > 0
    assert (found.verdict, found.why[:3]) == (NOT_SUPPORTED, "VGG")


@pytest.mark.parametrize(
    ("accuracy", "seconds", "expected", "why"),
    [
        (0.8, 10, SUPPORTED, "less time"),
        (0.8, 400, NOT_SUPPORTED, "longer"),
        (0.5, 10, NOT_SUPPORTED, "fewer images"),
        (0.8, 100, CANNOT_TELL, "no mode is shown"),
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


def test_a_mode_that_saves_time_and_gains_supports_transfer_whatever_the_cheapest_one_does():
    """Dense layers alone lose 10 points in a tenth of the time, the last block gains 9 in a quarter: transfer saves."""
    truth = {"vgg16-dense": 0.5, "vgg16-last_block": 0.69, "vgg16-entire": 0.74, "vgg16-scratch": 0.6}
    seconds = {"vgg16-dense": 10, "vgg16-last_block": 25, "vgg16-entire": 100, "vgg16-scratch": 100}
    run = simulate_claims.simulate(simulate_claims.World(truth, True, seconds), 0)
    found = next(f for f in judge_claims(run, simulate_claims.ALL) if f.claim.id == "transfer")
    assert found.verdict == SUPPORTED
    assert "last_block takes less time" in found.why
    assert found.evidence.figure.estimate.value == pytest.approx(0.14, abs=0.03)
    table = next(b for b in claims_section(run, "").blocks if getattr(b, "id", "") == "claims-parts")
    parts = {row["part"]: row for row in table.rows if row["claim"] == found.claim.title}
    assert set(parts) >= {"entire minus scratch", "dense: accuracy", "last_block: training time", "entire: accuracy"}
    assert parts["dense: accuracy"]["figure"].high < 0 < parts["last_block: accuracy"]["figure"].low
    assert parts["last_block: training time"]["saved"].value == pytest.approx(0.75, abs=0.05)
    assert all(0 <= row["p"] <= 1 for row in table.rows)


def test_the_best_of_many_equal_methods_is_not_ahead_by_luck():
    """Nine networks as good as one pipeline: picked on other people than it is measured on, the best has no lead."""
    truth = {"knn-pixels": 0.6, **dict.fromkeys((*RESNETS, *SIZES), 0.6)}
    found = [judged("classical", truth, seed=seed) for seed in range(12)]
    assert np.mean([one.evidence.figure.estimate.value for one in found]) < 0.005
    assert sum(one.verdict == SUPPORTED for one in found) <= 1


@pytest.mark.parametrize("claim", list(simulate_claims.worlds()))
def test_verdicts_rarely_contradict_the_world(claim):
    """In no simulated world is a verdict wrong in more than 1 of 6 runs, and a large effect is mostly found."""
    worlds = simulate_claims.worlds()[claim]
    for name in ("noise", "large", "mixed"):
        said = [simulate_claims.judged(claim, worlds[name], seed) for seed in range(6)]
        assert said.count(NOT_SUPPORTED if worlds[name].right else SUPPORTED) <= 1, (name, said)
        assert name != "large" or said.count(SUPPORTED) >= 4, said


def test_committed_rates_keep_the_promise():
    """In the committed table every claim stands in every world, no verdict is wrong in more than 5 % plus noise."""
    text = (ROOT / "benchmarks" / "results" / "claims.md").read_text(encoding="utf-8")
    noise = float(re.search(r"within ([\d.]+) points", text)[1])
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "][1:]
    assert {(row[0], row[1]) for row in rows} == {
        (claim, world) for claim, found in simulate_claims.worlds().items() for world in found
    }
    assert max(float(row[6]) for row in rows) <= 5 + noise
    assert min(float(row[3]) for row in rows if row[1] == "large") >= 80


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
    """Six claims, all of them printed in the article; what is recalled is in none of their figures."""
    claims = load_published().claims
    assert [claim.id for claim in claims] == ["deeper", "larger", "layers", "transfer", "classical", "frontal"]
    assert all(claim.status.startswith("printed in the article") for claim in claims)
    # selected figures of ResNet-18 and -34 are recalled: not among what is said
    assert not any(figure in claim.says for claim in claims for figure in ("94.29", "96.33"))


def test_claims_are_also_held_against_the_articles_kind_of_split(tmp_path):
    """A run with a split by image tells what the claims look like there, folded, beside the split by person."""
    run = write_truth(
        tmp_path / "run", replace(SEVENTY, methods=RESNETS, protocols=(PERSON, RANDOM)), dict.fromkeys(RESNETS, 0.7)
    )
    section = next(s for s in build_document(gather([run])).sections if s.id == "claims")
    assert any(getattr(b, "id", "") == f"claims-{RANDOM}" and b.folded for b in section.blocks)
