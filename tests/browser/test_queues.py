"""The queue pages, as a browser draws them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from moderation.actors import Actor
from moderation.models import ReviewRequest, User
from moderation.queues import keeping
from review import queue
from review.decisions import decide
from tests.browser.conftest import Opener
from tests.browser.test_pages import Send, in_both_themes, wider_than_window

LEAD = Actor.command("test")
SIZES = [{"width": 1440, "height": 900}, {"width": 1024, "height": 768}, {"width": 390, "height": 844}]


@pytest.fixture
def backlog(flats: Send, rita: User) -> None:
    keeping.define("weapons", title="Weapons", actor=LEAD, conditions={"categories": ["WEAPONS_DANGEROUS"]})
    keeping.define(
        "hate-fr",
        title="Hate, French",
        position=20,
        order="oldest",
        actor=LEAD,
        conditions={"categories": ["HATE", "HARASSMENT"], "languages": ["fr"], "territories": ["FR", "BE"]},
        calendar={"zone": "Europe/Paris", "weekdays": [0, 1, 2, 3, 4], "opens": "09:00", "closes": "17:00"},
    )
    flats(8)
    now = timezone.now()
    for number, request in enumerate(ReviewRequest.objects.order_by("id")):
        ReviewRequest.objects.filter(pk=request.pk).update(
            opened_at=now - timedelta(hours=10), due_at=now + timedelta(hours=number * 4 - 5)
        )
    decide(queue.claim(rita, "weapons")[0].pk, rita, verdict="approve")
    queue.claim(rita, "weapons", 2)


def test_the_queue_pages_have_no_barriers_and_fit_every_window(
    window: Opener, backlog: None, sam: User, paula: User
) -> None:
    for person, path, words in (
        (sam, "/queues/", "In others’ hands"),
        (sam, "/queues/people/", "Reviewers"),
        (paula, "/policies/queues/", "Defined queues"),
        (paula, "/policies/queues/hate-fr/", "Until when"),
    ):
        for size in SIZES:
            mine = window(size=size)
            page = mine.enter(person, path)
            expect(page.get_by_role("heading", name=words)).to_be_visible()
            assert wider_than_window(page) <= 0
            mine.keep(f"queues{path.replace('/', '-')}{size['width']}")
            if size is SIZES[0]:
                assert in_both_themes(mine, f"queues{path.replace('/', '-')}".rstrip("-")) == []


def test_a_lead_takes_over_by_a_click(window: Opener, backlog: None, rita: User, sam: User) -> None:
    mine = window()
    page = mine.enter(sam, "/queues/")
    page.get_by_role("button", name="Take over").first.click()
    expect(page).to_have_url(f"{mine.page.url.split('/desk')[0]}/desk/weapons/")
    assert len(queue.held(rita)) == 1
