"""Image files that say where they come from, made as the writers of such files make them."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import ExifTags, Image, PngImagePlugin

A1111 = (
    "a lighthouse at dusk, (oil painting:1.2) <lora:brush:0.7>\n"
    "Negative prompt: blurry, watermark\n"
    "Steps: 28, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1234567, Size: 832x1216, "
    'Model hash: 31e35c80fc, Model: sd_xl_base_1.0, Lora hashes: "brush: abc, x: def", Version: v1.10.1'
)

XMP_HEAD = (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""'
    ' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    ' xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"'
    ' xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    ' xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/"'
    ' xmlns:dcterms="http://purl.org/dc/terms/">'
)
XMP_TAIL = '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
SOURCE = "http://cv.iptc.org/newscodes/digitalsourcetype/"


def picture(size: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(5).integers(0, 255, (size, size, 3), dtype=np.uint8))


def saved(kind: str, *, size: int = 64, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture(size).save(buffer, kind, **options)
    return buffer.getvalue()


def png(texts: Mapping[str, str] | None = None, *, compressed: bool = False, **options: Any) -> bytes:
    info = PngImagePlugin.PngInfo()
    for key, text in (texts or {}).items():
        info.add_text(key, text, zip=compressed)
    return saved("PNG", pnginfo=info, **options)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(kind: bytes, body: bytes) -> bytes:
    """A PNG with one more chunk, behind its header."""
    plain = png()
    return plain[:33] + chunk(kind, body) + plain[33:]


def bomb(megabytes: int) -> bytes:
    """A PNG of some kilobytes whose text inflates to very much."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(2**20)) for _part in range(megabytes)) + packer.flush()
    return with_chunk(b"zTXt", b"parameters\0\0" + packed)


def exif(*, comment: str = "", gps: bool = False, codec: str = "utf-16-be", **tags: Any) -> bytes:
    """As bytes for Pillow's `exif=`. `tags` are those of the first directory, by their names."""
    written = Image.Exif()
    for name, value in tags.items():
        written[ExifTags.Base[name].value] = value
    if comment:
        written.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.UserComment.value] = b"UNICODE\0" + comment.encode(codec)
    if gps:
        written.get_ifd(ExifTags.IFD.GPSInfo).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 36.0)})
    return written.tobytes()


def xmp(properties: str) -> bytes:
    return (XMP_HEAD + properties + XMP_TAIL).encode()
