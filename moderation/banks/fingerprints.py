"""What is known of an image besides its picture: hashes, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Self

from django.utils.translation import gettext as _

QUALITY: Final = 50
"""Under it a PDQ hash says little (the published advice): such a match only asks a person to look."""
RADIUS: Final = 31
"""Bits of 256: the distance within which PDQ's authors call two images the same."""
LENGTHS: Final = {"pdq": 64, "sha256": 64, "md5": 32}
HEX: Final = re.compile(r"[0-9a-f]+")
LONGEST_LABEL: Final = 200


class UnfitHash(Exception):
    """This is no hash, or too little of one. The message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hashes of one image; at least one of them."""

    pdq: bytes = b""
    quality: int | None = None
    sha256: str = ""
    md5: str = ""
    label: str = ""

    @classmethod
    def of(cls, *, pdq: str = "", sha256: str = "", md5: str = "", quality: Any = None, label: str = "") -> Self:
        """From words, as lists and people give them. Raises UnfitHash."""
        hashes = {"pdq": pdq, "sha256": sha256, "md5": md5}
        checked = {kind: hash_of(value, kind) for kind, value in hashes.items() if value}
        if not checked:
            raise UnfitHash(_("There is no hash: give a PDQ, SHA-256 or MD5."))
        if "\0" in label:
            raise UnfitHash(_("The label holds a character that cannot be stored."))
        return cls(
            bytes.fromhex(checked.get("pdq", "")),
            quality_of(quality),
            checked.get("sha256", ""),
            checked.get("md5", ""),
            label.strip()[:LONGEST_LABEL],
        )


def hash_of(value: str, kind: str) -> str:
    """In lower case. Raises UnfitHash."""
    value = value.strip().lower()
    if len(value) != LENGTHS[kind]:
        raise UnfitHash(
            _("A hash of kind %(kind)s has %(wanted)d hexadecimal digits, this one has %(length)d.")
            % {"kind": kind, "wanted": LENGTHS[kind], "length": len(value)}
        )
    if not HEX.fullmatch(value):
        raise UnfitHash(_("A hash of kind %(kind)s is written in the digits 0–9 and a–f.") % {"kind": kind})
    return value


def kind_of(value: str) -> str:
    """What a bare hash must be, by its length. 64 digits are taken for PDQ, the hash of images; "" fits none."""
    return {64: "pdq", 32: "md5"}.get(len(value.strip()), "")


def quality_of(value: Any) -> int | None:
    if value is None or value == "":
        return None
    try:
        quality = int(value)
    except (TypeError, ValueError):
        raise UnfitHash(_("A quality is a whole number from 0 to 100.")) from None
    if not 0 <= quality <= 100:
        raise UnfitHash(_("A quality is a whole number from 0 to 100."))
    return quality
