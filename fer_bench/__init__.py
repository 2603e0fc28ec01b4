"""fer-bench: facial expression recognition, classical pipelines and networks on the same folds.

The harness. It imports neither ``fer_bench.baselines`` nor ``fer_bench.deep``: methods are found through the
entry-point group ``fer_bench.methods``.
"""

from fer_bench.errors import FerBenchError, InputError, UserError
from fer_bench.labels import EMOTIONS, VIEWS
from fer_bench.methods import ImageSpec, Method, MethodSpec, Override, WeightsSpec
from fer_bench.utils.version import __version__

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
    "__version__",
]
