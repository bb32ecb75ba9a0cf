"""A first look at what a query finds, where what is kept of one image hangs on all the others: whose copies are whose,
where the splits by time lie, and how many of each side a balanced sample takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from classifiers import splits
from classifiers.hashes import BankIndex
from moderation.models import Status, Submission
from moderation.triage.clusters import STRUCTURE
from review.labels.deriving import NONE
from review.labels.reading import FIRST, LAST, blocks, edge, listed
from review.labels.scores import CODES, halves
from review.labels.selecting import Asked, Selected, selections

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from review.labels.reading import Block

EXACT: Final = 20_000  # decisions; up to here all images are held against each other
BUCKETS: Final = 1 << 16  # of draws: how finely a balanced sample can be cut
MOST_LOOSE: Final = 200_000  # images without a cluster that are held against the rest
WAYS: Final = ("all pairs", "as triage has them")


@dataclass(eq=False)
class Survey:
    """What the second pass goes by. `joined`: cluster → the cluster it is one with. `rate` [C, 2]: the share of denials
    and affirmations that are kept; `bucket` [C, 2]: below which their draw must lie. `late`: clusters, as numbers in
    ascending order, with the split of each.
    """

    way: str = WAYS[1]
    joined: Mapping[str, str] = field(default_factory=dict)
    bucket: NDArray[np.int64] = field(default_factory=lambda: np.full((len(CODES), 2), BUCKETS, np.int64))
    rate: NDArray[np.float64] = field(default_factory=lambda: np.ones((len(CODES), 2)))
    late: tuple[NDArray[np.uint64], NDArray[np.int8]] | None = None


def survey(asked: Asked) -> Survey:
    """Costs a pass over the decisions where few were made, or the query cannot do without; else next to nothing."""
    query = asked.query
    small = edge(FIRST, EXACT + 1) == LAST
    found = Survey(WAYS[0] if small else WAYS[1])
    if not (small or query.sampling == "balanced" or query.splitting == "time"):
        found.joined = strays(asked)
        return found
    tally = np.zeros((len(CODES), 2, BUCKETS), np.int64)
    names: list[str] = []
    hashes: list[bytes | None] = []
    times: list[NDArray[np.int64]] = []
    for told in selections(asked):
        for side in (0, 1):
            rows, columns = np.nonzero(told.label == side)
            drawn = (draws(told)[rows, columns] % BUCKETS).astype(np.intp)
            np.add.at(tally, (columns, np.full_like(columns, side), drawn), 1)
        kept = (told.label != NONE).any(axis=1)
        of, looks = kin(told.block)
        if small or query.splitting == "time":
            names += [of[row] for row in np.flatnonzero(kept)]
            times.append(told.latest["decided_at"].to_numpy()[kept])
        if small:
            hashes += [looks[row] for row in np.flatnonzero(kept)]
    if small:
        together = splits.clusters(names, hashes)
        found.joined = {name: whole for name, whole in zip(names, together, strict=True) if name != whole}
    if query.sampling == "balanced":
        balance(found, tally)
    if query.splitting == "time":
        ids = [found.joined.get(name, name) for name in names]
        found.late = by_time(ids, np.concatenate([*times, np.zeros(0, np.int64)]))
    return found


def kin(block: Block) -> tuple[list[str], list[bytes | None]]:
    """Of each image: its cluster as triage has it, and its PDQ where there is enough in the picture to tell by."""
    images = block.images
    telling = np.array([quality or 0 for quality in listed(images["pdq_quality"])]) >= STRUCTURE
    looks = [
        bytes.fromhex(one) if one and tells else None
        for one, tells in zip(listed(images["pdq"]), telling.tolist(), strict=True)
    ]
    return listed(images["cluster"]), looks


def draws(told: Selected) -> NDArray[np.uint64]:
    """[N, C]: a number for each image and category, always the same, evenly spread."""
    keys = told.block.keys
    seeds = np.arange(1, len(CODES) + 1, dtype=np.uint64) * np.uint64(0xD6E8FEB86659FD93)
    return mixed(mixed(keys[:, 0])[:, None] ^ mixed(keys[:, 1])[:, None] ^ seeds[None, :])


def mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, 2014)."""
    one = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    two = (one ^ (one >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(two ^ (two >> np.uint64(31)), np.uint64)


def balance(found: Survey, tally: NDArray[np.int64]) -> None:
    """As many denials as affirmations of each category: of the larger side, those whose draw is lowest."""
    whole = tally.sum(axis=2)
    least = whole.min(axis=1)
    for place in range(len(CODES)):
        for side in (0, 1):
            below = np.concatenate([[0], np.cumsum(tally[place, side])])
            cut = int(np.searchsorted(below, least[place], side="right")) - 1
            found.bucket[place, side] = cut
            found.rate[place, side] = below[cut] / whole[place, side] if whole[place, side] else 1.0


def by_time(clusters: list[str], times: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int8]]:
    """The oldest 70 % of images train, the next 15 % validate, the newest test; a cluster goes with its newest, so that
    nothing that is trained on was decided after anything that is tested on.
    """
    numbers = cluster_numbers(clusters)
    order = np.lexsort((times, numbers))
    numbers, times = numbers[order], times[order]
    last = np.flatnonzero(np.append(numbers[1:] != numbers[:-1], len(numbers) > 0))
    sizes = np.diff(np.concatenate([[-1], last]))
    by_age = np.argsort(times[last], kind="stable")
    passed = (np.cumsum(sizes[by_age]) - sizes[by_age] / 2) / max(1, len(times))
    which = np.empty(len(last), np.int8)
    which[by_age] = np.searchsorted([0.70, 0.85], passed, side="right").astype(np.int8)
    return numbers[last], which


def cluster_numbers(clusters: list[str]) -> NDArray[np.uint64]:
    keys = halves(clusters)
    return mixed(mixed(keys[:, 0]) ^ keys[:, 1])


def strays(asked: Asked) -> Mapping[str, str]:
    """Images that were triaged before there were clusters, joined with the clusters of what they look like."""
    rows = Submission.objects.filter(cluster__isnull=True, pdq_quality__gte=STRUCTURE).exclude(status=Status.RECEIVED)
    loose = list(rows.values_list("pk", "pdq")[:MOST_LOOSE])
    if not loose:
        return {}
    index = BankIndex(enumerate(bytes(pdq) for _key, pdq in loose if pdq))
    pairs = []
    for block, _nothing in blocks(asked.query, asof=asked.asof, beside=lambda _block: None):
        of, looks = kin(block)
        telling = [(name, look) for name, look in zip(of, looks, strict=True) if look]
        hits = index.search([look for _name, look in telling], splits.RADIUS)
        pairs += [(name, str(loose[at][0])) for (name, _), found in zip(telling, hits, strict=True) for at, _ in found]
    return splits.joined(pairs)
