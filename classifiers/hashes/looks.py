"""PDQ: a fingerprint of looks.

After Meta's "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (ThreatExchange, 2019):
luminance, a tent filter made of two passes of a box filter in each direction, 64 x 64 samples, the 16 x 16 lowest
frequencies of its DCT without the constant, one bit each: above the median or not.
"""

import math
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HASH_BITS = 256
_SIDE = 64
_FREQUENCIES = 16
_MIN_PIXELS = 5
_FULL_PIXELS = 1024
_FEW_PIXELS = 256
DIHEDRAL: Final = (
    "original",
    "rotated 90",
    "rotated 180",
    "rotated 270",
    "flipped left-right",
    "flipped top-bottom",
    "transposed",
    "transversed",
)
"""The eight ways to lay a picture down; turns are anticlockwise, as Pillow's."""


def pdq(image: Image.Image) -> tuple[bytes, int]:
    """PDQ hash (32 bytes, most significant bit first) and quality 0-100 of ``image``.

    Under 50 the picture has too little structure for its hash to mean much. Pictures of fewer than five pixels a side
    get the zero hash with quality 0, as in the published code.
    """
    if min(image.size) < _MIN_PIXELS:
        return bytes(HASH_BITS // 8), 0
    buffer = _samples(image)
    return _bits(_spectrum(buffer)), _quality(buffer)


def pdq_dihedral(image: Image.Image) -> tuple[tuple[bytes, ...], int]:
    """PDQ hashes of the picture in each way of ``DIHEDRAL``, the picture itself first, and its quality.

    Turning a picture transposes its spectrum and changes signs of odd frequencies, so that one transform serves all;
    a hash differs from that of the turned pixels by a few bits, because the samples lie not quite in the middle.
    """
    if min(image.size) < _MIN_PIXELS:
        return (bytes(HASH_BITS // 8),) * len(DIHEDRAL), 0
    buffer = _samples(image)
    plain = _spectrum(buffer)
    # Frequency k of a mirrored axis is the same times (-1)^k; the first row and column here are frequency 1.
    signs = np.where(np.arange(1, _FREQUENCIES + 1) % 2, -1, 1).astype(np.float32)
    across, down, turned = plain * signs[None, :], plain * signs[:, None], plain.T
    both = across * signs[:, None]
    spectra = (
        plain,
        turned * signs[:, None],
        both,
        turned * signs[None, :],
        across,
        down,
        turned,
        both.T,
    )
    return tuple(_bits(spectrum) for spectrum in spectra), _quality(buffer)


def hamming(a: bytes, b: bytes) -> int:
    """Number of differing bits."""
    if len(a) != len(b):
        raise ValueError(f"hashes of {len(a)} and {len(b)} bytes cannot be compared")
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


def _samples(image: Image.Image) -> NDArray[np.float32]:
    """[64, 64]: the smoothed luminance."""
    if image.mode not in {"L", "RGB"}:
        image = image.convert("RGB")
    # Reducing first moves up to four bits of the 256, so only pictures above the size of a derivative pay that.
    factor = min(max(image.size) // _FULL_PIXELS, min(image.size) // _SIDE)
    if factor > 1:
        image = image.reduce(factor)
    # On few pixels the filter's whole-pixel window is coarse: a copy at half the size would lie 16 bits away, at times
    # more than 31. Enlarged first, it lies 4 bits away (medians over photos of 500 pixels).
    factor = min(-(-_FEW_PIXELS // min(image.size)), 2 * _FULL_PIXELS // max(image.size))
    if factor > 1:
        image = image.resize((image.width * factor, image.height * factor), Image.Resampling.BILINEAR)
    grey = np.asarray(image.convert("L"), dtype=np.float32)
    return np.asarray(_sampler(grey.shape[0]) @ grey @ _sampler(grey.shape[1]).T, dtype=np.float32)


def _spectrum(buffer: NDArray[np.float32]) -> NDArray[np.float32]:
    """[16, 16]: the lowest frequencies, without the constant."""
    return np.asarray(_frequencies() @ buffer @ _frequencies().T, dtype=np.float32)


@lru_cache(maxsize=256)
def _sampler(n: int) -> NDArray[np.float32]:
    """[64, n]: box filter twice along one axis of n pixels, then 64 evenly spaced samples."""
    window = (n + 2 * _SIDE - 1) // (2 * _SIDE)
    ahead = (window + 2) // 2
    index = np.arange(n)
    # Output i averages the pixels i + ahead - window … i + ahead - 1, cut off at the rim.
    first = np.clip(index + ahead - window, 0, n)
    last = np.clip(index + ahead, 0, n)
    box = ((index[None, :] >= first[:, None]) & (index[None, :] < last[:, None])) / (last - first)[:, None]
    samples = ((np.arange(_SIDE) + 0.5) * n / _SIDE).astype(int)
    return np.ascontiguousarray((box[samples] @ box), dtype=np.float32)


@lru_cache(maxsize=1)
def _frequencies() -> NDArray[np.float32]:
    """[16, 64]: rows 1-16 of the DCT-II matrix of size 64."""
    i, j = np.arange(1, _FREQUENCIES + 1)[:, None], np.arange(_SIDE)[None, :]
    basis = math.sqrt(2 / _SIDE) * np.cos(math.pi / (2 * _SIDE) * i * (2 * j + 1))
    return np.asarray(basis, dtype=np.float32)


def _bits(coefficients: NDArray[np.float32]) -> bytes:
    values = coefficients.ravel()
    median = np.partition(values, HASH_BITS // 2 - 1)[HASH_BITS // 2 - 1]
    return np.packbits(values[::-1] > median).tobytes()


def _quality(buffer: NDArray[np.float32]) -> int:
    gradient = 0
    for axis in (0, 1):
        gradient += int(np.abs(np.trunc(np.diff(buffer, axis=axis) * 100 / 255)).sum())
    return min(100, gradient // 90)
