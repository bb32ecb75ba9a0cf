"""Many small images at once: each is claimed, decided and recorded by itself, though one key answers them all.

Of near-duplicates in one's hands one may be decided, and the others follow it: their decisions cite it. A random share,
drawn by a keyed hash, is left to somebody else instead, so that what is followed blindly is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from moderation.models import Submission, User
from moderation.taxonomy import Severity
from review import queue
from review.decisions import decide
from review.judgements import UnfitDecision
from review.models import Claim, Decision, Verdict

SIZES: Final = (12, 24, 36, 60)
MOST: Final = 60
MOST_SEVERE: Final = Severity.S2  # what is graver is looked at one by one
SPOT_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one item: a decision, or why there is none. `spot_check`: left to somebody else."""

    claim_id: UUID | None
    decision: Decision | None = None
    error: Exception | None = None
    spot_check: bool = False


def claim(reviewer: User, name: str, size: int) -> list[Claim]:
    """What this person holds of the queue, topped up to `size` with requests of low severity. Raises what
    `queue.claim` does.
    """
    held = queue.resumed(reviewer, name, most=size)
    if len(held) < size:
        held += queue.claim(reviewer, name, size - len(held), most=MOST, most_severe=MOST_SEVERE)
    return held


def decide_all(reviewer: User, items: Sequence[Any], *, key: str = "") -> list[Answer]:
    """Each item is decided in a transaction of its own: one that fails changes nothing for the others. An item that
    `follows` another's claim takes over its verdict; see the module. Answers come in the order of the items.
    """
    if not items or len(items) > MOST:
        raise UnfitDecision("#/decisions", _("From 1 to %(most)d decisions.") % {"most": MOST})
    answers: dict[int, Answer] = {}
    leading: dict[UUID, Answer] = {}
    for number, item in enumerate(items):
        if "follows" not in mapping(item):
            answers[number] = answer = one(item, reviewer, key)
            if answer.claim_id and answer.decision:
                leading[answer.claim_id] = answer
    for number, item in enumerate(items):
        if number not in answers:
            answers[number] = follow(mapping(item), leading, reviewer, key)
    return [answers[number] for number in range(len(items))]


def one(item: Any, reviewer: User, key: str) -> Answer:
    said = dict(mapping(item))
    claim_id = key_of(said.pop("claim_id", None))
    return attempt(claim_id, lambda found: made(found, reviewer, key, said))


def follow(item: Mapping[str, Any], leading: Mapping[UUID, Answer], reviewer: User, key: str) -> Answer:
    claim_id, leader = key_of(item.get("claim_id")), leading.get(key_of(item.get("follows")) or UUID(int=0))

    def answered(found: UUID) -> Decision:
        if leader is None or leader.decision is None:
            raise UnfitDecision("#/follows", _("What it was to follow was not decided."))
        cited = leader.decision
        mine = Claim.objects.select_related("request__submission").get(pk=found)
        cluster = mine.request.submission.cluster
        if cluster is None or not Submission.objects.filter(pk=cited.submission_id, cluster=cluster).exists():
            raise UnfitDecision("#/follows", _("These two are no near-duplicates: decide it by itself."))
        seen = {"revealed": False, "seconds": 0, "cites": str(cited.pk), **tile_of(item)}
        if is_spot_check(mine.request.submission_id):
            return made(found, reviewer, key, {"verdict": Verdict.SKIP, "seen": seen})
        said = {"verdict": cited.verdict, "labels": cited.labels, "rationale": cited.rationale, "seen": seen}
        return made(found, reviewer, key, said)

    answer = attempt(claim_id, answered)
    spot = answer.decision is not None and answer.decision.verdict == Verdict.SKIP
    return Answer(answer.claim_id, answer.decision, answer.error, spot_check=spot)


def attempt(claim_id: UUID | None, act: Callable[[UUID], Decision]) -> Answer:
    if claim_id is None:
        return Answer(None, error=UnfitDecision("#/claim_id", _("Each item names its claim.")))
    try:
        return Answer(claim_id, act(claim_id))
    except Exception as error:  # noqa: BLE001 - the door tells those it knows, and raises the others
        return Answer(claim_id, error=error)


def made(claim_id: UUID, reviewer: User, key: str, said: Mapping[str, Any]) -> Decision:
    own = f"{key}:{claim_id}" if key else ""
    known = {name: said[name] for name in ("labels", "rationale", "note", "seen") if name in said}
    return decide(claim_id, reviewer, verdict=said.get("verdict", ""), idempotency_key=own, **known)


def is_spot_check(submission: UUID) -> bool:
    """By a keyed hash of the image: nobody can tell beforehand, and asking twice gives the same answer."""
    drawn = salted_hmac("loupe.spot_check", str(submission), algorithm="sha256").digest()
    return int.from_bytes(drawn[:8]) < SPOT_SHARE * 2**64


def tile_of(item: Mapping[str, Any]) -> dict[str, Any]:
    seen = item.get("seen")
    return {"tile": seen["tile"]} if isinstance(seen, Mapping) and "tile" in seen else {}


def mapping(item: Any) -> Mapping[str, Any]:
    return item if isinstance(item, Mapping) else {}


def key_of(value: Any) -> UUID | None:
    try:
        return UUID(value)
    except (ValueError, TypeError, AttributeError):
        return None
