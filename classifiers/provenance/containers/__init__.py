"""What an image file carries beside its pixels, found by its headers alone: nothing is decoded, all sizes bounded."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from typing import Final

from classifiers.provenance.containers import gif, isobmff, jpeg, png, webp
from classifiers.provenance.containers.parts import Parts

READERS: Final[Mapping[str, Callable[[bytes, Parts], None]]] = {
    "image/jpeg": jpeg.read,
    "image/png": png.read,
    "image/webp": webp.read,
    "image/avif": isobmff.read,
    "image/heif": isobmff.read,
    "image/gif": gif.read,
}


def scan(data: bytes) -> Parts:
    """Never raises, whatever the bytes are: what cannot be read is noted in `Parts.notes`."""
    parts = Parts(media_type(data))
    reader = READERS.get(parts.media_type)
    if reader is not None:
        try:
            reader(data, parts)
        except (struct.error, IndexError, ValueError):
            parts.note("broken")
    return parts


def media_type(data: bytes) -> str:
    """By the first bytes; empty for what is none of the house's formats."""
    head = data[:16]
    if head.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    if head[4:8] == b"ftyp":
        return "image/avif" if head[8:12] in {b"avif", b"avis"} else "image/heif"
    return "image/gif" if head[:6] in {b"GIF87a", b"GIF89a"} else ""
