"""Trying a plan on a share of the traffic: the share is kept, the rest follows what is in force, and it can end."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from moderation import audit, policies, proposals, rollouts
from moderation.actors import HOUSE, Actor
from moderation.models import (
    AuditEvent,
    Client,
    OutboxMessage,
    ProposalKind,
    ProposalState,
    Rollout,
    Submission,
    Topic,
    TriagePlan,
    User,
)
from moderation.roles import Role
from moderation.rollouts import CannotRollOut
from moderation.triage import run_once
from tests import world
from tests.conftest import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def stricter(eyes: TriagePlan) -> dict[str, Any]:
    return {**eyes.body, "bands": {**eyes.body["bands"], "PRIVACY": {"approve": 0.01}}}


def begun(body: dict[str, Any], paula: User, share: float = 0.5) -> Rollout:
    return rollouts.begin(body, share, note="Try it.", actor=Actor.person(paula), person=paula, based_on=1)


def test_the_share_follows_the_candidate_and_the_rest_what_is_in_force(
    platform: Client, eyes: TriagePlan, stricter: dict[str, Any], paula: User
) -> None:
    rollout = begun(stricter, paula)
    for seed in range(12):
        world.submit(platform, world.png(blue=0.1, seed=seed))
    run_once()

    assert TriagePlan.objects.in_force() == eyes
    rows = list(Submission.objects.select_related("plan"))
    for row in rows:
        tried = rollouts.lot(rollout.pk, row.pk) < 0.5
        assert row.plan == (rollout.candidate if tried else eyes)
        assert row.route == ("review" if tried else "approve")
    assert {row.plan_id for row in rows} == {eyes.pk, rollout.candidate_id}


def test_the_lots_are_even_and_another_rollout_draws_anew() -> None:
    first, second = uuid4(), uuid4()
    images = [uuid4() for _each in range(4000)]
    taken = [{image for image in images if rollouts.lot(key, image) < 0.2} for key in (first, second)]

    assert all(650 < len(one) < 950 for one in taken)
    assert 80 < len(taken[0] & taken[1]) < 250
    assert rollouts.lot(first, images[0]) == rollouts.lot(first, images[0])


def test_adopted_it_is_what_all_follow(eyes: TriagePlan, stricter: dict[str, Any], paula: User) -> None:
    rollout = begun(stricter, paula)
    plan = rollouts.adopt(rollout.pk, actor=Actor.person(paula), person=paula)

    assert TriagePlan.objects.in_force() == plan
    assert (plan.number, plan.body, plan.candidate) == (3, stricter, False)
    assert rollouts.running() is None
    with pytest.raises(CannotRollOut):
        rollouts.drop(rollout.pk, actor=HOUSE, why="")


def test_dropped_nothing_follows_it_any_more(
    platform: Client, eyes: TriagePlan, stricter: dict[str, Any], paula: User
) -> None:
    rollouts.drop(begun(stricter, paula, 0.999).pk, actor=HOUSE, why="It blocks too much.")

    assert TriagePlan.objects.in_force() == eyes
    assert world.triaged(platform, world.png(blue=0.1)).plan == eyes
    assert [event.action for event in audit.events_of("plan:2")] == ["plan.rollout_started", "plan.rollout_dropped"]
    assert list(audit.verify()) == []


def test_what_is_published_meanwhile_is_in_force_and_numbers_stay_unique(
    eyes: TriagePlan, stricter: dict[str, Any], paula: User
) -> None:
    rollout = begun(stricter, paula)
    meanwhile = policies.publish_plan({**eyes.body, "audit_rate": 0.5}, note="", actor=HOUSE, based_on=1)

    assert (meanwhile.number, TriagePlan.objects.in_force()) == (3, meanwhile)
    assert rollouts.adopt(rollout.pk, actor=HOUSE).number == 4
    assert OutboxMessage.objects.filter(topic=Topic.PLAN_PUBLISHED).count() == 3


def test_one_at_a_time(eyes: TriagePlan, stricter: dict[str, Any], paula: User) -> None:
    begun(stricter, paula)
    with pytest.raises(CannotRollOut):
        begun(stricter, paula)
    assert TriagePlan.objects.count() == 2


def test_a_rollout_needs_a_second_person_as_any_plan(eyes: TriagePlan, stricter: dict[str, Any], paula: User) -> None:
    pia = person("pia", Role.POLICY_LEAD)
    proposal = proposals.draft(paula, ProposalKind.PLAN, "", stricter, title="Look closer", based_on=1, share=0.1)
    proposals.ask(proposal.pk, paula, revision=1)
    with pytest.raises(proposals.OwnWork):
        proposals.approve(proposal.pk, paula, revision=1)
    answered = proposals.approve(proposal.pk, pia, revision=1)

    rollout = rollouts.running()
    assert rollout is not None
    assert (answered.state, answered.published, rollout.share) == (ProposalState.PUBLISHED, 2, 0.1)
    assert TriagePlan.objects.in_force() == eyes
    assert AuditEvent.objects.filter(action="plan.rollout_started").get().data["share"] == 0.1


def test_a_second_rollout_cannot_be_approved_while_one_runs(
    eyes: TriagePlan, stricter: dict[str, Any], paula: User
) -> None:
    pia = person("pia", Role.POLICY_LEAD)
    proposal = proposals.draft(paula, ProposalKind.PLAN, "", stricter, title="More", based_on=1, share=0.1)
    proposals.ask(proposal.pk, paula, revision=1)
    begun(stricter, paula)

    with pytest.raises(proposals.UnfitProposal):
        proposals.approve(proposal.pk, pia, revision=1)
    proposal.refresh_from_db()
    assert proposal.state == ProposalState.ASKED
