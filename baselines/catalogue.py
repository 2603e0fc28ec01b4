"""Classical methods that the harness can find; imports no scikit-learn."""

from __future__ import annotations

from fer_bench.methods import ImageSpec, MethodSpec

__all__ = ["METHODS", "cost"]

_FEATURES = {
    "pixels": (ImageSpec(64, 1), "grey values at 64 px"),
    "dwt": (ImageSpec(64, 1), "db2 wavelet approximation of 64 px"),
    "lbp": (ImageSpec(128, 1), "uniform LBP histograms, 8 x 8 cells of 128 px"),
}
_CLASSIFIERS = {
    "linear_svc": ("linear support vector machine", "Cortes and Vapnik 1995, doi 10.1007/BF00994018"),
    "rbf_svc": (
        "support vector machine with Gaussian kernel",
        "Boser, Guyon and Vapnik 1992, doi 10.1145/130385.130401",
    ),
    "knn": ("five nearest neighbours", "Cover and Hart 1967, doi 10.1109/TIT.1967.1053964"),
    "lda": ("linear discriminant analysis with shrinkage", "Friedman 1989, doi 10.1080/01621459.1989.10478752"),
    "fisher": (
        "Fisher's projection and nearest mean",
        "Belhumeur, Hespanha and Kriegman 1997, doi 10.1109/34.598228",
    ),
    "logreg": ("multinomial logistic regression", "Cox 1958, doi 10.1111/j.2517-6161.1958.tb00292.x"),
    "gnb": ("Gaussian naive Bayes on principal components", "Hand and Yu 2001, doi 10.2307/1403452"),
    "tree": ("CART decision tree", "Breiman, Friedman, Olshen and Stone 1984, doi 10.1201/9781315139470"),
    "forest": ("random forest", "Breiman 2001, doi 10.1023/A:1010933404324"),
}


# Fitting on 1,000 images of 4,000 features on one core takes `seconds`; it grows as n ** images * d ** width.
# Fitted to CPU seconds at n = 280, 980 and 4,410 (benchmarks/bench_classical.py), mostly within a factor of two;
# trees and forests on lbp, whose histograms are mostly zeros, take less than half of what is said here.
_SECONDS = {  # seconds, images, width
    "linear_svc": (0.9, 1.85, 0.8),
    "rbf_svc": (0.4, 1.75, 0.4),
    "knn": (0.02, 1.0, 0.8),
    "lda": (0.4, 1.5, 1.5),
    "fisher": (0.55, 1.1, 0.8),
    "logreg": (0.95, 1.5, 0.9),
    "gnb": (0.25, 1.0, 0.9),
    "tree": (3.4, 1.05, 0.8),
    "forest": (2.4, 1.0, 0.0),
}
_COMPARED = {"knn": 6.5e-11, "rbf_svc": 3.5e-11}  # seconds for a test image, a training image and a feature


def _dimension(features: str, size: int) -> int:
    """Length of a feature row for images of this side."""
    return {"pixels": size**2, "dwt": ((size + 3) // 2) ** 2, "lbp": 8 * 8 * 59}[features]


def cost(spec: MethodSpec, n_train: int, n_test: int) -> float:
    """Nominal seconds of one trial on one core of a laptop, features already there.

    The features themselves are made once for all trials: about 1.1 ms an image for ``lbp``, far less for the others.
    """
    seconds, images, width = _SECONDS[spec.params["classifier"]]
    d = _dimension(spec.features, spec.image.size)
    fit = seconds * (n_train / 1000) ** images * (d / 4000) ** width
    return 0.02 + fit + _COMPARED.get(spec.params["classifier"], 0.0) * n_train * n_test * d


METHODS: tuple[MethodSpec, ...] = tuple(
    MethodSpec(
        name=f"{classifier}-{features}",
        family="classical",
        factory="fer_bench.baselines.pipeline:FacePipeline",
        params={"features": features, "classifier": classifier},
        image=image,
        features=features,
        tuning="none",
        cost="fer_bench.baselines.catalogue:cost",
        summary=f"{what} on {told}",
        reference=reference,
    )
    for features, (image, told) in _FEATURES.items()
    for classifier, (what, reference) in _CLASSIFIERS.items()
)
