"""What scry raises. The message says what failed, where, and what to do."""
from __future__ import annotations

from . import _c


class Error(Exception):
    """Of all errors of scry. `code` is the negative number of the C interface."""

    code = 0


class NotFoundError(Error, LookupError):
    """No such file, picture, model or collection."""

    code = _c.ENOTFOUND


class InvalidError(Error, ValueError):
    """Invalid input or arguments."""

    code = _c.EINVALID


class LimitError(Error, ValueError):
    """A documented limit would be exceeded."""

    code = _c.ELIMIT


class OutOfMemoryError(Error, MemoryError):
    """An allocation whose size depends on the input failed."""

    code = _c.ENOMEM


class ReadWriteError(Error, OSError):
    """A read or a write failed."""

    code = _c.EIO


class RemoteError(Error, ConnectionError):
    """A server answered with an error, or not at all."""

    code = _c.EREMOTE


class CancelledError(Error):
    """The caller asked to stop."""

    code = _c.ECANCELLED


class DamagedError(Error):
    """A stored file does not hold what was written to it."""

    code = _c.EDAMAGED


class BusyError(Error):
    """Another program writes to the store, or changed it meanwhile: try again."""

    code = _c.EBUSY


_BY_CODE = {kind.code: kind for kind in (NotFoundError, InvalidError, LimitError, OutOfMemoryError, ReadWriteError, RemoteError,
                                         CancelledError, DamagedError, BusyError)}


def make(code: int, message: str) -> Error:
    return _BY_CODE.get(code, Error)(message)
