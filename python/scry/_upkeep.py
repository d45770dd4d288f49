"""What is done to a whole store: duplicates, reading words, embedding again, copying, checking. The methods of Store that take long."""
from __future__ import annotations

import ctypes
import os
from typing import TYPE_CHECKING, Any, Callable

from . import _c, _filters, errors
from ._library import Run, call, encode, lib, place, real, text, whole
from .model import Model
from .results import (CompareReport, CopyReport, DuplicateGroup, Hit, IndexProgress, IndexReport, RebuildEstimate, TextReport,
                      VerifyReport, make_copy, make_group, make_progress, make_text_progress)

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ._filters import Filters
    from .results import File

FOLD_AUTO = 0.95
_GROUPS = 100   # of duplicates whose files are read at a time


def keep_in(problems: list[tuple[str, str]], skipped: Callable[[str, str], None] | None) -> Callable[[bytes, bytes], None]:
    """For C to call with each file that is skipped: adds its path and the reason to `problems`, and calls `skipped`."""
    def skip(path: bytes, reason: bytes) -> None:
        problems.append((text(path), text(reason)))
        if skipped:
            skipped(*problems[-1])
    return skip


def _groups(store: Any, duplicates: Any) -> list[DuplicateGroup]:
    found: list[DuplicateGroup] = []
    count = lib.scry_duplicates_count(duplicates)
    members = ctypes.POINTER(_c.scry_duplicate)()
    for start in range(0, count, _GROUPS):
        size = min(_GROUPS, count - start)
        results = ctypes.POINTER(_c.scry_results)()
        call("scry_duplicates_results", ctypes.byref(results), store, duplicates, start, size)
        try:
            at = 0
            for i in range(start, start + size):
                n = lib.scry_duplicates_group(duplicates, i, ctypes.byref(members))
                found.append(make_group(results.contents, at, members, n))
                at += n
        finally:
            lib.scry_results_free(results)
    return found


def _check_store(other: Any) -> None:
    if not isinstance(other, Upkeep):
        raise errors.InvalidError(f"the other store is a scry.Store, not {other!r}")


class Upkeep:
    """The part of Store that looks after its contents."""

    if TYPE_CHECKING:   # of Store
        close: Callable[[], None]
        _reading: Callable[[], Any]
        _writing: Callable[..., Any]
        _open: Callable[[Any], Any]
        _options: Callable[..., Any]
        _lock: Any
        _precision: str
        _model: Model | None
        _given_model: Model | None
        _given_name: str | None

    def duplicates(self, cosine: float = FOLD_AUTO, *, exact: bool = False, kept: bool = False,
                   progress: Callable[[int, int], None] | None = None, **filters: Unpack[Filters]) -> list[DuplicateGroup]:
        """Groups of pictures that are the same or, from this cosine and of nearly one shape, nearly, each with the file that is best
        kept and the others; those with the most bytes to save first. `exact`: only files of the same bytes. `kept`: also those that the
        user wants to keep beside each other. Filters are those of search(). Nothing is deleted. `progress(done, total)` counts pictures.
        """
        run = Run()
        cosine = real("the cosine", cosine, 0, 1)
        if not cosine:
            raise errors.InvalidError("the cosine is above 0: exact=True is for files of the same bytes")
        options = _c.scry_duplicates_options(cosine=0.0 if exact else cosine, cancel=ctypes.pointer(run.cancel),
                                             progress=run.guard(_c.Share, progress))
        pointer = ctypes.c_void_p()
        with self._reading() as store, _filters.built(filters) as options.filter:
            run.call_interruptibly("scry_duplicates_find", ctypes.byref(pointer), store, ctypes.byref(options))
            try:
                if not kept:
                    call("scry_duplicates_hide_kept", pointer, store)
                return _groups(store, pointer)
            finally:
                lib.scry_duplicates_free(pointer)

    def read_words(self, *, retry: bool = False, workers: int = 0, progress: Callable[[TextReport], None] | None = None) -> TextReport:
        """Read the words in the pictures that nobody has read yet, so that searches find them, as `scry index` does after indexing. Needs
        the networks for it (the package scry-models-words); a run that is stopped goes on with the next call."""
        run = Run()
        total = _c.scry_text_progress()
        options = _c.scry_text_options(retry=retry, workers=whole("workers", workers, 0, 4096), cancel=ctypes.pointer(run.cancel),
                                       progress=run.guard(_c.TextProgress, progress and (lambda p: progress(make_text_progress(p.contents)))))
        with self._writing(_c.STORE_WRITE) as store:
            run.call_interruptibly("scry_text_run", store, ctypes.byref(options), ctypes.byref(total))
        return make_text_progress(total)

    def move_root(self, old: str | os.PathLike[str], new: str | os.PathLike[str]) -> None:
        """Say that the folder `old`, which was indexed, is at `new` now. Nothing is read or embedded again."""
        with self._writing(_c.STORE_WRITE) as store:
            call("scry_store_move_root", store, *(encode(os.path.abspath(place(p))) for p in (old, new)))

    def _model_given(self, model: Model | str | None) -> Model:
        return model if isinstance(model, Model) else Model(model, precision=self._precision)

    def rebuild_estimate(self, model: Model | str | None = None, *, progress: Callable[[int, int], None] | None = None) -> RebuildEstimate:
        """What rebuild() would take with that model; embeds a few pictures to tell, which `progress(done, total)` counts."""
        estimate, run = _c.scry_rebuild_estimate(), Run()
        with self._reading() as store, self._model_given(model)._handle.use() as pointer:
            run.call_interruptibly("scry_rebuild_estimate_run", store, pointer, run.watch(progress), ctypes.byref(estimate))
        free = None if estimate.free_bytes == 2 ** 64 - 1 else estimate.free_bytes
        return RebuildEstimate(estimate.pictures, estimate.minutes, estimate.bytes, free, estimate.current)

    def rebuild(self, model: Model | str | None = None, *, workers: int = 0, progress: Callable[[IndexProgress], None] | None = None,
                skipped: Callable[[str, str], None] | None = None) -> IndexReport:
        """Embed all pictures again, with another model (a Model or a name; none: the bundled one), which the store has then.

        Roots, ids, keys and labels stay. The old vectors are searched until the new ones are complete; a run that was stopped, by
        an exception in a callback or Ctrl-C, goes on with the next call. Pictures that cannot be read now are left out and reported.
        """
        new = self._model_given(model)
        problems: list[tuple[str, str]] = []
        run = Run()
        skip = keep_in(problems, skipped)
        options = _c.scry_index_options(workers=whole("workers", workers, 0, 4096), cancel=ctypes.pointer(run.cancel))
        options.skipped = run.guard(_c.IndexSkipped, skip)
        options.progress = run.guard(_c.IndexProgress, progress and (lambda p: progress(make_progress(p.contents))))
        total = _c.scry_index_progress()
        with new._handle.use() as pointer:
            store = self._open(self._options(_c.STORE_WRITE))
            run.call_interruptibly("scry_rebuild_run", store, pointer, ctypes.byref(self._options(_c.STORE_CREATE, new)),
                                   ctypes.byref(options), ctypes.byref(total))   # closes the store, whatever happens
        self.close()
        with self._lock:
            self._model, self._given_name = new, None
            self._given_model = new if new is model else None
        return IndexReport(**vars(make_progress(total)), problems=tuple(problems))

    def copy_to(self, other: Upkeep, *, progress: Callable[[CopyReport], None] | None = None) -> CopyReport:
        """Give another store, which is made where there is none, every file of this one with its vector, labels and key. Nothing is
        embedded again; what is there and equal is not sent, so that a copy that was stopped goes on with the next call."""
        _check_store(other)
        run = Run()
        options, total, info = _c.scry_copy_options(cancel=ctypes.pointer(run.cancel)), _c.scry_copy_progress(), _c.scry_store_info()
        options.progress = run.guard(_c.CopyProgress, progress and (lambda p: progress(make_copy(p.contents))))
        with self._reading() as here:
            lib.scry_store_describe(here, ctypes.byref(info))
            new = other._options(_c.STORE_CREATE)
            new.model_identity, new.model_name, new.precision, new.dim = info.model_identity, info.model_name, info.precision, info.dim
            there = other._open(new)
            try:
                run.call_interruptibly("scry_store_copy", here, there, ctypes.byref(options), ctypes.byref(total))
            except BaseException:
                lib.scry_store_close(there, None)
                raise
            call("scry_store_close", there)
        return make_copy(total)

    def compare(self, other: Upkeep, *, progress: Callable[[CopyReport], None] | None = None) -> CompareReport:
        """Every difference of the files, fields, vectors and read texts of two stores."""
        _check_store(other)
        run = Run()
        differences: list[str] = []
        report = _c.scry_compare_report()
        options = _c.scry_copy_options(cancel=ctypes.pointer(run.cancel))
        options.progress = run.guard(_c.CopyProgress, progress and (lambda p: progress(make_copy(p.contents))))
        with self._reading() as here, other._reading() as there:
            run.call_interruptibly("scry_store_compare", here, there, run.guard(_c.Problem, lambda line: differences.append(text(line))),
                                   None, ctypes.byref(options), ctypes.byref(report))
        return CompareReport(report.files, report.only_here, report.only_there, report.different, report.roots, report.texts,
                             tuple(differences))

    def compact(self, *, progress: Callable[[int, int], None] | None = None) -> None:
        """Free the space of vectors that are not used any more. `progress(done, total)` has no unit. One that is stopped, by an
        exception in it or Ctrl-C, changes nothing."""
        run = Run()
        options = _c.scry_compact_options(cancel=ctypes.pointer(run.cancel), progress=run.guard(_c.Share, progress))
        with self._writing(_c.STORE_WRITE) as store:
            run.call_interruptibly("scry_compact_run", store, ctypes.byref(options))

    def verify(self, problem: Callable[[str], None] | None = None, *, sample: int = 0,
               progress: Callable[[int, int], None] | None = None) -> VerifyReport:
        """Check the whole store for damage; of one on Milvus with `sample` about so many files. `problem` is called for each that is
        found, `progress(done, total)`, without a unit, a few times a second."""
        problems: list[str] = []
        run = Run()
        report = _c.scry_verify_report()

        def add(what: bytes) -> None:
            problems.append(text(what))
            if problem:
                problem(problems[-1])
        options = _c.scry_verify_options(problem=run.guard(_c.Problem, add), progress=run.guard(_c.Share, progress),
                                         cancel=ctypes.pointer(run.cancel), sample=whole("sample", sample, 0, 2 ** 32))
        with self._reading() as store:
            run.call_interruptibly("scry_verify_run", store, ctypes.byref(options), ctypes.byref(report))
        return VerifyReport(report.files, report.contents, tuple(problems), report.cache_problems, report.partial, text(report.advice))
