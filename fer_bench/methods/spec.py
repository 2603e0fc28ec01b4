"""The contract between the harness and the packages that learn: what a method is and how it is named.

Imports the standard library only (numpy inside the functions that need it), because every catalogue of methods
imports this module and ``fer-bench list`` reads all catalogues in a fraction of a second.
"""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fer_bench.errors import InputError
from fer_bench.utils import renamed
from fer_bench.utils.near import did_you_mean
from fer_bench.utils.plugins import no_exit

from .contract import Method

__all__ = [
    "COMPARED_FAMILIES",
    "FAMILIES",
    "LANDMARKS",
    "ImageSpec",
    "MethodSpec",
    "Override",
    "WeightsSpec",
    "load_object",
    "modules_in",
    "without_modules",
]

COMPARED_FAMILIES = ("classical", "cnn", "deep")
"""classical: hand-made features and a shallow classifier; cnn: small networks; deep: ImageNet architectures."""

FAMILIES = (*COMPARED_FAMILIES, "literature", "rendered")
"""And what is shown beside them, but never stands in a headline, a claim or a comparison between families. literature:
other systems from the literature; rendered: networks pretrained on rendered faces, which on rendered faces have seen
the generator of the labels."""


LANDMARKS = (68, 2)
"""Shape of a face given as landmarks: x and y of the 68 points of iBUG's 300-W (Sagonas et al. 2013), in its order."""


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


_NAME = re.compile(r"[a-z0-9][a-z0-9_+-]*")


@dataclass(frozen=True)
class MethodSpec:
    """One row of a package's catalogue.

    Attributes
    ----------
    name : str
        classifier-features (``linear_svc-lbp``) or network-mode (``vgg16-last_block``): small letters, digits,
        hyphens, underscores and +.
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
        True where ``fit`` takes ``eval_images``.
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
        object.__setattr__(self, "family", renamed.current("family", self.family, renamed.FAMILIES))
        by_preset = {renamed.current("preset", name, renamed.PRESETS): more for name, more in self.presets.items()}
        object.__setattr__(self, "presets", by_preset)
        if not isinstance(self.name, str) or not _NAME.fullmatch(self.name):
            raise InputError(
                f"method {self.name!r}: expected a name of small letters, digits, hyphens, underscores and +, that "
                "begins with a letter or digit"
            )
        if self.family not in FAMILIES:
            near = did_you_mean(self.family, FAMILIES)
            raise InputError(f"method {self.name}: family is one of {', '.join(FAMILIES)}, not {self.family!r}{near}")

    def resolve(self, profile: str, preset: str) -> MethodSpec:
        """Return the spec with the overrides of a preset and a profile applied.

        A profile goes last, since it bounds cost (epochs, size); the preset decides where the pixels come from.
        """
        from_preset = self.presets.get(renamed.current("preset", preset, renamed.PRESETS), Override())
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
        """Nominal seconds of one trial on one core; 1.0 where the package gives no estimate."""
        if not self.cost:
            return 1.0
        return float(load_object(self.cost)(self, n_train, n_test))

    def make(self, **supplied: Any) -> Method:
        """Build the method; ``supplied`` holds at least what ``wants`` names."""
        chosen = {name: supplied[name] for name in self.wants}
        result: Method = load_object(self.factory)(**{**self.params, **chosen})
        return result


_OBJECT = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*):([A-Za-z_]\w*)")


def without_modules(value: Any) -> Any:
    """Return a value of JSON's kinds with every ``"module:object"`` in it as ``"object"``, for hashes.

    Where a file stands says nothing of what its code gives: an id that held it would throw away finished work when a
    file moves. Code that gives other results tells it by the ``version`` of its method.
    """
    if isinstance(value, str):
        named = _OBJECT.fullmatch(value)
        return named[2] if named else value
    if isinstance(value, Mapping):
        return {key: without_modules(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [without_modules(item) for item in value]
    return value


def modules_in(value: Any) -> Iterator[str]:
    """Yield the module of every ``"module:object"`` in a value of JSON's kinds."""
    if isinstance(value, str):
        if named := _OBJECT.fullmatch(value):
            yield named[1]
    elif isinstance(value, Mapping | list | tuple):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from modules_in(item)


def load_object(path: str) -> Callable[..., Any]:
    """Import ``"module:object"``."""
    module, _, name = path.partition(":")
    with no_exit():
        result: Callable[..., Any] = getattr(importlib.import_module(module), name)
    return result
