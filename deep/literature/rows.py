"""Networks of other authors in the literature: a row each. Imports no torch.

What is known of each, and what had to be decided, stands in the module that builds it. These rows have no presets: the
article's own parameters are not theirs.
"""

from __future__ import annotations

from typing import Any

from fer_bench.methods import ImageSpec, MethodSpec, Override

from .. import costs
from ..networks.zoo import find
from ..recipes import FULL

__all__ = ["METHODS", "cost"]

_FACTORY = "fer_bench.deep.classifier:NetworkClassifier"
_REFERENCES = {
    "dbn": "Zhao, Shi and Zhang 2015, IETE Technical Review 32(5)",
    "alexnet": "Shaees et al. 2020, ICCIT",
    "cnn18": "Liliana 2019, J. Phys. Conf. Ser. 1193:012004",
    "zfnet": "Zeiler and Fergus 2014, ECCV, doi 10.1007/978-3-319-10590-1_53",
    "dwt_cnn": "Bendjillali et al. 2019, Electronics 8(3):324, doi 10.3390/electronics8030324",
    "expnet": "Ding, Zhou and Chellappa 2017, FG, arXiv 1609.06591",
}
_SVC_SECONDS = 0.9  # machine and temperature on 1,000 rows of 4,096 values


def cost(spec: MethodSpec, n_train: int, n_test: int) -> float:
    """Nominal seconds on one core of a laptop: a training, and what comes before it without labels."""
    if spec.name == "linear_svc-alexnet":
        alexnet = find("alexnet")
        assert alexnet.work is not None
        image = alexnet.work.giga * (spec.image.size / alexnet.size) ** 2 / alexnet.work.rate
        return 0.5 + image * (n_train + n_test) + _SVC_SECONDS * n_train / 1000
    return costs.cost(spec, n_train, n_test) + _pretraining(spec, n_train)


def _pretraining(spec: MethodSpec, n_train: int) -> float:
    pretraining = spec.params.get("pretraining") or {}
    if not pretraining:
        return 0.0
    work = find(spec.params["network"]).work
    assert work is not None
    per_epoch = 3 * work.giga * (spec.image.size / find(spec.params["network"]).size) ** 2 / work.rate
    if "teacher" in pretraining:
        teacher = find(pretraining["teacher"])
        assert teacher.work is not None
        per_epoch += 0.3 * teacher.work.giga * (spec.image.size / teacher.size) ** 2 / teacher.work.rate
    return n_train * int(pretraining["epochs"]) * per_epoch


def _row(name: str, network: str, summary: str, quick: dict[str, Any], **more: Any) -> MethodSpec:
    """A network trained from scratch; ``quick`` are the parameters that the quick profile changes."""
    record = find(network)
    params = {"network": network, "mode": "scratch", **FULL, **more.pop("params", {})}
    defaults: dict[str, Any] = {"factory": _FACTORY, "wants": ("random_state", "device")}
    return MethodSpec(
        name=name,
        family="literature",
        image=ImageSpec(record.size, record.channels),
        params=params,
        network=network,
        mode="scratch",
        profiles={"quick": Override(quick, ImageSpec(record.quick, record.channels))},
        cost="fer_bench.deep.literature.rows:cost",
        uses_torch=True,
        watches=True,
        summary=summary,
        reference=_REFERENCES[network],
        version=2,  # predictions in batches of one size
        **{**defaults, **more},
    )


def _imitation(name: str, teacher: str) -> MethodSpec:
    imitation = {"function": "fer_bench.deep.literature.expnet:imitate", "teacher": teacher}
    return _row(
        name,
        "expnet",
        f"five convolutions imitate the maps of ImageNet's {teacher}, then learn with a dense layer of 256",
        {"epochs": 1, "augment": False, "pretraining": {**imitation, "epochs": 1}},
        params={"pretraining": {**imitation, "epochs": 50}},
        wants=("random_state", "device", "weights"),
        weights=find(teacher).weights,
    )


def _machines(epochs: int) -> dict[str, Any]:
    """Rates and epochs at which a linear read-out of the last layer tells rendered faces nearly as well as of pixels.

    With less of either all hidden units come to say the same few things, and with much more they stay on or off.
    """
    return {"function": "fer_bench.deep.literature.dbn:stack", "epochs": epochs, "rates": [2e-3, 0.03]}


METHODS: tuple[MethodSpec, ...] = (
    _row(
        "dbn",
        "dbn",
        "three restricted Boltzmann machines, then a network of 500, 500 and 2000 units that starts from them",
        {"epochs": 12, "batch_size": 16, "pretraining": _machines(15)},
        params={"augment": False, "pretraining": _machines(30)},
    ),
    MethodSpec(
        name="linear_svc-alexnet",
        family="literature",
        factory="fer_bench.deep.literature.alexnet_svc:AlexNetSVC",
        image=ImageSpec(224, 3),
        params={"layer": "fc7"},
        wants=("random_state", "device", "weights"),
        network="alexnet",
        mode="fc7",
        weights=find("alexnet").weights,
        profiles={"quick": Override(image=ImageSpec(64, 3))},
        cost="fer_bench.deep.literature.rows:cost",
        uses_torch=True,
        summary="linear support vector machine on fc7 of ImageNet's AlexNet",
        reference=_REFERENCES["alexnet"],
    ),
    _row(
        "cnn18",
        "cnn18",
        "18 convolutions with four max-poolings, dense 512 with dropout (an eighth of the maps in a quick run)",
        {"network": "cnn18_narrow", "epochs": 4, "batch_size": 16, "learning_rate": 1e-3, "augment": False},
    ),
    _row(
        "zfnet",
        "zfnet",
        "five convolutions and two dense layers of 4096 (Zeiler and Fergus), from scratch",
        {"epochs": 1, "learning_rate": 1e-4, "augment": False},
    ),
    _row(
        "dwt_cnn",
        "dwt_cnn",
        "equalised faces (CLAHE), their four Haar sub-bands, six convolutions",
        {"epochs": 4, "batch_size": 16, "augment": False},
        factory="fer_bench.deep.literature.dwt_cnn:EqualisedClassifier",
    ),
    _imitation("facenet2expnet-style", "vgg16"),
    _imitation("facenet2expnet-style-squeezenet1_0", "squeezenet1_0"),
)
"""Fine-tuned AlexNet, the other half of Shaees et al., is among the ImageNet networks."""
