"""GIF: comment, XMP and C2PA extensions. They are searched for, not walked to: an animation has very many blocks."""

from __future__ import annotations

from typing import Final

from classifiers.provenance.containers.parts import MAX_TEXTS, MAX_XMP, Parts

COMMENT: Final = b"\x21\xfe"
XMP: Final = b"\x21\xff\x0bXMP DataXMP"
XMP_END: Final = b"\x01\xff\xfe"  # where the packet's magic trailer begins
C2PA: Final = b"\x21\xff\x0bC2PA_GIF"


def read(data: bytes, parts: Parts) -> None:
    start = data.find(XMP)
    if start >= 0:
        start += len(XMP)
        end = data.find(XMP_END, start, start + MAX_XMP + 1)
        parts.add_xmp(data[start : end if end >= 0 else start + MAX_XMP + 1])
    start = data.find(C2PA)
    if start >= 0:
        parts.c2pa = sum(map(len, blocks(data, start + 14, most=2**17)))
    start = data.find(COMMENT, 0, 4096)  # before the pixels, in which these two bytes may stand by chance
    if start >= 0:
        parts.add_text("Comment", b"".join(blocks(data, start + 2, most=MAX_TEXTS)))


def blocks(data: bytes, position: int, *, most: int) -> list[bytes]:
    """The sub-blocks from here to the empty one that ends them."""
    found: list[bytes] = []
    while len(found) < most and position < len(data) and data[position]:
        size = data[position]
        found.append(data[position + 1 : position + 1 + size])
        position += 1 + size
    return found
