"""Finds and loads libscry, and calls it: errors, callbacks, objects that are shared by threads."""
from __future__ import annotations

import ctypes
import operator
import os
import threading
from contextlib import contextmanager
from typing import Any, Callable, Iterator, Sequence

import numpy as np

from . import _c, errors

_SONAME = "libscry.so.0"


def _places() -> Iterator[str]:
    """Where the library may be: in a wheel, in a source tree that was built, where the system finds it."""
    here = os.path.dirname(os.path.abspath(__file__))
    top = os.path.dirname(os.path.dirname(here))
    yield os.path.join(here, "native", _SONAME)
    if os.path.exists(os.path.join(top, "include", "scry", "library.h")):
        yield os.path.join(top, "build", "release", _SONAME)


def _open() -> ctypes.CDLL:
    given = os.environ.get("SCRY_LIBRARY")
    names = [given] if given else [p for p in _places() if os.path.exists(p)] or [_SONAME, f"/usr/local/lib/{_SONAME}"]
    reasons = []
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError as e:
            reasons.append(str(e))
    raise ImportError(f"scry needs {_SONAME}: install scry, or set SCRY_LIBRARY to the library's path ({'; '.join(reasons)})")


def _declare(library: ctypes.CDLL) -> ctypes.CDLL:
    for name, (result, arguments) in _c.FUNCTIONS.items():
        try:
            function = getattr(library, name)
        except AttributeError:
            raise ImportError(f"{library._name} has no {name}: it and the Python package are of different versions of scry") from None
        function.restype, function.argtypes = result, arguments
    return library


lib = _declare(_open())
_libc_free = ctypes.CDLL(None).free
_libc_free.restype, _libc_free.argtypes = None, [ctypes.c_void_p]


def check(code: int, error: _c.scry_error) -> None:
    if code < 0:
        raise errors.make(code, text(error.message))


def call(name: str, *arguments: Any) -> int:
    """Call a function whose last argument is an error, and raise that."""
    error = _c.scry_error()
    code: int = getattr(lib, name)(*arguments, ctypes.byref(error))
    check(code, error)
    return code


def text(value: bytes | None) -> str:
    """A text of C. Bytes that are not UTF-8 are as they are in Python's paths."""
    return value.decode("utf-8", "surrogateescape") if value else ""


def encode(value: str | os.PathLike[str] | None) -> bytes | None:
    """A path or a text for C."""
    if value is None:
        return None
    value = os.fspath(value)
    try:
        encoded = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise errors.InvalidError(f"{value!r} has half a character, which UTF-8 cannot have") from None
    if b"\0" in encoded:
        raise errors.InvalidError(f"{value!r} has a zero byte")
    return encoded


def whole(name: str, value: Any, least: int, most: int) -> int:
    """A whole number within its range, which C would not check."""
    try:
        number = operator.index(value)
    except TypeError:
        raise errors.InvalidError(f"{name} is a whole number, not {value!r}") from None
    if not least <= number <= most:
        raise errors.InvalidError(f"{name} is a whole number from {least} to {most}, not {number}")
    return number


def real(name: str, value: Any, least: float, most: float, also: str = "") -> float:
    """A number within its range, Python's or NumPy's; `also` is what else the argument may be."""
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, float, np.number)) or not least <= value <= most:
        raise errors.InvalidError(f"{name} is a number from {least} to {most}{also}, not {value!r}")
    return float(value)


def place(value: str | bytes | os.PathLike[Any]) -> str:
    """A path that a user gave, as Python's functions of files take it; ~ is a home folder."""
    return os.path.expanduser(os.fsdecode(value))


def texts(values: Sequence[str | os.PathLike[str]]) -> Any:
    """An array of texts for C. One text is refused, which would be an array of its characters, and None, which C would follow."""
    if isinstance(values, (str, bytes, os.PathLike)):
        raise errors.InvalidError(f"a list of texts is needed, not the text {values!r} alone")
    for value in values:
        if not isinstance(value, (str, bytes, os.PathLike)):
            raise errors.InvalidError(f"{value!r} is not a text")
    return (ctypes.c_char_p * max(len(values), 1))(*[encode(v) for v in values])


def take_text(pointer: ctypes.c_void_p) -> str:
    """A text that C gives away."""
    value = ctypes.cast(pointer, ctypes.c_char_p).value
    _libc_free(pointer)
    return text(value)


class Run:
    """What one call shares with its callbacks. An exception in a callback stops the call and is raised after it."""

    def __init__(self) -> None:
        self.cancel = ctypes.c_int(0)
        self.exception: BaseException | None = None

    def guard(self, kind: Any, function: Callable[..., Any] | None, default: Any = None) -> Any:
        """`function` as a callback for C; `default` is returned after an exception."""
        if function is None:
            return kind()

        def guarded(_argument: Any, *values: Any) -> Any:
            if self.exception:
                return default
            try:
                return function(*values)
            except BaseException as e:   # KeyboardInterrupt, too
                self.exception = e
                self.cancel.value = 1
                return default
        return kind(guarded)

    def watch(self, progress: Callable[[int, int], None] | None) -> Any:
        """The options of a call that has progress and a flag only."""
        return ctypes.pointer(_c.scry_long_options(cancel=ctypes.pointer(self.cancel), progress=self.guard(_c.Share, progress)))

    def call(self, name: str, *arguments: Any) -> int:
        """The same as call() of this module."""
        error = _c.scry_error()
        code: int = getattr(lib, name)(*arguments, ctypes.byref(error))
        if self.exception:
            raise self.exception
        check(code, error)
        return code

    def call_interruptibly(self, name: str, *arguments: Any, keep: Any = None) -> int:
        """In another thread, so that this one sees Ctrl-C meanwhile. `keep` is what C reads and writes: it lives as long as the call."""
        error = _c.scry_error()
        codes: list[int] = []
        finished = threading.Event()

        def work(_kept: Any) -> None:
            try:
                codes.append(getattr(lib, name)(*arguments, ctypes.byref(error)))
            finally:
                finished.set()
        threading.Thread(target=work, args=(keep,), daemon=True).start()
        while not finished.is_set():
            try:
                finished.wait(0.2)
            except BaseException as e:   # the run stops soon, and is waited for
                self.exception = self.exception or e
                self.cancel.value = 1
        if self.exception:
            raise self.exception
        check(codes[0], error)
        return codes[0]


class Handle:
    """An object of C that several threads may use; it is freed when it was closed and nobody uses it any more."""

    def __init__(self, pointer: Any, free: Callable[[Any], Any], what: str) -> None:
        self._pointer, self._free, self._what = pointer, free, what
        self._lock = threading.Lock()
        self._users = 0
        self._closed = False

    @contextmanager
    def use(self) -> Iterator[Any]:
        with self._lock:
            if self._closed:
                raise errors.InvalidError(f"{self._what} is closed")
            self._users += 1
        try:
            yield self._pointer
        finally:
            self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._users -= 1
            free = self._closed and self._users == 0
        if free:
            self._free(self._pointer)

    def close(self) -> None:
        with self._lock:
            if self._closed:
                return
            self._closed = True
            free = self._users == 0
        if free:
            self._free(self._pointer)

    def abandon(self) -> None:
        """Forget it without freeing it, in a forked process: freeing would wait for threads that are not there."""
        self._closed = True

    def __del__(self) -> None:
        if not getattr(self, "_closed", True):
            self.close()
