"""The report: one set of tables, written as HTML, Markdown and CSV. Reads run directories, imports no method."""
