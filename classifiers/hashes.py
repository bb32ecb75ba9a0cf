"""Fingerprints of pictures: sha256 of bytes, PDQ of looks.

PDQ after Meta's "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (ThreatExchange, 2019):
luminance, a tent filter made of two passes of a box filter in each direction, 64 x 64 samples, the 16 x 16 lowest
frequencies of its DCT without the constant, one bit each: above the median or not.
"""

import hashlib
import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HASH_BITS = 256
_SIDE = 64
_FREQUENCIES = 16
_MIN_PIXELS = 5
_FULL_PIXELS = 1024


def sha256(data: bytes) -> str:
    """Hex digest."""
    return hashlib.sha256(data).hexdigest()


def pdq(image: Image.Image) -> tuple[bytes, int]:
    """PDQ hash (32 bytes, most significant bit first) and quality 0-100 of ``image``.

    Under 50 the picture has too little structure for its hash to mean much. Pictures of fewer than five pixels a side
    get the zero hash with quality 0, as in the published code.
    """
    if min(image.size) < _MIN_PIXELS:
        return bytes(HASH_BITS // 8), 0
    if image.mode not in {"L", "RGB"}:
        image = image.convert("RGB")
    # Reducing first moves up to four bits of the 256, so only pictures above the size of a derivative pay that.
    factor = min(max(image.size) // _FULL_PIXELS, min(image.size) // _SIDE)
    if factor > 1:
        image = image.reduce(factor)
    grey = np.asarray(image.convert("L"), dtype=np.float32)
    rows, columns = _sampler(grey.shape[0]), _sampler(grey.shape[1])
    buffer = np.asarray(rows @ grey @ columns.T, dtype=np.float32)
    frequencies = np.asarray(_frequencies() @ buffer @ _frequencies().T, dtype=np.float32)
    return _bits(frequencies), _quality(buffer)


def hamming(a: bytes, b: bytes) -> int:
    """Number of differing bits."""
    if len(a) != len(b):
        raise ValueError(f"hashes of {len(a)} and {len(b)} bytes cannot be compared")
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


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
