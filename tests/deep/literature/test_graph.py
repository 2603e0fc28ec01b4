"""The directed graph network on landmarks."""

import numpy as np
import pytest
import torch
from scipy.spatial import Delaunay

from fer_bench.data.render import render_truth
from fer_bench.deep.literature.graph import NOSE_TIP, GraphNetwork, directed_edges, standard_shape
from fer_bench.deep.literature.graph_classifier import GraphClassifier
from fer_bench.errors import InputError
from fer_bench.labels import EMOTIONS

QUICK = {"widths": (16, 16), "epochs": 15, "batch_size": 8, "learning_rate": 3e-3, "device": "cpu"}


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return render_truth("AF01NES").landmarks


@pytest.fixture(scope="module")
def faces() -> tuple[np.ndarray, np.ndarray]:
    """Points of three people with seven expressions, seen from the front, and labels."""
    people = ("F01", "M01", "F02")
    points = [render_truth(f"{s}{p}{e}S").landmarks for p in people for s in "AB" for e in EMOTIONS]
    return np.array(points, dtype=np.float32), np.tile(np.arange(7), 6)


def test_edges_are_directed(face) -> None:
    """No edge has its opposite, none is a loop, and following edges never leads back to where one was."""
    edges = {tuple(edge) for edge in directed_edges(face).tolist()}
    assert not edges & {(b, a) for a, b in edges}
    assert all(a != b for a, b in edges)
    left = set(edges)
    while left:  # points that no edge enters any more are taken away; a circle would remain
        entered = {b for _, b in left}
        free = {edge for edge in left if edge[0] not in entered}
        assert free, "a circle"
        left -= free


def test_edges_are_delaunays(face) -> None:
    """Every side of the triangulation is there once, away from the nose's tip, from which every point is reached."""
    edges = directed_edges(face)
    triangles = Delaunay(face).simplices
    sides = {frozenset((int(t[i]), int(t[j]))) for t in triangles for i, j in ((0, 1), (1, 2), (0, 2))}
    assert sorted(map(sorted, sides)) == sorted(map(sorted, edges.tolist()))
    far = np.linalg.norm(face - face[NOSE_TIP], axis=1)
    assert (far[edges[:, 0]] <= far[edges[:, 1]]).all()
    assert set(range(68)) - set(edges[:, 1].tolist()) == {NOSE_TIP}


def test_points_that_coincide_stay_in_the_graph(face) -> None:
    """Closed lips put two points into one place; both have edges all the same."""
    closed = face.copy()
    closed[66] = closed[62]
    assert set(directed_edges(closed).ravel().tolist()) == set(range(68))


def test_turning_the_edges_round_is_another_network(face) -> None:
    """The same weights on the same face give another answer when all edges point the other way: direction counts."""
    edges = directed_edges(face)
    points = torch.from_numpy(standard_shape(face[None].astype(np.float32)))
    found = []
    for ends in (edges, np.ascontiguousarray(edges[:, ::-1])):
        torch.manual_seed(0)
        found.append(GraphNetwork(ends, 68, (8, 8), 0.0).eval()(points))
    assert (found[0] - found[1]).abs().max() > 1e-3


def test_place_and_size_in_the_picture_do_not_matter(faces) -> None:
    """A face that is moved and scaled has the same probabilities."""
    points, labels = faces
    method = GraphClassifier(**QUICK | {"epochs": 2}).fit(points, labels)
    moved = (points * 0.5 + (40, -3)).astype(np.float32)
    np.testing.assert_allclose(method.predict_proba(moved), method.predict_proba(points), atol=1e-4)


def test_it_learns_expressions(faces) -> None:
    """On rendered faces it tells the expressions that it was trained on, and its loss falls to half."""
    points, labels = faces
    method = GraphClassifier(**QUICK | {"widths": (32, 32, 64), "dropout": 0.0, "epochs": 30}).fit(
        points, labels, eval_images=points[:7]
    )
    assert (method.predict(points) == labels).mean() > 0.8
    assert method.history_["loss"][-1] < 0.5 * method.history_["loss"][0]
    assert method.eval_proba_.shape == (30, 7, 7)
    np.testing.assert_allclose(method.eval_proba_[-1], method.predict_proba(points[:7]), atol=1e-5)


def test_a_training_that_is_broken_off_goes_on(faces, tmp_path, monkeypatch) -> None:
    """From its checkpoint it comes to the same answers as one that was not broken off."""
    from fer_bench.deep.literature import graph_classifier
    from fer_bench.deep.training import train

    points, labels = faces
    whole = GraphClassifier(**QUICK | {"epochs": 4}).fit(points, labels).predict_proba(points)
    opened = graph_classifier.open_checkpoint
    monkeypatch.setattr(graph_classifier, "open_checkpoint", lambda place, _: opened(place, 0.0))
    done = train.run_epoch
    epochs = []

    def broken(*args):
        epochs.append(1)
        if len(epochs) == 3:
            raise KeyboardInterrupt
        return done(*args)

    monkeypatch.setattr(train, "run_epoch", broken)
    method = GraphClassifier(**QUICK | {"epochs": 4})
    with pytest.raises(KeyboardInterrupt):
        method.fit(points, labels, checkpoint=tmp_path)
    again = method.fit(points, labels, checkpoint=tmp_path).predict_proba(points)
    np.testing.assert_array_equal(again, whole)
    assert len(epochs) == 5, "two epochs, one broken off, two more"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": 0}, "epochs: expected at least 1, found 0"),
        ({"widths": ()}, "widths: expected the channels of one block or more"),
        ({"dropout": 1.0}, "dropout: expected a share"),
        ({"schedule": "warm"}, "schedule: expected one of constant"),
    ],
)
def test_parameters_that_cannot_be_are_refused(faces, change, message) -> None:
    """Each mistake is a sentence with what was expected and what was found."""
    with pytest.raises(InputError, match=message):
        GraphClassifier(**QUICK | change).fit(*faces)


def test_a_prediction_hangs_on_its_face_alone(faces) -> None:
    """However many faces are predicted, each gets the same probabilities, to the bit."""
    points, labels = faces
    method = GraphClassifier(**{**QUICK, "epochs": 1}).fit(points, labels)
    whole = method.predict_proba(points)
    for n in (1, 2, 31, 32, 33):
        assert np.array_equal(method.predict_proba(points[:n]), whole[:n]), n
