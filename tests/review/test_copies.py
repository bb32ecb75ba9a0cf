"""Block this and its copies: a decision makes an image known, and the archive is walked for it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission

from classifiers import hashes
from moderation import audit
from moderation.actors import HOUSE
from moderation.banks import keeping, rechecking
from moderation.banks.known import known
from moderation.models import (
    Bank,
    BankAction,
    BankEntry,
    Client,
    Polarity,
    Reason,
    Recheck,
    ReviewRequest,
    Status,
    Submission,
    User,
)
from moderation.taxonomy import Category
from review import queue
from review.models import Claim, Decision
from tests import world
from tests.moderation.knowing import bank, copied, plan_with_banks, scene
from tests.review.arranging import status_of
from tests.review.test_api_decisions import decide

pytestmark = pytest.mark.django_db

WEAPONS = [{"category": "WEAPONS_DANGEROUS", "severity": 2}]


@pytest.fixture
def claim(rita: User, platform: Client, guidelines: None) -> Claim:
    """A copy of scene 5 in rita's hands; an image like it is approved already."""
    known.refresh(at_once=True)
    plan_with_banks()
    world.triaged(platform, copied(scene(5)))
    submission = world.triaged(platform, copied(scene(5)), external_id="another")
    ReviewRequest.objects.create(
        submission=submission, reason=Reason.REPORT, leased_until=submission.created_at, queue=queue.GENERAL
    )
    (claim,) = queue.claim(rita, queue.GENERAL)
    return claim


def walked() -> None:
    for asked in Recheck.objects.filter(finished_at__isnull=True):
        rechecking.walk(asked.pk, batches=10)


def test_a_block_with_a_bank_makes_the_image_known_and_reopens_its_copies(rita: User, claim: Claim) -> None:
    answer = decide(rita, claim.pk, {"verdict": "block", "labels": WEAPONS, "bank": "category"})
    walked()

    entry, other = BankEntry.objects.get(), Submission.objects.exclude(pk=claim.request.submission_id).get()
    assert answer.status_code == 201
    assert (entry.bank.category, entry.bank.action) == (Category.WEAPONS_DANGEROUS, BankAction.REVIEW)
    assert entry.sha256 == claim.request.submission.sha256
    assert hashes.hamming(bytes(entry.pdq), hashes.pdq(scene(5))[0]) <= 31
    assert entry.submission_id == claim.request.submission_id
    assert status_of(claim.request.submission) == Status.BLOCKED
    assert other.status == Status.IN_REVIEW
    assert ReviewRequest.objects.get(submission=other).reason == Reason.HASH_MATCH
    told = audit.events_of(keeping.subject(entry.bank))[-1]
    assert (told.action, told.data["decision"]) == ("bank.added", str(Decision.objects.get().pk))


def test_a_named_bank_acts_as_it_says(rita: User, claim: Claim) -> None:
    bank("Blocks unseen", action=BankAction.BLOCK)

    decide(rita, claim.pk, {"verdict": "block", "labels": WEAPONS, "bank": "Blocks unseen"})
    walked()

    assert set(Submission.objects.values_list("status", flat=True)) == {Status.BLOCKED}


def test_copies_of_the_gravest_kind_are_put_under_legal_hold(rita: User, claim: Claim) -> None:
    grave = [{"category": "CSAE", "severity": 4}]

    decide(rita, claim.pk, {"verdict": "quarantine", "labels": grave, "bank": "category"})
    walked()

    assert set(Submission.objects.values_list("status", flat=True)) == {Status.QUARANTINED}
    assert Bank.objects.get().action == BankAction.QUARANTINE


def test_the_bank_that_collects_decisions_is_made_once_and_again_when_it_is_retired(rita: User, claim: Claim) -> None:
    decide(rita, claim.pk, {"verdict": "block", "labels": WEAPONS, "bank": "category"})
    walked()
    (second,) = queue.claim(rita, queue.GENERAL)
    keeping.retire(Bank.objects.get(), reason="a test", actor=HOUSE)

    assert decide(rita, second.pk, {"verdict": "block", "labels": WEAPONS, "bank": "category"}).status_code == 201
    assert Bank.objects.count() == 2


@pytest.mark.parametrize(
    "said",
    [
        {"verdict": "approve", "bank": "category"},
        {"verdict": "skip", "bank": "category"},
        {"verdict": "quarantine", "bank": "category"},
        {"verdict": "block", "labels": WEAPONS, "bank": "No such bank"},
        {"verdict": "block", "labels": WEAPONS, "bank": "Of hate"},
        {"verdict": "block", "labels": WEAPONS, "bank": "Ours"},
        {"verdict": "block", "labels": WEAPONS, "bank": "Gone"},
        {"verdict": "block", "labels": WEAPONS, "bank": ["category"]},
    ],
)
def test_a_bank_that_does_not_fit_undoes_the_whole_decision(rita: User, claim: Claim, said: Any) -> None:
    bank("Of hate", category=Category.HATE)
    bank("Ours", polarity=Polarity.KNOWN_GOOD, action=BankAction.REVIEW)
    keeping.retire(bank("Gone"), reason="a test", actor=HOUSE)

    answer = decide(rita, claim.pk, said)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "#/bank"
    assert not Decision.objects.exists()
    assert not BankEntry.objects.exists()
    assert status_of(claim.request.submission) == Status.APPROVED


def test_the_same_decision_sent_twice_adds_once(rita: User, claim: Claim) -> None:
    body = {"verdict": "block", "labels": WEAPONS, "bank": "category"}

    answers = [decide(rita, claim.pk, body, key="one").status_code for _ in range(2)]

    assert answers == [201, 201]
    assert BankEntry.objects.count() == 1


def test_without_the_scope_nobody_adds_to_a_bank(rita: User, claim: Claim) -> None:
    rita.groups.clear()
    group = Group.objects.create(name="readers")
    group.permissions.set(Permission.objects.filter(codename="review"))
    rita.groups.add(group)

    assert decide(rita, claim.pk, {"verdict": "block", "labels": WEAPONS, "bank": "category"}).status_code == 403
    assert not Decision.objects.exists()


def test_eve_adds_nothing(eve: User, claim: Claim) -> None:
    assert decide(eve, claim.pk, {"verdict": "block", "labels": WEAPONS, "bank": "category"}).status_code == 403
    assert not BankEntry.objects.exists()
