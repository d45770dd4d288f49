"""What a store returns: files, hits, reports."""
from __future__ import annotations

import base64
import ctypes
import datetime
import html
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterator, overload

import numpy as np

from . import _c
from ._library import lib, take_text, text

if TYPE_CHECKING:
    from PIL import Image


@dataclass(frozen=True)
class File:
    """A picture file of a store. Texts are empty, and `position`, `rating` and `taken_at` None, where nothing is known.

    `taken_at` is what a clock at the place showed; it has a time zone where the picture's headers have one.
    """

    id: str
    path: str
    relative: str
    content: str                # SHA-256 of the bytes
    size: int
    mtime: float
    width: int
    height: int
    format: str
    taken_at: datetime.datetime | None
    position: tuple[float, float] | None
    camera: str
    lens: str
    title: str
    description: str
    keywords: tuple[str, ...]
    rating: int | None
    damaged: bool
    key: str
    labels: tuple[str, ...]
    added: int                  # grows with each picture that was embedded; 0: not known
    favourite: bool

    @property
    def place(self) -> str:
        """The city and country where it was taken, "Munich, Germany"; empty where that is not known."""
        found = lib.scry_place_text(*self.position) if self.position else None
        return take_text(ctypes.c_void_p(found)) if found else ""

    def image(self, size: int | None = None) -> Image.Image:
        """The picture as PIL reads it, upright; with `size`, no side is longer than that."""
        from PIL import Image, ImageOps
        with Image.open(self.path) as opened:
            if size:
                opened.draft("RGB", (2 * size, 2 * size))
            image = ImageOps.exif_transpose(opened).convert("RGB")
        if size:
            image.thumbnail((size, size))
        return image


@dataclass(frozen=True)
class TextLine:
    """A line of text in a picture. `corners` are x, y of its corners, clockwise from the top left of the line as it is read, in 0 to 1
    of the upright picture's width and height."""

    text: str
    corners: tuple[tuple[float, float], ...]
    confidence: float


def make_lines(t: Any) -> tuple[TextLine, ...]:
    lines = [t.lines[i] for i in range(t.line_count)]
    return tuple(TextLine(text(x.text), tuple((x.corner[k], x.corner[k + 1]) for k in range(0, 8, 2)), x.confidence) for x in lines)


def _taken_at(f: Any) -> datetime.datetime | None:
    """None, too, for a time or an offset that a datetime cannot hold."""
    try:
        taken = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=f.taken_at)
        zone = datetime.timezone(datetime.timedelta(minutes=f.taken_offset_min)) if f.has_taken_offset else None
    except (OverflowError, ValueError):
        return None
    return taken.replace(tzinfo=zone) if f.has_time else None


def make_file(f: Any) -> File:
    keywords = text(f.keywords)
    return File(bytes(f.id).hex(), text(f.path), text(f.relative), bytes(f.content).hex(), f.size, f.mtime_ns / 1e9, f.width, f.height,
                text(f.format), _taken_at(f), (f.latitude, f.longitude) if f.has_position else None, text(f.camera), text(f.lens),
                text(f.title), text(f.description), tuple(keywords.split("\n")) if keywords else (),
                f.rating if f.has_rating else None, f.damaged, text(f.key), tuple(text(f.labels[i]) for i in range(f.label_count)),
                f.added, f.favourite)


@dataclass(frozen=True)
class Hit:
    """A result of a search: `score` is the cosine of the query and the picture."""

    score: float
    file: File
    copies: int                 # other files of the same picture that pass the filters
    folded: tuple[str, ...]     # ids of near-identical pictures that it stands for (fold)
    found_by: str               # "look", "words" or "both"
    found_in: tuple[str, ...]   # where the query's words are: "name", "folder", "title", "description", "keyword", "label", "key",
                                # "place", "picture"
    matched: str                # with "picture": the line that was read there; else empty

    @property
    def path(self) -> str:
        """The path of the picture's file."""
        return self.file.path

    @property
    def id(self) -> str:
        """The id of the file, for Store.get() and in queries, as @id:ID."""
        return self.file.id

    def image(self, size: int | None = None) -> Image.Image:
        """The picture as a PIL image: File.image()."""
        return self.file.image(size)


@dataclass(frozen=True)
class Results(Sequence[Hit]):
    """The hits of a search, best first. `threshold` is the score below which a result probably does not match, None where it is not
    known; `vector` the query's."""

    hits: tuple[Hit, ...]
    has_more: bool
    scanned: int
    threshold: float | None
    vector: np.ndarray = field(repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, index: int) -> Hit: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[Hit, ...]: ...

    def __getitem__(self, index: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[index]

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    @property
    def likely(self) -> tuple[Hit, ...]:
        """The hits that reach the threshold, or were found by their words; all where there is no threshold."""
        return self.hits if self.threshold is None else tuple(h for h in self.hits if h.score >= self.threshold or h.found_in)

    def _repr_html_(self) -> str:
        """Small pictures in a row, for notebooks."""
        return '<div style="display:flex;flex-wrap:wrap;gap:8px">' + "".join(map(_figure, self.hits)) + "</div>"


def _figure(hit: Hit) -> str:
    out = io.BytesIO()
    try:
        hit.image(128).save(out, "JPEG", quality=70)
        picture = f'<img src="data:image/jpeg;base64,{base64.b64encode(out.getvalue()).decode()}" alt="">'
    except (ImportError, OSError):
        picture = html.escape(hit.path)
    return f'<figure style="margin:0">{picture}<figcaption>{hit.score:.3f}</figcaption></figure>'


_FIELDS = ("name", "folder", "title", "description", "keyword", "label", "key", "place", "picture")   # bits of scry_word_field
_FOUND_BY = {_c.FOUND_BY_WORDS: "words", _c.FOUND_BY_BOTH: "both"}


def _make_hit(h: Any) -> Hit:
    folded = tuple(bytes(h.folded_ids[k]).hex() for k in range(min(h.folded, 100))) if h.folded else ()
    fields = tuple(name for bit, name in enumerate(_FIELDS) if h.word_fields >> bit & 1)
    matched = text(ctypes.string_at(h.matched, h.matched_bytes)) if h.matched else ""
    return Hit(h.score, make_file(h.file), h.copies, folded, _FOUND_BY.get(h.found_by, "look"), fields, matched)


def make_results(r: Any, threshold: float | None, vector: np.ndarray) -> Results:
    hits = tuple(_make_hit(r.hits[i]) for i in range(r.count))
    return Results(hits, r.has_more, r.scanned, None if threshold is None or math.isnan(threshold) else threshold, vector)


@dataclass(frozen=True)
class IndexProgress:
    """The counts of an index run. `expected`: how many files there will be, 0 while that is not known."""

    found: int
    added: int
    updated: int
    unchanged: int
    skipped: int
    pruned: int
    missing: int
    embedded: int
    damaged: int
    expected: int
    walking: bool
    elapsed_s: float


def make_progress(p: Any) -> IndexProgress:
    return IndexProgress(p.found, p.added, p.updated, p.unchanged, p.skipped, p.pruned, p.missing, p.embedded, p.damaged, p.expected,
                         p.walking, p.elapsed_ms / 1e3)


@dataclass(frozen=True)
class IndexReport(IndexProgress):
    """The counts of a finished index run; `problems` are the files that were skipped, with the reason."""

    problems: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class StoreInfo:
    """A collection: its place, its model, and the counts of what is in it."""

    where: str
    collection: str
    model: str
    model_identity: str
    precision: str
    dim: int
    files: int
    contents: int               # different pictures
    skipped: int                # files that could not be read
    bytes: int


@dataclass(frozen=True)
class Root:
    """A folder that was indexed."""

    id: str
    path: str
    files: int


@dataclass(frozen=True)
class VerifyReport:
    """What was checked for damage, and what was found."""

    files: int
    contents: int
    problems: tuple[str, ...]
    cache_problems: int         # of these, in caches that are made again
    partial: bool               # a writer is at work: not everything could be compared
    advice: str                 # what mends the problems; empty without

    @property
    def ok(self) -> bool:
        """Nothing is damaged."""
        return not self.problems


@dataclass(frozen=True)
class Duplicate:
    """A file that another one stands for: the cosine of the two pictures, and whether their bytes are the same."""

    file: File
    cosine: float
    same_bytes: bool


@dataclass(frozen=True)
class DuplicateGroup:
    """Pictures that are the same or nearly: the file that is best kept, and the others, nearest first."""

    keep: File
    others: tuple[Duplicate, ...]


def make_group(r: Any, start: int, members: Any, n: int) -> DuplicateGroup:
    files = [make_file(r.hits[start + k].file) for k in range(n)]
    return DuplicateGroup(files[0], tuple(Duplicate(files[k], members[k].cosine, members[k].same_bytes) for k in range(1, n)))


@dataclass(frozen=True)
class TextReport:
    """The counts of reading words: pictures to be read, read, of these with text; that could not be read; whose files are gone."""

    pictures: int
    read: int
    with_text: int
    failed: int
    missing: int
    elapsed_s: float


def make_text_progress(p: Any) -> TextReport:
    return TextReport(p.pictures, p.read, p.with_text, p.failed, p.missing, p.elapsed_ms / 1e3)


@dataclass(frozen=True)
class RebuildEstimate:
    """What embedding a collection again takes."""

    pictures: int
    minutes: float              # 0: none of the pictures could be read to tell
    bytes: int                  # on the store's disk until the old vectors are removed, roughly
    free_bytes: int | None      # None: not known, on a server
    current: bool               # it was built with this very model


@dataclass(frozen=True)
class CopyReport:
    """The counts of a copy: files of the source, compared, sent, skipped ones sent, and those that were there already."""

    total: int
    done: int
    copied: int
    skipped: int
    there: int


def make_copy(p: Any) -> CopyReport:
    return CopyReport(p.total, p.done, p.copied, p.skipped, p.there)


@dataclass(frozen=True)
class CompareReport:
    """What two collections have in common; `differences` has a line for each that they have not."""

    files: int                  # in both, and equal
    only_here: int
    only_there: int
    different: int
    roots: int                  # that only one of them knows
    texts: int                  # contents of both in which not the same was read
    differences: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """There is no difference."""
        return not self.differences


@dataclass(frozen=True)
class Figure:
    """A figure of an evaluation: "R@1", its value, and the bounds that 95 of 100 samples lie in, where there are some."""

    title: str
    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class EvalReport:
    """The figures of an evaluation, by name, and what they were measured on."""

    pictures: int
    texts: int
    skipped: int                # pictures that could not be read, left out with their texts
    figures: dict[str, Figure]  # by key: "recall_at_1"; docs/eval.md has their formulas
