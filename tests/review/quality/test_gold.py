"""Gold items: made by seniors, given to each person once among ordinary work, and told apart by nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from moderation import audit, lifecycle
from moderation.actors import HOUSE
from moderation.models import Client, Reason, ReviewRequest, Status, Submission, TriagePlan, User
from review import blinding, cases, effects, feedback, queue
from review.decisions import decide
from review.judgements import UnfitDecision
from review.models import Claim, GoldItem, GoldTurn
from review.quality import gold
from review.quality.gold import UnfitGold
from review.views.cards import cards
from tests import world
from tests.review.arranging import status_of, waiting

WEAPON = {"category": "WEAPONS_DANGEROUS", "severity": 2}
BLOCK: dict[str, Any] = {"verdict": "block", "labels": [WEAPON]}
HARMLESS: dict[str, Any] = {"verdict": "approve", "labels": [], "category": "WEAPONS_DANGEROUS", "why": "A wall."}
HARMFUL: dict[str, Any] = {**BLOCK, "category": "", "why": "A red one."}


@pytest.fixture(autouse=True)
def all_gold(settings: Any) -> None:
    settings.GOLD_SHARE = 1.0


@pytest.fixture
def item(platform: Client, eyes: TriagePlan, sam: User) -> GoldItem:
    """A black image, approved by the plan, that is one to approve."""
    return gold.add(world.triaged(platform, world.png()), sam, **HARMLESS)


def dealt(reviewer: User, count: int = 1) -> list[Claim]:
    return queue.claim(reviewer, queue.GENERAL, count)


def test_an_item_takes_the_place_of_an_ordinary_request(item: GoldItem, platform: Client, rita: User) -> None:
    (request,) = waiting(platform, 1)
    (claim,) = dealt(rita)
    assert (claim.request.reason, claim.request.submission_id) == (Reason.GOLD, item.submission_id)
    ReviewRequest.objects.get(pk=request.pk, leased_until__lte=timezone.now())  # free for anybody
    turn = GoldTurn.objects.get(item=item)
    assert (turn.reviewer, turn.request_id) == (rita, claim.request_id)


def test_it_looks_like_the_request_whose_place_it_took(item: GoldItem, platform: Client, rita: User) -> None:
    (request,) = waiting(platform, 1)
    ReviewRequest.objects.filter(pk=request.pk).update(due_at=timezone.now(), priority=7)
    request.refresh_from_db()
    (claim,) = dealt(rita)
    ours = ReviewRequest.objects.get(pk=claim.request_id)
    different = {"id", "submission_id", "reason", "leased_until", "opened_at", "closed_at"}
    for field in ReviewRequest._meta.concrete_fields:
        if field.attname not in different:
            assert getattr(ours, field.attname) == getattr(request, field.attname), field.attname
    assert ours.pk != request.pk
    assert ours.pk.bytes[:6] == request.pk.bytes[:6]  # the moment that a UUIDv7 tells
    assert ours.pk.version == request.pk.version == 7


def test_a_key_of_the_same_age_is_a_uuid_of_version_7() -> None:
    key = UUID("019a1b2c-3d4e-7f00-8123-456789abcdef")
    made = {gold.as_old_as(key) for _ in range(50)}
    assert {(one.version, one.variant, one.bytes[:6]) for one in made} == {(7, key.variant, key.bytes[:6])}
    assert len(made) == 50


def test_nobody_gets_an_item_twice(item: GoldItem, platform: Client, rita: User) -> None:
    waiting(platform, 2)
    (claim,) = dealt(rita)
    decide(claim.pk, rita, verdict="approve")
    (again,) = dealt(rita)
    assert again.request.reason == Reason.UNCERTAIN
    with pytest.raises(IntegrityError), transaction.atomic():
        GoldTurn.objects.create(item=item, reviewer=rita, request=again.request)


def test_its_turn_stays_with_its_person_until_answered(
    item: GoldItem, platform: Client, rita: User, sam: User, paula: User
) -> None:
    waiting(platform, 1)
    (claim,) = dealt(rita)
    queue.release(claim.pk, rita)
    assert [one.request.reason for one in dealt(sam, 5)] == [Reason.UNCERTAIN]
    (again,) = dealt(rita)
    assert again.request_id == claim.request_id


def test_who_made_it_or_had_the_image_before_does_not_get_it(
    platform: Client, eyes: TriagePlan, rita: User, sam: User
) -> None:
    (request,) = waiting(platform, 1)
    (claim,) = dealt(rita)
    decide(claim.pk, rita, **BLOCK)
    gold.add(request.submission, sam, **HARMFUL)
    waiting(platform, 1, red=0.6)
    for reviewer in (rita, sam):
        (claim,) = dealt(reviewer)
        assert claim.request.reason == Reason.UNCERTAIN
        queue.release(claim.pk, reviewer)


def test_what_a_person_set_aside_is_not_given_as_gold(item: GoldItem, platform: Client, rita: User) -> None:
    from review.models import ReviewerSettings

    waiting(platform, 1, red=0.0, green=0.5)
    ReviewerSettings.objects.create(person=rita, avoided=["WEAPONS_DANGEROUS"])
    assert [claim.request.reason for claim in dealt(rita)] == [Reason.UNCERTAIN]


def test_an_empty_queue_deals_no_gold(item: GoldItem, rita: User) -> None:
    assert dealt(rita) == []


@pytest.mark.parametrize("said", [BLOCK, {"verdict": "approve"}, {"verdict": "escalate"}, {"verdict": "skip"}])
def test_an_answer_ends_the_turn_moves_nothing_and_is_no_label(
    item: GoldItem, platform: Client, rita: User, said: dict[str, Any]
) -> None:
    waiting(platform, 1)
    (claim,) = dealt(rita)
    decide(claim.pk, rita, **said)
    claim.request.refresh_from_db()
    assert (claim.request.closed_at is not None, status_of(item.submission)) == (True, Status.APPROVED)
    assert not feedback.voiced().filter(submission=item.submission).exists()
    assert list(audit.verify()) == []


def test_an_answer_can_be_taken_back_like_any_other(
    item: GoldItem, platform: Client, rita: User, settings: Any
) -> None:
    settings.REVIEW_UNDO_SECONDS = 10
    waiting(platform, 1)
    (claim,) = dealt(rita)
    decision = decide(claim.pk, rita, **BLOCK)
    again = effects.undo(decision.pk, rita)
    assert again
    assert again.request_id == claim.request_id
    decide(again.pk, rita, verdict="approve")


def test_what_the_api_and_the_card_show_tells_nothing(
    item: GoldItem, platform: Client, rita: User, settings: Any
) -> None:
    settings.UNAIDED_SHARE = 1.0
    waiting(platform, 2)
    claims = dealt(rita, 2)
    assert {claim.request.reason for claim in claims} == {Reason.GOLD, Reason.UNCERTAIN}
    first, second = cases.shown(claims, rita)
    for told in (first, second):
        assert (told["reason"], told["category"]) == ("policy", None)
        submission = told["submission"]
        hidden = [submission[name] for name in ("status", "categories", "reasons", "provenance", "created_at")]
        assert hidden == [None, [], [], None, None]
    one, other = cards(claims, reviewer=rita)
    assert (one.reason, one.why, one.likely, one.severity) == (other.reason, other.why, other.likely, other.severity)
    assert [choice.code for choice in one.choices] == [choice.code for choice in other.choices]


def test_a_turn_that_nobody_took_up_ends_after_a_day(
    item: GoldItem, platform: Client, rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting(platform, 1)
    (claim,) = dealt(rita)
    queue.release(claim.pk, rita)
    assert gold.close_unanswered() == 0
    monkeypatch.setattr(gold, "UNANSWERED", timedelta(0))
    assert gold.close_unanswered() == 1


def test_a_share_of_claims_is_gold_as_the_lot_says(item: GoldItem, platform: Client, rita: User, settings: Any) -> None:
    settings.GOLD_SHARE = 0.0
    waiting(platform, 1)
    assert [claim.request.reason for claim in dealt(rita)] == [Reason.UNCERTAIN]


def test_giving_out_gold_costs_two_statements(
    item: GoldItem, platform: Client, rita: User, django_assert_max_num_queries: Any
) -> None:
    waiting(platform, 1)
    blinding.in_force()
    with django_assert_max_num_queries(7):  # limits, walk, lease, pick and make, within a savepoint of two
        (claim,) = dealt(rita)
    assert claim.request.reason == Reason.GOLD


def test_an_item_is_made_and_retired_on_record(item: GoldItem, sam: User) -> None:
    gold.retire(item.pk, sam)
    item.refresh_from_db()
    assert item.retired_at is not None
    actions = [event.action for event in audit.events_of(audit.submission(item.submission_id))]
    assert actions[-2:] == ["gold.added", "gold.retired"]
    with pytest.raises(UnfitGold):
        gold.retire(item.pk, sam)
    gold.add(item.submission, sam, **HARMFUL)


def test_what_cannot_be_gold_is_refused(item: GoldItem, platform: Client, sam: User) -> None:
    with pytest.raises(UnfitGold, match="already"):
        gold.add(item.submission, sam, **HARMLESS)
    (request,) = waiting(platform, 1)
    with pytest.raises(UnfitGold, match="not decided"):
        gold.add(request.submission, sam, **HARMLESS)
    lifecycle.move(request.submission, Status.QUARANTINED, actor=HOUSE, reason="test")
    with pytest.raises(UnfitGold, match="for practice"):
        gold.add(request.submission, sam, **HARMLESS)
    other = world.triaged(platform, world.png(size=32))
    with pytest.raises(UnfitGold, match="for practice"):
        gold.add(other, sam, verdict="block", labels=[{"category": "CSAE", "severity": 4}], category="", why="no")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"verdict": "quarantine"}, "#/verdict"),
        ({"verdict": "maybe"}, "#/verdict"),
        ({"category": "TASTE"}, "#/category"),
        ({"category": None}, "#/category"),
        ({"why": "  "}, "#/why"),
        ({"why": 7}, "#/why"),
    ],
)
def test_an_item_that_says_too_little_is_refused(
    platform: Client, eyes: TriagePlan, sam: User, change: dict[str, Any], pointer: str
) -> None:
    submission = world.triaged(platform, world.png())
    with pytest.raises(UnfitDecision) as refusal:
        gold.add(submission, sam, **{**HARMLESS, **change})
    assert refusal.value.pointer == pointer
    assert not GoldItem.objects.exists()


def test_right_is_to_block_for_the_right_reason() -> None:
    hate = {"category": "HATE", "severity": 3}
    wanted = GoldItem(submission=Submission(), verdict="block", labels=[hate], category="HATE")
    answers = [("block", [hate]), ("block", [WEAPON]), ("quarantine", []), ("approve", []), ("skip", [])]
    assert [gold.is_right(wanted, *answer) for answer in answers] == [True, False, True, False, False]
    harmless = GoldItem(submission=Submission(), verdict="approve", category="HATE")
    assert [gold.is_right(harmless, *answer) for answer in answers] == [False, False, False, True, False]
