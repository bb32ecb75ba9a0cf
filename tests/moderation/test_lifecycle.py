"""The one door for a submission's status."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from moderation import audit, lifecycle
from moderation.actors import HOUSE, TRIAGE, Actor
from moderation.lifecycle import LEGAL, IllegalMove, Move
from moderation.models import SETTLED, AuditEvent, Client, OutboxMessage, Status, Submission, Topic, User
from tests import world

PAIRS = [(origin, to) for origin in Status for to in Status]
SEED = iter(range(10_000))


def at(platform: Client, status: Status) -> Submission:
    """A submission that came to this status by legal moves."""
    submission = world.submit(platform, world.png(red=0.5, seed=next(SEED)))
    if status != Status.RECEIVED:
        lifecycle.move(submission, status, actor=TRIAGE, reason="for a test")
    return submission


@pytest.mark.parametrize(("origin", "to"), [pair for pair in PAIRS if pair[1] in LEGAL[pair[0]]])
def test_a_legal_move_is_made_recorded_and_told(platform: Client, origin: Status, to: Status) -> None:
    submission = at(platform, origin)
    events, messages = AuditEvent.objects.count(), OutboxMessage.objects.count()

    lifecycle.move(submission, to, actor=HOUSE, reason="because", detail=7)

    stored = Submission.objects.get(pk=submission.pk)
    assert stored.status == submission.status == to
    assert (stored.settled_at is not None) == (to in SETTLED)
    assert stored.decided_by == ("automation" if to in SETTLED else "")
    assert AuditEvent.objects.count() == events + 1
    event = audit.events_of(audit.submission(submission.pk))[-1]
    assert event.data == {"from": origin, "to": to, "reason": "because", "detail": 7}
    assert OutboxMessage.objects.count() == messages + (lifecycle.topic_of(origin, to) is not None)


@pytest.mark.parametrize(("origin", "to"), [pair for pair in PAIRS if pair[1] not in LEGAL[pair[0]]])
def test_an_illegal_move_changes_nothing(platform: Client, origin: Status, to: Status) -> None:
    submission = at(platform, origin)
    events, messages = AuditEvent.objects.count(), OutboxMessage.objects.count()

    with pytest.raises(IllegalMove):
        lifecycle.move(submission, to, actor=HOUSE, reason="because")

    assert Submission.objects.get(pk=submission.pk).status == origin
    assert (AuditEvent.objects.count(), OutboxMessage.objects.count()) == (events, messages)


def test_a_move_from_where_the_submission_no_longer_is_is_refused(platform: Client) -> None:
    submission = at(platform, Status.IN_REVIEW)
    outdated = Submission.objects.get(pk=submission.pk)
    lifecycle.move(submission, Status.APPROVED, actor=HOUSE, reason="first")

    with pytest.raises(IllegalMove, match="no longer in_review"):
        lifecycle.move(outdated, Status.BLOCKED, actor=HOUSE, reason="second")


def test_a_person_s_decision_is_named_as_one(platform: Client, rita: User) -> None:
    submission = at(platform, Status.IN_REVIEW)

    lifecycle.move(submission, Status.BLOCKED, actor=Actor.person(rita), reason="decision")

    assert Submission.objects.get(pk=submission.pk).decided_by == "person"


@pytest.mark.parametrize(
    ("origin", "to", "topic"),
    [
        (Status.RECEIVED, Status.IN_REVIEW, None),
        (Status.RECEIVED, Status.APPROVED, Topic.SUBMISSION_SETTLED),
        (Status.APPROVED, Status.IN_REVIEW, Topic.SUBMISSION_REOPENED),
        (Status.QUARANTINED, Status.IN_REVIEW, Topic.SUBMISSION_REOPENED),
        (Status.APPROVED, Status.QUARANTINED, Topic.SUBMISSION_QUARANTINED),
    ],
)
def test_the_world_hears_of_what_concerns_it(origin: Status, to: Status, topic: Topic | None) -> None:
    assert lifecycle.topic_of(origin, to) == topic


def test_what_is_rolled_back_leaves_no_trace(platform: Client) -> None:
    submission = at(platform, Status.RECEIVED)
    events = AuditEvent.objects.count()

    with pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012 - the move must happen inside
        lifecycle.move(submission, Status.APPROVED, actor=TRIAGE, reason="below")
        raise RuntimeError

    assert Submission.objects.get(pk=submission.pk).status == Status.RECEIVED
    assert AuditEvent.objects.count() == events
    assert not OutboxMessage.objects.exists()


def test_many_moves_are_made_together(platform: Client) -> None:
    rows = [at(platform, Status.RECEIVED) for _each in range(5)]
    targets = [Status.APPROVED, Status.IN_REVIEW, Status.BLOCKED, Status.APPROVED, Status.QUARANTINED]

    lifecycle.move_many([Move(row, to, "test") for row, to in zip(rows, targets, strict=True)], actor=TRIAGE)

    assert [Submission.objects.get(pk=row.pk).status for row in rows] == targets
    assert OutboxMessage.objects.count() == 4


@pytest.mark.parametrize("wrong", ["stale", "illegal"])
def test_one_bad_move_stops_them_all(platform: Client, wrong: str) -> None:
    good = [at(platform, Status.RECEIVED) for _each in range(3)]
    bad = at(platform, Status.IN_REVIEW)
    if wrong == "stale":
        bad.status = Status.RECEIVED
    events = AuditEvent.objects.count()
    moves = [Move(row, Status.BLOCKED, "test") for row in good]
    moves.append(Move(bad, Status.APPROVED if wrong == "stale" else Status.RECEIVED, "test"))

    with pytest.raises(IllegalMove):
        lifecycle.move_many(moves, actor=TRIAGE)

    assert set(Submission.objects.filter(pk__in=[row.pk for row in good]).values_list("status", flat=True)) == {
        "received"
    }
    assert AuditEvent.objects.count() == events
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_of_several_who_move_at_once_exactly_one_succeeds(platform: Client) -> None:
    submission = at(platform, Status.IN_REVIEW)
    start = threading.Barrier(6)

    def decide(to: Status) -> bool:
        mine = Submission.objects.get(pk=submission.pk)
        start.wait(20)
        try:
            lifecycle.move(mine, to, actor=HOUSE, reason="race")
        except IllegalMove:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as people:
        won = list(people.map(decide, [Status.APPROVED, Status.BLOCKED, Status.QUARANTINED] * 2))

    assert won.count(True) == 1
    moves = [event for event in audit.events_of(audit.submission(submission.pk)) if event.data.get("reason") == "race"]
    assert len(moves) == 1
    assert OutboxMessage.objects.count() == 1
    assert list(audit.verify()) == []
