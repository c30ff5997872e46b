"""Image files to grey pixels: one decoder for training and scoring, so that a model sees the same pixels in both."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "BMP", "GIF")
"""Only these decoders see a user's file. Pillow knows many more; each is code that a hostile file could reach."""

MAX_PIXELS = 25_000_000
"""A larger image is refused before it is decompressed. A small file can hold a picture of gigabytes."""


class ImageError(ValueError):
    """A file that cannot be used as an image; the message is the reason, without the file's name."""


@dataclass(frozen=True)
class Size:
    """Width and height in pixels."""

    width: int
    height: int

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


@dataclass(frozen=True)
class Failed:
    """A file that could not be decoded, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Decoded:
    """Files turned into pixels.

    Attributes:
        paths: the files that could be decoded, in the order given.
        pixels: uint8 [len(paths), height * width], 0 black, 255 white, row by row.
        failed: the other files.
    """

    paths: list[Path]
    pixels: NDArray[np.uint8]
    failed: list[Failed]


def read_gray(path: Path | BinaryIO) -> Image.Image:
    """Read a file, or the bytes of one, as an 8-bit grey image (mode L).

    Colours become luminance (ITU-R 601), transparent pixels black, 16-bit values lose their lower byte; of an animation
    the first frame counts.

    Raises:
        ImageError: the file cannot be read, is not of one of `FORMATS`, is damaged, or has over `MAX_PIXELS` pixels.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ImageError(f"{image.width}x{image.height} pixels; at most {MAX_PIXELS:,} pixels are decoded")
            image.load()
            return _gray(image)
    except ImageError:
        raise
    except UnidentifiedImageError:
        raise ImageError(_why_not_identified(path)) from None
    except Image.DecompressionBombError:
        raise ImageError(f"far too many pixels; at most {MAX_PIXELS:,} are decoded") from None
    except Exception as error:  # decoders raise many kinds (OSError, SyntaxError, struct.error, ...) for damaged files
        raise ImageError(_one_line(error, path)) from None


def decode(paths: Sequence[Path], size: Size) -> Decoded:
    """Decode files to the pixels of a model; an image of another size is scaled to it (bilinear, proportions not kept).

    A file that cannot be decoded ends up in `failed`; it never stops the others.
    """
    pixels = np.empty((len(paths), size.height * size.width), dtype=np.uint8)
    good: list[Path] = []
    failed: list[Failed] = []
    for path in paths:
        try:
            image = read_gray(path)
        except ImageError as error:
            failed.append(Failed(path, str(error)))
            continue
        pixels[len(good)] = pixels_of(image, size)
        good.append(path)
    return Decoded(good, pixels[: len(good)], failed)


def pixels_of(image: Image.Image, size: Size) -> NDArray[np.uint8]:
    """The pixels of a grey image, scaled to a model's size: uint8 [height * width]."""
    wanted = (size.width, size.height)
    if image.size != wanted:
        image = image.resize(wanted, Image.Resampling.BILINEAR)
    return np.frombuffer(image.tobytes(), dtype=np.uint8)


def _gray(image: Image.Image) -> Image.Image:
    transparent = "transparency" in image.info or image.mode in ("RGBA", "LA", "PA")
    if image.mode == "L" and not transparent:
        return image
    if image.mode == "I" or image.mode.startswith("I;16"):  # 16-bit grey; Pillow's own conversion would clip at 255
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).clip(0, 255).astype(np.uint8))
    if transparent:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, (0, 0, 0, 255)), image)
    return image.convert("L")


def _why_not_identified(path: Path | BinaryIO) -> str:
    size = path.stat().st_size if isinstance(path, Path) else path.seek(0, io.SEEK_END)
    if size == 0:
        return "the file is empty"
    return f"not a {', '.join(FORMATS[:-1])} or {FORMATS[-1]} image"


def _one_line(error: Exception, path: Path | BinaryIO) -> str:
    """The reason without line breaks and without the folder, which means nothing to a reader on another machine."""
    if isinstance(error, OSError) and error.strerror:
        return f"cannot be read: {error.strerror}"
    text = str(error).replace(str(path), path.name if isinstance(path, Path) else "the image")
    text = " ".join(text.split())
    return f"damaged image: {text or type(error).__name__}"
