"""XMP: the properties that say who and what made an image. defusedxml parses: no DTD, no entities, nothing fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.etree.ElementTree import Element, ParseError  # types only; defusedxml parses

from defusedxml import DefusedXmlException
from defusedxml import ElementTree as Parser

SPACES: Final[Mapping[str, str]] = {
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "iptc",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "iptc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/exif/1.0/aux/": "exif",
    "http://cipa.jp/exif/1.0/": "exif",
    "http://ns.adobe.com/tiff/1.0/": "tiff",
}
WANTED: Final = frozenset(
    {
        "iptc:DigitalSourceType", "iptc:AISystemUsed", "iptc:AISystemVersionUsed", "iptc:AIPromptInformation",
        "iptc:CreatorContactInfo", "iptc:CiEmailWork", "iptc:CiTelWork", "iptc:CiAdrExtadr",
        "xmp:CreatorTool", "xmp:Thumbnails", "dc:creator", "dc:description", "dcterms:provenance", "photoshop:Credit",
        "exif:GPSLatitude", "exif:GPSLongitude", "exif:UserComment", "exif:OwnerName", "exif:SerialNumber",
        "exif:CameraOwnerName", "exif:BodySerialNumber", "exif:LensSerialNumber",
        "tiff:Artist", "tiff:Make", "tiff:Model", "tiff:Software",
    }
)  # fmt: skip
RESOURCE: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}resource"


class BadPacket(ValueError):
    """This packet cannot be read; the message is a code for `Parts.notes`."""


def read(packet: bytes) -> dict[str, str]:
    """The wanted properties, `prefix:Name` → text. Raises BadPacket: broken XML, or a DTD, which no XMP needs."""
    if not packet.strip(b"\0 \r\n\t"):
        return {}
    try:
        root = Parser.fromstring(packet.rstrip(b"\0 \r\n\t"), forbid_dtd=True)
    except DefusedXmlException as error:
        raise BadPacket("xmp_dtd") from error
    except (ParseError, ValueError, LookupError) as error:  # LookupError: an encoding nobody knows
        raise BadPacket("xmp_broken") from error
    found: dict[str, str] = {}
    for element in root.iter():
        name = short(element.tag)
        if name in WANTED and name not in found:
            found[name] = value(element)
        for key, content in element.attrib.items():
            if (name := short(key)) in WANTED:
                found.setdefault(name, content.strip())
    return found


def short(tag: object) -> str:
    space, _brace, name = str(tag).removeprefix("{").partition("}")
    return f"{SPACES[space]}:{name}" if space in SPACES else ""


def value(element: Element) -> str:
    """Its text, or its items' texts, or the address it refers to."""
    return " ".join(" ".join(element.itertext()).split()) or element.attrib.get(RESOURCE, "")
