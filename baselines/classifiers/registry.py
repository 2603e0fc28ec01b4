"""Classifiers over features, each a scikit-learn pipeline with stated parameters.

C and gamma of the three machines that have them are 0.7, 10 and 1 at 1,000 training images of features whose mean
squared distance from their mean is one, and follow the root of the number of images: see `linear_svc`, `logreg` and
`rbf_svc`. Which values hold on sets of 10 to 35 people was chosen on people held out, on two sets of rendered portraits
(`benchmarks/linear_defaults.py`, results beside it).

The reason for each default stands beside it; ``--tune`` searches around it instead (`fer_bench.baselines.tuning`).
Where it says "on people held out", 28 people of a
set of rendered portraits were trained on and 12 others tried: that orders values, and says nothing about photographs.
To add one: a function here that returns the
pipeline's last step or steps, and a line in `CLASSIFIERS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sklearn.decomposition import PCA
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from fer_bench.errors import InputError
from fer_bench.methods import load_object

from ..features.registry import Feature, find_feature
from .discriminant import FisherNearestMean, ShrinkageLDA
from .discriminant2d import TwoDimensionalLDA
from .kernel import GaussianSVM
from .linear import LinearSVM, OrthonormalBasis
from .logistic import MultinomialRegression
from .nearest import ChiSquareNeighbours, NearestNeighbours
from .rbf_network import RBFNetwork
from .scaling import BlockScaler, CentredRoot, SquareRoot, UnitScaler

__all__ = ["CLASSIFIERS", "make_classifier", "prepared_feature"]

Steps = list[tuple[str, Any]]


_LEARNT = {"2dlda": "dwt"}
"""Features whose last part is learnt from labels, inside the fold, and what they are learnt on."""


def prepared_feature(name: str) -> Feature:
    """Return the label-free part of a feature, which all folds share; ``"module:object"`` names one of another package.

    Raises
    ------
    InputError
        There is no such feature.
    """
    if ":" not in name:
        return find_feature(_LEARNT.get(name, name))
    feature = _load(name, "features")
    if not isinstance(feature, Feature):
        raise InputError(
            f"features: expected {name} to be a fer_bench.baselines.features.registry.Feature, found {feature!r}"
        )
    return feature


def _load(name: str, what: str) -> Any:
    try:
        return load_object(name)
    except (ImportError, AttributeError) as error:
        raise InputError(f"{what}: expected an object of an installed package, found {name!r}: {error}") from error


def _scaled(features: str, *, centred: bool = False) -> Steps:
    """Rows of mean squared length one: standardised values, or square roots of frequencies, each part by itself.

    ``centred`` is for what asks where zero is or how long one is, as a penalty and a kernel's width do: their roots of
    frequencies are taken about the mean. Neighbours, discriminants and principal components ask for neither.
    """
    feature = prepared_feature(features)
    if features in _LEARNT or feature.discriminant:
        return [("learn", TwoDimensionalLDA()), ("scale", UnitScaler())]
    if feature.parts:
        return [("scale", BlockScaler([(part.length, part.histogram) for part in feature.parts]))]
    roots = CentredRoot() if centred else SquareRoot()
    return [("scale", roots if feature.histogram else UnitScaler())]


def _at(n: int, at_a_thousand: float) -> float:
    """C of ``n`` training images, from that of 1,000: it falls with the root of n.

    The penalty's share 1 / (C n) of the mean loss then falls with the root of n, neither with n, as for a constant C,
    nor not at all: what lets the regularised optimum come as near to the best machine as n images allow (Sridharan,
    Shalev-Shwartz and Srebro, NIPS 2008, "Fast rates for regularized objectives").
    """
    return at_a_thousand * float((1000 / n) ** 0.5)


def _components(n: int, most: int) -> PCA:
    """Principal components, at most one for five training rows, so that what follows stays well determined."""
    return PCA(max(1, min(most, n // 5)), svd_solver="randomized", iterated_power=7)


def linear_svc(features: str, n: int) -> Steps:
    """Linear support vector machine, squared hinge loss, one against the rest (the optimum of LinearSVC).

    C is 0.7 at 1,000 training images and falls with the root of their number (`_at`), on rows of unit variance: 2 for
    ten people, 0.3 for 4,410 images. A constant 1 is too stiff for values of ten people, 3 too slack for 1,600 images;
    on rows of unit length that are not centred 1 is too stiff for histograms wherever there are few people. 1 at 1,000
    images answers no better, and on histograms of 4,410 takes half as long again as those rows did.
    """
    svm = LinearSVM(C=_at(n, 0.7))
    return [*_scaled(features, centred=True), ("reduce", OrthonormalBasis()), ("classify", svm)]


def rbf_svc(features: str, n: int) -> Steps:
    """Support vector machine with a Gaussian kernel.

    gamma 1 is scikit-learn's "scale" on rows of unit variance. It stands from 1,000 training images on; with fewer it
    is the root of their number in thousands, as far neighbours must do where there are no near ones: on ten people 1
    is up to ten points worse than 0.3, on 1,600 images up to five better. C 10 is the middle of the grid 1, 10, 100 of
    the LBP literature (Shan 2009).
    """
    gamma = min(1.0, float((n / 1000) ** 0.5))
    return [*_scaled(features, centred=True), ("classify", GaussianSVM(C=10.0, gamma=gamma))]


def knn(features: str, n: int) -> Steps:
    """Five nearest neighbours weighted by inverse distance (Cover and Hart 1967).

    Five instead of one, so that votes make something of a probability; Hellinger's distance for histograms.
    """
    return [*_scaled(features), ("classify", NearestNeighbours(5, weights="distance", algorithm="brute"))]


def knn_chi2(features: str, n: int) -> Steps:
    """Five nearest neighbours by the chi-square distance of histograms, as the LBP literature compares them."""
    if not prepared_feature(features).histogram:
        raise InputError(f"classifier: knn_chi2 expects features that are histograms, found {features!r}")
    return [("classify", ChiSquareNeighbours(5))]


def lda(features: str, n: int) -> Steps:
    """Linear discriminant analysis with shrinkage 0.3.

    Between 0.1, which suited wavelets, and 0.6, which suited histograms, on people held out: one value for all.
    """
    return [*_scaled(features), ("classify", ShrinkageLDA(shrinkage=0.3))]


def fisher(features: str, n: int) -> Steps:
    """Fisherfaces: at most 200 principal components, six discriminant directions, nearest mean (Belhumeur 1997).

    200 components, where the article keeps as many as there are images less classes: with one component for five
    images the within-class scatter is still estimated well.
    """
    return [*_scaled(features), ("project", _components(n, 200)), ("classify", FisherNearestMean())]


def logreg(features: str, n: int) -> Steps:
    """Multinomial logistic regression with a squared penalty, solved to a gradient of 1e-5 of the mean loss.

    C is 10 at 1,000 training images and falls with the root of their number (`_at`), on rows of unit variance. At 1e-4,
    where L-BFGS usually stops, two predictions in a hundred are still others than at the optimum.
    """
    regression = MultinomialRegression(C=_at(n, 10.0))
    return [*_scaled(features, centred=True), ("reduce", OrthonormalBasis()), ("classify", regression)]


def gnb(features: str, n: int) -> Steps:
    """Gaussian naive Bayes on at most 50 principal components, which are uncorrelated as the model assumes.

    On thousands of neighbouring pixels its posteriors are all zero or one.
    """
    return [*_scaled(features), ("project", _components(n, 50)), ("classify", GaussianNB())]


def rbf_network(features: str, n: int) -> Steps:
    """Radial basis function network of 400 units on at most 100 principal components (Moody and Darken 1989).

    On people held out a width of three times the distance between centres did well on pixels and on histograms; the
    components make k-means cheap.
    """
    return [*_scaled(features), ("project", _components(n, 100)), ("classify", RBFNetwork())]


def tree(features: str, n: int) -> Steps:
    """One CART tree on the features as they are, five images a leaf at least and twelve questions deep at most.

    Scaling would change nothing, principal components made it worse; an unbounded tree learns its images by heart.
    """
    return [("classify", DecisionTreeClassifier(min_samples_leaf=5, max_depth=12))]


def forest(features: str, n: int) -> Steps:
    """Random forest (Breiman 2001) of 100 trees on the features as they are, 24 features a question.

    The usual square root would be 33 to 64; 24 answered as well on people held out in half the time.
    """
    return [("classify", RandomForestClassifier(100, max_features=24, min_samples_leaf=2, n_jobs=1))]


def hist_gb(features: str, n: int) -> Steps:
    """Gradient boosting (Friedman 2001) of histogram trees: 100 rounds, 15 leaves, on at most 100 principal components.

    scikit-learn's defaults but for 15 leaves instead of 31, and leaves of five images at least instead of 20, since a
    class of a small fold has no more. On people held out 100 components did as well as 50, and seven leaves a little
    worse. Its threads are those of the worker, one.
    """
    classify = HistGradientBoostingClassifier(max_iter=100, max_leaf_nodes=15, min_samples_leaf=5, early_stopping=False)
    return [*_scaled(features), ("project", _components(n, 100)), ("classify", classify)]


def majority(features: str, n: int) -> Steps:
    """The floor: the frequencies of the classes in training, whatever the image; the first of equals is predicted."""
    return [("classify", DummyClassifier(strategy="prior"))]


CLASSIFIERS: dict[str, Callable[[str, int], Steps]] = {
    "linear_svc": linear_svc,
    "rbf_svc": rbf_svc,
    "rbf_network": rbf_network,
    "knn": knn,
    "knn_chi2": knn_chi2,
    "lda": lda,
    "fisher": fisher,
    "logreg": logreg,
    "gnb": gnb,
    "tree": tree,
    "forest": forest,
    "hist_gb": hist_gb,
    "majority": majority,
}
"""Name to function(features, n_train) -> steps; seeds are set afterwards on every step that takes one."""


def make_classifier(
    name: str, features: str, params: dict[str, Any] | None, random_state: int, n_train: int
) -> Pipeline:
    """Build the unfitted pipeline of scaling, projection and classifier.

    Parameters
    ----------
    name : str
        A name in `CLASSIFIERS`, or ``"module:function"`` of another package.
    features : str
        A name in `fer_bench.baselines.features.registry.FEATURES`, several joined by "+", or ``"2dlda"``; decides the
        scaling.
    params : dict or None
        Parameters of the last step that replace its defaults.
    random_state : int
        Seed of every step that draws.
    n_train : int
        Number of training rows, which bounds projections.

    Raises
    ------
    InputError
        No such classifier, features or parameter.
    """
    steps = _load(name, "classifier")(features, n_train) if ":" in name else None
    if steps is None and name not in CLASSIFIERS:
        raise InputError(f"classifier: expected one of {', '.join(CLASSIFIERS)}, found {name!r}")
    steps = steps or CLASSIFIERS[name](features, n_train)
    for _, step in steps:
        if "random_state" in step.get_params():
            step.set_params(random_state=random_state)
    last = steps[-1][1]
    unknown = sorted(set(params or {}) - set(last.get_params()))
    if unknown:
        known = ", ".join(sorted(last.get_params()))
        raise InputError(f"classifier_params: {name} takes {known}, found {', '.join(unknown)}")
    last.set_params(**(params or {}))
    return Pipeline(steps)
