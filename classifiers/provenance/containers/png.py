"""PNG: text, EXIF and C2PA chunks, wherever they stand."""

from __future__ import annotations

import struct
from typing import Final

from classifiers.provenance.containers.parts import MAX_EXIF, MAX_PARTS, MAX_TEXT, Parts

CHUNK: Final = struct.Struct(">I4s")
TEXTS: Final = frozenset({b"tEXt", b"zTXt", b"iTXt"})


def read(data: bytes, parts: Parts) -> None:
    position, length = 8, len(data)
    for _part in range(MAX_PARTS):
        if position + 8 > length:
            return
        size, kind = CHUNK.unpack_from(data, position)
        body, position = position + 8, position + 12 + size
        if kind in TEXTS:
            if size > MAX_TEXT:
                parts.note("text_too_large")
            else:
                read_text(kind, data[body : body + size], parts)
        elif kind == b"eXIf":
            parts.add_exif(data[body : body + min(size, MAX_EXIF + 1)])
        elif kind == b"caBX":
            parts.c2pa += size
        elif kind == b"IEND":
            return
    parts.note("too_many_parts")


def read_text(kind: bytes, body: bytes, parts: Parts) -> None:
    name, _nul, rest = body.partition(b"\0")
    key = name.decode("latin-1")
    if kind == b"tEXt":
        parts.add_text(key, rest)
    elif kind == b"zTXt":
        parts.add_text(key, rest[1:], compressed=True)
    else:  # iTXt: compressed or not, the method, a language, the translated keyword, the text
        _language, _nul, rest_ = rest[2:].partition(b"\0")
        _translated, _nul, value = rest_.partition(b"\0")
        parts.add_text(key, value, compressed=rest[:1] == b"\x01")
