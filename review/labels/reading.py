"""Decisions with their images, by columns: COPY as CSV into Arrow, and scores by binary COPY into numpy.

The archive is walked by the images' keys, a block of decisions at a time, so that memory is bounded and whoever was
interrupted goes on behind the last block.
"""

from __future__ import annotations

import io
import select
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from django.db import connection

from moderation.models import Reason
from review.labels.queries import Query
from review.models import EffectState, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK: Final = 4096  # decisions; of an approval come as many labels as there are categories
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
IMAGE: Final = """
    image.status, image.plan_id, image.working, image.original, image.media_type, image.sha256,
    encode(image.pdq, 'hex') AS pdq, image.pdq_quality, image.width, image.height, image.prompt,
    image.generator ->> 'name' AS generator, coalesce(image.inclusion_probability, 1) AS chance, image.route,
    image.cluster, image.client_id,
    image.context ->> 'licence' AS licence, image.context ->> 'consent_basis' AS consent_basis,
    image.context ->> 'training' AS training, image.context ->> 'consent' AS consent
"""
MICROSECONDS: Final = "(extract(epoch FROM {}) * 1000000)::bigint"
DECIDED: Final = f"""
SELECT decision.submission_id, false AS gold, decision.id, decision.verdict, decision.labels, effect.settles,
    decision.reviewer_id, {MICROSECONDS.format("decision.decided_at")} AS decided_at,
    decision.policy_id, decision.plan_id AS seen_plan_id,
    CASE WHEN effect.settles AND image.route = 'review' AND NOT %(tell_reasons)s THEN '' ELSE {ASKED} END AS reason,
    {IMAGE}
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
SELECT item.submission_id, true, item.id, item.verdict, item.labels, true, item.made_by_id,
    {MICROSECONDS.format("item.made_at")}, NULL::uuid, NULL::uuid, '{Reason.GOLD.value}', {IMAGE}
FROM review_golditem item JOIN moderation_submission image ON image.id = item.submission_id
WHERE item.submission_id > %(after)s AND item.submission_id <= %(last)s AND item.made_at <= %(asof)s
    AND (item.retired_at IS NULL OR item.retired_at > %(asof)s)
"""  # noqa: S608
COPY: Final = f"""
COPY (
    SELECT * FROM ({{}}) told WHERE gold OR reason IS DISTINCT FROM '{Reason.GOLD.value}'
    UNION ALL SELECT {{}}
    ORDER BY submission_id NULLS LAST, gold DESC, id DESC
) TO STDOUT (FORMAT CSV)
"""  # noqa: S608
TEXT, FLAG, COUNT = pa.string(), pa.bool_(), pa.int32()
COLUMNS: Final[dict[str, pa.DataType]] = {
    "submission_id": TEXT,
    "gold": FLAG,
    "id": TEXT,
    "verdict": TEXT,
    "labels": TEXT,
    "settles": FLAG,
    "reviewer_id": TEXT,
    "decided_at": pa.int64(),
    "policy_id": TEXT,
    "seen_plan_id": TEXT,
    "reason": TEXT,
    "status": TEXT,
    "plan_id": TEXT,
    "working": TEXT,
    "original": TEXT,
    "media_type": TEXT,
    "sha256": TEXT,
    "pdq": TEXT,
    "pdq_quality": COUNT,
    "width": COUNT,
    "height": COUNT,
    "prompt": TEXT,
    "generator": TEXT,
    "chance": pa.float64(),
    "route": TEXT,
    "cluster": TEXT,
    "client_id": TEXT,
    "licence": TEXT,
    "consent_basis": TEXT,
    "training": TEXT,
    "consent": TEXT,
}
UNLIMITED: Final = 1 << 30
# psycopg cannot end a COPY that somebody else read to its end, so that there is a row to stop before.
NOTHING: Final = ", ".join(["NULL"] * len(COLUMNS))
LAST_ROW: Final = b"," * (len(COLUMNS) - 1) + b"\n"


@dataclass(frozen=True, eq=False)
class Block:
    """Decisions [D] on images [N] with after < key <= last: of one image side by side, the newest first.

    `starts` [N] is where each image begins. `table` holds COLUMNS.
    """

    after: UUID
    last: UUID
    table: pa.Table
    starts: NDArray[np.intp]

    def __len__(self) -> int:
        return len(self.starts)

    @cached_property
    def images(self) -> pa.Table:
        """One row an image; what differs between its decisions is of the newest."""
        return self.table.take(arrow(self.starts))

    @cached_property
    def owner(self) -> NDArray[np.intp]:
        """[D]: which image each decision is on."""
        owner = np.zeros(self.table.num_rows, np.intp)
        owner[self.starts[1:]] = 1
        return np.cumsum(owner)

    def column(self, name: str) -> NDArray[Any]:
        """[D] as numpy; null texts become None."""
        return np.asarray(self.table[name].to_numpy())


def blocks(query: Query, *, asof: datetime, after: UUID = FIRST) -> Iterator[Block]:
    """All that was decided, in effect at `asof`, on images behind `after`, in the order of their keys."""
    while after != LAST:
        last = edge(after, OPENING if after == FIRST else BLOCK)
        yield block(query, asof=asof, after=after, last=last)
        after = last


def edge(after: UUID, size: int) -> UUID:
    """The image of the decision `size` further on."""
    with connection.cursor() as cursor:
        cursor.execute(EDGE, [after, size - 1])
        row = cursor.fetchone()
    return row[0] if row else LAST


def block(query: Query, *, asof: datetime, after: UUID, last: UUID) -> Block:
    statement = COPY.format(f"{DECIDED} UNION ALL {GOLD}" if query.gold else DECIDED, NOTHING)
    parameters = {"after": after, "last": last, "asof": asof, "tell_reasons": bool(query.asked)}
    table = parsed(copied(statement, parameters))
    keys = whole(table["submission_id"])
    new = np.ones(len(keys), np.bool_)
    if len(keys) > 1:
        new[1:] = pc.not_equal(keys[1:], keys[:-1]).to_numpy(zero_copy_only=False)
    return Block(after, last, table, np.flatnonzero(new))


def copied(statement: str, parameters: Any) -> bytes:
    """What a COPY sends up to LAST_ROW: straight from libpq, for psycopg's own loop takes longer than the server."""
    parts: list[memoryview] = []
    with connection.cursor() as cursor, cursor.copy(statement, parameters) as copy:
        server = copy.connection.pgconn
        take, ready = server.get_copy_data, select.poll()
        ready.register(server.socket, select.POLLIN)
        while True:
            length, part = take(1)
            if length == 0:  # nothing has come yet: whoever writes the block before may work meanwhile
                ready.poll()
                server.consume_input()
            elif length < 0 or part == LAST_ROW:
                break
            else:
                parts.append(part)
        for _end in copy:
            pass
    return b"".join(parts)


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


def parsed(data: bytes) -> pa.Table:
    """PostgreSQL's CSV: a field without quotes that is empty is NULL."""
    if not data:
        return pa.table({name: pa.array([], kind) for name, kind in COLUMNS.items()})
    return pa.csv.read_csv(
        io.BytesIO(data),
        read_options=pa.csv.ReadOptions(column_names=list(COLUMNS), block_size=min(len(data) + 1, UNLIMITED)),
        parse_options=pa.csv.ParseOptions(newlines_in_values=True),
        convert_options=pa.csv.ConvertOptions(
            column_types=COLUMNS,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
            true_values=["t"],
            false_values=["f"],
        ),
    )
