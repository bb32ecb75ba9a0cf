"""Pictures to tensors, as a card's ``[input]`` says."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from classifiers.base import FloatArray, ImageInput
from classifiers.shapes import InputSpec


def tensor(images: Sequence[ImageInput], spec: InputSpec) -> FloatArray:
    """float32 [N, 3, S, S], or [N, S, S, 3] where the layout is NHWC."""
    pixels = np.empty((len(images), spec.size, spec.size, 3), dtype=np.uint8)
    for row, item in zip(pixels, images, strict=True):
        row[...] = np.asarray(_square(item.image, spec))
    # (x * scale - mean) / std as one multiplication and one addition a channel.
    std = np.array(spec.std)
    gain = np.asarray(spec.scale / std, dtype=np.float32)
    offset = np.asarray(np.array(spec.mean) / std, dtype=np.float32)
    values = pixels.astype(np.float32)
    values *= gain
    values -= offset
    return values if spec.layout == "NHWC" else np.ascontiguousarray(values.transpose(0, 3, 1, 2))


def _square(image: Image.Image, spec: InputSpec) -> Image.Image:
    if image.mode != "RGB":
        image = image.convert("RGB")
    filter_ = Image.Resampling[spec.interpolation.upper()]
    size, (width, height) = spec.size, image.size
    if spec.resize == "crop":
        side = min(width, height) * spec.keep
        left, top = (width - side) / 2, (height - side) / 2
        return image.resize((size, size), filter_, box=(left, top, left + side, top + side), reducing_gap=3.0)
    if spec.resize == "pad":
        factor = size / max(width, height)
        inner = (max(1, round(width * factor)), max(1, round(height * factor)))
        canvas = Image.new("RGB", (size, size))
        canvas.paste(image.resize(inner, filter_, reducing_gap=3.0), ((size - inner[0]) // 2, (size - inner[1]) // 2))
        return canvas
    # A gap of 3 lets Pillow halve large pictures by cheap box means first; the difference is under a grey level.
    return image.resize((size, size), filter_, reducing_gap=3.0)
