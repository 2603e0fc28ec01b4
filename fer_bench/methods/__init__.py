"""The contract between the harness and what learns: what a method is, how it is named, which are installed.

Imports the standard library only (numpy inside the functions that need it), because every catalogue of methods
imports this package and ``fer-bench list`` reads all catalogues in a fraction of a second.
"""

from .checks import check_images, check_labels, check_landmarks
from .contract import Method
from .registry import load_methods
from .source import source_hashes
from .spec import (
    COMPARED_FAMILIES,
    FAMILIES,
    LANDMARKS,
    ImageSpec,
    MethodSpec,
    Override,
    WeightsSpec,
    load_object,
    without_modules,
)

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
    "source_hashes",
    "without_modules",
]
