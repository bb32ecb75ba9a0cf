from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as Browser

from moderation import audit
from moderation.actors import Actor
from moderation.models import Client, Reason, ReviewQueue, TriagePlan, User
from moderation.queues import keeping, known
from moderation.requests import Ask, open_requests
from tests import world

pytestmark = pytest.mark.django_db
PAGE = "/policies/queues/"
FRENCH = {
    "slug": "hate-fr",
    "title": "Hate, French",
    "position": "10",
    "order": "oldest",
    "categories": ["HATE"],
    "territories": "fr, be",
    "languages": "fr",
    "hours": "72 48 24 4 1",
    "territory_hours": "FR: 3=2 4=0.5",
    "zone": "Europe/Paris",
    "weekdays": ["0", "1"],
    "opens": "09:00",
    "closes": "17:00",
    "holidays": "2026-12-25",
    "spoken": "fr",
    "specialties": "Slang, far-right codes",
}


@pytest.fixture
def lead(paula: User) -> Browser:
    browser = Browser()
    browser.force_login(paula)
    return browser


def test_a_lead_defines_a_queue_and_finds_it_as_it_was_said(lead: Browser, paula: User) -> None:
    answer = lead.post(f"{PAGE}new/", FRENCH | {"action": "define"})
    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)
    row = ReviewQueue.objects.get()
    assert row.conditions == {"categories": ["HATE"], "territories": ["FR", "BE"], "languages": ["fr"]}
    assert row.due == {"hours": [72, 48, 24, 4, 1], "territories": {"FR": {"3": 2, "4": 0.5}}}
    assert row.access == {"languages": ["fr"], "specialties": ["slang", "far-right codes"]}
    assert row.calendar == {
        "zone": "Europe/Paris",
        "weekdays": [0, 1],
        "opens": "09:00",
        "closes": "17:00",
        "holidays": ["2026-12-25"],
    }
    assert audit.events_of("queue:hate-fr")[0].actor_label == "paula"
    form = lead.get(f"{PAGE}hate-fr/").context["form"]
    again = {name: said for name in form.fields if (said := form[name].value()) is not None}
    assert again["territory_hours"] == "FR: 3=2 4=0.5"
    assert lead.post(f"{PAGE}hate-fr/", again | {"action": "define", "title": "French"}).status_code == 302
    changed = ReviewQueue.objects.get()
    assert (changed.title, changed.due, changed.calendar) == ("French", row.due, row.calendar)


def test_trying_shows_where_requests_would_have_gone_and_changes_nothing(
    lead: Browser, platform: Client, eyes: TriagePlan
) -> None:
    for seed in range(3):
        submission = world.submit(platform, world.png(red=0.5, seed=seed), territories=["FR"] if seed else [])
        open_requests([Ask(submission=submission, reason=Reason.REPORT, category="HATE")])
    trial = lead.post(f"{PAGE}new/", FRENCH | {"action": "try", "languages": ""}).context["trial"]
    assert (trial.looked_at, dict(trial.shares)) == (3, {"general": 1, "Hate, French": 2})
    assert [(one.origin, one.to, one.number) for one in trial.changes] == [("general", "Hate, French", 2)]
    assert not ReviewQueue.objects.exists()


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("slug", "No Slug"),
        ("hours", "1 2 3"),
        ("hours", "1 2 3 4 five"),
        ("territory_hours", "FR 3=2"),
        ("territory_hours", "XX: 3=2"),
        ("zone", "Europe/Nowhere"),
        ("opens", "nine"),
        ("holidays", "Christmas"),
        ("languages", "French"),
        ("position", "-1"),
    ],
)
def test_a_slip_is_told_beside_its_field_and_nothing_is_lost(lead: Browser, field: str, said: str) -> None:
    answer = lead.post(f"{PAGE}new/", FRENCH | {"action": "define", field: said})
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, [field])
    assert "Hate, French" in answer.content.decode()
    assert not ReviewQueue.objects.exists()


def test_a_new_queue_does_not_change_one_of_the_same_name(lead: Browser) -> None:
    lead.post(f"{PAGE}new/", FRENCH | {"action": "define"})
    answer = lead.post(f"{PAGE}new/", FRENCH | {"action": "define", "title": "Another"})
    assert (answer.status_code, ReviewQueue.objects.get().title) == (422, "Hate, French")


def test_the_general_queue_has_no_conditions_to_fill_in_and_is_not_retired(lead: Browser) -> None:
    answer = lead.get(f"{PAGE}general/")
    assert not {"categories", "territories"} & set(answer.context["form"].fields)
    assert not answer.context["may_retire"]
    said = {"title": "General", "position": "1", "order": "oldest", "hours": "9 9 9 9 9", "action": "define"}
    assert lead.post(f"{PAGE}general/", said).status_code == 302
    assert known.definitions().of("general").order == "oldest"
    lead.post(f"{PAGE}general/retire/")
    assert ReviewQueue.objects.get().retired_at is None


def test_a_queue_is_retired(lead: Browser) -> None:
    lead.post(f"{PAGE}new/", FRENCH | {"action": "define"})
    assert lead.post(f"{PAGE}hate-fr/retire/").status_code == 302
    assert ReviewQueue.objects.get().retired_at is not None
    assert lead.get(f"{PAGE}hate-fr/").status_code == 404


def test_the_page_says_what_each_takes_in_few_queries(lead: Browser, django_assert_max_num_queries: Any) -> None:
    for number in range(4):
        conditions = {"categories": ["HATE"], "least_severity": number}
        keeping.define(f"q-{number}", title=f"Queue {number}", actor=Actor.command("test"), conditions=conditions)
    lead.get(PAGE)
    with django_assert_max_num_queries(9):
        text = lead.get(PAGE).content.decode()
    assert text.index("Queue 0") < text.index("Queue 3")


@pytest.mark.parametrize("path", ["", "new/", "general/"])
def test_only_policy_leads_get_in(eve: User, rita: User, sam: User, path: str) -> None:
    for person in (eve, rita, sam):
        browser = Browser()
        browser.force_login(person)
        assert browser.get(f"{PAGE}{path}").status_code == 403
        assert browser.post(f"{PAGE}{path}", FRENCH).status_code in {403, 405}
    assert Browser().get(f"{PAGE}{path}").status_code == 302
