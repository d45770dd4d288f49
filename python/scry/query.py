"""Queries as the command line has them."""
from __future__ import annotations

import ctypes
from typing import Any

from . import _c, errors
from ._library import Handle, call, encode, lib, texts


class Query:
    """A query in the language of `scry search`: texts and pictures, joined by + and -, with weights.

        scry.Query("beach - people + 0.5:sunset")
        scry.Query("@photo.jpg#100,50,300,300 + at night")

    Operators stand between spaces. A name with spaces is an argument of its own: scry.Query("@my photo.jpg", "+", "at night").
    """

    def __init__(self, *arguments: str) -> None:
        for argument in arguments:
            if not isinstance(argument, str):
                raise errors.InvalidError(f"a query is written as texts, not {argument!r}")
        words = arguments[0].split() if len(arguments) == 1 else list(arguments)
        pointer = ctypes.c_void_p()
        call("scry_query_parse", ctypes.byref(pointer), texts(words), len(words))
        self.text = " ".join(arguments)
        self._arguments = arguments
        self._handle = Handle(pointer, lib.scry_query_free, "the query")

    def __reduce__(self) -> Any:
        return Query, self._arguments

    @classmethod
    def _of_texts(cls, parts: list[tuple[str, float]]) -> Query:
        """Of texts as they are, each with its weight."""
        query = cls.__new__(cls)
        query.text = " + ".join(part for part, _ in parts)
        query._handle = Handle(lib.scry_query_new(), lib.scry_query_free, "the query")
        with query._handle.use() as pointer:
            for part, weight in parts:
                call("scry_query_add_text", pointer, encode(part), weight)
        return query

    @classmethod
    def _of_picture(cls, path: str) -> Query:
        query = cls.__new__(cls)
        query.text = "@" + path
        query._handle = Handle(lib.scry_query_new(), lib.scry_query_free, "the query")
        with query._handle.use() as pointer:
            call("scry_query_add_picture", pointer, encode(path), None, 1.0)
        return query

    def __repr__(self) -> str:
        return f"scry.Query({self.text!r})"

    def embed(self, model: Any, store: Any, out: Any) -> None:
        """The unit vector to the array `out`; `model` and `store` (None: no stored ids) are pointers."""
        tools = _c.scry_query_tools(model=model, store=store)
        with self._handle.use() as query:
            call("scry_query_embed", query, ctypes.byref(tools), out.ctypes.data, None)
