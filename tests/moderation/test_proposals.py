"""From a draft to what is in force: one writes, another approves, and what was approved is what is published."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from moderation import audit, policies, proposals
from moderation.models import AuditEvent, PolicyVersion, Proposal, ProposalKind, ProposalState, TriagePlan, User
from moderation.plans import PlanError
from moderation.policies import Outdated
from moderation.proposals import NotOpen, OwnWork, UnfitProposal
from moderation.roles import Role
from moderation.taxonomy import Category
from tests.conftest import person

pytestmark = pytest.mark.django_db


@pytest.fixture
def pia(db: None) -> User:
    return person("pia", Role.POLICY_LEAD)


def cut(eyes: TriagePlan, approve: float) -> dict[str, Any]:
    category = next(iter(eyes.body["bands"]))
    bands = {**eyes.body["bands"], category: {"approve": approve, "block": None}}
    return {**eyes.body, "bands": bands}


def drafted(author: User, eyes: TriagePlan, **more: Any) -> Proposal:
    said: dict[str, Any] = {"title": "Look closer", "based_on": eyes.number, **more}
    return proposals.draft(author, ProposalKind.PLAN, "", cut(eyes, 0.01), **said)


def asked(author: User, eyes: TriagePlan, **more: Any) -> Proposal:
    return proposals.ask(drafted(author, eyes, **more).pk, author, revision=1)


def state_of(key: UUID) -> str:
    return Proposal.objects.get(pk=key).state


def test_one_writes_another_approves_and_triage_follows(paula: User, pia: User, eyes: TriagePlan) -> None:
    proposal = asked(paula, eyes)
    assert TriagePlan.objects.in_force() == eyes
    proposals.approve(proposal.pk, pia, revision=1)
    plan = TriagePlan.objects.get(number=eyes.number + 1)
    assert plan == TriagePlan.objects.in_force()
    assert (plan.body, plan.published_by) == (proposal.body, paula)
    stored = Proposal.objects.get(pk=proposal.pk)
    assert (stored.state, stored.published, stored.answered_by) == (ProposalState.PUBLISHED, plan.number, pia)
    told = AuditEvent.objects.filter(subject=f"proposal:{proposal.pk}").order_by("position")
    assert [event.action.split(".")[1] for event in told] == ["drafted", "asked", "approved", "published"]
    assert list(audit.verify()) == []


def test_a_guideline_takes_the_same_way(paula: User, pia: User, guidelines: None) -> None:
    latest = policies.in_force()[Category.HATE]
    body = {
        "headline": "No contempt.",
        "definition": "What it means.",
        "allowed": ["a museum"],
        "not_allowed": ["a slur"],
        "exceptions": "",
        "severity": 2,
    }
    draft = proposals.draft(paula, ProposalKind.POLICY, "HATE", body, title="Say it shorter", based_on=latest.number)
    proposals.ask(draft.pk, paula, revision=1)
    proposals.approve(draft.pk, pia, revision=1)
    now = PolicyVersion.objects.in_force().get(category=Category.HATE)
    assert (now.number, now.headline) == (latest.number + 1, "No contempt.")


def test_nobody_approves_what_they_wrote_any_of(paula: User, pia: User, eyes: TriagePlan) -> None:
    proposal = drafted(paula, eyes)
    proposals.revise(proposal.pk, pia, cut(eyes, 0.02), revision=1)
    proposals.ask(proposal.pk, pia, revision=2)
    for author in (paula, pia):
        with pytest.raises(OwnWork):
            proposals.approve(proposal.pk, author, revision=2)
        assert not proposals.waiting_for(author).exists()
    third = person("theo", Role.POLICY_LEAD)
    assert list(proposals.waiting_for(third)) == [proposal]
    assert proposals.approve(proposal.pk, third, revision=2).published == eyes.number + 1


def test_who_has_not_the_right_approves_nothing(paula: User, sam: User, eve: User, eyes: TriagePlan) -> None:
    proposal = asked(paula, eyes)
    for stranger in (sam, eve):
        assert not proposals.waiting_for(stranger).exists()
        with pytest.raises(OwnWork):
            proposals.approve(proposal.pk, stranger, revision=1)
    assert state_of(proposal.pk) == ProposalState.ASKED


def test_what_is_approved_is_the_wording_that_was_read(paula: User, pia: User, eyes: TriagePlan) -> None:
    proposal = asked(paula, eyes)
    proposals.revise(proposal.pk, paula, cut(eyes, 0.9), revision=1)
    for revision in (1, 2):  # the one read is gone, the new one is a draft
        with pytest.raises(NotOpen):
            proposals.approve(proposal.pk, pia, revision=revision)
    assert TriagePlan.objects.in_force() == eyes
    assert [one.body for one in proposal.wordings.all()] == [cut(eyes, 0.01), cut(eyes, 0.9)]


def test_two_people_who_edit_at_once_do_not_overwrite_each_other(paula: User, pia: User, eyes: TriagePlan) -> None:
    proposal = drafted(paula, eyes)
    proposals.revise(proposal.pk, paula, cut(eyes, 0.02), revision=1)
    with pytest.raises(NotOpen):
        proposals.revise(proposal.pk, pia, cut(eyes, 0.03), revision=1)
    assert Proposal.objects.get(pk=proposal.pk).body == cut(eyes, 0.02)


def test_when_somebody_published_meanwhile_nothing_is_overwritten(paula: User, pia: User, eyes: TriagePlan) -> None:
    first, second = asked(paula, eyes), asked(paula, eyes)
    proposals.approve(first.pk, pia, revision=1)
    with pytest.raises(Outdated):
        proposals.approve(second.pk, pia, revision=1)
    assert state_of(second.pk) == ProposalState.ASKED
    rebased = proposals.revise(second.pk, paula, cut(eyes, 0.05), revision=1, based_on=eyes.number + 1)
    proposals.ask(rebased.pk, paula, revision=2)
    assert proposals.approve(rebased.pk, pia, revision=2).published == eyes.number + 2


def test_it_comes_into_force_at_its_date(paula: User, pia: User, eyes: TriagePlan) -> None:
    proposal = asked(paula, eyes, effective_at=timezone.now() + timedelta(hours=1))
    proposals.approve(proposal.pk, pia, revision=1)
    assert (proposals.publish_due(), TriagePlan.objects.in_force()) == (0, eyes)
    Proposal.objects.filter(pk=proposal.pk).update(effective_at=timezone.now())
    assert (proposals.publish_due(), proposals.publish_due()) == (1, 0)
    assert state_of(proposal.pk) == ProposalState.PUBLISHED


def test_one_whose_ground_has_shifted_is_a_draft_again_and_says_why(paula: User, pia: User, eyes: TriagePlan) -> None:
    later = asked(paula, eyes, effective_at=timezone.now() + timedelta(hours=1))
    proposals.approve(later.pk, pia, revision=1)
    now = asked(paula, eyes)
    proposals.approve(now.pk, pia, revision=1)
    Proposal.objects.filter(pk=later.pk).update(effective_at=timezone.now())
    assert proposals.publish_due() == 0
    assert state_of(later.pk) == ProposalState.DRAFT
    assert "Not published at its date" in str(later.remarks.get())


def test_what_was_sent_back_or_withdrawn_is_not_published(paula: User, pia: User, eyes: TriagePlan) -> None:
    proposal = asked(paula, eyes)
    with pytest.raises(UnfitProposal, match="missing"):
        proposals.send_back(proposal.pk, pia, revision=1, text=" ")
    proposals.send_back(proposal.pk, pia, revision=1, text="Why so low?")
    with pytest.raises(NotOpen):
        proposals.approve(proposal.pk, pia, revision=1)
    proposals.withdraw(proposal.pk, paula, revision=1)
    with pytest.raises(NotOpen):
        proposals.ask(proposal.pk, paula, revision=1)
    assert TriagePlan.objects.in_force() == eyes


def test_what_cannot_be_followed_is_not_even_drafted(paula: User, eyes: TriagePlan) -> None:
    with pytest.raises(PlanError):
        proposals.draft(paula, ProposalKind.PLAN, "", {**eyes.body, "bands": {}}, title="No bands", based_on=1)
    with pytest.raises(UnfitProposal):
        proposals.draft(paula, ProposalKind.POLICY, "HATE", {"headline": 7}, title="Half", based_on=0)
    assert not Proposal.objects.exists()


def test_a_house_without_a_second_person_publishes_when_asked(paula: User, eyes: TriagePlan, settings: Any) -> None:
    settings.SECOND_APPROVER = False
    assert asked(paula, eyes).published == eyes.number + 1


def test_wordings_and_remarks_are_never_changed(paula: User, eyes: TriagePlan) -> None:
    proposal = drafted(paula, eyes)
    proposals.remark(proposal.pk, paula, "Think of art.", part="HATE")
    for rows in (proposal.wordings.all(), proposal.remarks.all()):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(person=paula)
