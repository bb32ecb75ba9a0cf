"""Gates belong to the plan in force, and hold whichever door a plan comes by: drafted by hand, dated, tried on a share,
rolled back. Past closed ones leads only a reason, and a second person who agrees.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from classifiers.models import ClassifierVersion
from moderation import admission, policies, proposals, rollouts
from moderation.actors import Actor
from moderation.admission import GateClosed, State
from moderation.models import (
    AuditEvent,
    Client,
    Proposal,
    ProposalKind,
    ProposalState,
    Submission,
    TriagePlan,
    User,
)
from moderation.roles import Role
from review.promotion import gates, moving
from tests import world
from tests.conftest import person
from tests.moderation.callers import at_page, with_session
from tests.review.evaluating import ALL, CODE, dataset, evaluated, images, publish, versions

Pair = tuple[ClassifierVersion, ClassifierVersion]
COMMAND = Actor.command("test")
DRAFTS = "/api/v1/plans/drafts"


@pytest.fixture
def rows(eyes: TriagePlan, platform: Client, settings: Settings, tmp_path: Path) -> list[Submission]:
    settings.DATASETS_DIR = tmp_path / "datasets"
    return images(platform, 240)


@pytest.fixture
def data(rows: list[Submission]) -> Any:
    return dataset(rows, backbone="colour-eyes@1")


@pytest.fixture
def pair(data: Any, tmp_path: Path) -> Pair:
    """(candidate, incumbent), of which the second is in service, under the gates of ALL."""
    found = versions(tmp_path)
    publish(found[1].ref, ALL)
    return found


@pytest.fixture
def pia(db: None) -> User:
    return person("pia", Role.POLICY_LEAD)


def in_force() -> TriagePlan:
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    return plan


def by_hand(author: User, *refs: str, bands: Mapping[str, Any] | None = None, **terms: Any) -> Proposal:
    plan = in_force()
    body = {**plan.body, "classifiers": list(refs)} | ({"bands": {**plan.body["bands"], **bands}} if bands else {})
    return proposals.draft(author, ProposalKind.PLAN, "", body, title="By hand.", based_on=plan.number, **terms)


def asked(author: User, *refs: str, **terms: Any) -> Proposal:
    made = by_hand(author, *refs, **terms)
    return proposals.ask(made.pk, author, revision=1)


def only(body: Mapping[str, Any]) -> admission.Admission:
    (one,) = admission.asked(body, TriagePlan.objects.in_force())
    return one


def states(found: admission.Admission) -> dict[str, State]:
    return {one.name: one.state for one in found.gates}


# --- a plan drafted by hand ---


def test_a_plan_by_hand_meets_the_gates_like_any_other(pair: Pair, data: Any, paula: User, pia: User) -> None:
    made = by_hand(paula, pair[0].ref)

    with pytest.raises(GateClosed, match=r"heads@2 is not promoted\. Measured on labels it never saw"):
        proposals.ask(made.pk, paula, revision=1)

    made.refresh_from_db()
    assert (made.state, TriagePlan.objects.count()) == (ProposalState.DRAFT, 2)
    evaluated(pair[0], data)
    proposals.ask(made.pk, paula, revision=1)
    proposals.approve(made.pk, pia, revision=1)
    plan = in_force()
    assert plan.body["classifiers"] == [pair[0].ref]
    assert plan.admission is not None
    (shown,) = plan.admission["versions"]
    assert (plan.admission["plan"], plan.admission["past"], shown["ref"]) == (2, None, pair[0].ref)
    assert {gate["state"] for gate in shown["gates"]} == {"passed"}


@pytest.mark.parametrize("share", [None, 0.1])
def test_words_and_a_second_person_lead_past_closed_gates(
    pair: Pair, paula: User, pia: User, share: float | None
) -> None:
    made = asked(paula, pair[0].ref, past_gates="The old one lets everything through.", share=share)
    assert made.closed_gates == {pair[0].ref: ["evaluated"]}
    with pytest.raises(proposals.OwnWork):
        proposals.approve(made.pk, paula, revision=1)

    proposals.approve(made.pk, pia, revision=1)

    plan = TriagePlan.objects.order_by("-number")[0]
    said = {"why": "The old one lets everything through.", "asked_by": "paula", "approved_by": "pia"}
    assert plan.admission is not None
    assert (plan.candidate, plan.admission["past"]) == (share is not None, said)
    events = AuditEvent.objects.filter(subject=f"plan:{plan.number}").values_list("action", "actor_label")
    assert ("plan.past_gates", "pia") in set(events)
    assert AuditEvent.objects.get(action="proposal.asked").data["closed"] == {pair[0].ref: ["evaluated"]}


def test_only_who_may_publish_goes_past_gates(pair: Pair, ming: User, paula: User, settings: Settings) -> None:
    settings.SECOND_APPROVER = False

    with pytest.raises(proposals.UnfitProposal, match="policy lead"):
        moving.to_service(pair[0], ming, past_gates="I know better.")
    assert not Proposal.objects.exists()

    moving.to_service(pair[0], paula, past_gates="The old one lets everything through.")
    assert in_force().body["classifiers"] == [pair[0].ref]


# --- asked again ---


def test_gates_are_asked_again_when_it_is_approved(pair: Pair, data: Any, paula: User, pia: User) -> None:
    evaluated(pair[0], data)
    made = asked(paula, pair[0].ref)
    evaluated(pair[0], data, alpha=0.5)  # takes the place of the one before, and proves less

    with pytest.raises(GateClosed, match="looser limit"):
        proposals.approve(made.pk, pia, revision=1, text="Fine.")

    made.refresh_from_db()
    assert (made.state, made.answered_by, made.remarks.count(), in_force().number) == ("asked", None, 0, 2)
    evaluated(pair[0], data)
    assert proposals.approve(made.pk, pia, revision=1).state == ProposalState.PUBLISHED


def test_words_speak_of_the_gates_that_were_closed_and_of_no_other(
    pair: Pair, data: Any, paula: User, pia: User
) -> None:
    made = asked(paula, pair[0].ref, past_gates="There is no time to measure it.")
    evaluated(pair[0], data, alpha=0.5)  # now it is measured, and not certified

    with pytest.raises(GateClosed, match=r"More is closed than when it was asked for.*looser limit"):
        proposals.approve(made.pk, pia, revision=1)

    proposals.revise(made.pk, paula, made.body, revision=1, past_gates="Certified by hand.")
    proposals.ask(made.pk, paula, revision=2)
    proposals.approve(made.pk, pia, revision=2)
    assert in_force().body["classifiers"] == [pair[0].ref]


def test_a_plan_for_a_date_meets_them_on_that_day(pair: Pair, data: Any, paula: User, pia: User) -> None:
    evaluated(pair[0], data)
    made = asked(paula, pair[0].ref, effective_at=timezone.now() + timedelta(days=1))
    proposals.approve(made.pk, pia, revision=1)
    evaluated(pair[0], data, alpha=0.5)
    Proposal.objects.filter(pk=made.pk).update(effective_at=timezone.now())

    assert proposals.publish_due() == 0

    made.refresh_from_db()
    assert (made.state, in_force().number) == (ProposalState.DRAFT, 2)
    assert "looser limit" in made.remarks.get().text


# --- who need not pass them, and ways around that lead nowhere ---


def test_what_served_before_and_what_is_first_of_its_kind_is_free(
    pair: Pair, data: Any, paula: User, pia: User, tmp_path: Path
) -> None:
    publish(pair[0].ref, ALL)

    back = only({**in_force().body, "classifiers": [pair[1].ref]})
    assert (back.gates, "in service before" in back.free) == ([], True)
    proposals.approve(asked(paula, pair[1].ref).pk, pia, revision=1)
    assert in_force().body["classifiers"] == [pair[1].ref]

    eyes = ClassifierVersion.objects.get(name="colour-eyes")
    new = world.heads(tmp_path, eyes, {"HATE": [1, 0, 0, 0]}, name="first")
    bands = {"HATE": {"approve": 0.0, "block": None}}
    made = asked(paula, pair[1].ref, new.ref, bands=bands)
    assert "Nothing was in service" in only(made.body).free
    proposals.approve(made.pk, pia, revision=1)
    assert new.ref in in_force().body["classifiers"]


def test_to_take_the_old_one_out_first_is_no_way_around(pair: Pair, data: Any, tmp_path: Path) -> None:
    eyes = ClassifierVersion.objects.get(name="colour-eyes")
    other = world.heads(tmp_path, eyes, {"HATE": [1, 0, 0, 0]}, name="other")
    world.publish(other.ref, bands={**world.BANDS, "HATE": {"approve": 0.0, "block": None}}, gates=ALL)

    found = only({**in_force().body, "classifiers": [other.ref, pair[0].ref]})

    assert (found.free, states(found)) == ("", {"evaluated": State.CLOSED})
    evaluated(pair[0], data)  # against the one that served last
    assert only({**in_force().body, "classifiers": [other.ref, pair[0].ref]}).closed == []


def test_a_version_beside_the_one_in_service_is_held_against_it(pair: Pair, data: Any) -> None:
    evaluated(pair[0], data)

    found = only({**in_force().body, "classifiers": [pair[1].ref, pair[0].ref]})

    assert {"overall", "slices.language"} <= states(found).keys()


def test_a_candidate_is_no_plan_to_go_back_to(pair: Pair, data: Any, paula: User) -> None:
    evaluated(pair[0], data)
    body = {**in_force().body, "classifiers": [pair[0].ref]}
    begun = rollouts.begin(body, 0.1, note="", actor=COMMAND, based_on=2)
    evaluated(pair[0], data, alpha=0.5)

    with pytest.raises(GateClosed):
        policies.roll_back(begun.candidate.number, actor=COMMAND, person=paula)
    with pytest.raises(GateClosed):
        rollouts.adopt(begun.pk, actor=COMMAND, person=paula)
    assert (in_force().number, rollouts.running()) == (2, begun)


def test_a_plan_that_drops_the_gates_meets_them_first(pair: Pair, paula: User) -> None:
    body = {name: part for name, part in in_force().body.items() if name != "gates"}

    with pytest.raises(GateClosed):
        policies.publish_plan({**body, "classifiers": [pair[0].ref]}, note="", actor=COMMAND)


# --- what cannot be told ---


def test_a_category_without_labels_cannot_be_told_unless_its_head_is_the_same(
    pair: Pair, data: Any, tmp_path: Path
) -> None:
    eyes = ClassifierVersion.objects.get(name="colour-eyes")
    rows = {CODE: [9.0, 0, 0, -4.5], "REGULATED": [0, 0, 1, -4.0], "PRIVACY": [0, 0, 0, -4.0]}
    other = world.heads(tmp_path, eyes, rows, version="5")  # REGULATED is another head, and nobody labelled it
    evaluated(pair[0], data)
    evaluated(other, data)

    same, moved = (gates.standing(one, in_force()) for one in (pair[0], other))

    assert same is not None
    assert moved is not None
    assert same.closed == []
    closed = {one.name: one for one in moved.closed}
    assert closed.keys() >= {"overall", "calibration", "certificate"}
    assert {one.state for one in closed.values()} == {State.UNTOLD}
    for name in ("overall", "calibration", "certificate"):
        assert "Regulated" in closed[name].why
        assert "Privacy" not in closed[name].why


def test_small_slices_are_named_and_the_plan_says_how_small(pair: Pair, data: Any) -> None:
    evaluated(pair[0], data)

    publish(pair[1].ref, {"tolerance": 0.3, "slices": ["language"], "least": 49})
    found = {one.name: one for one in gates.open_for(pair[0], in_force())}

    assert "not asked of fewer than 49 labels" in found["slices.language"].why
    assert found["slices.language"].state == (State.UNTOLD if "too few" in found["slices.language"].why else "passed")
    publish(pair[1].ref, {"tolerance": 0.3, "slices": ["language"], "least": 500})
    found = {one.name: one for one in gates.open_for(pair[0], in_force())}
    assert found["slices.language"].state == State.UNTOLD  # none is left


def test_a_cut_that_moves_with_the_version_is_not_what_was_measured(pair: Pair, data: Any) -> None:
    evaluated(pair[0], data)
    body = in_force().body
    cut = {"approve": 0.97, "block": None}
    overlay = {"name": "Germany", "territories": ["DE"], "bands": {CODE: cut}}
    here = {**body, "classifiers": [pair[0].ref], "bands": {**body["bands"], CODE: cut}}
    laid = {**body, "classifiers": [pair[0].ref], "overlays": [overlay]}

    moved, over = (states(only(one)) for one in (here, laid))

    assert moved["certificate"] == over["certificate"] == State.CLOSED
    assert moved["fairness.language.equal_opportunity"] == State.UNTOLD


# --- pages and calls ---


def test_the_pages_show_gates_words_and_who_agreed(pair: Pair, data: Any, paula: User, pia: User, ari: User) -> None:
    browser, lead = at_page(paula), at_page(pia)
    form = browser.get("/policies/plans/draft/").context["form"]
    sent = {name: value for name, value in form.initial.items() if value not in (None, "", [])}
    sent |= {"classifiers": [pair[0].ref], "note": "by hand"}

    shown = browser.post("/policies/plans/draft/", {**sent, "action": "preview"}).content.decode()
    refused = browser.post("/policies/plans/draft/", {**sent, "action": "publish"}).content.decode()

    for text in (shown, refused):
        assert "It was not evaluated yet" in text
    assert "heads@2 is not promoted" in refused
    assert not Proposal.objects.exists()
    browser.post("/policies/plans/draft/", {**sent, "action": "publish", "past_gates": "No time to lose."})
    made = Proposal.objects.get()
    page = reverse("plan_proposal", args=[made.pk])
    answer = reverse("plan_proposal_answer", args=[made.pk, "approve"])
    text = lead.get(page).content.decode()
    assert "No time to lose." in text
    assert "Approve past closed gates" in text
    evaluated(pair[0], data, alpha=0.5)
    stopped = lead.get(page).content.decode()
    assert "More gates are closed by now" in stopped
    assert "Approve past closed gates" not in stopped
    assert "looser limit" in lead.post(answer, {"revision": 1}, follow=True).content.decode()
    assert Proposal.objects.get().state == ProposalState.ASKED
    evaluated(pair[0], data)
    lead.post(answer, {"revision": 1})
    plan = in_force()
    assert plan.admission is not None
    assert (plan.body["classifiers"], plan.admission["past"]) == ([pair[0].ref], None)  # by now all are passed


def test_the_plan_says_for_good_that_gates_were_gone_past(pair: Pair, paula: User, pia: User, ari: User) -> None:
    proposals.approve(asked(paula, pair[0].ref, past_gates="No time to lose.").pk, pia, revision=1)

    text = at_page(ari).get(reverse("plan", args=[in_force().number])).content.decode()

    assert "Published past closed gates." in text
    assert "asked for by paula" in text
    assert "approved by pia" in text
    assert "It was not evaluated yet" in text
    told = with_session(ari).get(f"/api/v1/plans/{in_force().number}").json()
    assert told["admission"]["past"]["why"] == "No time to lose."


def test_programs_are_told_which_gate_is_closed(pair: Pair, paula: User, pia: User, ming: User) -> None:
    caller = with_session(paula)
    body = {**in_force().body, "classifiers": [pair[0].ref]}
    made = caller.post(DRAFTS, {"title": "By hand", "body": body, "based_on": 2}, format="json").json()

    closed = caller.post(f"{DRAFTS}/{made['id']}/ask", {"revision": 1}, format="json")
    assert (closed.status_code, closed.json()["type"]) == (409, "urn:loupe:problem:gate-closed")
    why = {"title": "By hand", "body": body, "based_on": 2, "revision": 1, "past_gates": "No time to lose."}
    assert caller.put(f"{DRAFTS}/{made['id']}", why, format="json").json()["past_gates"] == "No time to lose."
    waits = caller.post(f"{DRAFTS}/{made['id']}/ask", {"revision": 2}, format="json").json()
    assert (waits["state"], waits["closed_gates"]) == ("asked", {pair[0].ref: ["evaluated"]})

    adopt = f"/api/v1/classifiers/{pair[0].pk}/adopt"
    assert with_session(ming).post(adopt, {}).status_code == 409
    again = with_session(ming).post(adopt, {"past_gates": "No time to lose."})
    assert again.json()["type"] == "urn:loupe:problem:cannot-move"  # it is proposed already


def test_eve_goes_past_no_gate(pair: Pair, paula: User, eve: User, ari: User) -> None:
    made = asked(paula, pair[0].ref, past_gates="No time to lose.")
    pages = [reverse("plan_proposal", args=[made.pk]), "/policies/plans/draft/"]
    posts = [reverse("plan_proposal_answer", args=[made.pk, "approve"]), "/policies/plans/draft/"]
    posts += [reverse("classifier_adopt", args=[pair[0].pk])]
    calls = [f"{DRAFTS}/{made.pk}/publish", f"/api/v1/classifiers/{pair[0].pk}/adopt"]
    said = {"revision": 1, "past_gates": "Mine.", "note": "", "action": "publish"}

    assert {at_page(eve).get(one).status_code for one in pages} == {403}
    for who in (eve, ari):
        assert {at_page(who).post(one, said).status_code for one in posts} == {403}
        assert {with_session(who).post(one, said, format="json").status_code for one in calls} == {403}
    assert in_force().number == 2
