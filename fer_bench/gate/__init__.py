"""The gate: a run held against expected results, for other people's CI."""
