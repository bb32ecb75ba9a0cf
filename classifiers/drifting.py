"""Whether two sets of embeddings come from the same kind of images: two tests that know nothing of what changed.

`discrepancy` is the unbiased maximum mean discrepancy with a Gaussian kernel as wide as the median distance, and its
chance by permutation (A. Gretton, K. Borgwardt, M. Rasch, B. Schölkopf & A. Smola, "A Kernel Two-Sample Test", Journal
of Machine Learning Research 13, 2012). `told_apart` trains a classifier to tell the sets apart and asks how often it is
right on images it has not seen (D. Lopez-Paz & M. Oquab, "Revisiting Classifier Two-Sample Tests", ICLR 2017). The
first is the more sensitive; the second says how much there is to see. Both assume that images are drawn one by one:
give one of each cluster of near-duplicates.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.floating]  # [N, D]

MOST: Final = 500  # of each set: the kernel is a matrix of them all
PERMUTATIONS: Final = 1999
FEWEST: Final = 20


class TooFew(ValueError):
    """Fewer than FEWEST embeddings in one of the sets: nothing can be said."""


@dataclass(frozen=True, slots=True)
class Discrepancy:
    """MMD² (around 0 where the sets are alike; it may be below), the chance of one as large were they alike (at least
    1 / (permutations + 1)), and the kernel's width.
    """

    value: float
    p_value: float
    width: float
    n: int
    m: int


@dataclass(frozen=True, slots=True)
class ToldApart:
    """How often the classifier was right on `n` images held back, half of each set, and the chance of that by
    guessing.
    """

    accuracy: float
    p_value: float
    n: int


def discrepancy(before: Rows, after: Rows, *, permutations: int = PERMUTATIONS, seed: int = 0) -> Discrepancy:
    """Of at most MOST of each, drawn by `seed`. Raises TooFew."""
    rng = np.random.default_rng(seed)
    first, second = chosen(before, rng), chosen(after, rng)
    n, m = len(first), len(second)
    squares = distances(np.concatenate([first, second]))
    middle = float(np.median(squares[np.triu_indices(n + m, 1)]))
    kernel = np.exp(-squares / (2 * middle)) if middle > 0 else np.ones_like(squares)
    np.fill_diagonal(kernel, 0.0)  # unbiased: no image beside itself
    sides = np.zeros((permutations + 1, n + m))
    sides[0, :n] = 1
    sides[1:, :n] = 1
    sides[1:] = rng.permuted(sides[1:], axis=1)
    products = sides @ kernel
    within = np.einsum("ij,ij->i", products, sides)
    crossed = products.sum(axis=1) - within
    beyond = kernel.sum() - within - 2 * crossed
    values = within / (n * (n - 1)) + beyond / (m * (m - 1)) - 2 * crossed / (n * m)
    # Equal but for rounding counts as equal: where all images are the same, nothing differs.
    p_value = float((1 + (values[1:] >= values[0] - 1e-12).sum()) / (permutations + 1))
    return Discrepancy(float(values[0]), p_value, middle**0.5, n, m)


def told_apart(before: Rows, after: Rows, *, seed: int = 0) -> ToldApart:
    """By logistic regression on standardised numbers, trained on half of each set, measured on the other. As many are
    taken of one set as of the other, so that guessing is right half of the time. Raises TooFew.
    """
    from sklearn.linear_model import LogisticRegression  # late: it takes a second
    from sklearn.preprocessing import StandardScaler

    rng = np.random.default_rng(seed)
    first, second = chosen(before, rng), chosen(after, rng)
    each = min(len(first), len(second))
    half = each // 2
    train = np.concatenate([first[:half], second[:half]])
    held = np.concatenate([first[half:each], second[half:each]])
    scaler = StandardScaler().fit(train)
    model = LogisticRegression(C=1 / train.shape[1], max_iter=1000)
    model.fit(scaler.transform(train), np.repeat([0, 1], half))
    right = int((model.predict(scaler.transform(held)) == np.repeat([0, 1], each - half)).sum())
    return ToldApart(right / len(held), by_guessing(right, len(held)), len(held))


def by_guessing(right: int, n: int) -> float:
    """P(Bin(n, ½) ≥ right)."""
    return float(sum(comb(n, k) for k in range(right, n + 1)) / 2**n)


def chosen(rows: Rows, rng: np.random.Generator) -> NDArray[np.float64]:
    if len(rows) < FEWEST:
        raise TooFew(f"{len(rows)} embeddings; at least {FEWEST} are needed.")
    return np.asarray(rows[rng.permutation(len(rows))[:MOST]], dtype=np.float64)


def distances(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Squared, of each pair."""
    squares = (rows**2).sum(axis=1)
    found: NDArray[np.float64] = np.maximum(squares[:, None] + squares[None, :] - 2 * rows @ rows.T, 0.0)
    return found
