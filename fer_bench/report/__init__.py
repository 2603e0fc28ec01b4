"""The report: one set of tables, written as HTML, Markdown and CSV. Reads run directories, imports no method."""

from .write import write_report

__all__ = ["write_report"]
