"""Calibration sessions: a lead picks images, everybody invited judges them without sight of each other, then all see
how far they are apart and talk about it. Nothing of it moves an image, is a label, or counts for anybody's figures.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from moderation import audit
from moderation.actors import Actor
from moderation.models import Scope, Status, Submission, User
from review.judgements import Judgement, UnfitDecision, text_of
from review.models import CalibrationItem, CalibrationSeat, CalibrationSession, CalibrationVote, GoldItem, Verdict
from review.quality import reliability

MOST_ITEMS: Final = 40
MOST_PEOPLE: Final = 40
LEADS: Final = (Scope.REVIEW_ESCALATED, Scope.POLICY)


class UnfitSession(Exception):
    """It cannot be held like that; the message says what to mend. Nothing was changed."""


class NotNow(Exception):
    """The session is closed, or this was answered already; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Spread:
    """What people said of one item: verdict and severity in words → how many; `apart` when they did not all agree."""

    item: CalibrationItem
    votes: Sequence[CalibrationVote]

    @property
    def verdicts(self) -> dict[str, int]:
        return dict(Counter(str(Verdict(vote.verdict).label) for vote in self.votes))

    @property
    def apart(self) -> bool:
        return len({vote.verdict for vote in self.votes}) > 1


def leads(person: User) -> bool:
    return any(person.has_scope(scope) for scope in LEADS)


def visible(person: User) -> QuerySet[CalibrationSession]:
    """All to those who may lead one; to others those they were invited to. Newest first."""
    sessions = CalibrationSession.objects.order_by("-id")
    return sessions if leads(person) else sessions.filter(seats__person=person)


@transaction.atomic
def start(lead: User, *, title: str, submissions: Sequence[UUID], people: Collection[User]) -> CalibrationSession:
    """Afterwards those invited may judge. Raises UnfitSession."""
    keys = list(dict.fromkeys(submissions))
    if not title.strip() or not 1 <= len(keys) <= MOST_ITEMS or not 2 <= len(people) <= MOST_PEOPLE:
        raise UnfitSession(
            _("A session has a title, 1 to %(items)d images, and 2 to %(people)d people.")
            % {"items": MOST_ITEMS, "people": MOST_PEOPLE}
        )
    usable = set(Submission.objects.filter(pk__in=keys).exclude(status=Status.QUARANTINED).values_list("pk", flat=True))
    if missing := [str(key) for key in keys if key not in usable]:
        raise UnfitSession(_("Not here, or under legal hold: %(keys)s") % {"keys": ", ".join(missing)})
    if strangers := [one.username for one in people if not one.has_scope(Scope.REVIEW)]:
        raise UnfitSession(_("These are no reviewers: %(names)s") % {"names": ", ".join(sorted(strangers))})
    session = CalibrationSession.objects.create(title=title.strip(), led_by=lead)
    CalibrationSeat.objects.bulk_create(CalibrationSeat(session=session, person=one) for one in people)
    CalibrationItem.objects.bulk_create(
        CalibrationItem(session=session, submission_id=key, position=at) for at, key in enumerate(keys, start=1)
    )
    data = {"images": [str(key) for key in keys], "people": sorted(str(Actor.person(one)) for one in people)}
    record(session, lead, "calibration.started", **data)
    return session


@transaction.atomic
def vote(item: CalibrationItem, person: User, *, verdict: Any, labels: Any, words: Any = "") -> CalibrationVote:
    """What this person says of an item, once. Raises UnfitDecision, NotNow, or CalibrationSeat.DoesNotExist for who is
    not invited.
    """
    said = Judgement.of(verdict=verdict, labels=labels)
    if said.verdict not in GoldItem.EXPECTED:
        raise UnfitDecision("#/verdict", _("Say whether you would approve or block it."))
    session = CalibrationSession.objects.select_for_update(no_key=True).get(pk=item.session_id)
    CalibrationSeat.objects.get(session=session, person=person)
    if session.closed_at is not None:
        raise NotNow(_("This session is closed. Its results are open to you."))
    try:
        with transaction.atomic():
            cast = CalibrationVote.objects.create(
                item=item,
                person=person,
                verdict=said.verdict.value,
                labels=said.labels,
                words=text_of(words, "words").strip(),
            )
    except IntegrityError as error:
        raise NotNow(_("You answered this one already.")) from error
    record(session, person, "calibration.voted", item=item.position, verdict=cast.verdict)
    return cast


@transaction.atomic
def close(session: CalibrationSession, lead: User) -> None:
    """Afterwards nobody votes any more, and everybody invited sees the results. Raises NotNow."""
    changed = CalibrationSession.objects.filter(pk=session.pk, closed_at__isnull=True).update(closed_at=timezone.now())
    if not changed:
        raise NotNow(_("This session is closed already."))
    record(session, lead, "calibration.closed")


@transaction.atomic
def note(item: CalibrationItem, lead: User, words: Any) -> None:
    """What came of talking about an item. Raises UnfitDecision."""
    said = text_of(words, "words").strip()
    CalibrationItem.objects.filter(pk=item.pk).update(note=said)
    record(item.session, lead, "calibration.noted", item=item.position, words=said)


def record(session: CalibrationSession, person: User, action: str, **data: Any) -> None:
    subject = f"calibration:{session.pk}"
    audit.record(audit.Entry(Actor.person(person), action, subject, {"title": session.title, **data}))


def next_item(session: CalibrationSession, person: User) -> CalibrationItem | None:
    """The first that this person has not answered and that nobody locked away since; None when there is none, the
    session is closed, or they are not invited.
    """
    if session.closed_at is not None or not session.seats.filter(person=person).exists():
        return None
    left = session.items.exclude(votes__person=person).exclude(submission__status=Status.QUARANTINED)
    return left.select_related("submission", "session").order_by("position").first()


def may_see_spread(session: CalibrationSession, person: User) -> bool:
    """Once it is closed, or they have answered everything; a lead who does not vote, at any time."""
    if session.closed_at is not None:
        return True
    if session.seats.filter(person=person).exists():
        return next_item(session, person) is None
    return leads(person)


def spreads(session: CalibrationSession) -> list[Spread]:
    """Every item with its votes, those apart first. Two queries."""
    items = session.items.select_related("submission").prefetch_related("votes__person").order_by("position")
    found = [Spread(item, sorted(item.votes.all(), key=lambda vote: vote.person.username)) for item in items]
    return sorted(found, key=lambda one: not one.apart)


def alpha(found: Sequence[Spread]) -> float | None:
    """Krippendorff's α of the session: harmful or not."""
    units = Counter(tuple(vote.verdict for vote in one.votes) for one in found)
    return reliability.alpha_of(units)
