"""What is added to a bank is looked for in the archive, once, whatever stops on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from classifiers import hashes
from moderation import audit, lifecycle
from moderation.actors import Actor
from moderation.banks import keeping, rechecking
from moderation.banks.fingerprints import Fingerprint
from moderation.banks.known import known
from moderation.models import (
    BankAction,
    BankMatch,
    Client,
    OutboxMessage,
    Polarity,
    Reason,
    Recheck,
    ReviewRequest,
    Status,
    Submission,
    TriagePlan,
)
from moderation.tasks import recheck
from moderation.taxonomy import Category
from moderation.triage import run_once
from moderation.triage.leases import claim
from tests import world
from tests.moderation.knowing import bank, copied, encoded, fingerprint, learnt, plan_with_banks, scene

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def plan(guidelines: None) -> TriagePlan:
    return plan_with_banks()


@pytest.fixture
def archived(platform: Client) -> Submission:
    """A copy of scene 5, approved before anyone knew it."""
    known.refresh(at_once=True)
    world.triaged(platform, encoded(scene(6)))
    submission = world.triaged(platform, copied(scene(5)))
    assert submission.status == Status.APPROVED
    return submission


def walk() -> Recheck:
    """The newest walk, to its end."""
    newest = Recheck.objects.order_by("-asked_at").first()
    assert newest is not None
    while not rechecking.walk(newest.pk, batches=10):
        pass
    newest.refresh_from_db()
    return newest


def status_of(submission: Submission) -> str:
    return Submission.objects.values_list("status", flat=True).get(pk=submission.pk)


@pytest.mark.parametrize(
    ("category", "action", "status"),
    [
        (Category.WEAPONS_DANGEROUS, BankAction.REVIEW, Status.IN_REVIEW),
        (Category.WEAPONS_DANGEROUS, BankAction.BLOCK, Status.BLOCKED),
        (Category.WEAPONS_DANGEROUS, BankAction.QUARANTINE, Status.QUARANTINED),
        (Category.NCII, BankAction.REVIEW, Status.QUARANTINED),
    ],
)
def test_what_was_approved_goes_where_the_bank_says(
    archived: Submission, category: Category, action: BankAction, status: Status
) -> None:
    learnt(bank(category=category, action=action), fingerprint(scene(5)))

    done = walk()

    assert status_of(archived) == status
    assert (done.seen, done.matched, done.moved) == (2, 1, 1)
    assert BankMatch.objects.get().submission == archived
    event = audit.events_of(audit.submission(archived.pk))[-1]
    assert (event.actor, event.data["reason"]) == ("automation:house", "match")
    assert event.data["matches"][0]["kind"] == "pdq"
    assert OutboxMessage.objects.filter(payload__id=str(archived.pk)).count() == 2


def test_what_is_reopened_asks_a_person_and_says_why(archived: Submission) -> None:
    learnt(bank(action=BankAction.REVIEW), fingerprint(scene(5)))

    walk()

    request = ReviewRequest.objects.get(submission=archived)
    archived.refresh_from_db()
    assert (request.reason, request.category, request.closed_at) == (
        Reason.HASH_MATCH,
        Category.WEAPONS_DANGEROUS,
        None,
    )
    assert archived.reasons[0]["code"] == "match"


def test_an_image_in_review_is_put_under_legal_hold_and_nobody_is_asked_any_more(platform: Client) -> None:
    learnt(bank("First", action=BankAction.REVIEW), fingerprint(scene(5)))
    known.refresh(at_once=True)
    submission = world.triaged(platform, copied(scene(5)))
    assert submission.status == Status.IN_REVIEW

    learnt(bank("Blocks", action=BankAction.BLOCK), fingerprint(scene(5)))
    walk()
    assert status_of(submission) == Status.IN_REVIEW  # a person looks at it anyway
    learnt(bank("Grave", category=Category.CSAE, action=BankAction.QUARANTINE), fingerprint(scene(5)))
    walk()

    assert status_of(submission) == Status.QUARANTINED
    assert not ReviewRequest.objects.filter(closed_at__isnull=True).exists()


def test_what_people_approved_after_a_match_is_not_reopened_by_later_additions(archived: Submission) -> None:
    one = bank(action=BankAction.REVIEW)
    learnt(one, fingerprint(scene(5)))
    walk()
    archived.refresh_from_db()
    lifecycle.move(archived, Status.APPROVED, actor=Actor.command("test"), reason="decision")

    learnt(one, fingerprint(scene(7)))
    walk()

    assert status_of(archived) == Status.APPROVED


def test_a_known_good_image_is_left_alone(archived: Submission) -> None:
    learnt(bank("Ours", action=BankAction.REVIEW, polarity=Polarity.KNOWN_GOOD), fingerprint(scene(5)))
    learnt(bank(), fingerprint(scene(5)))

    assert walk().moved == 0
    assert status_of(archived) == Status.APPROVED


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_the_same_bytes_are_found_by_their_digest(platform: Client, kind: str) -> None:
    plain = world.png(red=0.1)
    submission = world.triaged(platform, plain)

    digest = {"sha256": hashes.sha256(plain)} if kind == "sha256" else {"md5": hashes.md5(plain)}
    learnt(bank(), Fingerprint.of(**digest))
    walk()

    assert status_of(submission) == Status.BLOCKED


def test_a_walk_that_is_cut_off_goes_on_where_it_stopped(
    platform: Client, archived: Submission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rechecking, "BATCH", 1)
    copy = world.triaged(platform, copied(scene(5)), external_id="again")
    learnt(bank(), fingerprint(scene(5)))
    asked = Recheck.objects.get()

    assert not rechecking.walk(asked.pk, batches=2)
    assert (status_of(archived), status_of(copy)) == (Status.BLOCKED, Status.APPROVED)
    walk()

    asked.refresh_from_db()
    assert status_of(copy) == Status.BLOCKED
    assert (asked.seen, asked.moved) == (3, 2)


def test_an_image_that_triage_had_in_hand_is_looked_at_once_it_is_settled(platform: Client) -> None:
    known.refresh(at_once=True)
    submission = world.submit(platform, copied(scene(5)))
    claim(limit=1, again=False)  # by a worker that has not read the addition
    learnt(bank(), fingerprint(scene(5)))
    asked = Recheck.objects.get()

    assert not rechecking.walk(asked.pk, batches=10)
    submission.refresh_from_db()
    lifecycle.move(submission, Status.APPROVED, actor=Actor.command("test"), reason="below")
    Submission.objects.filter(pk=submission.pk).update(pdq=hashes.pdq(scene(5))[0], pdq_quality=100)
    assert rechecking.walk(asked.pk, batches=10)

    assert status_of(submission) == Status.BLOCKED


def test_additions_that_come_before_a_walk_begins_share_it() -> None:
    one = bank()
    for seed in (5, 6, 7):
        learnt(one, fingerprint(scene(seed)))

    assert Recheck.objects.count() == 1
    walk()
    learnt(one, fingerprint(scene(8)))
    assert Recheck.objects.count() == 2


def test_an_addition_to_a_known_good_bank_moves_nothing() -> None:
    learnt(bank(polarity=Polarity.KNOWN_GOOD, action=BankAction.REVIEW), fingerprint(scene(5)))

    assert not Recheck.objects.exists()


def test_a_removed_entry_is_not_looked_for(archived: Submission) -> None:
    (entry,) = learnt(bank(), fingerprint(scene(5)))
    keeping.remove(entry, reason="a mistake", actor=Actor.command("test"))

    assert walk().matched == 0


def test_the_task_walks_what_has_waited_long_enough(archived: Submission, monkeypatch: Any) -> None:
    learnt(bank(), fingerprint(scene(5)))
    recheck()
    assert status_of(archived) == Status.APPROVED  # some worker may not have read the addition yet

    Recheck.objects.update(asked_at=timezone.now() - timedelta(seconds=5))
    recheck()

    assert status_of(archived) == Status.BLOCKED
    assert run_once().claimed == 0
