"""What a version in the shadow would change, on screen."""

from __future__ import annotations

from pathlib import Path

from django.urls import reverse
from playwright.sync_api import expect

from classifiers.models import ClassifierVersion
from moderation import shadows
from moderation.actors import Actor
from moderation.models import Client, TriagePlan, User
from moderation.triage import run_once
from tests import world
from tests.browser.conftest import NARROW, Opener
from tests.browser.test_pages import in_both_themes, wider_than_window


def test_a_candidate_is_put_into_the_shadow_and_compared(
    window: Opener, eyes: TriagePlan, platform: Client, ming: User, tmp_path: Path
) -> None:
    heads = world.heads(tmp_path, ClassifierVersion.objects.get(), dict.fromkeys(world.BANDS, [0.0] * 4))
    mine = window()
    page = mine.enter(ming, reverse("classifier", kwargs={"pk": heads.pk}))
    page.get_by_role("button", name="Let it look on").click()
    expect(page.get_by_text("Plan 2 is in force. heads@1 looks on in the shadow.")).to_be_visible()
    for tenth in range(10):
        world.submit(platform, world.png(red=(tenth + 0.5) / 10, seed=tenth))
    run_once()
    page.get_by_role("link", name="Compare routes").click()
    expect(page.get_by_role("heading", name="Images that would move")).to_be_visible()
    assert page.locator(".glimpses img").evaluate_all("all => all.map(one => one.decode().then(() => 1)).length") == 3
    assert in_both_themes(mine, "shadow") == []
    page.get_by_role("link", name="look approved by machine").click()
    expect(page.locator(".glimpses li")).to_have_count(2)


def test_the_comparison_fits_a_small_window(
    window: Opener, eyes: TriagePlan, platform: Client, ming: User, tmp_path: Path
) -> None:
    heads = world.heads(tmp_path, ClassifierVersion.objects.get(), dict.fromkeys(world.BANDS, [0.0] * 4))
    shadows.start(heads.ref, actor=Actor.command("test"))
    world.triaged(platform, world.png(red=0.97))
    mine = window(size=NARROW)
    page = mine.enter(ming, reverse("classifier_shadow", kwargs={"pk": heads.pk}))
    assert wider_than_window(page) <= 0
