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


def cost(spec: MethodSpec, n_train: int, n_test: int) -> float:
    """Nominal seconds of one trial on one core of a laptop."""
    return 0.5 + n_train / 500


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
