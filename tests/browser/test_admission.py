"""A plan past closed gates, from the draft to the plan in force, in a real browser, in both themes and on a phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from classifiers.models import ClassifierVersion
from moderation import proposals
from moderation.models import Client, ProposalKind, TriagePlan, User
from moderation.roles import Role
from tests.browser.conftest import Opener
from tests.browser.test_pages import in_both_themes, wider_than_window
from tests.conftest import person
from tests.review.evaluating import ALL, dataset, evaluated, images, publish, versions

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def candidate(eyes: TriagePlan, platform: Client, tmp_path: Path, settings: Any) -> ClassifierVersion:
    settings.DATASETS_DIR = tmp_path / "datasets"
    data = dataset(images(platform, 240), backbone="colour-eyes@1")
    new, old = versions(tmp_path)
    publish(old.ref, {**ALL, "tolerance": 0.02, "calibration": 0.05})
    evaluated(new, data, replicates=100)
    return new


def test_past_closed_gates_with_words_and_a_second_person(
    window: Opener, candidate: ClassifierVersion, paula: User, ming: User
) -> None:
    plan = TriagePlan.objects.in_force()
    assert plan is not None
    mine = window()
    page = mine.enter(ming, reverse("classifier", args=[candidate.pk]))
    page.locator("#past summary").click()
    assert in_both_themes(mine, "gates-closed") == []
    page.get_by_label("Why past closed gates").fill("The one in service lets knives through.")
    page.get_by_role("button", name="Yes, ask for approval past them").click()
    expect(page.get_by_text("waits for a second person")).to_be_visible()
    (made,) = proposals.open_proposals(ProposalKind.PLAN)

    lead = window()
    page = lead.enter(paula, reverse("plan_proposal", args=[made.pk]))
    expect(page.get_by_text("The one in service lets knives through.")).to_be_visible()
    assert in_both_themes(lead, "gates-proposal") == []
    page.get_by_role("button", name="Approve past closed gates").click()
    expect(page.get_by_role("link", name=f"Plan {plan.number + 1}", exact=True)).to_be_visible()
    lead.open(reverse("plans"))
    expect(page.get_by_text("Published past closed gates.")).to_be_visible()
    assert in_both_themes(lead, "gates-plan") == []


def test_gates_and_words_fit_a_phone(window: Opener, candidate: ClassifierVersion, paula: User) -> None:
    plan, pia = TriagePlan.objects.in_force(), person("pia", Role.POLICY_LEAD)
    assert plan is not None
    body = {**plan.body, "classifiers": [candidate.ref]}
    made = proposals.draft(
        paula, ProposalKind.PLAN, "", body, title="By hand", based_on=plan.number, past_gates="The old one is blind."
    )
    proposals.ask(made.pk, paula, revision=1)
    phone = window(size=PHONE)
    paths = {
        "proposal": reverse("plan_proposal", args=[made.pk]),
        "version": reverse("classifier", args=[candidate.pk]),
    }
    for name, path in paths.items():
        page = phone.enter(pia, path)
        assert wider_than_window(page) <= 0
        page.locator(".list.gates").first.scroll_into_view_if_needed()
        phone.keep(f"gates-{name}-390")
    proposals.approve(made.pk, pia, revision=1)
    assert wider_than_window(phone.open(reverse("plans"))) <= 0
    phone.keep("gates-plan-390")
