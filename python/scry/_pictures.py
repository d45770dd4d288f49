"""What may stand for a picture: a path, the bytes of a file, a PIL image, an array of pixels."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO, Callable, Union

import numpy as np

from . import _c, errors
from ._library import place

if TYPE_CHECKING:
    from PIL import Image

Picture = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, BinaryIO, np.ndarray, "Image.Image"]

_MOST = 1_000_000   # pixels of a side that C takes


def is_pil(picture: Any) -> bool:
    return hasattr(picture, "getexif") and hasattr(picture, "convert")


def is_pixels(picture: Any) -> bool:
    return isinstance(picture, np.ndarray) and (picture.ndim == 3 or (picture.ndim == 2 and picture.dtype.kind != "f"))


def is_single(pictures: Any) -> bool:
    """Whether it is one picture, not several: an array of pixels has two or three dimensions, one of pictures four."""
    return is_pil(pictures) or hasattr(pictures, "read") or isinstance(pictures, (str, os.PathLike, bytes, bytearray, memoryview)) \
        or (isinstance(pictures, np.ndarray) and pictures.dtype != object and pictures.ndim != 4)


def _from_pil(image: Any) -> np.ndarray:
    """Pixels as PIL's convert() makes them, apart from values over 255, which that makes white: of 16 bits the high byte is taken, as of
    files (docs/pictures.md); of others nobody knows what white is."""
    from PIL import ImageOps
    image = ImageOps.exif_transpose(image)
    if image.mode[:1] in "IF":
        values = np.asarray(image)
        if image.mode == "I" and values.size and 255 < values.max() < 65536 and values.min() >= 0:
            values = values.astype(np.uint16)
        if values.dtype.kind == "u":
            return _rgb((values >> 8).astype(np.uint8))
        if not ((values >= 0) & (values <= 255)).all():
            raise ValueError(f"values of mode {image.mode} are from 0 to 255: convert the image to 8 bits")
    return np.asarray(image.convert("RGB"))


def _read(file: Any) -> np.ndarray:
    data = file.read()
    if isinstance(data, str):
        raise ValueError('the file is open for text: open(..., "rb")')
    return np.frombuffer(data, np.uint8)


def _bytes(data: bytes | bytearray | memoryview) -> np.ndarray:
    view = memoryview(data)
    return np.frombuffer(view if view.c_contiguous else view.tobytes(), np.uint8)


def _rgb(pixels: np.ndarray) -> np.ndarray:
    """[h, w, 3] of bytes, each row without gaps; not copied where it is that already. Grey is [h, w]; a fourth channel is dropped."""
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.size == 0:
        raise errors.InvalidError(f"pixels are uint8 [height, width, 3], not {pixels.dtype} {list(pixels.shape)}")
    if max(pixels.shape[:2]) > _MOST:   # before it is copied, and before C would see other numbers
        raise errors.InvalidError(f"pixels have sides of at most {_MOST}, not {list(pixels.shape)}")
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, np.newaxis], 3, axis=2)
    if pixels.shape[2] not in (3, 4):
        raise errors.InvalidError(f"pixels have 3 channels, red, green and blue, not {pixels.shape[2]}")
    pixels = pixels[:, :, :3]
    rows = pixels.strides[2] == 1 and pixels.strides[1] == 3 and (abs(pixels.strides[0]) >= 3 * pixels.shape[1] or pixels.shape[0] == 1)
    return pixels if rows else np.ascontiguousarray(pixels)


class Batch:
    """Pictures of any kinds, sorted by the function of C that takes them. What PIL or an open file cannot read is a problem of that
    picture; what is no picture at all raises."""

    def __init__(self, pictures: list[Any]) -> None:
        self.paths: list[tuple[int, str]] = []
        self.encoded: list[tuple[int, np.ndarray]] = []
        self.pixels: list[tuple[int, np.ndarray]] = []
        self.problems: list[tuple[int, str]] = []
        for i, picture in enumerate(pictures):
            if isinstance(picture, (str, os.PathLike)):
                self.paths.append((i, place(picture)))
            elif is_pil(picture):
                self._convert(i, picture, _from_pil, self.pixels)
            elif isinstance(picture, np.ndarray):
                self.pixels.append((i, _rgb(picture)))
            elif isinstance(picture, (bytes, bytearray, memoryview)):
                self.encoded.append((i, _bytes(picture)))
            elif hasattr(picture, "read"):
                self._convert(i, picture, _read, self.encoded)
            else:
                raise errors.InvalidError(f"a picture is a path, bytes, a PIL image or an array of pixels, not {type(picture).__name__}")

    def _convert(self, i: int, picture: Any, convert: Callable[[Any], np.ndarray], to: list[tuple[int, np.ndarray]]) -> None:
        try:
            to.append((i, convert(picture)))
        except Exception as e:   # PIL has no kind of its own: OSError, ValueError, SyntaxError, DecompressionBombError
            self.problems.append((i, str(e) or type(e).__name__))

    def encoded_array(self) -> Any:
        array = (_c.scry_encoded * len(self.encoded))()
        for entry, (_, data) in zip(array, self.encoded):
            entry.data, entry.size = data.ctypes.data, data.size
        return array

    def rgb_array(self) -> Any:
        array = (_c.scry_rgb * len(self.pixels))()
        for entry, (_, pixels) in zip(array, self.pixels):
            entry.height, entry.width = pixels.shape[:2]
            entry.data, entry.stride = pixels.ctypes.data, pixels.strides[0] if entry.height > 1 else 0   # of one row NumPy's says nothing
        return array
