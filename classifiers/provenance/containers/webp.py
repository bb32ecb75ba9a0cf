"""WebP: the chunks of a RIFF file."""

from __future__ import annotations

import struct
from typing import Final

from classifiers.provenance.containers.parts import MAX_EXIF, MAX_PARTS, MAX_XMP, Parts

CHUNK: Final = struct.Struct("<4sI")


def read(data: bytes, parts: Parts) -> None:
    position, length = 12, len(data)
    for _part in range(MAX_PARTS):
        if position + 8 > length:
            return
        kind, size = CHUNK.unpack_from(data, position)
        body, position = position + 8, position + 8 + size + size % 2
        if kind == b"EXIF":
            parts.add_exif(data[body : body + min(size, MAX_EXIF + 1)])
        elif kind == b"XMP ":
            parts.add_xmp(data[body : body + min(size, MAX_XMP + 1)])
        elif kind == b"C2PA":
            parts.c2pa += size
    parts.note("too_many_parts")
