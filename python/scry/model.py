"""Models: texts and pictures to unit vectors."""
from __future__ import annotations

import ctypes
import math
import os
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Iterable, Sequence, overload

import numpy as np

from . import _c, errors
from ._library import Handle, Run, call, encode, lib, place, take_text, text, texts, whole
from ._pictures import Batch, Picture, is_single
from .query import Query

if TYPE_CHECKING:
    from numpy.typing import NDArray

Progress = Callable[[int, int], None]
_PRECISIONS = {"auto": _c.PRECISION_AUTO, "fp32": _c.PRECISION_FP32, "bf16": _c.PRECISION_BF16, "int8": _c.PRECISION_INT8}


@dataclass(frozen=True)
class ModelRecord:
    """A model that is installed. Texts are empty where nothing is known; `problem` says why it cannot be used."""

    name: str
    dir: str
    bundled: bool
    unfinished: bool
    identity: str
    family: str
    licence: str
    source: str
    dim: int
    bytes: int
    problem: str


@dataclass(frozen=True)
class CatalogueEntry:
    """A model that pull() knows by name."""

    name: str
    repository: str
    licence: str
    summary: str
    megabytes: int
    dim: int
    image_size: int
    languages: str
    coco_recall_at_1: float | None


def _make_model(name: str, precision: str, language: str | None) -> Model:
    return Model(name, precision=precision, language=language)


class Model:
    """A CLIP, SigLIP or similar model, by its name, or the folder of its checkpoint. Any number of threads may use it.

        with scry.Model() as model:
            texts = model.embed_texts(["a white dog", "a castle"])       # float32 [2, dim], unit rows
            pictures = model.embed_images(["a.jpg", open("b.png", "rb"), PIL.Image.open("c.webp")])
            print(pictures @ texts.T)

    Without a name it is $SCRY_MODEL, else the bundled model. The first time that a model is opened all of its weights are read:
    `progress(done, total)` says how far that is, without a unit, and an exception in it, or Ctrl-C, stops it.
    """

    def __init__(self, name: str | os.PathLike[str] | None = None, *, precision: str = "auto", language: str | None = None,
                 progress: Progress | None = None) -> None:
        if precision not in _PRECISIONS:
            raise errors.InvalidError(f"the precision is {', '.join(_PRECISIONS)}, not {precision!r}")
        self._language = language
        name = os.fsdecode(name) if name else os.environ.get("SCRY_MODEL") or "starter"
        folder, pointer = ctypes.c_void_p(), ctypes.c_void_p()
        try:
            call("scry_model_resolve", encode(os.path.expanduser(name)), ctypes.byref(folder))
        except errors.NotFoundError as e:
            if "scry model" not in str(e):
                raise
            raise errors.NotFoundError(f"{e} (from Python: scry.models(), scry.catalogue(), scry.pull(name))") from None
        run = Run()
        options = _c.scry_model_options(precision=_PRECISIONS[precision], language=encode(language), reading=run.watch(progress),
                                        name=encode(name))
        try:
            run.call_interruptibly("scry_model_open", ctypes.byref(pointer), encode(take_text(folder)), ctypes.byref(options))
        except BaseException:
            lib.scry_model_free(pointer)   # stopped when it was open already
            raise
        self._handle = Handle(pointer, lib.scry_model_free, "the model")
        self._info = lib.scry_model_get_info(pointer).contents
        self.name = os.path.abspath(os.path.expanduser(name)) if "/" in name else name
        info = self._info
        self.dim: int = info.dim
        self.identity, self.family, self.dir = text(info.identity), text(info.family), text(info.dir)
        self.context: int = info.context
        self.image_size: int = info.image.size
        self.precision = next(k for k, v in _PRECISIONS.items() if v == info.precision)
        self.logit_scale: float = info.logit_scale
        self.licence = text(info.licence)

    def __reduce__(self) -> Any:
        """Pickled it is its name: another process opens it anew."""
        return _make_model, (self.name, self.precision, self._language)

    def __repr__(self) -> str:
        return f"<scry.Model {self.name}: {self.family}, {self.dim} dimensions, {self.precision}>"

    def __enter__(self) -> Model:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def close(self) -> None:
        """Free the model, once no other thread uses it any more."""
        self._handle.close()

    # ---- texts ----

    @overload
    def embed_texts(self, values: str, *, progress: Progress | None = ...) -> NDArray[np.float32]: ...

    @overload
    def embed_texts(self, values: Iterable[str], *, progress: Progress | None = ...) -> NDArray[np.float32]: ...

    def embed_texts(self, values: Iterable[str], *, progress: Progress | None = None) -> NDArray[np.float32]:
        """One text to a vector [dim], several to rows [n, dim]: float32, of unit length. A text that is longer than the model
        reads loses its end."""
        single = isinstance(values, (str, bytes))
        lines = [values] if isinstance(values, (str, bytes)) else list(values)
        for line in lines:
            if not isinstance(line, str):
                raise errors.InvalidError(f"{line!r} is not a text")
        rows: NDArray[np.float32] = np.empty((len(lines), self.dim), np.float32)
        run = Run()
        options = _c.scry_embed_options(cancel=ctypes.pointer(run.cancel), progress=run.guard(_c.EmbedProgress, progress))
        with self._handle.use() as model:
            run.call_interruptibly("scry_embed_lines", model, texts(lines), len(lines), ctypes.byref(options), rows.ctypes.data, None,
                                   keep=rows)
        return rows[0] if single else rows

    # ---- pictures ----

    def embed_images(self, values: Picture | Iterable[Picture], *, workers: int = 0, exact: bool = False, keep_orientation: bool = False,
                     failed: Callable[[int, str], None] | None = None, progress: Progress | None = None) -> NDArray[np.float32]:
        """One picture to a vector [dim], several to rows [n, dim]: float32, of unit length.

        A picture is a path, the bytes of its file, an open file, a PIL image, or an array of pixels, uint8 [height, width, 3]; an array
        [n, height, width, 3] is several. One that cannot be read raises its error, unless there is `failed(index, reason)`: then its
        row is NaN. `progress(done, total)` is called by other threads. Files are turned by their EXIF orientation, unless
        `keep_orientation`; PIL images always are.
        """
        single = is_single(values)
        pictures: list[Any] = [values] if single else list(values)  # type: ignore[arg-type]
        batch = Batch(pictures)
        rows = np.empty((len(pictures), self.dim), np.float32)
        problems = batch.problems
        rows[[i for i, _ in problems]] = np.nan
        done = [len(problems)]
        for kind, items in (("files", batch.paths), ("memory", batch.encoded), ("rgb", batch.pixels)):
            if items:
                options = {"workers": whole("workers", workers, 0, 4096), "exact": exact, "keep_orientation": keep_orientation}
                part = self._embed_part(kind, batch, [i for i, _ in items], options, problems, done[0], len(pictures), progress)
                if len(items) == len(pictures):
                    rows = part
                else:
                    rows[[i for i, _ in items]] = part
                done[0] += len(items)
        for i, reason in sorted(problems):
            if failed is None:
                what = os.fsdecode(pictures[i]) if isinstance(pictures[i], (str, os.PathLike)) else f"picture {i}"
                raise errors.InvalidError(f"{what}: {reason}")
            failed(i, reason)
        return rows[0] if single else rows

    def _embed_part(self, kind: str, batch: Batch, index: list[int], options: dict[str, Any], problems: list[tuple[int, str]],
                    before: int, total: int, progress: Progress | None) -> NDArray[np.float32]:
        rows = np.empty((len(index), self.dim), np.float32)
        run = Run()
        o = _c.scry_embed_options(cancel=ctypes.pointer(run.cancel), **options)
        o.failed = run.guard(_c.EmbedFailed, lambda i, path, reason: problems.append((index[i], text(reason))))
        o.progress = run.guard(_c.EmbedProgress, progress and (lambda n, _: progress(before + n, total)))
        items = {"files": lambda: texts([p for _, p in batch.paths]), "memory": batch.encoded_array, "rgb": batch.rgb_array}[kind]()
        more = [None] if kind == "files" else []
        with self._handle.use() as model:
            run.call_interruptibly(f"scry_embed_{kind}", model, items, len(index), ctypes.byref(o), rows.ctypes.data, *more,
                                   keep=(rows, batch))
        return rows

    def classify(self, pictures: Picture | Iterable[Picture] | np.ndarray, labels: Sequence[str],
                 templates: Sequence[str] = ()) -> NDArray[np.float64]:
        """The probability of each label for each picture: float64 [n, labels]; for one picture [labels]. `pictures` may also
        be float32 vectors. `templates` are sentences with {} for the label ("a photo of a {}")."""
        vectors = pictures if isinstance(pictures, np.ndarray) and pictures.dtype.kind == "f" else self.embed_images(pictures)
        single = vectors.ndim == 1
        vectors = np.ascontiguousarray(np.atleast_2d(vectors), np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise errors.InvalidError(f"vectors of this model have {self.dim} dimensions, [n, {self.dim}], not {list(vectors.shape)}")
        words = np.empty((len(labels), self.dim), np.float32)
        out = np.empty((len(vectors), len(labels)))
        with self._handle.use() as model:
            call("scry_embed_labels", model, texts(labels), len(labels), texts(templates) if templates else None, len(templates), None,
                 words.ctypes.data)
            for vector, row in zip(vectors, out):
                lib.scry_label_probabilities(row.ctypes.data, ctypes.byref(self._info), vector.ctypes.data, words.ctypes.data, len(labels))
        return out[0] if single else out


    # ---- names ----

    def teach(self, name: str, pictures: Iterable[str | os.PathLike[str] | Query], *, store: Any = None,
              progress: Progress | None = None) -> None:
        """Bind a name to 3 to 20 pictures of what it names: paths, or queries of one picture such as scry.Query("@rex.jpg#40,60,300,280").

        Models that are opened afterwards understand it in every text: "Rex on the beach". A model that brings no sample of pictures takes
        it from `store`, a Store of this model with at least 20. `progress(done, total)` has no unit; one that is stopped, by an
        exception in it or Ctrl-C, teaches nothing.
        """
        run = Run()
        queries = [p if isinstance(p, Query) else Query._of_picture(place(p)) for p in pictures]
        with ExitStack() as stack:
            tools = _c.scry_query_tools(model=stack.enter_context(self._handle.use()),
                                        store=stack.enter_context(store._reading()) if store is not None else None)
            array = (ctypes.c_void_p * max(len(queries), 1))(*[stack.enter_context(q._handle.use()) for q in queries])
            run.call_interruptibly("scry_teach_run", ctypes.byref(tools), encode(name), array, len(queries), run.watch(progress))

    def forget(self, name: str) -> None:
        """Remove a name that was taught."""
        with self._handle.use() as model:
            call("scry_model_forget", model, encode(name))

    @property
    def taught(self) -> tuple[str, ...]:
        """The names that texts may have since the model was opened."""
        with self._handle.use():
            return tuple(text(self._info.taught[i].name) for i in range(self._info.taught_count))


# ---- models by name ----

def models() -> list[ModelRecord]:
    """All models that are installed."""
    found: list[ModelRecord] = []
    run = Run()

    def add(pointer: Any) -> int:
        r = pointer.contents
        found.append(ModelRecord(text(r.name), text(r.dir), r.bundled, r.unfinished, text(r.identity), text(r.family), text(r.licence),
                                 text(r.source), r.dim, r.bytes, text(r.problem)))
        return 0
    run.call("scry_models_each", run.guard(_c.EachRecord, add, 1), None)
    return found


def catalogue() -> list[CatalogueEntry]:
    """The models that pull() knows by name."""
    found: list[CatalogueEntry] = []
    run = Run()

    def add(pointer: Any) -> int:
        e = pointer.contents
        recall = None if math.isnan(e.coco_recall_at_1) else e.coco_recall_at_1
        found.append(CatalogueEntry(text(e.name), text(e.repository), text(e.licence), text(e.summary), e.megabytes, e.dim, e.image_size,
                                    text(e.languages), recall))
        return 0
    run.call("scry_catalogue_each", run.guard(_c.EachEntry, add, 1), None)
    return found


def pull(what: str, *, name: str | None = None, progress: Callable[[str, int, int], None] | None = None) -> str:
    """Download a model: a name of the catalogue, or OWNER/NAME of the hub. Returns the name it has then.
    `progress(file, done, total)` in bytes. An exception in it, or Ctrl-C, stops the
    download; the next call goes on from there."""
    run = Run()
    given = ctypes.c_void_p()
    options = _c.scry_pull_options(what=encode(what), name=encode(name), cancel=ctypes.pointer(run.cancel))
    options.progress = run.guard(_c.PullProgress, progress and (lambda file, done, total: progress(text(file), done, total)))
    run.call_interruptibly("scry_model_pull", ctypes.byref(options), ctypes.byref(given))
    return take_text(given)


def add_model(name: str, folder: str | os.PathLike[str], *, texts: str | os.PathLike[str] | None = None, copy: bool = False,
              progress: Progress | None = None) -> None:
    """Give the checkpoint in `folder`, as Hugging Face or open_clip publish it, a name. With `texts` a pair: that checkpoint, made for
    the pictures of the other, reads the texts. With `copy` the files are copied. `progress(done, total)` has no unit; after an exception
    in it, or Ctrl-C, there is no such model."""
    run = Run()
    options = _c.scry_model_add_options(texts=encode(place(texts) if texts is not None else None), copy=copy,
                                        work=run.watch(progress))
    run.call_interruptibly("scry_model_add_run", encode(name), encode(place(folder)), ctypes.byref(options))


def remove_model(name: str) -> None:
    """Forget a model, and remove its files where they were copied or downloaded."""
    call("scry_model_remove", encode(name))
