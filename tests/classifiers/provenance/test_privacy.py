"""What a file gives away about people: told that it does, never what."""

from __future__ import annotations

import json

import pytest

from tests.classifiers.provenance import files
from tests.classifiers.provenance.conftest import Inspect


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_position_is_told_without_its_coordinates(inspect: Inspect, kind: str) -> None:
    shown, probabilities = inspect(files.saved(kind, exif=files.exif(gps=True)))
    assert shown == {"privacy": ["gps"]}
    assert probabilities["PRIVACY"] == pytest.approx(0.4)


def test_names_and_numbers_in_exif_are_told_but_not_kept(inspect: Inspect) -> None:
    written = files.exif(Artist="Rosa Beispiel", Make="Canon", Model="EOS R5")
    shown, probabilities = inspect(files.saved("JPEG", exif=written))
    assert shown == {"privacy": ["artist"], "camera": "Canon EOS R5"}
    assert "Rosa" not in json.dumps(shown)
    assert probabilities["PRIVACY"] == pytest.approx(0.05)


def test_contacts_and_positions_in_xmp_are_told(inspect: Inspect) -> None:
    packet = files.xmp(
        "<exif:GPSLatitude>52,31.2N</exif:GPSLatitude>"
        "<Iptc4xmpCore:CreatorContactInfo rdf:parseType='Resource'>"
        "<Iptc4xmpCore:CiEmailWork>rosa@example.org</Iptc4xmpCore:CiEmailWork></Iptc4xmpCore:CreatorContactInfo>"
    )
    shown, probabilities = inspect(files.saved("WEBP", xmp=packet))
    assert shown == {"privacy": ["gps", "contact"]}
    assert probabilities["PRIVACY"] == pytest.approx(0.4)


def test_exif_that_imagemagick_wrote_as_digits_is_read(inspect: Inspect) -> None:
    raw = files.exif(gps=True)
    digits = raw.hex()
    profile = f"\nexif\n{len(raw):8d}\n" + "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72)) + "\n"
    shown, _probabilities = inspect(files.png({"Raw profile type exif": profile}, compressed=True))
    assert shown["privacy"] == ["gps"]
