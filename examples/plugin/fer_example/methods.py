"""Classical methods: the feature and the classifier of `contrast`, together and each with one of fer-bench's own."""

from __future__ import annotations

from fer_bench import ImageSpec, MethodSpec

_CONTRAST, _CENTROID = "fer_example.contrast:CONTRAST", "fer_example.contrast:centroid"


def _method(name: str, features: str, classifier: str, size: int, summary: str) -> MethodSpec:
    return MethodSpec(
        name=name,
        family="classical",
        factory="fer_bench.baselines.pipeline:FacePipeline",
        params={"features": features, "classifier": classifier},
        image=ImageSpec(size),
        features=name.partition("-")[2],
        summary=summary,
    )


METHODS = (
    _method("centroid-contrast", _CONTRAST, _CENTROID, 48, "nearest class mean on local contrast"),
    _method("linear_svc-contrast", _CONTRAST, "linear_svc", 48, "linear support vector machine on local contrast"),
    _method("centroid-lbp", "lbp", _CENTROID, 128, "nearest class mean on LBP histograms"),
)
