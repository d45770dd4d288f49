"""What may stand for a picture: a path, the bytes of a file, a PIL image, an array of pixels."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, BinaryIO, Union

import numpy as np

from . import _c, errors

if TYPE_CHECKING:
    from PIL import Image

Picture = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, BinaryIO, np.ndarray, "Image.Image"]


def is_pil(picture: Any) -> bool:
    return hasattr(picture, "getexif") and hasattr(picture, "convert")


def is_pixels(picture: Any) -> bool:
    return isinstance(picture, np.ndarray) and picture.ndim in (2, 3)


def _from_pil(image: Any) -> np.ndarray:
    from PIL import ImageOps
    return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def _rgb(pixels: np.ndarray) -> np.ndarray:
    """[h, w, 3] of bytes, each row without gaps; not copied where it is that already. Grey is [h, w]; a fourth channel is dropped."""
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or pixels.size == 0:
        raise errors.InvalidError(f"pixels are uint8 [height, width, 3], not {pixels.dtype} {list(pixels.shape)}")
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, np.newaxis], 3, axis=2)
    if pixels.shape[2] not in (3, 4):
        raise errors.InvalidError(f"pixels have 3 channels, red, green and blue, not {pixels.shape[2]}")
    pixels = pixels[:, :, :3]
    rows = pixels.strides[2] == 1 and pixels.strides[1] == 3 and abs(pixels.strides[0]) >= 3 * pixels.shape[1]
    return pixels if rows else np.ascontiguousarray(pixels)


class Batch:
    """Pictures of any kinds, sorted by the function of C that takes them."""

    def __init__(self, pictures: list[Any]) -> None:
        self.paths: list[tuple[int, str]] = []
        self.encoded: list[tuple[int, np.ndarray]] = []
        self.pixels: list[tuple[int, np.ndarray]] = []
        for i, picture in enumerate(pictures):
            if isinstance(picture, (str, os.PathLike)):
                self.paths.append((i, os.path.expanduser(os.fspath(picture))))
            elif is_pil(picture):
                self.pixels.append((i, _from_pil(picture)))
            elif isinstance(picture, np.ndarray):
                self.pixels.append((i, _rgb(picture)))
            elif isinstance(picture, (bytes, bytearray, memoryview)):
                self.encoded.append((i, np.frombuffer(picture, np.uint8)))
            elif hasattr(picture, "read"):
                self.encoded.append((i, np.frombuffer(picture.read(), np.uint8)))
            else:
                raise errors.InvalidError(f"a picture is a path, bytes, a PIL image or an array of pixels, not {type(picture).__name__}")

    def encoded_array(self) -> Any:
        array = (_c.scry_encoded * len(self.encoded))()
        for entry, (_, data) in zip(array, self.encoded):
            entry.data, entry.size = data.ctypes.data, data.size
        return array

    def rgb_array(self) -> Any:
        array = (_c.scry_rgb * len(self.pixels))()
        for entry, (_, pixels) in zip(array, self.pixels):
            entry.data, entry.stride = pixels.ctypes.data, pixels.strides[0]
            entry.height, entry.width = pixels.shape[:2]
        return array
