"""Decisions with their images, by columns: by binary COPY into Arrow, without a Python object a value.

The archive is walked by the images' keys, a block of decisions at a time, so that memory is bounded and whoever was
interrupted goes on behind the last block. While one block is worked on, the next is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from moderation.models import Reason
from moderation.taxonomy import Category
from review.labels import wire
from review.labels.queries import Query
from review.models import EffectState, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

T = TypeVar("T")

BLOCK: Final = 4096  # decisions, were all of them approvals: of one come as many labels as there are categories
WIDEST: Final = 16_384  # decisions, where few labels come of each
OPENING: Final = 512  # of the first block: whoever waits sees something soon
FIRST: Final = UUID(int=0)
LAST: Final = UUID(int=2**128 - 1)

EDGE: Final = """
SELECT submission_id FROM review_decision WHERE submission_id > %s ORDER BY submission_id OFFSET %s LIMIT 1
"""

# Why people were asked: told where somebody wants to know, where a draw to learn from may have chosen the image, and of
# votes, for an answer to a gold item is none.
ASKED: Final = """
(SELECT request.reason FROM review_claim claim JOIN moderation_reviewrequest request ON request.id = claim.request_id
 WHERE claim.id = decision.claim_id)
"""
NIL: Final = f"'{UUID(int=0)}'::uuid"
# All of one size and none null, as `FIXED` has them; then texts. PostgreSQL plans and sends a block in half the time
# when it need not sort it.
IMAGE_FIXED: Final = f"""
    coalesce(image.plan_id, {NIL}), coalesce(image.cluster, image.id), image.client_id,
    coalesce(image.pdq_quality, 0)::integer, image.width, image.height,
    coalesce(image.inclusion_probability, 1)::double precision
"""
IMAGE_TEXTS: Final = """
    image.status, image.working, CASE WHEN %(originals)s THEN image.original END, image.sha256,
    encode(image.pdq, 'hex'), image.prompt, image.generator ->> 'name', image.route,
    image.context ->> 'licence', image.context ->> 'consent_basis', image.context ->> 'training',
    image.context ->> 'consent'
"""
DECIDED: Final = f"""
SELECT decision.submission_id, decision.id, decision.reviewer_id, coalesce(decision.policy_id, {NIL}),
    coalesce(decision.plan_id, {NIL}), decision.decided_at, false AS gold, effect.settles, {IMAGE_FIXED},
    decision.verdict, decision.labels::text,
    CASE WHEN effect.settles AND image.route = 'review' AND NOT %(tell_reasons)s THEN '' ELSE {ASKED} END AS reason,
    {IMAGE_TEXTS}
FROM review_decision decision
JOIN review_effect effect ON effect.decision_id = decision.id
JOIN moderation_submission image ON image.id = decision.submission_id
WHERE decision.submission_id > %(after)s AND decision.submission_id <= %(last)s
    AND effect.submission_id > %(after)s AND effect.submission_id <= %(last)s
    AND image.id > %(after)s AND image.id <= %(last)s
    AND decision.verdict IN ('{Verdict.APPROVE.value}', '{Verdict.BLOCK.value}')
    AND effect.state = '{EffectState.APPLIED.value}' AND coalesce(effect.ended_at, decision.decided_at) <= %(asof)s
"""  # noqa: S608 - the names of our own columns
GOLD: Final = f"""
SELECT item.submission_id, item.id, item.made_by_id, {NIL}, {NIL}, item.made_at, true, true, {IMAGE_FIXED},
    item.verdict, item.labels::text, '{Reason.GOLD.value}', {IMAGE_TEXTS}
FROM review_golditem item JOIN moderation_submission image ON image.id = item.submission_id
WHERE item.submission_id > %(after)s AND item.submission_id <= %(last)s AND item.made_at <= %(asof)s
    AND (item.retired_at IS NULL OR item.retired_at > %(asof)s)
"""  # noqa: S608
COPY: Final = f"""
COPY (
    SELECT * FROM ({{}}) told WHERE gold OR reason IS DISTINCT FROM '{Reason.GOLD.value}'
) TO STDOUT (FORMAT BINARY)
"""  # noqa: S608
FIXED: Final = (
    *((name, "V16") for name in ("submission_id", "id", "reviewer_id", "policy_id", "seen_plan_id")),
    *(("decided_at", ">i8"), ("gold", "?"), ("settles", "?")),
    *((name, "V16") for name in ("plan_id", "cluster", "client_id")),
    *((name, ">i4") for name in ("pdq_quality", "width", "height")),
    ("chance", ">f8"),
)
FEW: Final = ("reviewer_id", "policy_id", "seen_plan_id", "plan_id", "client_id")
NUMBERS: Final[dict[str, type[np.generic]]] = {
    **dict.fromkeys(("gold", "settles"), np.bool_),
    **dict.fromkeys(("pdq_quality", "width", "height"), np.int32),
    "chance": np.float64,
}
TEXTS: Final = (
    *("verdict", "labels", "reason", "status", "working", "original", "sha256", "pdq", "prompt", "generator", "route"),
    *("licence", "consent_basis", "training", "consent"),
)
SHAPE: Final = np.dtype(
    [("fields", ">i2"), *(part for name, kind in FIXED for part in ((f"{name} size", ">i4"), (name, kind)))]
)
OF_DECISIONS: Final = frozenset(
    ["id", "reviewer_id", "policy_id", "seen_plan_id", "decided_at", "gold", "settles", "verdict", "labels", "reason"]
)
ABOUT_IMAGES: Final = tuple(name for name in (*dict(FIXED), *TEXTS) if name not in OF_DECISIONS)
SINCE_2000: Final = 946_684_800_000_000  # PostgreSQL's clock begins there, in microseconds
MIXES: Final = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, eq=False)
class Block:
    """Decisions [D] on images [N] with after < key <= last: of one image side by side, the newest first.

    `starts` [N] is where each image begins, and `keys` [N, 2] the halves of its id. `table` holds FIXED but for the
    decisions' ids, and TEXTS; an image without a cluster is its own.
    """

    after: UUID
    last: UUID
    table: pa.Table
    starts: NDArray[np.intp]
    keys: NDArray[np.uint64]

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def images(self) -> pa.Table:
        """One row an image; what differs between its decisions is of the newest."""
        images = self.table.select(ABOUT_IMAGES)
        return images if self.alone else images.take(arrow(self.starts))

    @property
    def alone(self) -> bool:
        """Whether each image has one decision."""
        return len(self.starts) == self.table.num_rows

    @cached_property
    def owner(self) -> NDArray[np.intp]:
        """[D]: which image each decision is on."""
        owner = np.zeros(self.table.num_rows, np.intp)
        owner[self.starts[1:]] = 1
        return np.cumsum(owner)

    def column(self, name: str) -> NDArray[Any]:
        """[D] as numpy; null texts become None."""
        return np.asarray(self.table[name].to_numpy())


def blocks(
    query: Query, *, asof: datetime, beside: Callable[[Block], T], after: UUID = FIRST
) -> Iterator[tuple[Block, T]]:
    """All that was decided, in effect at `asof`, on images behind `after`, in the order of their keys; and of each
    block what `beside` reads for it, before the one connection is given to the next.
    """
    with ThreadPoolExecutor(1) as reader:

        def coming(after: UUID, size: int) -> Future[Block]:
            last = edge(after, size)
            statement = stated(query, asof=asof, after=after, last=last)
            return reader.submit(block, connection.connection, statement, after=after, last=last)

        then = coming(after, OPENING if after == FIRST else BLOCK) if after != LAST else None
        while then is not None:
            one = then.result()
            more = beside(one)
            then = coming(one.last, fitting(one)) if one.last != LAST else None
            yield one, more


def fitting(one: Block) -> int:
    """How many decisions the next block may hold, if it is like this one, to yield as many labels as any."""
    approvals = int((one.column("verdict") == Verdict.APPROVE.value).sum())
    each = 1 + (len(Category.values) - 1) * approvals / max(1, one.table.num_rows)
    return max(BLOCK, min(WIDEST, round(BLOCK * len(Category.values) / each)))


def edge(after: UUID, size: int) -> UUID:
    """The image of the decision `size` further on."""
    with connection.cursor() as cursor:
        cursor.execute(EDGE, [after, size - 1])
        row = cursor.fetchone()
    return row[0] if row else LAST


def stated(query: Query, *, asof: datetime, after: UUID, last: UUID) -> bytes:
    told = {"tell_reasons": bool(query.asked), "originals": query.images == "original"}
    statement = COPY.format(f"{DECIDED} UNION ALL {GOLD}" if query.gold else DECIDED)
    with connection.cursor() as cursor:
        return mogrified(cursor, statement, {"after": after, "last": last, "asof": asof, **told})


def mogrified(cursor: Any, statement: str, parameters: Any) -> bytes:
    """With its parameters in it, quoted, as COPY must have them."""
    return str(cursor.mogrify(statement, parameters)).encode()


def block(server: Any, statement: bytes, *, after: UUID, last: UUID) -> Block:
    """Reads on the given connection of psycopg; of Django's, which belong to their threads, it knows nothing."""
    found = wire.copied(server, statement)
    rows = found.records(SHAPE)
    order = sorted_by_image(rows)
    rows = rows[order]
    keys = halved(rows["submission_id"])
    new = np.ones(len(keys), np.bool_)
    new[1:] = (keys[1:] != keys[:-1]).any(axis=1)
    own = wire.written(octets(rows["submission_id"]))
    alike = (rows["cluster"] == rows["submission_id"]).all()
    table: dict[str, Any] = {"submission_id": own, "cluster": own if alike else wire.written(octets(rows["cluster"]))}
    table |= {name: repeated(rows[name]) for name in FEW}
    table |= {name: pa.array(rows[name].astype(kind)) for name, kind in NUMBERS.items()}
    table["decided_at"] = pa.array(rows["decided_at"].astype(np.int64) + SINCE_2000)
    table |= found.texts(TEXTS, behind=SHAPE.itemsize, order=order)
    return Block(after, last, pa.table(table), np.flatnonzero(new), keys[new])


def sorted_by_image(rows: NDArray[np.void]) -> NDArray[np.intp]:
    """The order of the images' keys; of one image gold goes first, then the newest decision."""
    image = halved(rows["submission_id"])
    high, low = image[:, 0], image[:, 1]
    if ((high[1:] > high[:-1]) | ((high[1:] == high[:-1]) & (low[1:] > low[:-1]))).all():
        return np.arange(len(rows))
    decision = halved(rows["id"])
    return np.lexsort((~decision[:, 1], ~decision[:, 0], ~rows["gold"], low, high))


def halved(ids: NDArray[Any]) -> NDArray[np.uint64]:
    """[N, 2] numbers of [N] UUIDs."""
    return np.ascontiguousarray(ids).view(">u8").reshape(-1, 2).astype(np.uint64)


def octets(ids: NDArray[Any]) -> NDArray[np.uint8]:
    """[N, 16] bytes of [N] UUIDs."""
    return np.ascontiguousarray(ids).view(np.uint8).reshape(-1, 16)


def repeated(ids: NDArray[Any]) -> Any:
    """UUIDs of which few differ, as texts; NIL is null."""
    halves = halved(ids)
    _distinct, first, which = np.unique(halves[:, 0] * MIXES ^ halves[:, 1], return_index=True, return_inverse=True)
    if not (halves[first][which] == halves).all():  # two that mix to one number
        _distinct, first, which = np.unique(halves, axis=0, return_index=True, return_inverse=True)
    told = octets(ids[first])
    words = pc.if_else(arrow(np.asarray(told.any(axis=1))), wire.written(told), pa.scalar(None, pa.string()))
    return words.take(arrow(which.reshape(-1)))


def listed(column: Any) -> list[Any]:
    """As Python has them."""
    found: list[Any] = column.to_pylist()
    return found


def filled(column: Any) -> Any:
    """Texts, "" where nothing was said."""
    return pc.fill_null(column, "")


def arrow(numbers: NDArray[Any]) -> Any:
    """As Arrow takes by, and filters by."""
    return pa.array(numbers)


def whole(column: Any) -> Any:
    """A column as one array; not copied where it is one."""
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
