"""The embeddings of a manifest as something to fit and to find neighbours in: few numbers each, in blocks, so that a
hundred thousand pictures are a matter of seconds and of a few hundred MB. torch is imported inside.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.base import FloatArray
from classifiers.embeddings import EmbeddingFile

WHOLE: Final = 20_000  # pictures: up to so many are taken as they are
KEPT: Final = 256  # principal components of more
NEAR: Final = 128  # of them, that neighbours are looked for in
REFERENCES: Final = 8192  # pictures among which neighbours are looked for
BLOCK: Final = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Space:
    """Of P pictures: `vectors` [P, D] to fit heads on, `unit` [P, E] of length 1, standardised, to compare by angle."""

    vectors: FloatArray
    unit: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """For each of P pictures its nearest `references`, nearest first: pictures [P, K], -1 where there are fewer, and
    cosines [P, K]. None is itself or of its own near-duplicate cluster. `among`: how many were looked at.
    """

    pictures: NDArray[np.int64]
    cosines: FloatArray
    among: int


def space(file: EmbeddingFile, rows: NDArray[np.int64]) -> Space:
    """Of the pictures in these rows of the file. Few are taken whole; of many, the principal components of the
    standardised embeddings, by the eigenvectors of their correlations: what they leave out hardly varies.
    """
    if len(rows) <= WHOLE:
        vectors = file.rows(rows)
        mean, spread = vectors.mean(axis=0), vectors.std(axis=0)
        return Space(vectors, unit((vectors - mean) / floored(spread)))
    blocks = [rows[at : at + BLOCK] for at in range(0, len(rows), BLOCK)]
    size = file.shape[1]
    total, squares = np.zeros(size), np.zeros((size, size))
    for block in blocks:
        piece = file.rows(block)
        total += piece.sum(axis=0, dtype=np.float64)
        squares += piece.T @ piece
    mean = total / len(rows)
    covariance = squares / len(rows) - np.outer(mean, mean)
    spread = floored(np.sqrt(np.maximum(np.diag(covariance), 0.0)))
    values, vectors = np.linalg.eigh(covariance / np.outer(spread, spread))
    kept = vectors[:, ::-1][:, : min(KEPT, int((values > 1e-8).sum()) or 1)]
    turn, centre = (kept / spread[:, None]).astype(np.float32), (mean / spread @ kept).astype(np.float32)
    reduced = np.concatenate([file.rows(block) @ turn - centre for block in blocks])
    return Space(reduced, unit(reduced[:, :NEAR]))


def floored(spread: NDArray[Any]) -> NDArray[Any]:
    """Numbers that never vary here say nothing; dividing by a floor keeps them from blowing up."""
    return np.asarray(np.maximum(spread, 1e-3 * max(float(spread.max(initial=0.0)), 1e-6)))


def unit(vectors: FloatArray) -> FloatArray:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)


def neighbours(
    found: Space, kin: NDArray[np.int64], references: NDArray[np.int64], *, count: int, spare: int = 8
) -> Neighbours:
    """The `count` nearest of `references` (pictures) to each picture. `kin` [P]: its near-duplicate cluster; of its own
    it has `spare` at most among the nearest, or it gets as many fewer.
    """
    import torch

    size, most = len(found.unit), min(count + spare, len(references))
    pictures = np.full((size, count), -1, dtype=np.int64)
    cosines = np.full((size, count), np.nan, dtype=np.float32)
    among = torch.from_numpy(found.unit[references]).T.contiguous()
    for at in range(0, size, BLOCK // 4):
        block = slice(at, at + BLOCK // 4)
        near = torch.from_numpy(found.unit[block]) @ among
        values, places = (one.numpy() for one in near.topk(most, dim=1))
        named = references[places]
        own = kin[named] == kin[block, None]
        order = np.argsort(own, axis=1, kind="stable")[:, :count]  # others first, each nearest first
        strangers = ~np.take_along_axis(own, order, axis=1)
        width = order.shape[1]
        pictures[block, :width] = np.where(strangers, np.take_along_axis(named, order, axis=1), -1)
        cosines[block, :width] = np.where(strangers, np.take_along_axis(values, order, axis=1), np.nan)
    return Neighbours(pictures, cosines, len(references))


def sampled(rare: NDArray[np.bool_], *, seed: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Pictures to look for neighbours among, and what each of all P pictures stands for: all of them, or a sample in
    which up to half are `rare` ones (violating in some category), which a plain sample would hardly hold.
    """
    if len(rare) <= REFERENCES:
        return np.arange(len(rare)), np.ones(len(rare))
    rng, weight = np.random.default_rng(seed), np.zeros(len(rare))
    some, rest = np.flatnonzero(rare), np.flatnonzero(~rare)
    wanted = min(len(some), max(REFERENCES // 2, REFERENCES - len(rest)))
    chosen = []
    for group, number in ((some, wanted), (rest, min(len(rest), REFERENCES - wanted))):
        taken = rng.choice(group, size=number, replace=False)
        weight[taken] = len(group) / max(number, 1)
        chosen.append(taken)
    return np.sort(np.concatenate(chosen)), weight
