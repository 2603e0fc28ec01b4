"""Errors that reach people. This module imports nothing from fer_bench.

A text names what the caller gave by its name in Python, in backticks, with the value after it: "`test_data` /x: no such
file or folder". That is a parameter of a public function, a field of `fer_bench.plan.request.Request`, a switch that
would help (``few_seeds=True``), or the function itself (`write_expected`). It is never an option of the command line:
``fer_bench.cli.option_names`` turns such names into options where errors are printed. Whole commands in backticks, such
as `fer-bench list methods`, stay as they are. A record or note that a run writes down is no error, and names options:
its reader typed a command.
"""

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
