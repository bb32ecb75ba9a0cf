from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms

from moderation.images import MAX_FRAMES, UnacceptableImage, Verified, verify
from tests.moderation.pictures import animation, bomb, encoded, picture


def verified(data: bytes, *, max_bytes: int = 2**22, max_pixels: int = 10**7) -> Verified:
    return verify(data, max_bytes=max_bytes, max_pixels=max_pixels)


def refused(data: bytes, **limits: int) -> str:
    with pytest.raises(UnacceptableImage) as caught:
        verified(data, **limits)
    assert str(caught.value)
    return caught.value.code


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def difference(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


KINDS = {
    "image/jpeg": encoded(picture(), "JPEG", quality=92),
    "image/png": encoded(picture(), "PNG"),
    "image/webp": encoded(picture(), "WEBP", quality=90),
    "image/avif": encoded(picture(), "AVIF", quality=90),
    "image/gif": encoded(picture(), "GIF"),
}


@pytest.mark.parametrize("media_type", KINDS)
def test_every_format_is_known_by_its_bytes(media_type: str) -> None:
    data = KINDS[media_type]

    result = verified(data)

    assert result.media_type == media_type
    assert (result.width, result.height, result.frames, result.byte_size) == (96, 64, 1, len(data))
    assert result.sha256 == hashlib.sha256(data).hexdigest()
    working = opened(result.working)
    assert (working.format, working.mode, working.size) == ("JPEG", "RGB", (96, 64))
    assert difference(working, picture()) < 16


@pytest.mark.parametrize("media_type", KINDS)
@pytest.mark.parametrize("share", [0.05, 0.5, 0.9, 0.99])
def test_one_cut_short_anywhere_is_refused(media_type: str, share: float) -> None:
    data = KINDS[media_type]

    assert refused(data[: int(len(data) * share)]) in {"truncated", "not_an_image"}


def test_a_large_jpeg_is_read_to_its_end_although_it_is_scaled_while_decoding() -> None:
    data = encoded(picture(2600, 1800), "JPEG", quality=80)

    assert opened(verified(data).working).size == (1024, 709)
    assert refused(data[:-2]) == "truncated"
    assert refused(data[: len(data) // 2]) == "truncated"


def test_a_png_without_its_end_is_refused() -> None:
    assert refused(KINDS["image/png"][:-12]) == "truncated"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"This is no image, whatever its name says.\n" * 50, "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (encoded(picture(), "BMP"), "not_an_image"),
        (encoded(picture(), "TIFF"), "not_an_image"),
        (encoded(picture(1, 1), "PNG"), "too_small"),
        (encoded(picture(1, 1), "GIF"), "too_small"),
        (encoded(picture(2000, 20), "PNG"), "too_narrow"),
        (bomb(), "too_many_pixels"),
        (animation(200), "too_many_frames"),
        (animation(MAX_FRAMES + 1, "WEBP"), "too_many_frames"),
        (animation(MAX_FRAMES + 1, "PNG"), "too_many_frames"),
        (KINDS["image/jpeg"][:-2] + b"\xff\xda" * 200 + b"\xff\xd9", "too_many_scans"),
    ],
)
def test_what_nobody_could_judge_is_refused_with_the_reason(data: bytes, code: str) -> None:
    assert refused(data) == code


@pytest.mark.parametrize("media_type", KINDS)
def test_the_limits_are_kept(media_type: str) -> None:
    data = KINDS[media_type]

    assert refused(data, max_bytes=len(data) - 1) == "too_many_bytes"
    assert refused(data, max_pixels=96 * 64 - 1) == "too_many_pixels"
    assert verified(data, max_bytes=len(data), max_pixels=96 * 64).width == 96


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_of_a_short_animation_the_first_frame_is_judged(kind: str) -> None:
    result = verified(animation(5, kind))

    assert result.frames == 5
    assert difference(opened(result.working), Image.new("RGB", (32, 32), (0, 0, 90))) < 4


def test_an_animation_cut_short_behind_its_first_frame_is_refused() -> None:
    assert refused(animation(5)[:-20]) == "truncated"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = {6: Image.Transpose.ROTATE_270, 8: Image.Transpose.ROTATE_90, 3: Image.Transpose.ROTATE_180}
    turned |= {2: Image.Transpose.FLIP_LEFT_RIGHT, 4: Image.Transpose.FLIP_TOP_BOTTOM}
    turned |= {5: Image.Transpose.TRANSPOSE, 7: Image.Transpose.TRANSVERSE}
    source = picture(200, 201)
    expected = source.transpose(turned[orientation]) if orientation > 1 else source

    result = verified(encoded(source, kind, exif=exif, quality=95))

    assert (result.width, result.height) == expected.size
    assert difference(opened(result.working), expected) < 12


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_a_broken_exif_does_not_matter() -> None:
    data = encoded(picture(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")

    assert verified(data).width == 96


def test_derivatives_carry_no_metadata() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    data = encoded(picture(), "JPEG", exif=exif, comment=b"secret", icc_profile=srgb())

    result = verified(data)

    for derivative in (result.working, result.blurred):
        assert b"Exif" not in derivative
        assert b"secret" not in derivative
        assert b"ICC_PROFILE" not in derivative


@pytest.mark.parametrize(
    "data",
    [
        encoded(picture(mode="CMYK"), "JPEG", quality=95),
        encoded(picture(mode="L"), "JPEG", quality=95),
        encoded(picture(mode="L"), "PNG"),
        encoded(picture(mode="1"), "PNG"),
        encoded(picture(mode="P"), "PNG"),
        encoded(picture(mode="P"), "GIF"),
        encoded(picture(mode="LA"), "PNG"),
        encoded(picture(mode="RGBA"), "PNG"),
        encoded(picture(mode="RGBA"), "WEBP", lossless=True),
        encoded(picture(mode="RGBA"), "AVIF", quality=95),
        encoded(Image.fromarray(np.asarray(picture(mode="L")).astype(np.uint16) * 257), "PNG"),
    ],
)
def test_every_kind_of_pixel_is_shown_as_it_looks(data: bytes) -> None:
    expected = picture(mode="L")

    working = opened(verified(data).working)

    assert working.mode == "RGB"
    small = (12, 8)  # so that dithering does not count
    assert (
        difference(
            working.convert("L").resize(small, Image.Resampling.BOX), expected.resize(small, Image.Resampling.BOX)
        )
        < 14
    )


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "AVIF"])
def test_what_is_transparent_lies_on_neutral_grey(kind: str) -> None:
    clear = Image.new("RGBA", (64, 64), (255, 0, 0, 0))

    assert difference(opened(verified(encoded(clear, kind)).working), Image.new("RGB", (64, 64), (128, 128, 128))) < 3


def test_a_transparent_palette_lies_on_neutral_grey() -> None:
    clear = Image.new("P", (64, 64), 1)
    clear.putpalette([0, 255, 0, 255, 0, 0])

    data = encoded(clear, "PNG", transparency=1)

    assert difference(opened(verified(data).working), Image.new("RGB", (64, 64), (128, 128, 128))) < 3


def srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_colours_are_converted_to_srgb() -> None:
    """In this profile what an image stores as red is meant as blue."""
    profile = bytearray(srgb())
    red, blue = profile.index(b"rXYZ"), profile.index(b"bXYZ")
    profile[red : red + 4], profile[blue : blue + 4] = b"bXYZ", b"rXYZ"
    data = encoded(
        Image.new("RGB", (64, 64), (255, 0, 0)),
        "PNG",
        icc_profile=bytes(profile).replace(b"s\0R\0G\0B", b"o\0d\0d\0!").replace(b"sRGB", b"oddy"),
    )

    red_mean, _green, blue_mean = np.asarray(opened(verified(data).working)).mean(axis=(0, 1))

    assert blue_mean > 200
    assert red_mean < 60


def test_a_profile_that_makes_no_sense_is_passed_over() -> None:
    data = encoded(picture(), "PNG", icc_profile=b"not a profile")

    assert difference(opened(verified(data).working), picture()) < 16


def test_the_blurred_derivative_is_small_grey_and_tells_nothing() -> None:
    """Letters a fifth of the image high are gone: no more contrast is left than between two shades of grey."""
    stripes = np.zeros((1000, 1000), dtype=np.uint8)
    stripes[:, (np.arange(1000) // 50) % 2 == 0] = 255

    blurred = opened(verified(encoded(Image.fromarray(stripes), "PNG")).blurred)

    assert blurred.mode == "L"
    assert max(blurred.size) <= 96
    inner = np.asarray(blurred)[20:-20, 20:-20].astype(float)
    assert inner.max() - inner.min() < 10


def test_a_huge_image_is_scaled_in_proportion() -> None:
    result = verified(encoded(picture(3000, 1500), "PNG", compress_level=1), max_bytes=2**25)

    assert (result.width, result.height) == (3000, 1500)
    assert opened(result.working).size == (1024, 512)
    assert opened(result.blurred).size == (96, 48)


MUTATIONS: dict[str, Callable[[bytes, int, int], bytes]] = {
    "one byte changed": lambda data, at, value: data[:at] + bytes([value]) + data[at + 1 :],
    "cut off": lambda data, at, _value: data[:at],
    "a piece left out": lambda data, at, value: data[:at] + data[at + value :],
    "a piece put in": lambda data, at, value: data[:at] + bytes([value]) * value + data[at:],
}


@given(
    media_type=st.sampled_from(sorted(KINDS)),
    mutation=st.sampled_from(sorted(MUTATIONS)),
    where=st.floats(0, 1),
    value=st.integers(0, 255),
)
def test_hostile_bytes_are_taken_or_refused_and_nothing_else(
    media_type: str, mutation: str, where: float, value: int
) -> None:
    data = KINDS[media_type]
    mutated = MUTATIONS[mutation](data, int(where * (len(data) - 1)), value)

    outcome: Any
    try:
        outcome = verified(mutated)
    except UnacceptableImage as error:
        outcome = error

    assert isinstance(outcome, Verified | UnacceptableImage)
