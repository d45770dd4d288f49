"""Stores: folders of pictures that are searched."""
from __future__ import annotations

import ctypes
import os
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Callable, Iterable, Iterator, Sequence, Union

import numpy as np

from . import _c, _filters, errors
from ._library import Handle, Run, call, encode, lib, place, real, text, texts, whole
from ._pictures import Picture, is_pil, is_pixels
from ._upkeep import FOLD_AUTO, Upkeep, keep_in
from .model import Model
from .query import Query
from .results import (File, Hit, IndexProgress, IndexReport, Results, Root, StoreInfo, TextLine, make_file, make_lines, make_progress,
                      make_results)

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from typing_extensions import Unpack

    from ._filters import Filters

Part = Union[str, Picture, Query, File, Hit, np.ndarray]
_BY = {"auto": _c.BY_AUTO, "look": _c.BY_LOOK, "words": _c.BY_WORDS}
_PAGE = 1000    # files that each_file holds at a time
_MILVUS: dict[str, type] = {"index": str, "search": str, "consistency": str, "partitions": bool, "half": bool, "shards": int, "replicas": int,
                            "alias": bool, "partition_key": bool, "mmap": bool, "resource_group": str, "vector_field": str, "id_field": str,
                            "path_field": str}


def _milvus_options(given: dict[str, Any]) -> dict[str, Any]:
    """As C takes them; None is as left out."""
    unknown = set(given) - set(_MILVUS)
    if unknown:
        raise TypeError(f"unknown option of Milvus {sorted(unknown)[0]!r}: it is one of {', '.join(_MILVUS)}")
    options: dict[str, Any] = {}
    for name, value in given.items():
        kind = _MILVUS[name]
        if value is None:
            continue
        if kind is int:
            value = whole(name, value, 0, 2 ** 31 - 1)
        elif not isinstance(value, kind):
            raise errors.InvalidError(f"{name} is {'True or False' if kind is bool else 'a text'}, not {value!r}")
        options[name] = encode(value) if kind is str else value
    return options


def _default_place() -> str:
    data = os.environ.get("XDG_DATA_HOME", "")
    return os.path.join(data if data.startswith("/") else os.path.expanduser("~/.local/share"), "scry", "store")


def _id_of(item: str | File | Hit) -> bytes:
    if not isinstance(item, (str, File, Hit)):
        raise errors.InvalidError(f"a picture of the store is its id, a File or a Hit, not {item!r}")
    value = item if isinstance(item, str) else item.id
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        raw = b""
    if len(raw) != _c.ID_BYTES:
        raise errors.InvalidError(f"{value!r} is not a picture's id of 32 hexadecimal digits")
    return raw


def _texts_of(query: Any) -> list[tuple[str, float]]:
    """The parts of a query that is of texts alone, for its words; none for any other."""
    parts = [p if isinstance(p, tuple) and len(p) == 2 else (p, 1.0) for p in (query if isinstance(query, list) else [query])]
    return [(part, float(weight)) for part, weight in parts] if all(isinstance(part, str) for part, _ in parts) else []


def _make_store(where: str, collection: str, model: Any, precision: str, threads: int, milvus: dict[str, Any]) -> Store:
    return Store(where, collection, model=model, precision=precision, threads=threads, milvus=milvus)


class Store(Upkeep):
    """A collection of pictures in a store: a folder, or a Milvus server ("milvus://host:19530").

        store = scry.Store("photos")
        store.index("~/Pictures")
        for hit in store.search("a white dog", limit=5):
            print(hit.score, hit.path)

    Without a place it is $SCRY_STORE, else the store of the command line. It is opened when it is first needed, and made by index().
    Any number of threads may search at once; of those that write, in whatever process, one at a time. `model`, a Model or
    a name, is needed for a new collection only where it is not to be the bundled one. `milvus` has the options of a server:
    index, search, consistency, partitions, half, shards, replicas, alias, partition_key, mmap, resource_group, vector_field, id_field,
    path_field.
    """

    def __init__(self, where: str | os.PathLike[str] | None = None, collection: str = "default", *, model: Model | str | None = None,
                 precision: str = "auto", threads: int = 0, milvus: dict[str, Any] | None = None) -> None:
        path = os.fsdecode(where) if where is not None else os.environ.get("SCRY_STORE") or _default_place()
        self.where = path if path.startswith(("milvus://", "milvuss://", "https://")) else place(path)
        self.collection = collection
        self._milvus = _milvus_options(milvus or {})
        if not isinstance(model, (Model, str, os.PathLike, type(None))):
            raise errors.InvalidError(f"the model of a store is a Model or its name, not {model!r}")
        self._precision, self._threads = precision, whole("threads", threads, 0, 4096)
        self._given_name = None if isinstance(model, Model) else model
        self._model = self._given_model = model if isinstance(model, Model) else None
        self._checked = False
        self._reader: Handle | None = None
        self._threshold: Handle | None = None
        self._lock = threading.RLock()
        self._process = os.getpid()

    def __reduce__(self) -> Any:
        """Pickled it is where the store is, not what was opened: another process opens it anew."""
        milvus = {k: v.decode() if isinstance(v, bytes) else v for k, v in self._milvus.items()}
        return _make_store, (self.where, self.collection, self._given_model or self._given_name, self._precision, self._threads, milvus)

    def _check_process(self) -> None:
        """In a process that was forked the threads and files of what was opened before are not there: it is opened again."""
        if self._process == os.getpid():
            return
        self._lock = threading.RLock()   # another thread may have held the old one
        self._process = os.getpid()
        for handle in (self._reader, self._threshold):
            if handle:
                handle.abandon()
        self._reader = self._threshold = None
        self._checked = False

    def __repr__(self) -> str:
        return f"<scry.Store {self.where}, collection {self.collection}>"

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def close(self) -> None:
        """Release the store, and its model unless that was given. It is opened again when it is used again."""
        self._check_process()
        with self._lock:
            self._forget_reader()
            if self._model is not self._given_model:
                self._model = None   # freed with the last thread that uses it

    # ---- opening ----

    def _options(self, mode: int, model: Model | None = None) -> _c.scry_store_options:
        options = _c.scry_store_options(collection=encode(self.collection), mode=mode, threads=self._threads)
        for name, value in self._milvus.items():
            setattr(options.milvus, name, value)
        if model:
            options.model_identity, options.model_name = encode(model.identity), encode(model.name)
            options.precision, options.dim = encode(model.precision), model.dim
        return options

    def _open(self, options: _c.scry_store_options) -> ctypes.c_void_p:
        pointer = ctypes.c_void_p()
        try:
            call("scry_store_open", ctypes.byref(pointer), encode(self.where), ctypes.byref(options))
        except errors.NotFoundError as e:
            if "scry index" not in str(e):   # a library that is missing, say
                raise
            raise errors.NotFoundError(f"{e} (from Python: scry.Store({self.where!r}).index(FOLDER))") from None
        return pointer

    def _forget_reader(self) -> None:
        for handle in (self._threshold, self._reader):
            if handle:
                handle.close()
        self._reader = self._threshold = None
        self._checked = False

    def _current_reader(self) -> Handle:
        """The store for reading, with what other processes have written meanwhile."""
        self._check_process()
        with self._lock:
            if self._reader:
                try:
                    with self._reader.use() as store:
                        call("scry_store_refresh", store)
                except errors.NotFoundError:   # dropped, or replaced by another
                    self._forget_reader()
            if not self._reader:
                self._reader = Handle(self._open(self._options(_c.STORE_READ)), lambda p: lib.scry_store_close(p, None), "the store")
            return self._reader

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        self._check_process()
        with ExitStack() as users:
            with self._lock:   # from here on another thread's close() frees it when this one is done
                store = users.enter_context(self._current_reader().use())
            yield store

    @contextmanager
    def _writing(self, mode: int, model: Model | None = None) -> Iterator[Any]:
        """The store for writing, as long as the block runs."""
        self._check_process()
        pointer = self._open(self._options(mode, model))
        try:
            yield pointer
        except BaseException:
            lib.scry_store_close(pointer, None)
            raise
        call("scry_store_close", pointer)

    def _model_for(self, store: Any) -> Model:
        """The model of the collection (None: of a new one)."""
        with self._lock:
            if not self._model:
                name = self._given_name or os.environ.get("SCRY_MODEL")
                if store and not name:
                    info = _c.scry_store_info()
                    lib.scry_store_describe(store, ctypes.byref(info))
                    name = text(info.model_name)
                    if not name:
                        raise errors.InvalidError(f"the collection {self.collection!r} does not say what model it was built with: give one")
                self._model = Model(name or None, precision=self._precision)
            if store and not self._checked:
                with self._model._handle.use() as model:
                    call("scry_rebuild_check", store, model, encode(self._model.name))
                self._checked = True
            return self._model

    @property
    def model(self) -> Model:
        """The model whose vectors the collection has."""
        with self._reading() as store:
            return self._model_for(store)

    # ---- searching ----

    def search(self, query: Part | Sequence[Any], *, by: str = "auto", limit: int = 10, offset: int = 0,
               min_score: float | str | None = None, all_copies: bool = False, fold: float | bool | None = None,
               approximate: bool = False, **filters: Unpack[Filters]) -> Results:
        """The nearest pictures, best first.

        `query` is a text; a picture, as a pathlib.Path, bytes, a PIL image or pixels; a File or a Hit; a vector; a Query; or a list
        of these, each alone or as (part, weight), whose vectors are added: ["beach", ("people", -1)].
        `by` is "look" for the vector alone, "words" for pictures whose names and texts have all words of the query, "auto" for both in
        one ranking, as `scry search` does. `min_score` is a cosine or "auto"; `fold` shows near-identical pictures once (True, or
        the cosine from which). Filters, each a value or a list: in_ (folder), date ("last summer"), after, before, until, camera,
        near=(latitude, longitude, km), box=(west, south, east, north), format, min_width, min_rating, keyword, favourites=True, words,
        place, label, key.
        """
        return self.search_many([query], by=by, limit=limit, offset=offset, min_score=min_score, all_copies=all_copies, fold=fold,
                                approximate=approximate, **filters)[0]

    def search_many(self, queries: Iterable[Any], *, by: str = "auto", limit: int = 10, offset: int = 0,
                    min_score: float | str | None = None, all_copies: bool = False, fold: float | bool | None = None,
                    approximate: bool = False, **filters: Unpack[Filters]) -> list[Results]:
        """The same for many queries. Those that are searched by look alone, without min_score "auto", share one pass over the vectors."""
        if isinstance(queries, (str, bytes, os.PathLike)):
            raise errors.InvalidError("search_many takes several queries: search() is for one")
        queries = list(queries)
        limit, offset = whole("limit", limit, 1, 10**8), whole("offset", offset, 0, 10**12)
        if by not in _BY:
            raise errors.InvalidError(f"by is {', '.join(map(repr, _BY))}, not {by!r}")
        least = -2.0 if min_score is None or min_score == "auto" else real("min_score", min_score, -1, 1, ', or "auto"')
        with self._reading() as store, _filters.built(filters) as tree:
            vectors = np.ascontiguousarray(self._vectors_of(queries, store), np.float32)
            thresholds = [self._threshold_of(store, v, min_score == "auto") for v in vectors]
            options = _c.scry_find_options(by=_BY[by], auto_min_score=min_score == "auto", search=_c.scry_search(
                filter=tree, limit=limit, offset=offset, min_score=least,
                all_copies=all_copies, approximate=approximate, fold=FOLD_AUTO if fold is True else fold or 0.0))
            if by == "look" and min_score != "auto":
                return self._search_by_look(store, vectors, options.search, thresholds) if len(vectors) else []
            return [self._find(store, q, v, options, t) for q, v, t in zip(queries, vectors, thresholds)]

    def _find(self, store: Any, query: Any, vector: np.ndarray, options: _c.scry_find_options, threshold: float | None) -> Results:
        """One query, whose vector is known, by its words, too."""
        words = query if isinstance(query, Query) else Query._of_texts(_texts_of(query))
        results = ctypes.POINTER(_c.scry_results)()
        options.vector = vector.ctypes.data
        with ExitStack() as users:
            with self._lock:
                options.threshold = users.enter_context(self._threshold.use()) if self._threshold else None
            pointer = users.enter_context(words._handle.use())
            call("scry_find", ctypes.byref(results), ctypes.byref(_c.scry_query_tools(store=store)), pointer, ctypes.byref(options))
        try:
            return make_results(results.contents, threshold, vector)
        finally:
            lib.scry_results_free(results)

    @staticmethod
    def _search_by_look(store: Any, vectors: np.ndarray, search: _c.scry_search, thresholds: list[float | None]) -> list[Results]:
        pointers = (ctypes.POINTER(_c.scry_results) * len(vectors))()
        call("scry_store_search_many", store, vectors.ctypes.data, len(vectors), ctypes.byref(search), pointers)
        try:
            return [make_results(p.contents, t, v) for p, t, v in zip(pointers, thresholds, vectors)]
        finally:
            for p in pointers:
                lib.scry_results_free(p)

    def _threshold_of(self, store: Any, vector: np.ndarray, must: bool) -> float | None:
        """The score from which a result probably matches; estimated, if it `must` be known, which takes a moment once."""
        with self._lock:
            if not self._threshold:
                pointer, run = ctypes.c_void_p(), Run()
                with self._model_for(store)._handle.use() as model:
                    if must:
                        run.call_interruptibly("scry_threshold_run", ctypes.byref(pointer), store, model, run.watch(None))
                    else:
                        call("scry_threshold_known", ctypes.byref(pointer), store, model)
                if not pointer:
                    return None
                self._threshold = Handle(pointer, lib.scry_threshold_free, "the threshold")
            with self._threshold.use() as threshold:
                return float(lib.scry_threshold_at(threshold, vector.ctypes.data))

    def _vectors_of(self, queries: list[Any], store: Any) -> list[np.ndarray]:
        """The unit vectors of queries; those that are texts go through the model together."""
        plain = [q for q in queries if isinstance(q, str) and q.strip()]
        rows = iter(self._model_for(store).embed_texts(plain) if len(plain) > 1 else ())
        return [next(rows) if len(plain) > 1 and isinstance(q, str) and q.strip() else self._vector(q, store) for q in queries]

    def _vector(self, query: Any, store: Any) -> np.ndarray:
        """The unit vector of a query."""
        parts = query if isinstance(query, list) else [query]
        if not parts:
            raise errors.InvalidError("the query is empty: say what to look for")
        total = np.zeros(self._model_for(store).dim)
        for part in parts:
            part, weight = part if isinstance(part, tuple) and len(part) == 2 else (part, 1.0)
            if not isinstance(weight, (int, float, np.number)) or not 0 < abs(float(weight)) <= 100:
                raise errors.InvalidError(f"a weight is a number from -100 to 100 other than 0, not {weight}")
            total += float(weight) * self._part_vector(part, store)
        norm = np.linalg.norm(total)
        if not norm > 1e-4:
            raise errors.InvalidError("the parts of the query cancel each other out: change a weight")
        return (total / norm).astype(np.float32)

    def _part_vector(self, part: Any, store: Any) -> np.ndarray:
        model = self._model_for(store)
        if isinstance(part, str):
            if not part.strip():
                raise errors.InvalidError("the query has an empty text: say what to look for")
            return model.embed_texts(part)
        if isinstance(part, (File, Hit)):
            return self.vector(part)
        out = np.empty(model.dim, np.float32)
        if isinstance(part, Query):
            with model._handle.use() as pointer:
                part.embed(pointer, store, out)
            return out
        if isinstance(part, np.ndarray) and not is_pixels(part):
            if part.shape != (model.dim,) or part.dtype.kind != "f":
                raise errors.InvalidError(f"a vector of this model is float [{model.dim}], not {part.dtype} {list(part.shape)}")
            norm = np.linalg.norm(part.astype(np.float64))
            if not (norm > 0 and np.isfinite(norm)):
                raise errors.InvalidError("a vector has no direction")
            return np.divide(part, norm)
        if is_pil(part) or is_pixels(part) or hasattr(part, "read") or isinstance(part, (os.PathLike, bytes, bytearray, memoryview)):
            return model.embed_images(part)
        raise errors.InvalidError(f"a query has texts, pictures, files, hits and vectors, not {type(part).__name__}")

    # ---- what is in it ----

    @property
    def info(self) -> StoreInfo:
        """How many pictures and vectors there are, of which model, and the like."""
        info = _c.scry_store_info()
        with self._reading() as store:
            call("scry_store_get_info", store, ctypes.byref(info))
            return StoreInfo(text(info.where), text(info.collection), text(info.model_name), text(info.model_identity),
                             text(info.precision), info.dim, info.files, info.contents, info.bad_files, info.bytes)

    def __len__(self) -> int:
        """The number of files."""
        return self.info.files

    def __bool__(self) -> bool:
        return True

    def files(self, **filters: Unpack[Filters]) -> Iterator[File]:
        """All files that pass the filters of search(), by folder and name; read in pages, between which files may be removed."""
        seen: list[bytes] = []   # ids; the last one that is still there is where the next page begins
        page: list[File] = []

        def add(pointer: Any) -> int:
            page.append(make_file(pointer.contents))
            return int(len(page) == _PAGE)
        while True:
            page.clear()
            run = Run()
            with self._reading() as store, _filters.built(filters) as tree:
                while True:
                    try:
                        run.call("scry_store_each_file", store, tree, seen[-1] if seen else None, run.guard(_c.EachFile, add, 1), None)
                        break
                    except errors.NotFoundError:
                        if not seen:
                            raise
                        seen.pop()   # it was removed: all that are left before it were listed already
            yield from list(page)
            if len(page) < _PAGE:
                return
            seen += [bytes.fromhex(f.id) for f in page]

    def __iter__(self) -> Iterator[File]:
        return self.files()

    def get(self, item: str | File | Hit) -> File:
        """The file with this id."""
        results = ctypes.POINTER(_c.scry_results)()
        with self._reading() as store:
            call("scry_store_get", store, _id_of(item), ctypes.byref(results))
            try:
                return make_file(results.contents.hits[0].file)
            finally:
                lib.scry_results_free(results)

    def _file_of(self, item: str | File | Hit) -> File:
        return item if isinstance(item, File) else item.file if isinstance(item, Hit) else self.get(item)

    def text(self, item: str | File | Hit) -> tuple[TextLine, ...] | None:
        """The lines that were read in a picture, in reading order; None: nobody has looked, or it could not be read."""
        file = self._file_of(item)
        found = ctypes.POINTER(_c.scry_picture_text)()
        with self._reading() as store:
            call("scry_store_get_text", store, bytes.fromhex(file.content), ctypes.byref(found))
        try:
            return make_lines(found.contents) if found and not found.contents.reason else None
        finally:
            lib.scry_picture_text_free(found)

    def vector(self, item: str | File | Hit) -> NDArray[np.float32]:
        """The stored vector of a picture: float32 [dim]."""
        file = self._file_of(item)
        with self._reading() as store:
            info = _c.scry_store_info()
            lib.scry_store_describe(store, ctypes.byref(info))
            out = np.empty(info.dim, np.float32)
            call("scry_store_vector", store, bytes.fromhex(file.content), out.ctypes.data)
        return out

    def vectors(self) -> tuple[list[File], NDArray[np.float32]]:
        """All files, in order of their ids, and their vectors: float32 [n, dim]."""
        files: list[File] = []
        rows: list[np.ndarray] = []
        run = Run()
        with self._reading() as store:
            info = _c.scry_store_info()
            lib.scry_store_describe(store, ctypes.byref(info))

            def add(pointer: Any, vector: Any) -> int:
                files.append(make_file(pointer.contents))
                rows.append(np.ctypeslib.as_array(vector, (info.dim,)).copy())
                return 0
            run.call("scry_store_each_in_range", store, _c.scry_id_range(0, 1 << 32), True, run.guard(_c.EachVector, add, 1), None)
        return files, np.array(rows, np.float32).reshape(len(rows), info.dim)

    def skipped(self) -> list[tuple[str, str]]:
        """The files that could not be read, each with the reason."""
        found: list[tuple[str, str]] = []
        run = Run()

        def add(path: bytes, _size: int, _mtime: int, reason: bytes) -> int:
            found.append((text(path), text(reason)))
            return 0
        with self._reading() as store:
            run.call("scry_store_each_bad", store, run.guard(_c.EachBad, add, 1), None)
        return found

    def roots(self) -> list[Root]:
        """The folders that were indexed."""
        found: list[Root] = []
        run = Run()

        def add(pointer: Any) -> int:
            r = pointer.contents
            found.append(Root(bytes(r.id).hex(), text(r.path), r.files))
            return 0
        with self._reading() as store:
            run.call("scry_store_roots", store, run.guard(_c.EachRoot, add, 1), None)
        return found

    # ---- changing ----

    def index(self, *paths: str | os.PathLike[str], include: Sequence[str] = (), exclude: Sequence[str] = (), prune: bool = False,
              retry: bool = False, recheck: bool = False, rebuild_metadata: bool = False, follow: bool = False, hidden: bool = False,
              keep_orientation: bool = False, workers: int = 0, progress: Callable[[IndexProgress], None] | None = None,
              skipped: Callable[[str, str], None] | None = None) -> IndexReport:
        """Bring the store up to date with folders, files and CSV files (id,path,label...); the store is made where there is none.

        Unchanged files cost nothing, files that cannot be read are skipped and reported. `include` and `exclude` are
        patterns of names; `prune` removes files that no longer exist; `retry` tries again what could not be read; the other
        options are those of `scry index`. `progress` is called about ten times a second, `skipped(path, reason)` for each file that
        cannot be read. An exception in either stops the run, and so does Ctrl-C; what was indexed stays.
        """
        if not paths:
            raise errors.InvalidError("say what to index: folders or files")
        problems: list[tuple[str, str]] = []
        run = Run()
        skip = keep_in(problems, skipped)
        places = texts([place(p) for p in paths])
        options = _c.scry_index_options(paths=places, path_count=len(paths), include=texts(include), include_count=len(include),
                                        exclude=texts(exclude), exclude_count=len(exclude), prune=prune, retry=retry, recheck=recheck,
                                        rebuild_metadata=rebuild_metadata, follow=follow, hidden=hidden, keep_orientation=keep_orientation,
                                        workers=whole("workers", workers, 0, 4096), cancel=ctypes.pointer(run.cancel))
        options.skipped = run.guard(_c.IndexSkipped, skip)
        options.progress = run.guard(_c.IndexProgress, progress and (lambda p: progress(make_progress(p.contents))))
        total = _c.scry_index_progress()
        model = self._model_to_index()
        with self._writing(_c.STORE_CREATE, model) as store, model._handle.use() as pointer:
            run.call_interruptibly("scry_index_run", store, pointer, ctypes.byref(options), ctypes.byref(total))
        return IndexReport(**vars(make_progress(total)), problems=tuple(problems))

    def set_favourite(self, *items: str | File | Hit, on: bool = True) -> None:
        """Mark pictures as favourites, or with on=False take the mark from them. It stays with the picture when its file moves."""
        hashes = [_c.HASH(*bytes.fromhex(self._file_of(i).content)) for i in items]
        marks = (_c.scry_mark * max(len(hashes), 1))(*[_c.scry_mark(kind=_c.MARK_FAVOURITE, key=ctypes.addressof(h), key_size=_c.HASH_BYTES,
                                                                    set_at=int(time.time())) for h in hashes])
        with self._writing(_c.STORE_WRITE) as store:
            if on:
                call("scry_store_put_marks", store, marks, len(hashes))
            else:
                call("scry_store_remove_marks", store, marks, len(hashes), None)

    def _model_to_index(self) -> Model:
        try:
            return self.model
        except errors.NotFoundError:
            if self._reader:   # the store is there, its model is not
                raise
            return self._model_for(None)

    def remove(self, *items: str | File | Hit, **filters: Unpack[Filters]) -> int:
        """Forget files, by id or by the filters of search(); the files themselves stay. Returns how many were forgotten."""
        given = any(value is not None for value in filters.values())
        if not items and not given:
            raise errors.InvalidError("say what to forget: files, ids or filters")
        ids = [_id_of(i) for i in items] + ([_id_of(f) for f in self.files(**filters)] if given else [])
        removed = ctypes.c_uint64()
        array = (_c.ID * max(len(ids), 1))(*[_c.ID(*i) for i in ids])
        with self._writing(_c.STORE_WRITE) as store:
            call("scry_store_remove", store, array, len(ids), ctypes.byref(removed))
        return removed.value

    # ---- collections ----

    @staticmethod
    def collections(where: str | os.PathLike[str]) -> list[str]:
        """The names of the collections of a store."""
        found: list[str] = []
        run = Run()

        def add(name: bytes) -> int:
            found.append(text(name))
            return 0
        run.call("scry_store_collections", encode(place(where)), run.guard(_c.EachName, add, 1), None)
        return found

    def drop(self) -> None:
        """Remove the collection from the store; the pictures stay."""
        self.close()
        call("scry_store_drop_collection", encode(self.where), encode(self.collection))
