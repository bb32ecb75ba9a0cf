"""What changes how machines decide takes two people, whichever page it is written on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from classifiers import registry
from moderation import prompt_terms, proposals
from moderation.models import AuditEvent, Proposal, ProposalState, TriagePlan, User
from moderation.roles import Role
from moderation.rules import publishing
from tests import world
from tests.classifiers.editions import term_card
from tests.conftest import person
from tests.moderation.callers import at_page
from tests.moderation.rulings import put, rule
from tests.moderation.test_api_prompts import BANDS
from tests.moderation.test_pages_rules import DRAFT as RULES
from tests.moderation.test_pages_rules import SWITCH, sent
from tests.moderation.test_pages_terms import DRAFT as TERMS
from tests.moderation.test_pages_terms import filled

pytestmark = pytest.mark.django_db


@pytest.fixture
def pia(db: None) -> User:
    return person("pia", Role.POLICY_LEAD)


@pytest.fixture
def desk(paula: User) -> Browser:
    return at_page(paula)


def asked(answer: Any) -> Proposal:
    """The one proposal there is, to which the page led."""
    proposal = Proposal.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, reverse("plan_proposal", args=[proposal.pk]))
    assert proposal.state == ProposalState.ASKED
    return proposal


def in_force() -> TriagePlan:
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    return plan


class TestRules:
    @pytest.fixture(autouse=True)
    def plan(self, eyes: TriagePlan) -> TriagePlan:
        return eyes

    def test_rules_that_one_writes_another_puts_in_force(self, desk: Browser, pia: User, paula: User) -> None:
        proposal = asked(desk.post(RULES, sent({"name": "Uniforms", "when": 'prompt.contains("uniform")'})))
        assert publishing.in_force() is None

        page = at_page(pia).get(reverse("plan_proposal", args=[proposal.pk])).content.decode()
        proposals.approve(proposal.pk, pia, revision=1)

        assert "house-rules@1" in page
        assert "“Uniforms”: when prompt.contains(&quot;uniform&quot;)" in page
        version = publishing.in_force()
        assert version is not None
        assert (version.ref, in_force().published_by) == ("house-rules@1", paula)

    def test_who_wrote_them_cannot_approve_them(self, desk: Browser, paula: User) -> None:
        proposal = asked(desk.post(RULES, sent({})))

        with pytest.raises(proposals.OwnWork):
            proposals.approve(proposal.pk, paula, revision=1)
        assert in_force().number == 1

    def test_a_rule_goes_live_by_two_people_too(self, desk: Browser, pia: User) -> None:
        put(rule("first", mode="shadow"))

        proposal = asked(desk.post(SWITCH, {"rule": "first", "based_on": "house-rules@1"}))
        page = at_page(pia).get(reverse("plan_proposal", args=[proposal.pk])).content.decode()

        assert "(in the shadow)" in page
        assert in_force().number == 2
        proposals.approve(proposal.pk, pia, revision=1)
        assert in_force().body["classifiers"] == ["colour-eyes@1", "house-rules@2"]

    def test_of_two_proposals_the_second_finds_that_the_ground_has_shifted(
        self, desk: Browser, pia: User, paula: User
    ) -> None:
        first = asked(desk.post(RULES, sent({"name": "one"})))
        desk.post(RULES, sent({"name": "two"}))
        second = Proposal.objects.exclude(pk=first.pk).get()
        proposals.approve(first.pk, pia, revision=1)

        answer = at_page(pia).post(
            reverse("plan_proposal_answer", args=[second.pk, "approve"]), {"revision": 1}, follow=True
        )

        assert "Plan 2 is in force" in answer.content.decode()
        version = publishing.in_force()
        assert version is not None
        assert [one["name"] for one in version.card["rules"]] == ["one"]


class TestTerms:
    def test_an_edition_that_one_writes_another_puts_in_force(
        self, desk: Browser, guidelines: None, pia: User, tmp_path: Path
    ) -> None:
        world.publish(registry.register(term_card(tmp_path)).ref, bands=BANDS)

        proposal = asked(
            desk.post(TERMS, filled(desk, terms_NUDITY="nude\nnaked", note="More words", action="publish"))
        )
        page = at_page(pia).get(reverse("plan_proposal", args=[proposal.pk])).content.decode()

        assert prompt_terms.in_force().ref == "terms@1"  # type: ignore[union-attr]
        assert "NUDITY: naked" in page
        assert AuditEvent.objects.get(action="terms.written").data["replaces"] == "terms@1"
        proposals.approve(proposal.pk, pia, revision=1)
        assert prompt_terms.in_force().ref == "terms@2"  # type: ignore[union-attr]
