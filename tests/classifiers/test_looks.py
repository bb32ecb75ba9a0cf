"""PDQ against the published reference, and what a perceptual hash must shrug off."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifiers.hashes import DIHEDRAL, hamming, md5, pdq, pdq_dihedral, sha256
from classifiers.scenes import draw


def test_pdq_is_within_ten_bits_of_the_published_hashes(shared: Path) -> None:
    with (shared / "data" / "pdq" / "reference.csv").open() as file:
        rows = list(csv.DictReader(file))

    for row in rows:
        with Image.open(shared / "data" / "pdq" / row["file"]) as image:
            found, quality = pdq(image)
        assert hamming(found, bytes.fromhex(row["hash"])) <= 10, row["file"]
        assert quality == int(row["quality"])
    assert rows


def test_the_hash_survives_shrinking_and_a_little_noise() -> None:
    image = draw(11, size=900, hardness=0.3).image
    noise = np.random.default_rng(0).normal(0, 4, (300, 300, 3))
    copy = Image.fromarray(np.clip(np.asarray(image.resize((300, 300))) + noise, 0, 255).astype(np.uint8))

    assert hamming(pdq(image)[0], pdq(copy)[0]) <= 31


def test_copies_of_photos_at_half_the_size_are_close_and_other_photos_far(shared: Path) -> None:
    pictures = [Image.open(path).convert("RGB") for path in sorted((shared / "data" / "photos").glob("*.jpg"))[:60]]
    found = [pdq(picture)[0] for picture in pictures]
    copies = [pdq(picture.resize((picture.width // 2, picture.height // 2)))[0] for picture in pictures]

    assert max(map(hamming, found, copies)) <= 24
    assert min(hamming(a, b) for i, a in enumerate(found) for b in found[:i]) > 62


def test_two_scenes_are_far_apart() -> None:
    assert hamming(pdq(draw(1, size=256).image)[0], pdq(draw(2, size=256).image)[0]) > 60


def test_large_pictures_hash_as_their_smaller_selves() -> None:
    image = draw(12, size=512, hardness=0.2).image
    large = image.resize((3000, 3000), Image.Resampling.BICUBIC)

    assert hamming(pdq(image)[0], pdq(large)[0]) <= 10


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK", "1"])
def test_every_mode_is_taken(mode: str) -> None:
    found, quality = pdq(draw(3, size=128).image.convert(mode))

    assert len(found) == 32
    assert 0 <= quality <= 100


@pytest.mark.parametrize("size", [(1, 1), (4, 900), (900, 4)])
def test_pictures_too_small_to_hash_get_the_zero_hash_with_quality_0(size: tuple[int, int]) -> None:
    assert pdq(Image.new("RGB", size)) == (bytes(32), 0)


def test_a_plain_picture_has_quality_0() -> None:
    assert pdq(Image.new("RGB", (200, 100), (90, 90, 90)))[1] == 0


@pytest.mark.parametrize("size", [(5, 5), (64, 2000), (1025, 63)])
def test_odd_shapes_hash(size: tuple[int, int]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)

    assert len(pdq(Image.fromarray(pixels))[0]) == 32


@pytest.mark.parametrize("way", range(len(DIHEDRAL)), ids=DIHEDRAL)
def test_one_transform_gives_the_hashes_of_all_eight_ways_to_lay_a_picture_down(way: int) -> None:
    turns = Image.Transpose
    image = draw(11, size=640, hardness=0.3).image.resize((640, 480))
    laid = {
        "rotated 90": turns.ROTATE_90,
        "rotated 180": turns.ROTATE_180,
        "rotated 270": turns.ROTATE_270,
        "flipped left-right": turns.FLIP_LEFT_RIGHT,
        "flipped top-bottom": turns.FLIP_TOP_BOTTOM,
        "transposed": turns.TRANSPOSE,
        "transversed": turns.TRANSVERSE,
    }.get(DIHEDRAL[way])

    hashes, quality = pdq_dihedral(image)

    assert (hashes[0], quality) == pdq(image)
    assert hamming(hashes[way], pdq(image.transpose(laid) if laid is not None else image)[0]) <= 12
    assert all(hamming(hashes[way], other) > 60 for i, other in enumerate(hashes) if i != way)


def test_pictures_too_small_to_hash_are_so_in_every_way() -> None:
    assert pdq_dihedral(Image.new("RGB", (4, 4))) == ((bytes(32),) * 8, 0)


def test_hamming_counts_bits() -> None:
    assert hamming(b"\x00\xff", b"\x01\x0f") == 5
    with pytest.raises(ValueError, match="cannot be compared"):
        hamming(b"\x00", b"\x00\x00")


def test_sha256_is_the_usual_digest() -> None:
    assert sha256(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_md5_is_the_usual_digest() -> None:
    assert md5(b"abc") == "900150983cd24fb0d6963f7d28e17f72"
