"""The report's forms: HTML, Markdown, LaTeX, figures and other exports, from the same tables."""
