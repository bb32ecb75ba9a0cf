"""Which images to ask people about next, so that heads learn most from a given number of answers. numpy only.

Of N candidates with K categories: probabilities [N, K] (NaN where nothing speaks of one), the same of several members
[M, N, K], and embeddings [N, D]. What is chosen comes as rows of the candidates, best first. All but `at_random` are
choices, not lots: an image that they name had no chance of its own, so it says nothing of those that were not named.
"""

from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from classifiers.base import FloatArray

Rows = NDArray[np.intp]
Scores = NDArray[np.float64]
Group = TypeVar("Group", bound=Hashable)

_BLOCK = 2048
_LEAST = 1e-12


def entropy(probabilities: NDArray[np.floating]) -> Scores:
    """[N]: the greatest entropy of any category in bits, 1 where a probability is one half; 0 where nothing speaks."""
    return _greatest(_bits(probabilities.astype(np.float64)))


def margin(probabilities: NDArray[np.floating]) -> Scores:
    """[N]: 1 less the least margin |p - (1 - p)| of any category; ranks one category as `entropy` does."""
    p = probabilities.astype(np.float64)
    return _greatest(1 - np.abs(2 * p - 1))


def disagreement(members: NDArray[np.floating]) -> Scores:
    """[N]: how far the members of a committee [M, N, K] are apart in the category where they are farthest, as the mean
    divergence of each from what they say together, in bits (McCallum and Nigam 1998; with two of equal weight it is
    that of Jensen and Shannon). Of a category at least two members must speak, else it counts 0.
    """
    p = members.astype(np.float64)
    speak = ~np.isnan(p)
    number = speak.sum(axis=0)
    count = np.maximum(number, 1)
    together = np.where(speak, p, 0.0).sum(axis=0) / count
    each = np.where(speak, _bits(np.where(speak, p, 0.5)), 0.0).sum(axis=0) / count
    return _greatest(np.where(number > 1, _bits(together) - each, np.nan))


def top(scores: Scores, count: int, *, kin: Sequence[Hashable] | None = None) -> Rows:
    """The `count` rows with the highest scores above 0, of equal scores the earlier one. Near-duplicates teach once: of
    each group of `kin` one, and the others only when no group is left.
    """
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] > 0]
    if kin is None:
        return np.asarray(order[:count], dtype=np.intp)
    seen: set[Hashable] = set()
    first: list[int] = []
    again: list[int] = []
    for row in order.tolist():
        (again if kin[row] in seen else first).append(row)
        seen.add(kin[row])
    return np.array([*first, *again][:count], dtype=np.intp)


def k_centre(vectors: FloatArray | NDArray[np.float16], count: int, *, covered: FloatArray | None = None) -> Rows:
    """`count` rows that cover the others best: each next one lies farthest from all that are covered already, by the
    angle between embeddings (k-centre greedy: Sener and Savarese 2018; its radius is at most twice the least possible,
    Gonzalez 1985). `covered` [C, D]: what people have judged. Without it the first is the one nearest to the mean.
    Holds one float32 copy of the vectors and a block of `covered`; stops where all that is left lies on what is
    covered.
    """
    unit = _unit(vectors)
    if not len(unit) or count <= 0:
        return np.zeros(0, dtype=np.intp)
    chosen: list[int] = []
    if covered is not None and len(covered):
        nearest = np.full(len(unit), -1.0, dtype=np.float32)
        for start in range(0, len(covered), _BLOCK):
            np.maximum(nearest, (unit @ _unit(covered[start : start + _BLOCK]).T).max(axis=1), out=nearest)
    else:
        chosen.append(int(np.argmax(unit @ unit.mean(axis=0))))
        nearest = unit @ unit[chosen[0]]
        nearest[chosen[0]] = 1.0
    while len(chosen) < min(count, len(unit)):
        farthest = int(np.argmin(nearest))
        if nearest[farthest] >= 1 - 1e-6:
            break
        chosen.append(farthest)
        np.maximum(nearest, unit @ unit[farthest], out=nearest)
        nearest[farthest] = 1.0
    return np.array(chosen, dtype=np.intp)


def in_turn(
    groups: Sequence[Group], judged: Mapping[Group, int], count: int, *, seed: int, kin: Sequence[Hashable] | None
) -> Rows:
    """`count` rows, each of the group (a generator's version) of which fewest images are judged or chosen so far; which
    of a group's, a lot says. Of near-duplicates one.
    """
    rng = np.random.default_rng(seed)
    waiting: dict[Group, list[int]] = {}
    for row in rng.permutation(len(groups)):
        waiting.setdefault(groups[row], []).append(int(row))
    known = {group: judged.get(group, 0) for group in waiting}
    seen: set[Hashable] = set()
    chosen: list[int] = []
    while waiting and len(chosen) < count:
        group = min(waiting, key=lambda one: (known[one], str(one)))
        row = waiting[group].pop()
        if not waiting[group]:
            del waiting[group]
        if kin is not None and kin[row] in seen:
            continue
        if kin is not None:
            seen.add(kin[row])
        known[group] += 1
        chosen.append(row)
    return np.array(chosen, dtype=np.intp)


def at_random(size: int, count: int, *, seed: int) -> tuple[Rows, float]:
    """`count` of `size` rows, any of them as likely as any other, and the chance that each had: count / size. By
    Gumbel's trick, that is by the greatest of as many independent draws, so that rows and order depend on nothing else.
    """
    count = min(count, size)
    drawn = np.argsort(-np.random.default_rng(seed).gumbel(size=size), kind="stable")[:count]
    return np.asarray(drawn, dtype=np.intp), count / size if size else 0.0


def shares(budget: int, mix: Mapping[str, float]) -> dict[str, int]:
    """The budget shared out by the mix, whole and with none left over (largest remainders; of equal ones the first)."""
    total = sum(mix.values())
    if total <= 0:
        return dict.fromkeys(mix, 0)
    exact = {name: budget * share / total for name, share in mix.items()}
    found = {name: int(value) for name, value in exact.items()}
    for name in sorted(exact, key=lambda one: found[one] - exact[one])[: budget - sum(found.values())]:
        found[name] += 1
    return found


def _bits(p: Scores) -> Scores:
    """Entropy of a yes or no, in bits."""
    inside = np.clip(p, _LEAST, 1 - _LEAST)
    return np.asarray(-inside * np.log2(inside) - (1 - inside) * np.log2(1 - inside))


def _greatest(table: Scores) -> Scores:
    if not table.shape[1]:
        return np.zeros(len(table))
    return np.asarray(np.maximum(np.where(np.isnan(table), 0.0, table).max(axis=1), 0.0))


def _unit(vectors: FloatArray | NDArray[np.float16]) -> FloatArray:
    one = np.asarray(vectors, dtype=np.float32)
    return np.asarray(one / np.maximum(np.linalg.norm(one, axis=1, keepdims=True), 1e-12), dtype=np.float32)
