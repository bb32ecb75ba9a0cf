"""Embeddings in one safetensors file, written as a stream and read through a memory map."""

import json
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.base import FloatArray

TENSOR = "embeddings"
_BLOCK = 8192
_HEADER = 256
"""Bytes kept for the JSON header, padded with blanks as the format allows, so that it can be filled in last."""
_TYPES: dict[str, np.dtype[Any]] = {"F16": np.dtype("<f2"), "F32": np.dtype("<f4")}


class EmbeddingError(ValueError):
    """The embeddings cannot be written or read. The message says why."""


def write_embeddings(source: NDArray[Any] | Iterable[NDArray[Any]], path: Path) -> tuple[int, int]:
    """Write [N, D] given whole or in pieces (``.part``, then renamed); float16 is kept, all else becomes float32.
    Returns (N, D)."""
    pieces = [source] if isinstance(source, np.ndarray) else source
    part = path.with_name(path.name + ".part")
    count, width, kind = 0, 0, "F32"
    with part.open("wb") as file:
        file.write(b" " * (8 + _HEADER))
        for piece in pieces:
            if piece.ndim != 2:
                raise EmbeddingError(f"embeddings must come as [N, D], not {piece.shape}")
            if count == 0:
                width, kind = piece.shape[1], "F16" if piece.dtype == np.float16 else "F32"
            if piece.shape[1] != width:
                raise EmbeddingError(f"embeddings of {width} and of {piece.shape[1]} numbers cannot share a manifest")
            if not np.isfinite(piece).all():
                raise EmbeddingError("embeddings must be finite numbers")
            file.write(np.ascontiguousarray(piece, dtype=_TYPES[kind]).data)
            count += len(piece)
        size = count * width * _TYPES[kind].itemsize
        header = json.dumps({TENSOR: {"dtype": kind, "shape": [count, width], "data_offsets": [0, size]}}).encode()
        file.seek(0)
        file.write(_HEADER.to_bytes(8, "little") + header.ljust(_HEADER))
    part.replace(path)
    return count, width


class EmbeddingFile:
    """The tensor of ``path``, mapped: only the rows asked for are read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def _map(self) -> NDArray[Any]:
        return self._mapped()

    def _mapped(self) -> NDArray[Any]:
        with self.path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            try:
                entry = json.loads(file.read(length))[TENSOR]
                kind, shape = _TYPES[entry["dtype"]], tuple(entry["shape"])
            except (KeyError, ValueError) as error:
                raise EmbeddingError(f"{self.path.name} holds no embeddings [N, D] in float16 or float32") from error
        if 0 in shape:
            return np.zeros(shape, kind)
        mapped: NDArray[Any] = np.memmap(self.path, dtype=kind, mode="r", offset=8 + length, shape=shape)
        return mapped

    @property
    def shape(self) -> tuple[int, int]:
        count, width = self._map.shape
        return int(count), int(width)

    def rows(self, references: NDArray[Any]) -> FloatArray:
        """float32 [len(references), D]."""
        if len(references) and (references.min() < 0 or references.max() >= len(self._map)):
            raise EmbeddingError(f"embedding_ref outside the {len(self._map)} rows of {self.path.name}")
        found = np.empty((len(references), self._map.shape[1]), dtype=np.float32)
        for start in range(0, len(references), _BLOCK):
            block = references[start : start + _BLOCK]
            # Mapped anew for each block: pages that were read would else all stay in memory beside their copy.
            found[start : start + _BLOCK] = self._mapped()[block]
        return found
