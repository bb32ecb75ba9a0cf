"""EXIF: the tags that say who and what made an image, read from its TIFF directories (TIFF 6.0, CIPA DC-008)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

TAGS: Final[Mapping[int, str]] = {
    0x010E: "ImageDescription",
    0x010F: "Make",
    0x0110: "Model",
    0x0131: "Software",
    0x013B: "Artist",
    0x927C: "MakerNote",
    0x9286: "UserComment",
    0x9C9C: "XPComment",
    0x9C9D: "XPAuthor",
    0xA430: "CameraOwnerName",
    0xA431: "BodySerialNumber",
    0xA435: "LensSerialNumber",
}
UTF16LE: Final = frozenset({"XPComment", "XPAuthor"})
EXIF_POINTER: Final = 0x8769
GPS_POINTER: Final = 0x8825
GPS_POSITION: Final = frozenset({2, 4, 7, 29})  # latitude, longitude, track, date: any of them places the image
THUMBNAIL: Final = 0x0201
SIZES: Final[Mapping[int, int]] = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 9: 4, 10: 8}
MAX_ENTRIES: Final = 500


@dataclass(slots=True)
class Exif:
    """`texts` by tag name. Of a position only that there is one; of a thumbnail too."""

    texts: dict[str, str] = field(default_factory=dict)
    gps: bool = False
    thumbnail: bool = False
    broken: bool = False


def read(data: bytes) -> Exif:
    """Never raises: what is cut off or points nowhere is left out, and `broken` says so."""
    found = Exif()
    if not data:
        return found
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(data[:4])
    if order is None:
        found.broken = True
        return found
    try:
        first = struct.unpack_from(order + "I", data, 4)[0]
        following, pointers = directory(data, first, order, found)
        if EXIF_POINTER in pointers:
            directory(data, pointers[EXIF_POINTER], order, found)
        if GPS_POINTER in pointers:
            found.gps = not GPS_POSITION.isdisjoint(tags(data, pointers[GPS_POINTER], order))
        if following:
            found.thumbnail = THUMBNAIL in tags(data, following, order)
    except (struct.error, IndexError):
        found.broken = True
    return found


def tags(data: bytes, start: int, order: str) -> list[int]:
    """Of one directory, in order; at most MAX_ENTRIES."""
    count = min(struct.unpack_from(order + "H", data, start)[0], MAX_ENTRIES)
    return [struct.unpack_from(order + "H", data, start + 2 + 12 * entry)[0] for entry in range(count)]


def directory(data: bytes, start: int, order: str, found: Exif) -> tuple[int, dict[int, int]]:
    """Read one directory's texts; returns where the next one is, and what its pointers point to, unfollowed: hostile
    directories name each other without end.
    """
    pointers: dict[int, int] = {}
    entry = start + 2
    for tag in tags(data, start, order):
        kind, length, target = struct.unpack_from(order + "HII", data, entry + 2)
        name = TAGS.get(tag, "")
        if tag in {EXIF_POINTER, GPS_POINTER}:
            pointers[tag] = target
        elif name and name not in found.texts:
            size = SIZES.get(kind, 0) * length
            place = entry + 8 if size <= 4 else target
            found.texts[name] = words(name, data[place : place + size], order)
        entry += 12
    return struct.unpack_from(order + "I", data, entry)[0] if len(data) >= entry + 4 else 0, pointers


def words(name: str, raw: bytes, order: str) -> str:
    if name == "UserComment":
        return comment(raw, order)
    if name in UTF16LE:
        return raw.decode("utf-16-le", "replace").rstrip("\0")
    raw = raw.split(b"\0", 1)[0]
    try:
        return raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        return raw.decode("latin-1").strip()


def comment(raw: bytes, order: str) -> str:
    """Eight bytes name its characters. UNICODE is UTF-16 in a byte order that writers do not agree on."""
    charset, body = raw[:8], raw[8:]
    if not charset.startswith(b"UNICODE"):
        return words("", raw if charset.strip(b"\0 ").isalpha() and charset[:5] != b"ASCII" else body, order)
    high, low = body[0::2].count(0), body[1::2].count(0)
    codec = "utf-16-be" if high > low or (high == low and order == ">") else "utf-16-le"
    return body[: len(body) // 2 * 2].decode(codec, "replace").rstrip("\0")
