"""Errors that reach people. This module imports nothing from fer_bench."""

__all__ = ["FerBenchError", "InputError", "UserError"]


class FerBenchError(Exception):
    """Base of every error that fer-bench raises on purpose."""


class UserError(FerBenchError):
    """A user's mistake, told in one sentence: what, where, expected, found, what to do.

    The command line prints it without a traceback and exits with 2.
    """


class InputError(FerBenchError, ValueError):
    """Arrays handed to a method are not what its contract asks for."""
