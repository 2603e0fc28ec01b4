"""Classical methods that the harness can find; imports no scikit-learn."""

from __future__ import annotations

from fer_bench.methods import ImageSpec, MethodSpec

__all__ = ["METHODS", "cost"]

VERSION = 3
"""Of every method here; raised when solvers or defaults change what they answer."""

_FEATURES = {  # image, values, what
    "pixels": (ImageSpec(64, 1), 4096, "grey values at 64 px"),
    "dwt": (ImageSpec(64, 1), 1089, "db2 wavelet approximation of 64 px"),
    "lbp": (ImageSpec(128, 1), 3776, "uniform LBP histograms, 8 x 8 cells of 128 px"),
    "ldp": (ImageSpec(128, 1), 2352, "local directional pattern histograms, 6 x 7 cells of 128 px"),
    "hog": (ImageSpec(64, 1), 1764, "histograms of oriented gradients at 64 px"),
    "gabor": (ImageSpec(64, 1), 2560, "Gabor magnitudes, 5 scales x 8 orientations at 64 px, down-sampled"),
    "hog+lbp": (ImageSpec(128, 1), 5540, "HOG at 64 px and LBP at 128 px side by side"),
    "2dlda": (ImageSpec(64, 1), 144, "two-dimensional discriminant analysis of the wavelet approximation"),
}
_VARIANTS = {
    "dwt_haar": (ImageSpec(64, 1), 1024, "Haar wavelet approximation of 64 px"),
    "dwt_l2": (ImageSpec(64, 1), 972, "three second-level db2 wavelet bands of 64 px"),
    "lbp_r2": (ImageSpec(128, 1), 3776, "LBP histograms at radius 2, 8 x 8 cells of 128 px"),
    "lbp_6x7": (ImageSpec(128, 1), 2478, "LBP histograms at radius 2, 6 x 7 cells of 128 px"),
    "lbp_sq": (ImageSpec(128, 1), 3776, "LBP histograms of the square neighbourhood, 8 x 8 cells of 128 px"),
    "hog_cv": (ImageSpec(64, 1), 1764, "OpenCV's HOG descriptor at 64 px"),
}
_HERE = "fer_bench.baselines.features"
_RECIPES = {  # features of one source each, found by their path: image, values, path, classifier, what, source
    "lbp_shan": (
        *(ImageSpec(150, 1), 2478, f"{_HERE}.recipes:LBP_SHAN", "rbf_svc"),
        "uniform LBP histograms at radius 2, 42 windows of 18 x 21 on a face of 110 x 150",
        "Shan, Gong and McOwan 2009, doi 10.1016/j.imavis.2008.08.005",
    ),
    "ldp_jabid": (
        *(ImageSpec(150, 1), 2352, f"{_HERE}.recipes:LDP_JABID", "rbf_svc"),
        "local directional pattern histograms, 42 windows of 18 x 21 on a face of 110 x 150",
        "Jabid, Kabir and Chae 2010, doi 10.4218/etrij.10.1510.0132",
    ),
    "2dlda_shih": (
        *(ImageSpec(256, 1), 4356, f"{_HERE}.recipes:DWT_SHIH", "linear_svc"),
        "two-dimensional discriminant analysis of the wavelet approximation of 256 px",
        "Shih, Chuang and Wang 2008, doi 10.1142/S0218001408006284",
    ),
}
_LANDMARKS = ImageSpec(128, 1, "landmarks")
_CLASSIFIERS = {
    "linear_svc": ("linear support vector machine", "Cortes and Vapnik 1995, doi 10.1007/BF00994018"),
    "rbf_svc": (
        "support vector machine with Gaussian kernel",
        "Boser, Guyon and Vapnik 1992, doi 10.1145/130385.130401",
    ),
    "rbf_network": ("radial basis function network", "Moody and Darken 1989, doi 10.1162/neco.1989.1.2.281"),
    "knn": ("five nearest neighbours", "Cover and Hart 1967, doi 10.1109/TIT.1967.1053964"),
    "knn_chi2": ("five nearest neighbours by chi-square", "Ahonen et al. 2006, doi 10.1109/TPAMI.2006.244"),
    "lda": ("linear discriminant analysis with shrinkage", "Friedman 1989, doi 10.1080/01621459.1989.10478752"),
    "fisher": (
        "Fisher's projection and nearest mean",
        "Belhumeur, Hespanha and Kriegman 1997, doi 10.1109/34.598228",
    ),
    "logreg": ("multinomial logistic regression", "Cox 1958, doi 10.1111/j.2517-6161.1958.tb00292.x"),
    "gnb": ("Gaussian naive Bayes on principal components", "Hand and Yu 2001, doi 10.2307/1403452"),
    "tree": ("CART decision tree", "Breiman, Friedman, Olshen and Stone 1984, doi 10.1201/9781315139470"),
    "forest": ("random forest", "Breiman 2001, doi 10.1023/A:1010933404324"),
    "hist_gb": ("gradient boosting on principal components", "Friedman 2001, doi 10.1214/aos/1013203451"),
    "majority": ("class frequencies of the training images", "the rule 0R in Holte 1993, doi 10.1023/A:1022631118932"),
}
_EVERYWHERE = ("linear_svc", "rbf_svc")
_ALL_ON = ("pixels", "dwt", "lbp")
_ON_HISTOGRAMS = ("lbp",)


# Fitting on 1,000 images of 4,000 features on one core takes `seconds`; it grows as n ** images * d ** width.
# Fitted to CPU seconds at n = 4,410 (`benchmarks/bench_classical.py plan`), mostly within a factor of two;
# trees and forests on lbp, whose histograms are mostly zeros, take less than half of what is said here.
_SECONDS = {  # seconds, images, width
    "linear_svc": (0.75, 1.15, 1.4),
    "rbf_svc": (0.25, 1.6, 0.25),
    "rbf_network": (0.4, 1.05, 0.35),
    "knn": (0.02, 1.0, 0.8),
    "knn_chi2": (0.01, 1.0, 1.0),
    "lda": (0.35, 1.5, 2.0),
    "fisher": (0.35, 1.1, 0.9),
    "logreg": (0.75, 1.1, 1.5),
    "gnb": (0.16, 1.1, 1.0),
    "tree": (3.4, 1.05, 0.8),
    "forest": (2.4, 1.0, 0.0),
    "hist_gb": (2.7, 0.47, 0.1),
    "majority": (0.01, 0.0, 0.0),
}
_LENGTHS = {name: row[1] for name, row in (_FEATURES | _VARIANTS | _RECIPES).items()} | {"geometric": 2336}
_RAISED = {"lbp_shan": 1, "ldp_jabid": 1} | dict.fromkeys(("linear_svc", "rbf_svc", "logreg"), 1)
"""What single features and classifiers add to the package's version.

Features, since 1: codes at the edge of their face see the pixels beyond. Classifiers, since 1: roots of frequencies are
taken about their mean, and C and gamma follow the number of training images.
"""
# seconds for a test image, a training image and a value
_COMPARED = {"knn": 6.5e-11, "rbf_svc": 3.5e-11, "knn_chi2": 6e-10}
_INNER = 2.0  # three inner folds of two thirds of the images


def cost(spec: MethodSpec, n_train: int, n_test: int) -> float:
    """Nominal seconds of one trial on one core of a laptop, features already there.

    The features themselves are made once for all trials: a few milliseconds an image at most.
    """
    classifier = spec.params["classifier"]
    seconds, images, width = _SECONDS[classifier]
    d = spec.image.size**2 if spec.features in ("", "pixels") else _LENGTHS[spec.features]
    fit = seconds * (n_train / 1000) ** images * (d / 4000) ** width
    compare = _COMPARED.get(classifier, 0.0) * n_train * d
    tries = 1
    for values in (spec.params.get("grid") or {}).values():
        tries *= len(values)
    search = 0.0 if tries == 1 else tries * (_INNER * fit + compare * n_train)
    return 0.02 + fit + compare * n_test + search


def _row(classifier: str, features: str, variant: bool) -> MethodSpec:
    image, _, told = (_FEATURES | _VARIANTS)[features]
    what, reference = _CLASSIFIERS[classifier]
    floor = classifier == "majority"
    return MethodSpec(
        name="majority" if floor else f"{classifier}-{features}",
        family="classical",
        factory="fer_bench.baselines.pipeline:FacePipeline",
        params={"features": features, "classifier": classifier},
        image=image,
        version=_version(classifier, features),
        features="" if floor else features,
        tuning="default",
        grid="" if floor else "grid",
        variant=variant,
        cost="fer_bench.baselines.catalogue:cost",
        summary="the floor: class frequencies of the training images" if floor else f"{what} on {told}",
        reference=reference,
    )


def _version(classifier: str, features: str) -> int:
    return VERSION + _RAISED.get(features, 0) + _RAISED.get(classifier, 0)


def _recipe(features: str) -> MethodSpec:
    """A row that follows one article; the suite literature runs it."""
    image, _, path, classifier, told, source = _RECIPES[features]
    return MethodSpec(
        name=f"{classifier}-{features}",
        family="classical",
        factory="fer_bench.baselines.pipeline:FacePipeline",
        params={"features": path, "classifier": classifier},
        image=image,
        version=_version(classifier, features),
        features=features,
        grid="grid",
        variant=True,
        cost="fer_bench.baselines.catalogue:cost",
        summary=f"{_CLASSIFIERS[classifier][0]} on {told}",
        reference=source,
    )


GEOMETRIC = MethodSpec(
    name="svc-geometric",
    family="literature",
    factory="fer_bench.baselines.pipeline:FacePipeline",
    params={"features": f"{_HERE}.geometric:GEOMETRIC", "classifier": "rbf_svc"},
    image=_LANDMARKS,
    version=_version("rbf_svc", "geometric"),
    features="geometric",
    grid="grid",
    cost="fer_bench.baselines.catalogue:cost",
    summary="support vector machine with Gaussian kernel on distances and angles between 68 landmarks",
    reference="Sagonas et al. 2013 (the 68 points), doi 10.1109/ICCVW.2013.59",
)


def _fits(classifier: str, features: str) -> bool:
    """Whether this pair is a method: the machines on all features, the others on three, chi-square on histograms."""
    if classifier == "majority":
        return features == "pixels"
    if classifier == "knn_chi2":
        return features in _ON_HISTOGRAMS
    return classifier in _EVERYWHERE or features in _ALL_ON


METHODS: tuple[MethodSpec, ...] = (
    *(
        _row(classifier, features, variant)
        for chosen, variant in ((_FEATURES, False), (_VARIANTS, True))
        for features in chosen
        for classifier in _CLASSIFIERS
        if _fits(classifier, features)
    ),
    *map(_recipe, _RECIPES),
    GEOMETRIC,
)
"""Variants of a feature are left out of suites that take a whole family: ``classical_variants`` runs them, and
``literature`` the recipes of single articles."""
