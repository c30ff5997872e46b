"""Decoding: the same pixels from every kind of image file, and a reason for every file that is none."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from image_scoring.images import MAX_PIXELS, ImageError, Size, decode, read_gray
from PIL import Image

GRADIENT = (np.arange(64, dtype=np.uint8) * 4).reshape(8, 8)
SIZE = Size(8, 8)


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that says it holds `width` x `height` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def written(folder: Path, name: str, image: Image.Image, **options: Any) -> Path:
    image.save(folder / name, **options)
    return folder / name


def test_every_kind_of_grey_image_gives_the_same_pixels(tmp_path: Path) -> None:
    gray = Image.fromarray(GRADIENT)
    files = [
        written(tmp_path, "gray.png", gray),
        written(tmp_path, "rgb.png", gray.convert("RGB")),
        written(tmp_path, "opaque.png", gray.convert("RGBA")),
        written(tmp_path, "palette.png", gray.convert("P")),
        written(tmp_path, "deep.png", Image.fromarray(GRADIENT.astype(np.uint16) * 257)),
        written(tmp_path, "gray.bmp", gray),
        written(tmp_path, "gray.gif", gray),
    ]
    result = decode(files, SIZE)
    assert result.paths == files
    assert not result.failed
    for path, pixels in zip(files, result.pixels, strict=True):
        assert (pixels == GRADIENT.ravel()).all(), path.name


def test_jpeg_is_close(tmp_path: Path) -> None:
    path = written(tmp_path, "gray.jpg", Image.fromarray(GRADIENT), quality=95)
    assert np.abs(decode([path], SIZE).pixels.astype(int) - GRADIENT.ravel()).max() < 12


def test_transparent_pixels_are_black(tmp_path: Path) -> None:
    image = Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    image.putpixel((3, 2), (255, 255, 255, 255))
    pixels = decode([written(tmp_path, "a.png", image)], SIZE).pixels.reshape(8, 8)
    assert pixels[2, 3] == 255
    assert pixels.sum() == 255


def test_other_sizes_are_scaled(tmp_path: Path) -> None:
    large = Image.fromarray(GRADIENT).resize((64, 64), Image.Resampling.NEAREST)
    pixels = decode([written(tmp_path, "large.png", large)], SIZE).pixels
    assert np.abs(pixels.astype(int) - GRADIENT.ravel()).max() <= 10


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b"hello", "not a PNG, JPEG, BMP or GIF image"),
        (b"%PDF-1.7", "not a PNG, JPEG, BMP or GIF image"),
        (bomb(5100, 5000), f"5100x5000 pixels; at most {MAX_PIXELS:,} pixels are decoded"),
        (bomb(60000, 60000), f"far too many pixels; at most {MAX_PIXELS:,} are decoded"),
        (bomb(100, 100), "damaged image: image file is truncated"),
    ],
)
def test_reasons(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(ImageError) as caught:
        read_gray(path)
    assert str(caught.value).startswith(reason)


def test_one_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    good = written(tmp_path, "good.png", Image.fromarray(GRADIENT))
    cut = tmp_path / "cut.png"
    cut.write_bytes(good.read_bytes()[:50])
    result = decode([cut, good, tmp_path / "missing.png", good], SIZE)
    assert result.paths == [good, good]
    assert (result.pixels == GRADIENT.ravel()).all()
    assert [item.path.name for item in result.failed] == ["cut.png", "missing.png"]
    assert result.failed[1].reason == "cannot be read: No such file or directory"
    assert str(tmp_path) not in result.failed[0].reason
