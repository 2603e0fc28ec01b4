"""fer-bench: facial expression recognition, classical pipelines and networks on the same folds.

The harness. It imports neither ``fer_bench.baselines`` nor ``fer_bench.deep``: methods are found through the
entry-point group ``fer_bench.methods``.
"""

from importlib.metadata import PackageNotFoundError, version

from fer_bench.errors import FerBenchError, InputError, UserError
from fer_bench.labels import EMOTIONS, VIEWS
from fer_bench.methods import ImageSpec, Method, MethodSpec, Override, WeightsSpec

__all__ = [
    "EMOTIONS",
    "VIEWS",
    "FerBenchError",
    "ImageSpec",
    "InputError",
    "Method",
    "MethodSpec",
    "Override",
    "UserError",
    "WeightsSpec",
]

try:
    __version__ = version("fer-bench")
except PackageNotFoundError:  # the source tree on a path, not installed
    __version__ = "0+unknown"
