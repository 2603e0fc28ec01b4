"""Systems that the article names: published figures with their status, ours beside them, and why they differ."""

import json
from fnmatch import fnmatchcase

import pandas as pd
import pytest
from simulate import PERSON, RANDOM, Simulation
from truth import write_truth

from fer_bench.methods import load_methods
from fer_bench.plan.suites import expand, load_suite
from fer_bench.report import write_report
from fer_bench.report.model.report_run import gather
from fer_bench.report.sections.named import named_section
from fer_bench.report.sections.published import STATUS_WORDS, load_published

TRUTH = {"rbf_svc-lbp_shan": 0.6, "dgnn": 0.8, "linear_svc-2dlda_shih": 0.5, "knn-pixels": 0.4}
MARKER = "the renderer's own points"


def write(folder, *, layout="", rendered=False, methods=tuple(TRUTH)):
    """A simulated run of these methods whose dgnn reads landmarks, and whose 2D-LDA was skipped."""
    simulation = Simulation(
        **{"people": 22, "views": ("HL", "S"), "folds": 2, "methods": methods, "protocols": (PERSON, RANDOM)},
        **{"epochs": 2, "rendered": rendered, "states": {"linear_svc-2dlda_shih": "skipped"}},
    )
    run = write_truth(folder, simulation, TRUTH)
    info = json.loads((run / "run.json").read_text(encoding="utf-8"))
    info["dataset"]["layout"] = layout
    if "dgnn" in methods:
        info["methods"]["dgnn"] |= {"source": "landmarks", "landmarks": MARKER, "family": "literature"}
    (run / "run.json").write_text(json.dumps(info), encoding="utf-8")
    return run


def rows_of(view):
    return [row for block in named_section(view, "").blocks if not isinstance(block, str) for row in block.rows]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write(tmp_path_factory.mktemp("runs") / "run", layout="kdef")


def test_ours_are_what_the_predictions_say(run):
    """Each figure of ours is the share of right predictions under its protocol, with an interval around it."""
    report = write_report([run]).parent
    table = pd.read_csv(report / "tables" / "named-systems.csv")
    predicted = pd.read_parquet(run / "predictions.parquet")
    right = (predicted["label"] == predicted["predicted"]).groupby([predicted["method"], predicted["protocol"]]).mean()
    mine = table[table["ours"].isin(["dgnn", "rbf_svc-lbp_shan"])]
    assert len(mine) == 5
    for row in mine.to_dict("records"):
        for protocol in (PERSON, RANDOM):
            found = float(row[f"ours {protocol}"])
            assert found == pytest.approx(right[row["ours"], protocol], abs=1e-6)
            assert float(row[f"ours {protocol}_low"]) < found < float(row[f"ours {protocol}_high"])


def test_every_row_says_status_and_why(run):
    """Figures that nobody read are called unverified; no row goes without the reason against comparing the two."""
    rows = rows_of(gather([run])[0])
    status = {(row["ours"], row["published"]): row["status"] for row in rows}
    assert status["dgnn", "96.02"] == "verified"
    assert status["rbf_svc-lbp_shan", "81.0"] == "recalled, unverified"
    assert all(row["why"] for row in rows)
    assert {row["reads"] for row in rows if row["ours"] == "dgnn"} == {f"68 landmarks: {MARKER}"}
    assert {row[f"ours {PERSON}"] for row in rows if row["ours"] == "linear_svc-2dlda_shih"} == {"skipped"}


@pytest.mark.parametrize(
    ("layout", "rendered", "told"),
    [
        ("kdef", False, "other data: KDEF, not JAFFE; other folds than theirs (leave one image out"),
        (
            "jaffe",
            False,
            "the same data, perhaps not the same pictures of it; other folds than theirs (leave one image",
        ),
        ("jaffe", True, "other data: rendered faces, not JAFFE"),
    ],
)
def test_data_decide_what_stands_between_two_figures(tmp_path, layout, rendered, told):
    """On the published figure's own data the folds alone are told; rendered faces are never anybody's data."""
    view = gather([write(tmp_path / "run", layout=layout, rendered=rendered)])[0]
    why = next(row["why"] for row in rows_of(view) if row["published"] == "95.71")
    assert why.startswith(told)
    assert why.endswith("number of directions and projection from both sides are ours")


def test_what_a_run_cuts_short_is_the_first_reason(tmp_path):
    """Fewer epochs, smaller pictures, another network than in full: said before data and folds are."""
    run = write(tmp_path / "run")
    info = json.loads((run / "run.json").read_text(encoding="utf-8"))
    less = {"size": [32, 224], "network": ["small", "large"], "epochs": [1, 50], "pretraining epochs": [1, 50]}
    info["methods"]["dgnn"] |= {"shortened": less}
    (run / "run.json").write_text(json.dumps(info), encoding="utf-8")
    why = {row["ours"]: row["why"] for row in rows_of(gather([run])[0])}
    assert why["dgnn"].startswith(
        "cut short in this run: 32 px (in full 224), the network small (in full large), 1 epoch (in full 50), "
        "1 before them (in full 50); other data"
    )
    assert "cut short" not in why["rbf_svc-lbp_shan"]


def test_a_run_of_one_compared_family_compares_none(tmp_path):
    """Named systems beside classical pipelines alone: no empty table, and nothing that points to one."""
    run = write(tmp_path / "run", rendered=True)
    text = (write_report([run]).parent / "report.md").read_text(encoding="utf-8")
    assert "Fewer than two of the families classical, cnn, deep have a finished method on the same images" in text
    assert "stand in the tables" not in text
    # Nobody's figure is told as everybody's.
    assert "Lowest accuracy of the median of the 2 compared methods" in text


@pytest.mark.parametrize("methods", [("knn-pixels",), ("knn-pixels", "alexnet-entire")])
def test_a_run_without_named_systems_has_no_such_part(tmp_path, methods):
    """Neither page nor Markdown nor tables mention what was not run; a suite of networks is none of named systems."""
    run = write(tmp_path / "run", methods=methods)
    info = json.loads((run / "run.json").read_text(encoding="utf-8"))
    if "alexnet-entire" in methods:
        info["methods"]["alexnet-entire"]["family"] = "deep"
    (run / "run.json").write_text(json.dumps(info), encoding="utf-8")
    report = write_report([run]).parent
    assert "Systems named" not in (report / "report.md").read_text(encoding="utf-8")
    assert not (report / "tables" / "named-systems.csv").exists()


def test_every_form_has_the_table(run):
    """HTML, Markdown, CSV and LaTeX are written from the one table."""
    report = write_report([run]).parent
    for name in ("report.html", "report.md", "tables/named-systems.csv", "tables/named-systems.tex"):
        assert "96.02" in (report / name).read_text(encoding="utf-8")


def test_facts_are_whole():
    """Statuses are known words, data with a layout are one of fer-bench's, and every row of the suite has an entry."""
    from fer_bench.data import LAYOUT_SUMMARIES

    systems = load_published().named
    for system in systems:
        assert all(figure.status in STATUS_WORDS and figure.status for figure in system.figures)
        assert all(not figure.layout or figure.layout in LAYOUT_SUMMARIES for figure in system.figures)
    patterns = [pattern for system in systems for pattern in system.ours]
    names = {entry.method for entry in expand(load_suite("literature"), load_methods().values(), "full")}
    assert {"dgnn", "svc-geometric", "rbf_svc-lbp_shan", "rbf_svc-ldp_jabid", "linear_svc-2dlda_shih"} <= names
    assert not [name for name in names if not any(fnmatchcase(name, pattern) for pattern in patterns)]
    assert names <= {entry.method for entry in expand(load_suite("all"), load_methods().values(), "full")}


@pytest.mark.parametrize(
    ("crop", "told"),
    [
        ("fixed", "faces are cut out by fixed boxes, KDEF's, not placed by the eyes"),
        ("detect", "faces are cut out by a detector's box, not placed by the eyes"),
        ("none", "no face is cut out: pictures are taken as they are, not placed by the eyes"),
    ],
)
def test_how_faces_were_cut_out_is_the_runs_own(tmp_path, crop, told):
    """A box is told where there is one; without any, both tables of published figures say that none was cut out."""
    run = write(tmp_path / "run", methods=("rbf_svc-lbp_shan", load_published().tables[0].rows[0].ours[0]))
    info = json.loads((run / "run.json").read_text(encoding="utf-8"))
    info["dataset"]["crop"] = crop
    (run / "run.json").write_text(json.dumps(info), encoding="utf-8")
    found = {row["ours"]: row["why"] for row in rows_of(gather([run])[0])}
    why = found["rbf_svc-lbp_shan"].split("; ", 2)[2]
    assert why == f"{told}; C and gamma are ours"
    text = (write_report([run]).parent / "report.md").read_text(encoding="utf-8")
    assert ("In this run no face was cut out" in text) == (crop == "none")
    assert ("cut out by" in text) == (crop != "none")
