"""Walking the archive for what was added to a bank: in batches, each a transaction, so that it can stop anywhere.

What was approved is reopened, blocked or put under legal hold, as the bank asks; what is in review is put under legal
hold when the bank asks for that. Images that triage had in hand when the walk began may have been compared before the
addition, so they are looked at once more when their leases are over.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.core.files.storage import storages
from django.db import transaction
from django.utils import timezone
from uuid_utils.compat import uuid7

from classifiers import hashes
from moderation import lifecycle, requests
from moderation.actors import HOUSE
from moderation.banks.fingerprints import RADIUS
from moderation.banks.known import known
from moderation.banks.matching import NO_LOOKS, Looks, judged, matches
from moderation.banks.signal import keep_matches
from moderation.models import BankAction, BankEntry, Reason, Recheck, ReviewRequest, Status, Submission
from moderation.routing import Why

log = logging.getLogger(__name__)

BATCH: Final = 2000
SETTLE: Final = timedelta(seconds=3)
"""How long a walk waits: by then every worker has read the additions, or has the image in hand and is waited for."""
LOOKED_AT: Final = (Status.APPROVED, Status.IN_REVIEW)
TO: Final[Mapping[str, Status]] = {
    BankAction.QUARANTINE: Status.QUARANTINED,
    BankAction.BLOCK: Status.BLOCKED,
    BankAction.REVIEW: Status.IN_REVIEW,
}


@dataclass(frozen=True, slots=True)
class Additions:
    """What a walk looks for: the PDQ hashes, the digests; whether any is an MD5."""

    index: hashes.BankIndex
    sha256: frozenset[str]
    md5: frozenset[str]

    @classmethod
    def of(cls, recheck: Recheck) -> Additions:
        rows = BankEntry.objects.live().filter(
            bank=recheck.bank_id, change__gte=recheck.first, change__lte=recheck.last
        )
        looks, sha256, md5 = [], set(), set()
        for pk, pdq, digest, other in rows.values_list("pk", "pdq", "sha256", "md5").iterator(chunk_size=10_000):
            if pdq and bytes(pdq) != NO_LOOKS:
                looks.append((pk, bytes(pdq)))
            sha256.add(digest)
            md5.add(other)
        return cls(hashes.BankIndex(looks), frozenset(sha256 - {""}), frozenset(md5 - {""}))

    def met(self, rows: Sequence[Submission]) -> list[Submission]:
        """Those of the images that one of the additions may know."""
        looks = [row for row in rows if row.pdq is not None]
        found = self.index.search([bytes(row.pdq or b"") for row in looks], RADIUS)
        near = {row.pk for row, each in zip(looks, found, strict=True) if each}
        return [row for row in rows if row.pk in near or row.sha256 in self.sha256 or row.md5 in self.md5]


def unfinished() -> list[UUID]:
    """Walks that may begin or go on."""
    asked = Recheck.objects.filter(finished_at__isnull=True, asked_at__lte=timezone.now() - SETTLE)
    return list(asked.order_by("asked_at").values_list("pk", flat=True))


def walk(recheck_id: UUID, *, batches: int) -> bool:
    """Go on with a walk for so many batches; whether it has finished. Another worker's walk is left to it."""
    additions: Additions | None = None
    for _ in range(batches):
        with transaction.atomic():
            mine = Recheck.objects.select_for_update(skip_locked=True)
            recheck = mine.filter(pk=recheck_id, finished_at__isnull=True).first()
            if recheck is None:
                return True
            begin(recheck)
            additions = additions or Additions.of(recheck)
            rows, over = following(recheck)
            if additions.md5:
                read_md5(rows)
            act(recheck, additions.met(rows))
            recheck.seen += len(rows)
            recheck.finished_at = timezone.now() if over else None
            recheck.save()
            if over:
                return True
            if not rows:
                return False  # the last of those in flight are not settled yet
    return False


def begin(recheck: Recheck) -> None:
    """From now on nothing is added to this walk; what is triaged later meets the additions there."""
    if recheck.began_at is not None:
        return
    now = timezone.now()
    leased = Submission.objects.filter(status=Status.RECEIVED, attempts__gt=0, triage_after__gt=now)
    recheck.began_at, recheck.until = now, uuid7()
    recheck.in_flight = list(leased.values_list("pk", flat=True))


def following(recheck: Recheck) -> tuple[list[Submission], bool]:
    """The next images, locked, and whether they are the last. None, and not the last: come again later."""
    archive = Submission.objects.filter(status__in=LOOKED_AT, pk__lte=recheck.until).order_by("pk")
    if recheck.cursor is not None:
        archive = archive.filter(pk__gt=recheck.cursor)
    rows = list(archive.defer("prompt", "negative_prompt", "generator")[:BATCH])
    if rows:
        recheck.cursor = rows[-1].pk
        return rows, False
    late = Submission.objects.filter(pk__in=recheck.in_flight)
    if late.filter(status=Status.RECEIVED, triage_after__gt=timezone.now()).exists():
        return [], False
    return list(late.filter(status__in=LOOKED_AT).order_by("pk")), True


def act(recheck: Recheck, met: Sequence[Submission]) -> None:
    """Move what the additions know, each by what the bank asks for, unless a known-good one silences it."""
    held = Submission.objects.select_for_update().filter(pk__in=[row.pk for row in met], status__in=LOOKED_AT)
    rows = list(held.order_by("pk")) if met else []
    shown = evidence_on(rows, recheck)
    keep_matches(zip(rows, shown, strict=True))
    moves, asks = [], []
    for row, evidence in zip(rows, shown, strict=True):
        demand = strictest(evidence)
        if demand is None:
            continue
        recheck.matched += 1
        to = TO[demand["action"]]
        if row.status == Status.IN_REVIEW and to != Status.QUARANTINED:
            continue  # a person looks at it anyway
        moves.append(lifecycle.Move(row, to, "match", {"recheck": str(recheck.pk), "matches": evidence["matches"]}))
        if to == Status.IN_REVIEW:
            asks.append(requests.Ask(submission=row, reason=Reason.HASH_MATCH, category=demand["category"]))
        row.reasons = [asdict(Why("match", demand["category"], detail=demand["detail"])), *row.reasons]
    recheck.moved += len(moves)
    moved = [move.submission for move in moves]
    Submission.objects.bulk_update(moved, ["reasons"])
    requests.open_requests(asks)
    lock_away([move.submission for move in moves if move.to == Status.QUARANTINED])
    lifecycle.move_many(moves, actor=HOUSE)


def evidence_on(rows: Sequence[Submission], recheck: Recheck) -> list[dict[str, Any]]:
    """What matches in this bank and in known-good ones mean, as triage would see it."""
    if not rows:
        return []
    known.refresh(at_once=True)
    found = matches([Looks.stored(row) for row in rows], known)
    return [judged([one for one in each if one.bank.pk == recheck.bank_id or not one.demand])[1] for each in found]


def strictest(evidence: Mapping[str, Any]) -> Mapping[str, str] | None:
    order = [BankAction.QUARANTINE, BankAction.BLOCK, BankAction.REVIEW]
    return min(evidence.get("demands", ()), key=lambda one: order.index(one["action"]), default=None)


def lock_away(rows: Sequence[Submission]) -> None:
    """Nobody is to look at these any more."""
    open_ones = ReviewRequest.objects.filter(submission__in=rows, closed_at__isnull=True)
    if rows:
        open_ones.update(closed_at=timezone.now())


def read_md5(rows: Sequence[Submission]) -> None:
    """Afterwards each row has its MD5, as triage takes it when a bank goes by it; what cannot be read has none."""
    read = [row for row in rows if not row.md5]
    for row in read:
        try:
            with storages["originals"].open(row.original) as file:
                row.md5 = hashes.md5(file.read())
        except OSError as error:
            log.warning("a re-check cannot read the original of %s: %s", row.pk, error)
    Submission.objects.bulk_update(read, ["md5"], batch_size=500)
