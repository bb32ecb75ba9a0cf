"""What a file gives away about people. Only that it does: no position, name or number leaves this module."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from classifiers.provenance.exif import Exif

EXIF_SIGNALS: Final[Mapping[str, tuple[str, ...]]] = {
    "owner": ("CameraOwnerName",),
    "serial": ("BodySerialNumber", "LensSerialNumber"),
    "artist": ("Artist", "XPAuthor"),
}
XMP_SIGNALS: Final[Mapping[str, tuple[str, ...]]] = {
    "gps": ("exif:GPSLatitude", "exif:GPSLongitude"),
    "owner": ("exif:OwnerName", "exif:CameraOwnerName"),
    "serial": ("exif:SerialNumber", "exif:BodySerialNumber", "exif:LensSerialNumber"),
    "artist": ("tiff:Artist", "dc:creator"),
    "contact": ("iptc:CreatorContactInfo", "iptc:CiEmailWork", "iptc:CiTelWork", "iptc:CiAdrExtadr"),
    "thumbnail": ("xmp:Thumbnails",),
}
SIGNALS: Final = ("gps", "contact", "owner", "serial", "artist", "thumbnail")


def signals(exif: Exif, xmp: Mapping[str, str]) -> list[str]:
    """In the order of SIGNALS."""
    found = {"gps"} if exif.gps else set()
    if exif.thumbnail:
        found.add("thumbnail")
    for table, carried in ((EXIF_SIGNALS, exif.texts), (XMP_SIGNALS, xmp)):
        found |= {signal for signal, names in table.items() if any(carried.get(name) for name in names)}
    return [signal for signal in SIGNALS if signal in found]
