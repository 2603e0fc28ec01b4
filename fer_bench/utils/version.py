"""The version that is installed."""

from importlib.metadata import PackageNotFoundError, version

__all__ = ["__version__"]

try:
    __version__ = version("fer-bench")
except PackageNotFoundError:  # the source tree on a path, not installed
    __version__ = "0+unknown"
