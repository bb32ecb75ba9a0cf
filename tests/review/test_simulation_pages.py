"""The pages that show what a draft would do, and where its cuts could lie."""

from __future__ import annotations

import pytest
from django.test import Client as Browser
from django.urls import reverse

from moderation.models import Client, Status, Submission, TriagePlan, User
from moderation.triage import run_once
from tests import world
from tests.moderation.callers import at_page
from tests.moderation.knowing import plan_with_banks


@pytest.fixture
def history(eyes: TriagePlan, platform: Client) -> list[Submission]:
    for tenth in range(10):
        world.submit(platform, world.png(red=(tenth + 0.5) / 10, size=32), generator={"name": "flux"})
    run_once()
    return list(Submission.objects.order_by("pk"))


@pytest.fixture
def browser(paula: User) -> Browser:
    return at_page(paula)


def draft(browser: Browser, **changed: object) -> dict[str, object]:
    """What the draft's page sends: the plan in force with these fields changed."""
    form = browser.get(reverse("plan_draft")).context["form"]
    fields = {field.html_name: field.value() for field in form}
    fields = {name: value for name, value in fields.items() if value is not None and value is not False}
    return {**fields, **changed}


def test_a_draft_is_simulated_with_what_moves_to_look_at(browser: Browser, history: list[Submission]) -> None:
    page = browser.post(reverse("plan_simulation"), draft(browser, approve_WEAPONS_DANGEROUS="0.4"))

    assert page.status_code == 200
    assert page.context["found"].moves == {("review", "approve"): 2}
    assert [line.submission for line in page.context["lines"]] == [history[3], history[2]]
    assert all(line.glimpse for line in page.context["lines"])
    assert "flux" in page.content.decode()


def test_what_moves_comes_as_csv(browser: Browser, history: list[Submission]) -> None:
    sent = draft(browser, approve_WEAPONS_DANGEROUS="0.4", format="csv")

    rows = browser.post(reverse("plan_simulation"), sent).content.decode().splitlines()

    assert rows[1] == f"{history[3].pk},review,WEAPONS_DANGEROUS,approve,"
    assert len(rows) == 3


def test_what_is_under_legal_hold_is_counted_and_never_listed(browser: Browser, history: list[Submission]) -> None:
    Submission.objects.filter(pk=history[3].pk).update(status=Status.QUARANTINED, settled_at=history[3].created_at)
    sent = draft(browser, approve_WEAPONS_DANGEROUS="0.4")

    page = browser.post(reverse("plan_simulation"), sent)
    listed = browser.post(reverse("plan_simulation"), {**sent, "format": "csv"}).content.decode()

    assert len(page.context["found"].moved) == 2
    assert [line.submission for line in page.context["lines"]] == [history[2]]
    assert str(history[3].pk) not in page.content.decode() + listed


def test_a_draft_with_a_slip_is_kept(browser: Browser, history: list[Submission]) -> None:
    page = browser.post(reverse("plan_simulation"), draft(browser, approve_WEAPONS_DANGEROUS="4"))

    assert page.status_code == 200
    assert "cannot be simulated yet" in page.content.decode()
    assert 'name="approve_WEAPONS_DANGEROUS" value="4"' in page.content.decode()


def test_the_editor_counts_what_cuts_would_do(browser: Browser, history: list[Submission]) -> None:
    page = browser.get(reverse("plan_bands"))
    found = page.context["found"]

    assert found.totals("WEAPONS_DANGEROUS", 0.2, 0.9) == (2, 7, 1)
    assert found.totals("WEAPONS_DANGEROUS", 0.4, 0.8) == (4, 4, 2)
    address = reverse("plan_sketch", args=[page.context["key"], "WEAPONS_DANGEROUS"])
    counts = browser.get(address).json()
    assert sum(map(sum, counts["table"].values())) == counts["images"] == 10
    assert len(browser.get(address, {"format": "csv"}).content.decode().splitlines()) == 1002


def test_the_editor_opens_on_the_category_with_the_most_scored_images(
    browser: Browser, eyes: TriagePlan, platform: Client
) -> None:
    """What stands first, by severity, is known images: none has met one."""
    plan_with_banks(*eyes.body["classifiers"])
    world.triaged(platform, world.png(red=0.5))

    page = browser.get(reverse("plan_bands"))
    asked = browser.get(reverse("plan_bands"), {"category": "CSAE"})

    assert page.context["choices"][0].category == "CSAE"
    assert (page.context["chosen"].category, page.context["chosen"].scored) == ("WEAPONS_DANGEROUS", 1)
    assert asked.context["chosen"].category == "CSAE"


def test_a_sketch_nobody_was_given_is_not_found(browser: Browser) -> None:
    assert browser.get(reverse("plan_sketch", args=["0" * 32, "HATE"])).status_code == 404


def test_a_draft_goes_through_the_editor_and_back(browser: Browser, history: list[Submission]) -> None:
    page = browser.post(reverse("plan_bands"), draft(browser, approve_WEAPONS_DANGEROUS="0.35"))
    carried = {field.html_name: field.value() for field in page.context["form"] if field.value() is not None}

    back = browser.post(reverse("plan_draft"), {**carried, "action": "preview"})

    assert page.context["choices"][0].category
    assert 'name="approve_WEAPONS_DANGEROUS" value="0.35"' in page.content.decode()
    assert back.status_code == 200


@pytest.mark.parametrize("name", ["plan_simulation", "plan_bands"])
def test_without_the_right_the_pages_are_closed(eyes: TriagePlan, eve: User, rita: User, name: str) -> None:
    for person in (eve, rita):
        assert at_page(person).get(reverse(name)).status_code == 403
    assert Browser().get(reverse(name)).status_code == 302


def test_before_any_plan_the_pages_say_so(browser: Browser) -> None:
    assert "no bands to move yet" in browser.get(reverse("plan_bands")).content.decode()
    assert "cannot be simulated yet" in browser.get(reverse("plan_simulation")).content.decode()
