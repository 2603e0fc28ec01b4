"""fer-bench: facial expression recognition, classical pipelines and networks on the same folds.

``import fer_bench as fb`` gives what a notebook needs, each name imported when it is first asked for, so that the
import itself takes no time. Nothing inside the package imports this module.

Examples
--------
>>> import fer_bench as fb
>>> dataset = fb.load_dataset(people=4, views="S")
>>> dataset
<Dataset synthetic: 56 images, 4 people, crop fixed>
>>> fb.make_folds(dataset, "subject-2fold").get_n_splits()
2
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fer_bench.data.datasets import load_dataset
    from fer_bench.data.manifest import Dataset, Manifest
    from fer_bench.errors import FerBenchError, InputError, UserError
    from fer_bench.folds.check import Verdict, check_folds
    from fer_bench.folds.folds import Folds, read_folds
    from fer_bench.folds.given import user_folds
    from fer_bench.folds.splitters import make_folds
    from fer_bench.labels import EMOTIONS, VIEWS
    from fer_bench.methods import ImageSpec, Method, MethodSpec, Override, WeightsSpec, load_methods
    from fer_bench.report.write import write_report
    from fer_bench.results.compare import Compared
    from fer_bench.results.compare import compare_runs as compare
    from fer_bench.results.run_result import RunResult, load_run
    from fer_bench.runner.call import RunOptions, run
    from fer_bench.utils.version import __version__

__all__ = [
    "EMOTIONS",
    "VIEWS",
    "Compared",
    "Dataset",
    "FerBenchError",
    "Folds",
    "ImageSpec",
    "InputError",
    "Manifest",
    "Method",
    "MethodSpec",
    "Override",
    "RunOptions",
    "RunResult",
    "UserError",
    "Verdict",
    "WeightsSpec",
    "__version__",
    "check_folds",
    "compare",
    "load_dataset",
    "load_methods",
    "load_run",
    "make_folds",
    "read_folds",
    "run",
    "user_folds",
    "write_report",
]

_HOME = {
    "EMOTIONS": "labels",
    "VIEWS": "labels",
    "Compared": "results.compare",
    "Dataset": "data.manifest",
    "FerBenchError": "errors",
    "Folds": "folds.folds",
    "ImageSpec": "methods",
    "InputError": "errors",
    "Manifest": "data.manifest",
    "Method": "methods",
    "MethodSpec": "methods",
    "Override": "methods",
    "RunOptions": "runner.call",
    "RunResult": "results.run_result",
    "UserError": "errors",
    "Verdict": "folds.check",
    "WeightsSpec": "methods",
    "__version__": "utils.version",
    "check_folds": "folds.check",
    "compare": "results.compare:compare_runs",
    "user_folds": "folds.given",
    "load_dataset": "data.datasets",
    "load_methods": "methods",
    "load_run": "results.run_result",
    "make_folds": "folds.splitters",
    "read_folds": "folds.folds",
    "run": "runner.call",
    "write_report": "report.write",
}
"""Where each name is, below fer_bench; after a colon what it is called there, where that is another name."""


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, there = _HOME[name].partition(":")
    globals()[name] = found = getattr(import_module(f"{__name__}.{module}"), there or name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
