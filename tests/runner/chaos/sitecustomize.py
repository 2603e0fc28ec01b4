"""Python imports this at start where this folder is on PYTHONPATH: processes then end themselves around a rename.

``CHAOS_COUNTER`` names a file that grows by a byte with each call of ``os.replace``, in whichever process. The call
number ``CHAOS_AT`` is preceded (or, with ``CHAOS_AFTER``, followed) by SIGKILL of the process that makes it.
"""

import os
import signal

if os.environ.get("CHAOS_COUNTER"):
    import fcntl

    _replace = os.replace

    def _count() -> int:
        handle = os.open(os.environ["CHAOS_COUNTER"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            os.write(handle, b".")
            return os.fstat(handle).st_size
        finally:
            os.close(handle)

    def _chaotic_replace(*arguments: object, **how: object) -> None:
        hit = _count() == int(os.environ["CHAOS_AT"])
        if hit and not os.environ.get("CHAOS_AFTER"):
            os.kill(os.getpid(), signal.SIGKILL)
        _replace(*arguments, **how)
        if hit:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = _chaotic_replace
