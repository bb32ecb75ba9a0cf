"""Judging bytes at the door: is this one whole image, and what do later stages get to see of it?

The bytes are decoded once. From that one decode come the working derivative (what classifiers and people look at) and
the blurred grey one (what a reviewer sees before choosing to look).
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _
from PIL import ExifTags, Image, ImageCms, ImageFilter

FORMATS: Final = ("JPEG", "PNG", "WEBP", "AVIF", "GIF")
WORKING_SIDE: Final = 1024
# About nine blobs a side are left, too few for a face or a word; the browser scales them up smoothly.
BLURRED_SIDE: Final = 96
BLUR_RADIUS: Final = 5  # pixels, standard deviation
GREY: Final = (128, 128, 128)

MIN_SIDE: Final = 16  # pixels: below, there is nothing that anyone could judge
MAX_ASPECT: Final = 32  # beyond, the short side of the derivative is a smear
MAX_FRAMES: Final = 100
MAX_SCANS: Final = 100  # a progressive JPEG has about ten; each one costs a pass over all its pixels


class UnacceptableImage(Exception):
    """These bytes cannot be taken. `code` is for programs, the message tells the sender what to send instead."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Verified:
    """What is known of an image that was decoded to its end. Sizes in pixels, after EXIF orientation."""

    sha256: str
    media_type: str
    width: int
    height: int
    frames: int
    byte_size: int
    working: bytes
    """JPEG, RGB, at most 1024 px a side, no metadata."""
    blurred: bytes
    """JPEG, grey, at most 96 px a side, nothing in it to be recognised."""


def verify(data: bytes, *, max_bytes: int, max_pixels: int) -> Verified:
    """Decode once and derive, or raise UnacceptableImage. The content decides the format, whatever a header claims.

    Of an animation only the first frame is decoded.
    """
    if not data:
        raise UnacceptableImage("empty", _("The image is empty: no bytes arrived."))
    if len(data) > max_bytes:
        raise too_many_bytes(max_bytes)
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_many_pixels(max_pixels) from error
    except MemoryError:
        raise
    except Exception as error:  # hostile bytes make parsers fail in every way
        raise UnacceptableImage(
            "not_an_image",
            _("These bytes are no JPEG, PNG, WebP, AVIF or GIF image, or they are broken from the start."),
        ) from error
    with image:
        check_size(image, max_pixels)
        frames = count_frames(image, data)
        check_whole(image, data)
        width, height, picture = decode(image)
    return Verified(
        sha256=hashlib.sha256(data).hexdigest(),
        media_type=str(Image.MIME[image.format or ""]),
        width=width,
        height=height,
        frames=frames,
        byte_size=len(data),
        working=encoded(picture, quality=90, subsampling=0),
        blurred=encoded(blur(picture), quality=85),
    )


def too_many_bytes(limit: int) -> UnacceptableImage:
    megabytes = f"{limit / 2**20:g}"
    return UnacceptableImage("too_many_bytes", _("The image has more than %(limit)s MiB.") % {"limit": megabytes})


def too_many_pixels(limit: int) -> UnacceptableImage:
    millions = f"{limit / 1e6:g}"
    return UnacceptableImage(
        "too_many_pixels", _("The image has more than %(limit)s million pixels.") % {"limit": millions}
    )


def check_size(image: Image.Image, max_pixels: int) -> None:
    """By the header alone, before a pixel is decoded."""
    width, height = image.size
    if width * height > max_pixels:
        raise too_many_pixels(max_pixels)
    size = {"width": width, "height": height}
    if min(width, height) < MIN_SIDE:
        message = _("%(width)d × %(height)d pixels are too few to be judged; send at least %(least)d a side.")
        raise UnacceptableImage("too_small", message % {**size, "least": MIN_SIDE})
    if max(width, height) > MAX_ASPECT * min(width, height):
        message = _("%(width)d × %(height)d pixels are too narrow to be judged; send at most %(most)d to 1.")
        raise UnacceptableImage("too_narrow", message % {**size, "most": MAX_ASPECT})


def count_frames(image: Image.Image, data: bytes) -> int:
    """At most MAX_FRAMES. GIF says nowhere how many it has, so its blocks are walked, undecoded, as far as needed."""
    frames = gif_frames(data, stop_after=MAX_FRAMES) if image.format == "GIF" else int(getattr(image, "n_frames", 1))
    if frames > MAX_FRAMES:
        message = _("The animation has more than %(most)d frames; only its first would be judged. Send a still image.")
        raise UnacceptableImage("too_many_frames", message % {"most": MAX_FRAMES})
    return frames


def gif_frames(data: bytes, *, stop_after: int) -> int:
    """Frames of a GIF, counted until there are more than `stop_after`. Raises UnacceptableImage when one is cut off."""
    try:
        position = 13 + color_table_size(data[10])
        frames = 0
        while position < len(data) and data[position] != 0x3B:
            block = data[position]
            if block == 0x2C:  # an image: descriptor, its palette, the LZW code size, sub-blocks
                frames += 1
                position += 11 + color_table_size(data[position + 9])
            elif block == 0x21:  # an extension: label, sub-blocks
                position += 2
            else:  # decoders ignore stray bytes between blocks, so do we
                position += 1
                continue
            if frames > stop_after:
                return frames
            while length := data[position]:
                position += 1 + length
            position += 1
    except IndexError as error:
        raise truncated() from error
    return frames


def color_table_size(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def truncated() -> UnacceptableImage:
    return UnacceptableImage("truncated", _("The image is broken or cut short; send it again, whole."))


def check_whole(image: Image.Image, data: bytes) -> None:
    """What Pillow lets pass: a PNG without its end, and a JPEG made to be decoded a thousand times over."""
    if image.format == "PNG" and b"IEND" not in data:
        raise truncated()
    # In the image data itself 0xFF is always followed by 0 or a restart mark, so the marker cannot occur by chance.
    if image.format == "JPEG" and data.count(b"\xff\xda") > MAX_SCANS:
        raise UnacceptableImage(
            "too_many_scans", _("The JPEG has an absurd number of scans; save it again as a plain one.")
        )


def decode(image: Image.Image) -> tuple[int, int, Image.Image]:
    """Width and height of the whole image as meant to be seen, and an sRGB picture of it of at most WORKING_SIDE."""
    orientation = orientation_of(image)
    width, height = image.size
    target = fitted(width, height, WORKING_SIDE)
    # JPEG scales down by 2, 4 or 8 while decoding. Its entropy-coded data is still read to the last byte.
    image.draft(None, target)
    try:
        image.load()
        picture = plain(image)
        if picture.size != target:
            picture = picture.resize(target, Image.Resampling.HAMMING, reducing_gap=2.0)
        picture = in_srgb(flattened(picture), image.info.get("icc_profile"))
    except MemoryError:
        raise
    except Exception as error:  # hostile bytes make decoders fail in every way
        raise truncated() from error
    if orientation in TURNS:
        picture = picture.transpose(TURNS[orientation])
    return (height, width, picture) if orientation in SIDEWAYS else (width, height, picture)


TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


SIDEWAYS: Final = frozenset({5, 6, 7, 8})


def orientation_of(image: Image.Image) -> int:
    """How EXIF says to turn it, 1 to 8. Broken EXIF says nothing: browsers show such an image as it lies."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # noqa: BLE001 - it comes from the image, and may be anything
        return 1


def fitted(width: int, height: int, side: int) -> tuple[int, int]:
    """The size within a square of `side`, in proportion; never larger than it was."""
    scale = min(1.0, side / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def plain(image: Image.Image) -> Image.Image:
    """The same picture in a mode that can be resized well: L, RGB, CMYK, or RGBA when anything is transparent."""
    if image.mode.startswith("I;16"):  # 16-bit grey: the upper byte of each sample
        upper = image.tobytes()[0 if image.mode.endswith("B") else 1 :: 2]
        return Image.frombytes("L", image.size, upper)
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in {"L", "RGB", "CMYK"} else image.convert("RGB")


def flattened(image: Image.Image) -> Image.Image:
    """What is transparent lies on neutral grey: neither white nor black hides what is drawn in that colour."""
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGB", image.size, GREY)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as meant, since the derivative carries no profile. A profile that does not fit is passed over."""
    if profile and b"sRGB" not in profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            converted = None
        if converted is not None:
            return converted
    return image if image.mode == "RGB" else image.convert("RGB")


def blur(picture: Image.Image) -> Image.Image:
    """Where it is light and where dark, and no more. Grey, for colour upsets first."""
    small = picture.convert("L").resize(fitted(*picture.size, BLURRED_SIDE), Image.Resampling.BOX)
    return small.filter(ImageFilter.GaussianBlur(BLUR_RADIUS))


def encoded(picture: Image.Image, *, quality: int, **options: int) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=quality, **options)
    return buffer.getvalue()
