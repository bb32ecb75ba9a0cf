"""The monitoring page in a real browser: free of barriers, whole in small windows, kept as pictures."""

from __future__ import annotations

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from moderation.models import Client, Reading, TriagePlan, User
from review.monitoring import looking
from tests.browser.conftest import NARROW, Opener
from tests.browser.test_pages import barriers, in_both_themes, wider_than_window
from tests.review.monitoring.planting import plant

PAGE = "/learning/monitoring/"
PHONE = {"width": 390, "height": 844}
CODES = ("WEAPONS_DANGEROUS", "REGULATED", "PRIVACY")


@pytest.fixture
def watched(transactional_db: None, eyes: TriagePlan, platform: Client, other_platform: Client) -> None:
    clients = [str(platform.pk), str(other_platform.pk)]
    plant(timezone.now(), eyes.body["classifiers"][0], CODES, clients)
    for one in looking.beyond(list(Reading.objects.filter(day=timezone.now().date()))):
        looking.ring(one, timezone.now())


def test_the_monitoring_pages_have_no_barriers(window: Opener, watched: None, ming: User) -> None:
    mine = window()
    page = mine.enter(ming, PAGE)
    for summary in page.locator("summary", has_text="as a table").all():
        summary.click()
    page.get_by_text("Close…").first.click()
    assert in_both_themes(mine, "monitoring") == []
    page.get_by_role("link", name="Alarm lines").click()
    expect(page.get_by_role("heading", name="Lines of monitoring")).to_be_visible()
    assert in_both_themes(mine, "monitoring-lines") == []


def test_an_alarm_is_closed_and_a_category_is_chosen(window: Opener, watched: None, ming: User) -> None:
    mine = window()
    page = mine.enter(ming, PAGE)
    page.get_by_role("link", name="Privacy").first.click()
    expect(page.get_by_role("heading", name="Privacy")).to_be_visible()
    before = page.locator("#open .chip").inner_text()
    page.get_by_text("Close…").first.click()
    page.get_by_label("What you found").first.fill("A new release of that generator.")
    page.get_by_role("button", name="Close the alarm").first.click()
    expect(page.get_by_text("learnt anew from the images to come")).to_be_visible()
    expect(page.locator("#open .chip")).to_have_text(str(int(before) - 1))
    expect(page.get_by_text("“A new release of that generator.” · ming")).to_be_visible()


@pytest.mark.parametrize("size", [NARROW, PHONE], ids=["1024x768", "390x844"])
def test_nothing_is_cut_off_in_a_small_window(window: Opener, watched: None, ming: User, size: dict[str, int]) -> None:
    mine = window(size=size)
    page = mine.enter(ming, PAGE)
    assert wider_than_window(page) <= 0
    assert barriers(page) == []
    mine.keep(f"monitoring-{size['width']}")
