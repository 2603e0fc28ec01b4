"""The contract between the harness and the rooms that learn: what a method is and how it is named.

Imports the standard library only (numpy inside the functions that need it), because every catalogue of methods
imports this module and ``fer-bench list`` reads all catalogues in a fraction of a second.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

from fer_bench.errors import InputError, UserError
from fer_bench.labels import N_CLASSES
from fer_bench.utils.plugins import METHODS_GROUP, load_points, registered_by

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "COMPARED_FAMILIES",
    "FAMILIES",
    "LANDMARKS",
    "ImageSpec",
    "Method",
    "MethodSpec",
    "Override",
    "WeightsSpec",
    "check_images",
    "check_labels",
    "check_landmarks",
    "load_methods",
    "load_object",
]

COMPARED_FAMILIES = ("classical", "cnn", "deep")
"""classical: hand-made features and a shallow classifier; cnn: small networks; deep: ImageNet architectures."""

FAMILIES = (*COMPARED_FAMILIES, "named", "rendered")
"""And what is shown beside them, but never stands in a headline, a claim or a comparison between families. named: other
systems from the literature; rendered: networks pretrained on rendered faces, which on rendered faces have seen the
generator of the labels."""


LANDMARKS = (68, 2)
"""Shape of a face given as landmarks: x and y of the 68 points of iBUG's 300-W (Sagonas et al. 2013), in its order."""


class Method(Protocol):
    """Something that learns from labelled images and gives seven probabilities an image.

    A method is a scikit-learn classifier (``get_params``, ``set_params``, ``clone``, ``score``) over arrays of
    images; it never sees a path nor a test label. ``__init__`` only stores; fitted names end in ``_``.

    A method whose `ImageSpec` has the source ``"landmarks"`` gets points (n, 68, 2) float32 wherever this text says
    images, and no picture: see `check_landmarks`.

    Label-free work that all folds share may be offered as three further methods. The harness then calls
    ``prepare`` once for a dataset and caches what it returns under ``prepare_key()``:

    - ``prepare_key() -> str``: names the computation and its parameters, the same for every method that
      shares it (such as ``"lbp-p8-r1-8x8-v1"``);
    - ``prepare(images) -> (n, d) float32``: row i depends on image i alone;
    - ``fit_prepared(features, labels, *, groups=None)`` and ``predict_proba_prepared(features)``: ``fit`` and
      ``predict_proba`` must equal these after ``prepare``. A method that takes ``watch`` (below) takes it in
      ``fit_prepared``, too, as features. Where predicting needs but a part of what ``prepare`` does (one view of
      several), ``prepared_share_of_prediction`` says which, for the seconds that a prediction is said to take.

    A method trained in epochs takes ``watch``: unlabelled images whose probabilities it returns after each epoch
    in ``watch_proba_`` (epochs, n, 7). The harness scores them afterwards, for the column "best epoch on test".
    It may record ``history_``: a dict of equally long lists such as ``{"loss": [...]}``; a loss that is not finite
    fails the trial.

    A method whose training is long says ``takes_checkpoint = True``. Its ``fit`` then takes ``checkpoint``: a folder of
    this training alone, where it keeps now and then, at most once a minute, how far it got, and from which it goes on
    where there is something, to the same result. The harness removes the folder.
    """

    takes_checkpoint: bool = False

    def fit(
        self,
        images: NDArray[np.uint8],
        labels: NDArray[np.int64],
        *,
        groups: NDArray[Any] | None = None,
        watch: NDArray[np.uint8] | None = None,
    ) -> Self:
        """Learn from images (n, h, w) or (n, h, w, 3), labels (n,) in 0..6, groups (n,) naming people."""
        ...

    def predict_proba(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Return (n, 7) probabilities, rows summing to one, columns in the order of ``EMOTIONS``."""
        ...


@dataclass(frozen=True)
class ImageSpec:
    """The images a method wants: square, uint8; or the landmarks on them.

    Attributes
    ----------
    size : int
        Side in pixels.
    channels : int
        1 for grey arrays (n, size, size), 3 for RGB arrays (n, size, size, 3).
    source : str
        ``"photo"``: straight from the cropped photograph; ``"grey256"``: by way of a grey 256-pixel picture
        (what the article describes), repeated to three channels where three are asked for; ``"landmarks"``: in place
        of the picture its landmarks, (n, 68, 2) float32, in pixels of the picture of ``size`` (0 is the outer edge of
        the first pixel). Where nobody can place them on a dataset, the trial is skipped with the reason.
    """

    size: int
    channels: int = 1
    source: str = "photo"

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of what stands for one image."""
        if self.source == "landmarks":
            return LANDMARKS
        return (self.size, self.size) if self.channels == 1 else (self.size, self.size, 3)

    @property
    def dtype(self) -> str:
        """Type of its values, as numpy names it."""
        return "<f4" if self.source == "landmarks" else "|u1"

    @property
    def n_bytes(self) -> int:
        """Bytes of one image."""
        return math.prod(self.shape) * int(self.dtype[-1])

    @property
    def words(self) -> str:
        """What it is, for people."""
        if self.source == "landmarks":
            return f"{LANDMARKS[0]} landmarks"
        return f"{self.size} px {'grey' if self.channels == 1 else 'colour'}"


@dataclass(frozen=True)
class WeightsSpec:
    """Pretrained weights that a method cannot do without.

    Attributes
    ----------
    name : str
        Network name; local files called ``<name>.pth`` or ``<name>-<anything>.pth`` (or .safetensors) are taken for it.
    filename : str
        The published file's name; its last ``-xxxxxxxx`` is the start of its sha256, and is checked.
    megabytes : float
        Size of the download.
    origin : str
        Whose weights, trained on what, licence.
    fetch : str
        ``"module:function"``, called as ``function(name) -> url``; empty where they are not published.
    shipped : str
        ``"package:file"`` of weights that come with an installed package: taken where no other place has them.
    make : str
        ``"module:function"`` that trains them, for weights that ``fer-bench pretrain`` makes; called as
        `fer_bench.runner.pretrain.pretrain` does.
    """

    name: str
    filename: str
    megabytes: float
    origin: str
    fetch: str = ""
    shipped: str = ""
    make: str = ""


@dataclass(frozen=True)
class Override:
    """What a profile or preset changes in a method."""

    params: Mapping[str, Any] = field(default_factory=dict)
    image: ImageSpec | None = None


@dataclass(frozen=True)
class MethodSpec:
    """One row of a room's catalogue.

    Attributes
    ----------
    name : str
        classifier-features (``linear_svc-lbp``) or network-mode (``vgg16-last_block``).
    family : str
        One of `FAMILIES`.
    factory : str
        ``"module:object"``; called with ``params`` and with what ``wants`` asks for, gives a `Method`.
    params : mapping
        JSON-able keyword arguments of the factory, part of a trial's identity.
    image : ImageSpec
        The images it wants.
    version : int
        Raised by hand whenever the code behind the name gives other results; part of a trial's identity.
    wants : tuple of str
        Arguments that the harness supplies: any of ``random_state``, ``device`` and ``weights`` (a file's path).
    tuning : str
        ``"default"``: the parameters are those stated; ``"tuned"``: chosen inside each training fold.
    grid : str
        The factory's argument that takes a grid of values for ``--tune``; empty where the method cannot be tuned. A
        method with one says what it chose in ``tuned_``, a dict for the trial's record.
    variant : bool
        True for a variation that suites leave out where they take a whole family: it runs where it is named.
    weights : WeightsSpec or None
        Without these the trial is skipped with a reason; random weights never stand in.
    profiles, presets : mapping of str to Override
        Changes for ``--profile`` and ``--preset``; see `resolve`.
    cost : str
        ``"module:function"``, called as ``function(spec, n_train, n_test)`` on the resolved spec, gives nominal
        seconds on one core of a laptop. Light: it may import neither scikit-learn nor torch.
    uses_torch : bool
        True for networks: they run in workers that import torch.
    watches : bool
        True where ``fit`` takes ``watch``.
    """

    name: str
    family: str
    factory: str
    image: ImageSpec
    params: Mapping[str, Any] = field(default_factory=dict)
    version: int = 1
    wants: tuple[str, ...] = ("random_state",)
    features: str = ""
    network: str = ""
    mode: str = ""
    tuning: str = "default"
    grid: str = ""
    variant: bool = False
    weights: WeightsSpec | None = None
    profiles: Mapping[str, Override] = field(default_factory=dict)
    presets: Mapping[str, Override] = field(default_factory=dict)
    cost: str = ""
    uses_torch: bool = False
    watches: bool = False
    summary: str = ""
    reference: str = ""

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise InputError(f"method {self.name}: family is one of {', '.join(FAMILIES)}, not {self.family!r}")

    def resolve(self, profile: str, preset: str) -> MethodSpec:
        """Return the spec with the overrides of a preset and a profile applied.

        A profile goes last, since it bounds cost (epochs, size); the preset decides where the pixels come from.
        """
        from_preset = self.presets.get(preset, Override())
        from_profile = self.profiles.get(profile, Override())
        image = from_profile.image or from_preset.image or self.image
        if from_preset.image is not None:
            image = replace(image, source=from_preset.image.source)
        return replace(self, params={**self.params, **from_preset.params, **from_profile.params}, image=image)

    def tuned(self, grid: Mapping[str, Sequence[Any]]) -> MethodSpec:
        """Return the spec with parameters to be chosen from a grid, which becomes part of a trial's identity."""
        values = {name: list(values) for name, values in grid.items()}
        return replace(self, params={**self.params, self.grid: values}, tuning="tuned")

    def estimate_seconds(self, n_train: int, n_test: int) -> float:
        """Nominal seconds of one trial on one core; 1.0 where the room gives no estimate."""
        if not self.cost:
            return 1.0
        return float(load_object(self.cost)(self, n_train, n_test))

    def make(self, **supplied: Any) -> Method:
        """Build the method; ``supplied`` holds at least what ``wants`` names."""
        chosen = {name: supplied[name] for name in self.wants}
        result: Method = load_object(self.factory)(**{**self.params, **chosen})
        return result


def load_object(path: str) -> Callable[..., Any]:
    """Import ``"module:object"``."""
    module, _, name = path.partition(":")
    result: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return result


def load_methods() -> dict[str, MethodSpec]:
    """Collect the catalogues of all installed rooms, in the order of their entry points' names.

    Raises
    ------
    UserError
        A catalogue cannot be imported, or two of them claim one name.
    """
    methods: dict[str, MethodSpec] = {}
    for point, catalogue in load_points(METHODS_GROUP, "the catalogue of methods"):
        for spec in _specs(catalogue, registered_by(point)):
            if spec.name in methods:
                raise UserError(f"two installed catalogues register a method named {spec.name!r}; rename one")
            methods[spec.name] = spec
    return methods


def _specs(catalogue: Any, where: str) -> Sequence[MethodSpec]:
    specs = [catalogue] if isinstance(catalogue, MethodSpec) else catalogue
    if not isinstance(specs, Sequence) or not all(isinstance(spec, MethodSpec) for spec in specs):
        raise UserError(
            f"the catalogue of methods {where}: expected a sequence of fer_bench.MethodSpec, found "
            f"{type(catalogue).__name__}; mend or uninstall the package that registers it"
        )
    return specs


def check_images(images: Any, *, channels: int | None = None, like: tuple[int, ...] | None = None) -> NDArray[np.uint8]:
    """Return ``images`` as they are, or refuse them with one clear error.

    Parameters
    ----------
    images : array
        (n, h, w) for grey or (n, h, w, 3) for RGB, uint8, n >= 1.
    channels : int, optional
        1 or 3, where the caller can only take one of them.
    like : tuple of int, optional
        Shape of one image that the method was fitted on.

    Raises
    ------
    InputError
        What was expected and what was found.
    """
    import numpy as np

    array = np.asarray(images)
    grey, colour = array.ndim == 3, array.ndim == 4 and array.shape[-1] == 3
    expected = {1: "(n, h, w)", 3: "(n, h, w, 3)", None: "(n, h, w) or (n, h, w, 3)"}[channels]
    fits = {1: grey, 3: colour, None: grey or colour}[channels]
    if not fits or array.dtype != np.uint8 or array.size == 0:
        raise InputError(f"images: expected uint8 of shape {expected}, found {array.dtype} of shape {array.shape}")
    if like is not None and array.shape[1:] != tuple(like):
        raise InputError(f"images: the method was fitted on images of shape {like}, found {array.shape[1:]}")
    return array


def check_landmarks(landmarks: Any) -> NDArray[np.float32]:
    """Return landmarks (n, 68, 2) float32 as they are, or refuse them with one clear error.

    Raises
    ------
    InputError
        What was expected and what was found.
    """
    import numpy as np

    array = np.asarray(landmarks)
    if array.ndim != 3 or array.shape[1:] != LANDMARKS or array.dtype != np.float32 or len(array) == 0:
        raise InputError(
            f"landmarks: expected float32, {LANDMARKS} for each of one face or more, found {array.dtype}, "
            f"{array.shape[1:]} for each of {len(array) if array.ndim else 0}"
        )
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).any(axis=(1, 2)).sum())
        raise InputError(f"landmarks: expected finite coordinates, found others on {bad} of {len(array)} faces")
    return array


def check_labels(labels: Any, n: int) -> NDArray[np.int64]:
    """Return labels as int64, or refuse them: (n,), integers from 0 to 6, at least two classes among them."""
    import numpy as np

    array = np.asarray(labels)
    if array.shape != (n,) or array.dtype.kind not in "iu":
        raise InputError(f"labels: expected {n} integers, found {array.dtype} of shape {array.shape}")
    if array.min() < 0 or array.max() >= N_CLASSES:
        raise InputError(f"labels: expected 0 to {N_CLASSES - 1}, found {array.min()} to {array.max()}")
    if len(np.unique(array)) < 2:
        raise InputError("labels: expected at least two classes among the training labels, found one")
    return array.astype(np.int64)
