"""Plans on screen by two people: the whole form, what is proposed, its answer, and a rollout that ends."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from moderation import policies, proposals, rollouts
from moderation.actors import Actor
from moderation.models import Proposal, ProposalKind, ProposalState, TriagePlan, User
from moderation.plan_forms import whole_draft_of
from moderation.plans import Plan
from moderation.policies import parsed
from moderation.roles import Role
from tests.conftest import person
from tests.moderation.callers import at_page

pytestmark = pytest.mark.django_db
DRAFT = "/policies/plans/draft/"
OVERLAYS = [
    {"name": "Germany", "territories": ["AT", "DE"], "bands": {"PRIVACY": {"approve": 0.1, "block": 0.5}}},
    {
        "name": "Wards",
        "contexts": ["medical"],
        "audiences": ["adult", "medical"],
        "bands": {"PRIVACY": {"approve": 0.4, "block": None}, "REGULATED": {"approve": 0.3, "block": 0.9}},
    },
]


@pytest.fixture
def pia(db: None) -> User:
    return person("pia", Role.POLICY_LEAD)


def form(plan: TriagePlan, **changes: Any) -> dict[str, Any]:
    sent = {**whole_draft_of(parsed(plan), based_on=plan.number), "note": "Because.", "action": "publish", **changes}
    return {name: value for name, value in sent.items() if value is not None and value is not False}


def proposed(paula: User, eyes: TriagePlan, **changes: Any) -> Proposal:
    answer = at_page(paula).post(DRAFT, form(eyes, **changes))
    proposal = Proposal.objects.get()
    assert answer["Location"] == reverse("plan_proposal", args=[proposal.pk])
    return proposal


def answer(who: User, proposal: Proposal, act: str, **said: Any) -> Any:
    where = reverse("plan_proposal_answer", args=[proposal.pk, act])
    return at_page(who).post(where, {"revision": proposal.revision, **said}, follow=True)


def test_what_one_writes_another_publishes(paula: User, pia: User, eyes: TriagePlan) -> None:
    proposal = proposed(paula, eyes, approve_PRIVACY="0.3")
    assert TriagePlan.objects.in_force() == eyes

    page = at_page(pia).get(reverse("plan_proposal", args=[proposal.pk])).content.decode()
    assert "Privacy: approve below 0.20 → 0.30" in page
    assert "Approve and publish" in page
    answer(pia, proposal, "approve", text="Fine.")

    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert (plan.number, plan.published_by, plan.body["bands"]["PRIVACY"]["approve"]) == (2, paula, 0.3)


def test_the_author_cannot_approve_their_own(paula: User, eyes: TriagePlan) -> None:
    proposal = proposed(paula, eyes)

    page = answer(paula, proposal, "approve").content.decode()

    assert "Ask a colleague" in page
    assert "Approve and publish" not in page
    assert TriagePlan.objects.in_force() == eyes


@pytest.mark.parametrize("name", ["eve", "rita", "ming"])
def test_only_policy_leads_answer(paula: User, eyes: TriagePlan, name: str, request: pytest.FixtureRequest) -> None:
    proposal, who = proposed(paula, eyes), request.getfixturevalue(name)
    rollout = rollouts.begin(eyes.body, 0.1, note="", actor=Actor.person(paula), person=paula, based_on=1)

    assert {answer(who, proposal, act).status_code for act in ("approve", "send-back", "withdraw", "remark")} == {403}
    for act in ("rollout_adopt", "rollout_drop"):
        assert at_page(who).post(reverse(act, args=[rollout.pk])).status_code == 403
    page = at_page(who).get(reverse("plan_proposal", args=[proposal.pk]))
    assert page.status_code == (403 if name == "eve" else 200)
    assert TriagePlan.objects.in_force() == eyes


def test_sent_back_it_is_written_on_and_asked_for_again(paula: User, pia: User, eyes: TriagePlan) -> None:
    proposal = proposed(paula, eyes)
    assert "missing" in answer(pia, proposal, "send-back").content.decode()
    answer(pia, proposal, "send-back", text="Why so mild?")
    shown = at_page(paula).get(DRAFT, {"proposal": str(proposal.pk)}).context["form"].initial
    assert (shown["proposal"], shown["revision"]) == (proposal.pk, 1)

    at_page(paula).post(DRAFT, form(eyes, proposal=proposal.pk, revision=1, audit_percent="9"))

    proposal.refresh_from_db()
    assert (proposal.state, proposal.revision, proposal.body["audit_rate"]) == (ProposalState.ASKED, 2, 0.09)
    again = at_page(paula).post(DRAFT, form(eyes, proposal=proposal.pk, revision=1))
    assert again.status_code == 409


def test_withdrawn_nothing_comes_of_it(paula: User, pia: User, eyes: TriagePlan) -> None:
    proposal = proposed(paula, eyes)
    answer(pia, proposal, "remark", text="Look at <b>this</b>.")
    page = answer(paula, proposal, "withdraw").content.decode()

    assert "Look at &lt;b&gt;this&lt;/b&gt;." in page
    assert not proposals.open_proposals(ProposalKind.PLAN).exists()


def test_without_a_second_person_it_is_in_force_at_once(paula: User, eyes: TriagePlan, settings: Any) -> None:
    settings.SECOND_APPROVER = False
    at_page(paula).post(DRAFT, form(eyes, audit_percent="7"))

    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert plan.body["audit_rate"] == 0.07


def test_the_form_gives_back_the_whole_plan(paula: User, eyes: TriagePlan) -> None:
    body = {
        **eyes.body,
        "consensus": {"PRIVACY": 2, "S4": 3},
        "audit_rates": {"REGULATED": 0.125},
        "queues": {"PRIVACY": "general"},
        "overlays": OVERLAYS,
    }
    plan = policies.publish_plan(body, note="", actor=Actor.person(paula))

    proposal = proposed(paula, plan)

    before, after = parsed(plan), Plan.from_body(proposal.body, number=2)
    for part in ("bands", "consensus", "audit_rates", "queues", "overlays", "classifiers"):
        assert getattr(after, part) == getattr(before, part)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"territories": "DE XX"}, "overlay_territories_0"),
        ({"territories": ""}, "overlay_territories_0"),
        ({"category": ""}, "overlay_category_0"),
        ({"category": "HATE"}, "overlay_category_0"),
        ({"approve": "0.9", "block": "0.1"}, "overlay_block_0"),
    ],
)
def test_an_unfit_overlay_is_marked_and_nothing_lost(
    client: Browser, paula: User, eyes: TriagePlan, changes: dict[str, str], field: str
) -> None:
    line = {"name": "Germany", "territories": "de", "category": "PRIVACY", "approve": "0.1", "block": "0.5", **changes}
    client.force_login(paula)

    page = client.post(DRAFT, form(eyes, **{f"overlay_{part}_0": said for part, said in line.items()}))

    assert field in page.context["form"].errors
    assert page.context["form"]["overlay_name_0"].value() == "Germany"
    assert not Proposal.objects.exists()


def test_a_rollout_is_asked_for_shown_and_adopted(paula: User, pia: User, eyes: TriagePlan) -> None:
    proposal = proposed(paula, eyes, share_percent="10", audit_percent="9")
    answer(pia, proposal, "approve")
    assert TriagePlan.objects.in_force() == eyes
    assert "Candidate 2 is tried on 10 % of new images." in at_page(pia).get("/policies/plans/").content.decode()

    rollout = rollouts.running()
    assert rollout is not None
    at_page(pia).post(reverse("rollout_adopt", args=[rollout.pk]))

    plan = TriagePlan.objects.in_force()
    assert plan is not None
    assert (plan.number, plan.body["audit_rate"]) == (3, 0.09)
