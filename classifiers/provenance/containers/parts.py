"""The parts that say where an image comes from, as raw bytes and texts."""

from __future__ import annotations

import binascii
import zlib
from dataclasses import dataclass, field
from typing import Final

MAX_PARTS: Final = 20_000
"""Segments, chunks or boxes that are walked; a real file of 20 MiB has some hundreds, or some thousands of PNG IDAT."""
MAX_TEXT: Final = 2**20
"""Bytes of one text, inflated. The workflow of a large ComfyUI graph has some hundred thousand."""
MAX_TEXTS: Final = 64
MAX_ALL_TEXTS: Final = 2 * 2**20
MAX_EXIF: Final = 2**20
MAX_XMP: Final = 2**18


@dataclass(slots=True)
class Parts:
    """`c2pa`: the manifest store's size in bytes; 0: there is none. `notes`: in codes, what was passed over."""

    media_type: str
    exif: bytes = b""
    xmp: bytes = b""
    texts: list[tuple[str, str]] = field(default_factory=list)
    c2pa: int = 0
    notes: list[str] = field(default_factory=list)
    inflated: int = 0

    def note(self, code: str) -> None:
        if code not in self.notes:
            self.notes.append(code)

    def add_exif(self, data: bytes) -> None:
        """The first one counts, as for every reader of such files."""
        if len(data) > MAX_EXIF:
            self.note("exif_too_large")
        elif not self.exif:
            self.exif = data.removeprefix(b"Exif\0\0")

    def add_xmp(self, data: bytes) -> None:
        if len(data) > MAX_XMP:
            self.note("xmp_too_large")
        elif not self.xmp:
            self.xmp = data

    def has_room(self, size: int) -> bool:
        """Whether one more text of this many bytes is read; when not, that is noted."""
        fits = size <= MAX_TEXT and len(self.texts) < MAX_TEXTS and self.inflated + size <= MAX_ALL_TEXTS
        if not fits:
            self.note("text_too_large")
        return fits

    def add_text(self, key: str, raw: bytes, *, compressed: bool = False) -> None:
        """`compressed` by zlib: inflated to MAX_TEXT at most, so that a bomb costs no more than an honest text."""
        if not self.has_room(len(raw)):
            return
        if compressed:
            inflated = inflate(raw)
            if inflated is None:
                self.note("text_broken")
                return
            raw = inflated
            self.inflated += len(raw)
            if not self.has_room(len(raw)):
                return
        if key.startswith("Raw profile type "):
            self.add_profile(key[17:].lower(), raw)
        elif key == "XML:com.adobe.xmp":
            self.add_xmp(raw)
        else:
            self.texts.append((key, text(raw)))

    def add_profile(self, kind: str, raw: bytes) -> None:
        """ImageMagick keeps EXIF and XMP as hexadecimal digits, below the kind and the length."""
        lines = raw.strip().split(b"\n", 2)
        try:
            data = binascii.unhexlify(b"".join(lines[-1].split()))
        except ValueError:
            self.note("text_broken")
            return
        if kind == "xmp":
            self.add_xmp(data)
        elif kind in {"exif", "app1"} and data.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
            self.add_xmp(data[29:])
        elif kind in {"exif", "app1"}:
            self.add_exif(data)


def inflate(data: bytes) -> bytes | None:
    """At most MAX_TEXT + 1 bytes; None when this is not zlib's."""
    try:
        return zlib.decompressobj().decompress(data, MAX_TEXT + 1)
    except zlib.error:
        return None


def text(raw: bytes) -> str:
    """UTF-8 where it is valid, whatever the container promises: many writers do not keep to Latin-1."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
