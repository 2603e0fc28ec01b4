"""Suites: TOML files that name methods and protocols."""
