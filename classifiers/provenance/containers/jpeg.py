"""JPEG: the segments before the first scan."""

from __future__ import annotations

from typing import Final

from classifiers.provenance.containers.parts import MAX_PARTS, Parts

APP1: Final = 0xE1
APP11: Final = 0xEB
COMMENT: Final = 0xFE
XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"


def read(data: bytes, parts: Parts) -> None:
    position, boxes, is_c2pa = 2, 0, False
    for _part in range(MAX_PARTS):
        if position + 4 > len(data) or data[position] != 0xFF:
            parts.note("broken")
            break
        marker = data[position + 1]
        if marker in {0xD9, 0xDA}:  # end of image, start of scan
            break
        if marker in {0x01, 0xFF} or 0xD0 <= marker <= 0xD7:  # fill bytes, and markers without a body
            position += 1 if marker == 0xFF else 2
            continue
        size = int.from_bytes(data[position + 2 : position + 4])
        if marker in {APP1, COMMENT}:
            named(marker, data[position + 4 : position + 2 + size], parts)
        elif marker == APP11 and data[position + 4 : position + 6] == b"JP":
            boxes += size
            is_c2pa = is_c2pa or b"c2pa" in data[position + 12 : position + 80]
        position += 2 + max(size, 2)
    else:
        parts.note("too_many_parts")
    parts.c2pa = boxes if is_c2pa else 0


def named(marker: int, body: bytes, parts: Parts) -> None:
    if marker == COMMENT:
        parts.add_text("Comment", body)
    elif body.startswith(b"Exif\0\0"):
        parts.add_exif(body)
    elif body.startswith(XMP):
        parts.add_xmp(body[len(XMP) :])
