"""What people decided of a picture settles its copies, where the plan says so; the decision is cited."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from moderation import lifecycle, policies
from moderation.actors import HOUSE, Actor
from moderation.models import (
    AuditEvent,
    Client,
    PolicyVersion,
    Reason,
    ReviewRequest,
    Status,
    Submission,
    TriagePlan,
    User,
)
from moderation.taxonomy import Category, Severity
from review import holding, queue
from review.decisions import decide
from review.models import Decision
from tests import world

COMMAND = Actor.command("test")
BANDS = {**world.BANDS, "WEAPONS_DANGEROUS": {"approve": 0.2}}


def picture(*, red: float = 0.5, quality: int = 95, seed: int = 1) -> bytes:
    """Structure that PDQ knows again, whose mean red the eyes take for weapons."""
    coarse = np.random.default_rng(seed).uniform(-1, 1, (25, 25))
    waves = np.asarray(Image.fromarray(coarse.astype(np.float32)).resize((512, 512), Image.Resampling.BICUBIC))
    pixels = np.zeros((512, 512, 3))
    pixels[..., 0] = np.clip(red + min(red, 1 - red) * (waves - waves.mean()), 0, 1) * 255
    buffer = io.BytesIO()
    Image.fromarray(pixels.round().astype(np.uint8)).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def settling(copies: str = "settle", **changes: Any) -> TriagePlan:
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    return policies.publish_plan({**plan.body, "copies": copies, **changes}, note="", actor=COMMAND)


@pytest.fixture
def plan(eyes: TriagePlan) -> TriagePlan:
    return settling()


def decided(
    client: Client, reviewer: User, verdict: str, *categories: str, red: float = 0.5, severity: int = 2
) -> Decision:
    """An image that went to people, and what one of them said."""
    world.triaged(client, picture(red=red))
    (claim,) = queue.claim(reviewer, queue.GENERAL)
    labels = [{"category": code, "severity": severity} for code in categories]
    return decide(claim.pk, reviewer, verdict=verdict, labels=labels)


def copy_of(client: Client, *, red: float = 0.5) -> Submission:
    return world.triaged(client, picture(red=red, quality=70))


def test_a_copy_of_what_people_approved_is_approved(plan: TriagePlan, platform: Client, rita: User) -> None:
    decision = decided(platform, rita, "approve")

    copy = copy_of(platform)

    assert (copy.status, copy.decided_by) == (Status.APPROVED, "automation")
    assert (copy.reasons[0]["code"], copy.reasons[0]["detail"]) == ("copy", str(decision.pk))
    event = AuditEvent.objects.get(subject=f"submission:{copy.pk}", action="submission.approved")
    assert (event.data["decision"], event.data["copy_of"]) == (str(decision.pk), str(decision.submission_id))
    assert not ReviewRequest.objects.filter(submission=copy).exists()


def test_a_copy_of_what_people_blocked_is_blocked(plan: TriagePlan, platform: Client, rita: User) -> None:
    decision = decided(platform, rita, "block", "WEAPONS_DANGEROUS")

    copy = copy_of(platform)

    assert (copy.status, copy.reasons[0]["detail"]) == (Status.BLOCKED, str(decision.pk))
    assert str(copy.policy) == "WEAPONS_DANGEROUS v1"


def test_a_grave_block_settles_copies_once_a_second_person_agreed(
    plan: TriagePlan, platform: Client, rita: User, sam: User
) -> None:
    decision = decided(platform, rita, "block", "WEAPONS_DANGEROUS", severity=3)
    assert copy_of(platform).status == Status.IN_REVIEW

    holding.approve(decision.pk, sam)

    copy = copy_of(platform)
    assert (copy.status, copy.reasons[0]["detail"]) == (Status.BLOCKED, str(decision.pk))


def test_a_block_reaches_what_the_machine_would_approve(plan: TriagePlan, platform: Client, rita: User) -> None:
    decided(platform, rita, "block", "WEAPONS_DANGEROUS", red=0.24)

    copy = copy_of(platform, red=0.19)

    assert copy.status == Status.BLOCKED


def test_without_the_plan_s_word_people_look(eyes: TriagePlan, platform: Client, rita: User) -> None:
    decided(platform, rita, "approve")

    assert copy_of(platform).status == Status.IN_REVIEW


@pytest.mark.parametrize("category", ["CSAE", "NCII"])
def test_what_only_people_block_goes_to_people(plan: TriagePlan, platform: Client, rita: User, category: str) -> None:
    decided(platform, rita, "block", category, "WEAPONS_DANGEROUS", red=0.24)

    copy = copy_of(platform, red=0.19)

    assert (copy.status, copy.reasons[0]["code"]) == (Status.IN_REVIEW, "copy")
    assert ReviewRequest.objects.get(submission=copy).category == category


def test_another_client_s_decision_counts_only_where_the_plan_says_so(
    plan: TriagePlan, platform: Client, other_platform: Client, rita: User
) -> None:
    decided(platform, rita, "approve")
    assert copy_of(other_platform).status == Status.IN_REVIEW

    settling("settle_across_clients")

    assert world.triaged(other_platform, picture(quality=60)).status == Status.APPROVED


@pytest.mark.parametrize("verdict", ["approve", "block"])
def test_a_changed_guideline_ends_what_was_decided_by_it(
    plan: TriagePlan, platform: Client, rita: User, verdict: str
) -> None:
    decided(platform, rita, verdict, *(["WEAPONS_DANGEROUS"] if verdict == "block" else []))
    old = PolicyVersion.objects.get(category="WEAPONS_DANGEROUS")
    policies.publish_policy(
        Category.WEAPONS_DANGEROUS,
        headline="Stricter",
        definition=old.definition,
        allowed=old.allowed,
        not_allowed=old.not_allowed,
        exceptions="",
        severity=Severity(old.severity),
        actor=COMMAND,
    )

    assert copy_of(platform).status == Status.IN_REVIEW


def test_a_doubt_that_nobody_had_in_mind_goes_to_people(plan: TriagePlan, platform: Client, rita: User) -> None:
    decided(platform, rita, "approve")
    bands = {**world.BANDS, "PRIVACY": {"approve": 0.0}}  # from now on everybody looks at privacy too
    settling(bands=bands)

    assert copy_of(platform).status == Status.IN_REVIEW


def test_a_block_zone_is_not_lifted(plan: TriagePlan, platform: Client, rita: User) -> None:
    decided(platform, rita, "approve")
    settling(bands={**world.BANDS, "WEAPONS_DANGEROUS": {"approve": 0.2, "block": 0.4}})

    assert copy_of(platform).status == Status.BLOCKED


def test_what_the_machine_settled_settles_no_copy(plan: TriagePlan, platform: Client) -> None:
    world.triaged(platform, picture(red=0.15))
    settling(bands={**world.BANDS, "WEAPONS_DANGEROUS": {"approve": 0.05}})

    assert copy_of(platform, red=0.15).status == Status.IN_REVIEW


def test_a_copy_settled_so_is_itself_no_precedent(plan: TriagePlan, platform: Client, rita: User) -> None:
    decision = decided(platform, rita, "approve")
    first = copy_of(platform)
    lifecycle.move(decision.submission, Status.IN_REVIEW, actor=HOUSE, reason="report")

    assert first.status == Status.APPROVED
    assert world.triaged(platform, picture(quality=60)).status == Status.IN_REVIEW


def test_an_overturned_decision_is_none(plan: TriagePlan, platform: Client, rita: User) -> None:
    decision = decided(platform, rita, "block", "WEAPONS_DANGEROUS")
    row = decision.submission
    row.refresh_from_db()
    lifecycle.move(row, Status.APPROVED, actor=Actor.person(rita), reason="appeal")

    assert copy_of(platform).status == Status.IN_REVIEW


def test_people_who_disagree_are_asked_again(plan: TriagePlan, platform: Client, rita: User) -> None:
    settling("off")
    decided(platform, rita, "approve")
    copy_of(platform)
    (claim,) = queue.claim(rita, queue.GENERAL)
    decide(claim.pk, rita, verdict="block", labels=[{"category": "WEAPONS_DANGEROUS", "severity": 2}])
    settling()

    assert world.triaged(platform, picture(quality=60)).status == Status.IN_REVIEW


def test_some_copies_are_audited(plan: TriagePlan, platform: Client, rita: User) -> None:
    decided(platform, rita, "approve")
    settling(audit_rate=1.0)

    copy = copy_of(platform)

    assert copy.status == Status.APPROVED
    assert ReviewRequest.objects.get(submission=copy).reason == Reason.AUDIT_SAMPLE
    assert copy.inclusion_probability == 1.0


def test_only_close_copies_are_settled(plan: TriagePlan, platform: Client, rita: User) -> None:
    """A neighbour of the cluster's radius is linked, but far enough to be looked at."""
    decided(platform, rita, "approve")
    row = Submission.objects.get()
    assert row.pdq is not None
    turned = bytes([bytes(row.pdq)[0] ^ 0xFF, bytes(row.pdq)[1] ^ 0x0F]) + bytes(row.pdq)[2:]  # 12 bits away
    Submission.objects.filter(pk=row.pk).update(pdq=turned)

    copy = copy_of(platform)

    assert (copy.cluster, copy.status) == (row.pk, Status.IN_REVIEW)


def test_settling_costs_few_queries(
    plan: TriagePlan, platform: Client, rita: User, django_assert_max_num_queries: Any
) -> None:
    from moderation.policies import parsed
    from moderation.triage import batch
    from moderation.triage.clusters import places
    from moderation.triage.leases import claim
    from moderation.triage.precedents import precedents

    decided(platform, rita, "approve")
    for quality in range(60, 72):
        world.submit(platform, picture(quality=quality))
    rows = claim(limit=32, again=False)
    looks = list(batch.begin(rows).looks)
    placed = places(rows, looks)

    with django_assert_max_num_queries(3):
        found = precedents(rows, looks, placed, parsed(plan))

    assert [one.action for one in found if one] == ["approve"] * 12
