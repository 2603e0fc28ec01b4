"""A plug-in for fer-bench: a dataset (`booth`), a feature, a classifier (`contrast`), a network (`tiny`), a suite."""
