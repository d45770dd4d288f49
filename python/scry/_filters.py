"""Filters: keyword arguments to a tree of C."""
from __future__ import annotations

import ctypes
import datetime
import os
from contextlib import contextmanager
from typing import Any, Callable, FrozenSet, Iterator, List, Mapping, Set, Tuple, TypedDict, TypeVar, Union

from . import _c, errors
from ._library import call, encode, lib, whole

FORMATS = ("jpeg", "png", "webp", "gif", "tiff", "heic", "avif", "jxl", "raw", "jp2", "pnm", "bmp", "svg")


_T = TypeVar("_T")
_Many = Union[_T, List[_T], Tuple[_T, ...], Set[_T], FrozenSet[_T], None]   # one value or several; None: no such filter
_When = Union[str, datetime.date]
_Path = Union[str, "os.PathLike[str]"]


class Filters(TypedDict, total=False):
    """The filters of searches, lists and removals, as editors and type checkers know them: docs/python.md."""

    in_: _Many[_Path]
    date: _Many[_When]
    after: _Many[_When]
    before: _Many[_When]
    until: _Many[_When]
    camera: _Many[str]
    near: Union[Tuple[float, float, float], List[Tuple[float, float, float]], None]
    box: Union[Tuple[float, float, float, float], List[Tuple[float, float, float, float]], None]
    format: _Many[str]
    min_width: _Many[int]
    min_rating: _Many[int]
    favourites: Union[bool, None]
    keyword: _Many[str]
    words: _Many[str]
    place: _Many[str]
    label: _Many[str]
    key: _Many[str]


_NO_BEGINNING, _NO_END, _DAY = -2**63, 2**63 - 1, 86400


def _period(value: Any) -> tuple[int, int]:
    """A date as people write it ("last summer", "2024-05"), a date, or a datetime: the first second of what a clock at the place
    showed, and the first one behind it."""
    if isinstance(value, str):
        first, end = ctypes.c_int64(), ctypes.c_int64()
        call("scry_parse_period", encode(value), ctypes.byref(first), ctypes.byref(end))
        return first.value, end.value
    if isinstance(value, datetime.datetime):
        moment, lasts = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc), 1
    elif isinstance(value, datetime.date):
        moment, lasts = datetime.datetime(value.year, value.month, value.day, tzinfo=datetime.timezone.utc), _DAY
    else:
        raise errors.InvalidError(f"a time is a text, a date or a datetime, not {type(value).__name__}")
    begins = round((moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)).total_seconds())
    return begins, begins + lasts


def _text(kind: int, change: Callable[[str], str] = str) -> Callable[[Any, Any], Any]:
    def build(pool: Any, value: Any) -> Any:
        if not isinstance(value, (str, os.PathLike)):
            raise errors.InvalidError(f"the text of a filter is a text, not {value!r}")
        encode(value)   # refuses what no text of C can be
        value = change(os.fspath(value))
        if not value:
            raise errors.InvalidError("the text of a filter is empty")
        return lib.scry_filter_text(pool, kind, encode(value))
    return build


def _format(value: str) -> str:
    name = {"jpg": "jpeg", "tif": "tiff"}.get(value.lower(), value.lower())
    if name not in FORMATS:
        raise errors.InvalidError(f"unknown picture format {value!r}: it is one of {', '.join(FORMATS)}")
    return name


def _near(pool: Any, value: Any) -> Any:
    try:
        latitude, longitude, km = (float(x) for x in value)
    except (TypeError, ValueError):
        raise errors.InvalidError(f"near is (latitude, longitude, km), not {value!r}") from None
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180 and 0 <= km <= 40000):
        raise errors.InvalidError(f"near is out of range: {value!r}")
    return lib.scry_filter_near(pool, latitude, longitude, km)


def _box(pool: Any, value: Any) -> Any:
    try:
        west, south, east, north = (float(x) for x in value)
    except (TypeError, ValueError):
        raise errors.InvalidError(f"box is (west, south, east, north), not {value!r}") from None
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south <= north <= 90):
        raise errors.InvalidError(f"box is out of range: {value!r}")
    return lib.scry_filter_box(pool, west, south, east, north)


def _words(mode: int, problem: str) -> Callable[[Any, Any], Any]:
    def build(pool: Any, value: Any) -> Any:
        if not isinstance(value, str):
            raise errors.InvalidError(f"words and places are texts, not {value!r}")
        node = lib.scry_filter_words(pool, encode(value), mode)
        if not node:
            raise errors.InvalidError(f"{value!r} {problem}")
        return node
    return build


def _favourites(pool: Any, value: Any) -> Any:
    if value is not True:
        raise errors.InvalidError(f"favourites is True, or left out, not {value!r}")
    return lib.scry_filter_number(pool, _c.FILTER_FAVOURITE, 0)


def _when(kind: int, end: bool = False) -> Callable[[Any, Any], Any]:
    """Times from the beginning of a period on, before it, or, with `end`, before its end."""
    def build(pool: Any, value: Any) -> Any:
        moment = _period(value)[1 if end else 0]
        if moment in (_NO_BEGINNING, _NO_END):
            raise errors.InvalidError(f"{value!r} has no {'end' if end else 'beginning'}")
        return lib.scry_filter_time(pool, kind, moment)
    return build


def _within(pool: Any, value: Any) -> Any:
    first, end = _period(value)
    after = None if first == _NO_BEGINNING else lib.scry_filter_time(pool, _c.FILTER_AFTER, first)
    before = None if end == _NO_END else lib.scry_filter_time(pool, _c.FILTER_BEFORE, end)
    return lib.scry_filter_and(pool, after, before)


def _number(kind: int, name: str, least: int, most: int) -> Callable[[Any, Any], Any]:
    return lambda pool, value: lib.scry_filter_number(pool, kind, whole(name, value, least, most))


# By argument: how one value becomes a filter, and whether any of several values is enough.
_FILTERS: dict[str, tuple[Callable[[Any, Any], Any], bool]] = {
    "in_": (_text(_c.FILTER_IN, lambda folder: os.path.realpath(os.path.expanduser(folder))), True),
    "date": (_within, True),
    "after": (_when(_c.FILTER_AFTER), False),
    "before": (_when(_c.FILTER_BEFORE), False),
    "until": (_when(_c.FILTER_BEFORE, end=True), False),
    "camera": (_text(_c.FILTER_CAMERA), True),
    "near": (_near, True),
    "box": (_box, True),
    "format": (_text(_c.FILTER_FORMAT, _format), True),
    "min_width": (_number(_c.FILTER_MIN_WIDTH, "min_width", 1, 10**9), False),
    "min_rating": (_number(_c.FILTER_MIN_RATING, "min_rating", -1, 5), False),
    "favourites": (_favourites, False),
    "keyword": (_text(_c.FILTER_KEYWORD), False),
    "words": (_words(_c.WORDS_PARTS, "has no words to look for, or too many"), False),
    "place": (_words(_c.WORDS_PLACE, "is no city, region or country that scry knows"), True),
    "label": (_text(_c.FILTER_LABEL), False),
    "key": (_text(_c.FILTER_KEY), True),
}
NAMES = frozenset(_FILTERS)


def _values(name: str, value: Any) -> list[Any]:
    """The values of an argument that may be one or a list."""
    if name in ("near", "box") and isinstance(value, tuple):
        return [value]
    return list(value) if isinstance(value, (list, tuple, set, frozenset)) else [value]


@contextmanager
def built(filters: Mapping[str, Any]) -> Iterator[Any]:
    """The tree of these arguments (None: none), as long as the block runs."""
    unknown = set(filters) - NAMES
    if unknown:
        raise TypeError(f"unknown filter {sorted(unknown)[0]!r}: it is one of {', '.join(sorted(NAMES))}")
    pool = lib.scry_filter_pool_new()
    try:
        tree = None
        for name, value in filters.items():
            if value is None:
                continue
            build, any_is_enough = _FILTERS[name]
            if not (values := _values(name, value)):
                raise errors.InvalidError(f"{name} is an empty list: leave it out for no filter")
            part = None
            for one in values:
                node = build(pool, one)
                part = node if part is None else (lib.scry_filter_or if any_is_enough else lib.scry_filter_and)(pool, part, node)
            tree = lib.scry_filter_and(pool, tree, part)
        yield tree
    finally:
        lib.scry_filter_pool_free(pool)
