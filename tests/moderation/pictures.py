"""Images for tests of the door: good ones of every kind, and bad ones."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image


def picture(width: int = 96, height: int = 64, *, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """Noise under a colour gradient: no two bytes alike, and each corner has a colour of its own."""
    noise = np.random.default_rng(seed).integers(0, 40, (height, width, 3))
    across, down = np.linspace(0, 200, width)[None, :, None], np.linspace(0, 200, height)[:, None, None]
    pixels = noise + np.concatenate([across + 0 * down, down + 0 * across, 0 * across + 0 * down], axis=2)
    return Image.fromarray(pixels.astype(np.uint8)).convert(mode)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def animation(frames: int, kind: str = "GIF") -> bytes:
    """Each frame differs, or the encoder would merge them."""
    pictures = [Image.new("RGB", (32, 32), (number % 256, 255 * (number % 2), 90)) for number in range(frames)]
    return encoded(pictures[0], kind, save_all=True, append_images=pictures[1:], duration=40)


def bomb(width: int = 30_000, height: int = 30_000) -> bytes:
    """A PNG of a few kilobytes whose header promises nine hundred million pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
