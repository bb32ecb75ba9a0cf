"""AVIF and HEIF: boxes of the ISO base media file format (ISO/IEC 14496-12), items of its `meta` box."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from classifiers.provenance.containers.parts import MAX_EXIF, MAX_PARTS, MAX_XMP, Parts

C2PA: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
XMP: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
WANTED: Final = frozenset({b"Exif", b"mime"})


def read(data: bytes, parts: Parts) -> None:
    for kind, start, end in boxes(data, 0, len(data), parts):
        if kind == b"uuid" and data[start : start + 16] == C2PA:
            parts.c2pa += end - start
        elif kind == b"uuid" and data[start : start + 16] == XMP:
            parts.add_xmp(data[start + 16 : min(end, start + 17 + MAX_XMP)])
        elif kind == b"meta":
            read_meta(data, start + 4, end, parts)


def boxes(data: bytes, start: int, end: int, parts: Parts) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each box's body."""
    for _part in range(MAX_PARTS):
        if start + 8 > end:
            return
        size, kind = struct.unpack_from(">I4s", data, start)
        body = start + 8
        if size == 1:
            size, body = struct.unpack_from(">Q", data, body)[0], body + 8
        elif size == 0:
            size = end - start
        if size < body - start:
            parts.note("broken")
            return
        yield kind, body, min(end, start + size)
        start += size
    parts.note("too_many_parts")


def read_meta(data: bytes, start: int, end: int, parts: Parts) -> None:
    wanted: dict[int, bytes] = {}
    places: dict[int, tuple[int, int]] = {}
    for kind, body, stop in boxes(data, start, end, parts):
        if kind == b"iinf":
            wanted = item_kinds(data, body, stop, parts)
        elif kind == b"iloc":
            places = item_places(data, body, stop)
    for item, kind in wanted.items():
        place, size = places.get(item, (0, 0))
        if kind == b"Exif" and size > 4:  # four bytes say where the TIFF header begins
            skip = 4 + int.from_bytes(data[place : place + 4])
            parts.add_exif(data[place + skip : place + min(size, skip + MAX_EXIF + 1)])
        elif kind == b"mime" and size:
            parts.add_xmp(data[place : place + min(size, MAX_XMP + 1)])


def item_kinds(data: bytes, start: int, end: int, parts: Parts) -> dict[int, bytes]:
    """Item id → Exif, or mime when its type is XMP's."""
    found = {}
    entries = start + (6 if data[start] == 0 else 8)
    for kind, body, stop in boxes(data, entries, end, parts):
        version = data[body]
        if kind != b"infe" or version < 2:
            continue
        item, after = (
            (struct.unpack_from(">H", data, body + 4)[0], body + 6)
            if version == 2
            else (struct.unpack_from(">I", data, body + 4)[0], body + 8)
        )
        item_kind = data[after + 2 : after + 6]
        if item_kind in WANTED and (item_kind != b"mime" or b"rdf+xml" in data[after + 6 : stop]):
            found[item] = item_kind
    return found


def item_places(data: bytes, start: int, end: int) -> dict[int, tuple[int, int]]:
    """Item id → offset in the file and length of its first extent, for items that lie in the file itself."""
    version = data[start]
    sizes = int.from_bytes(data[start + 4 : start + 6])
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    wide = 4 if version == 2 else 2
    count, at = number(data, start + 6, wide)
    found: dict[int, tuple[int, int]] = {}
    for _item in range(min(count, MAX_PARTS)):
        if at >= end:
            break
        item, at = number(data, at, wide)
        method, at = number(data, at, 2) if version else (0, at)
        base, at = number(data, at + 2, base_size)
        extents, at = number(data, at, 2)
        offset, after = number(data, at + index_size, offset_size)
        length, after = number(data, after, length_size)
        found[item] = (base + offset, length) if method & 15 == 0 else (0, 0)
        at += extents * (after - at)
    return found


def number(data: bytes, at: int, size: int) -> tuple[int, int]:
    return int.from_bytes(data[at : at + size]), at + size
