"""The report: one set of tables, written in all its forms. Reads run directories, imports no method."""

from .gallery import write_gallery
from .write import write_report

__all__ = ["write_gallery", "write_report"]
