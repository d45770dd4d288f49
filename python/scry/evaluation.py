"""How well a model finds pictures by their captions, or tells classes apart."""
from __future__ import annotations

import contextlib
import ctypes
import math
import os
from typing import Any, Callable, Sequence

from . import _c, errors
from ._library import Run, call, encode, lib, place, text, texts, whole
from .model import Model
from .results import EvalReport, Figure
from .store import Store


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def evaluate(model: Model, table: str | os.PathLike[str], *, labels: bool = False, pictures: str | os.PathLike[str] | None = None,
             file_column: str | None = None, text_column: str | None = None, where: str | None = None, limit: int = 0,
             picture_to_text: bool = False, templates: Sequence[str] = (), store: Store | None = None, workers: int = 0,
             progress: Callable[[int, int], None] | None = None,
             ranked: Callable[[int, int], None] | None = None) -> EvalReport:
    """Evaluate a model on a table of pictures with captions, or with class names (`labels`).

        report = scry.evaluate(scry.Model(), "captions.tsv")
        report.figures["recall_at_1"].value

    The options are those of `scry eval`: `pictures` is their folder, `where` "COLUMN=VALUE", `limit` a sample of so many pictures,
    `templates` sentences with {} for a class. With `store` the vectors of its pictures are used, instead of embedding them.
    `progress(done, total)` counts what is embedded, then `ranked(done, total)` questions; an exception in one of them, and Ctrl-C,
    stop the evaluation.
    """
    if not isinstance(model, Model) or not isinstance(store, (Store, type(None))):
        raise errors.InvalidError(f"an evaluation is of a scry.Model, with a scry.Store or none, not of {model!r} with {store!r}")
    run = Run()
    given = ctypes.c_void_p()
    folder = encode(place(pictures)) if pictures is not None else None
    what = _c.scry_eval_set_options(table=encode(place(table)), labels=labels, pictures=folder,
                                    file_column=encode(file_column), text_column=encode(text_column), where=encode(where),
                                    limit=whole("limit", limit, 0, 10**9))
    call("scry_eval_set_read", ctypes.byref(given), ctypes.byref(what))
    try:
        options = _c.scry_eval_options(picture_to_text=picture_to_text, template_count=len(templates),
                                       templates=texts(templates) if templates else None)
        options.embed.workers = whole("workers", workers, 0, 4096)
        options.embed.cancel = ctypes.pointer(run.cancel)
        options.embed.progress = run.guard(_c.EmbedProgress, progress)
        options.ranked = run.guard(_c.EmbedProgress, ranked)
        report = _c.scry_eval_report()
        reading: Any = store._reading() if store is not None else contextlib.nullcontext()
        with reading as options.store, model._handle.use() as pointer:
            run.call_interruptibly("scry_eval_run", pointer, given, ctypes.byref(options), ctypes.byref(report))
    finally:
        lib.scry_eval_set_free(given)
    figures = {text(f.key): Figure(text(f.title), f.value, _number(f.low), _number(f.high)) for f in report.figures[:report.count]}
    return EvalReport(report.pictures, report.texts, report.skipped, figures)
