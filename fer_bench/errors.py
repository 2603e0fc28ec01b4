"""Errors that reach people. This module imports nothing from fer_bench."""

__all__ = ["FerBenchError", "InputError", "StorageError", "UserError", "WeightsUnavailableError"]


class FerBenchError(Exception):
    """Base of every error that fer-bench raises on purpose."""


class UserError(FerBenchError):
    """A user's mistake, told in one sentence: what, where, expected, found, what to do.

    The command line prints it without a traceback and exits with 2.
    """


class StorageError(UserError, OSError):
    """Nothing more can be written somewhere: the disk is full, a quota is reached, it is read-only.

    No method's fault: a trial that meets it has not failed, and what runs beside it will meet it next.
    """


class InputError(FerBenchError, ValueError):
    """Arrays handed to a method are not what its contract asks for."""


class WeightsUnavailableError(FerBenchError):
    """A download did not succeed; the message says why."""
