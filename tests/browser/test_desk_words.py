"""Everything at the desk by keyboard: words and clauses, colleagues, other queues, all acts, one's own keys."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from playwright.sync_api import Response, expect

from moderation.models import Client, PolicyVersion, Reason, ReviewRequest, User
from review.models import Decision, DeskSettings, Mention
from review.views.acts import ACTS
from review.views.panels import clauses
from tests import world
from tests.browser.conftest import Opener
from tests.browser.desks import DESK, at_desk, card, decide, recorded, settle, shown
from tests.browser.test_pages import barriers

Send = Callable[[int], None]
HEAVIEST = 200_000  # bytes of the first load, images aside


def test_a_reason_begins_with_a_clause_and_a_note_names_a_colleague(
    window: Opener, flats: Send, rita: User, sam: User
) -> None:
    flats(2)
    mine = window()
    page = at_desk(mine.enter(rita, DESK))
    page.keyboard.press("r")
    page.keyboard.type("Seen before.")
    card(page).get_by_label("Begin with a clause").focus()
    card(page).get_by_label("Begin with a clause").select_option(index=1)
    expect(card(page).locator(".rationale")).to_have_value("Seen before.\n" + first_clause())
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    page.keyboard.type("is it a toy, @s")
    expect(card(page).get_by_role("button", name="@sam")).to_be_visible()
    mine.keep("desk-words")
    assert barriers(page) == []
    page.keyboard.press("Tab")
    expect(card(page).locator(".note")).to_have_value("is it a toy, @sam ")
    page.keyboard.press("Escape")
    decide(page, "b", "1")
    (made,) = recorded(page)
    assert made.rationale.startswith("Seen before.\nWeapons, version 1: ")
    assert Mention.objects.get().person == sam


def first_clause() -> str:
    return clauses({one.category: one for one in PolicyVersion.objects.in_force()})["WEAPONS_DANGEROUS"][0]


def test_a_request_is_handed_on_by_key(window: Opener, flats: Send, rita: User) -> None:
    flats(3)
    page = at_desk(window().enter(rita, DESK))
    first = shown(page)
    page.keyboard.press("o")
    expect(page.locator(".said")).to_have_text("Asked for a second look")
    at_desk(page)
    page.keyboard.press("q")
    there = page.get_by_role("dialog", name="Send to another queue")
    expect(there).to_be_visible()
    assert barriers(page) == []
    there.get_by_role("button", name="Escalated").click()
    expect(page.locator(".said")).to_have_text("Sent to Escalated")
    at_desk(page)
    assert shown(page) != first
    page.wait_for_load_state("networkidle")
    assert sorted(ReviewRequest.objects.values_list("queue", "needed")) == [
        ("escalated", 1),
        ("general", 1),
        ("general", 2),
    ]
    assert not Decision.objects.exists()


def test_every_act_is_found_by_name(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    mine = window()
    page = at_desk(mine.enter(rita, DESK))
    page.keyboard.press("Control+k")
    palette = page.get_by_role("dialog", name="All acts")
    expect(palette.locator("[data-run]")).to_have_count(len(ACTS) - 2)
    settle(page)
    mine.keep("desk-palette")
    assert barriers(page) == []
    page.keyboard.type("skip")
    expect(palette.locator("[data-run]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(palette).to_be_hidden()
    assert [one.verdict for one in recorded(page)] == ["skip"]


def test_a_key_of_ones_own(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    mine = window()
    mine.expected = ("422",)
    page = at_desk(mine.enter(rita, DESK))
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys of the desk")
    change = keys.get_by_role("button", name="Change approve")
    change.click()
    page.keyboard.press("b")
    expect(keys.get_by_role("status")).to_contain_text("B is taken already")
    change.click()
    expect(keys.get_by_role("status")).to_contain_text("Press the new key")
    page.keyboard.press("x")
    expect(keys.get_by_role("status")).to_contain_text("Saved")
    settle(page)
    mine.keep("desk-keys")
    assert barriers(page) == []
    assert DeskSettings.objects.get().keys == {"approve": "X"}
    page.keyboard.press("Escape")
    expect(card(page).get_by_role("button", name="Approve").locator("kbd")).to_have_text("X")
    page.keyboard.press("a")
    page.reload()
    at_desk(page)
    decide(page, "x")
    assert [one.verdict for one in recorded(page)] == ["approve"]


def test_a_settled_image_is_reopened_from_the_history(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    page = at_desk(window().enter(rita, DESK))
    decide(page, "a")
    recorded(page)
    page.keyboard.press("h")
    page.get_by_role("dialog", name="My last decisions").get_by_role("button", name="Reopen").click()
    expect(page.get_by_text("Somebody else will be asked.")).to_be_visible()
    assert ReviewRequest.objects.filter(reason=Reason.SECOND_OPINION).count() == 1


def test_a_novel_is_refused_whole_and_markup_stays_words(
    window: Opener, flats: Send, platform: Client, rita: User
) -> None:
    markup = "<script>document.title = 'broken'</script><img src=x onerror=alert(1)>"
    world.submit(platform, world.png(red=0.5, seed=99), prompt=markup, generator={"name": markup[:60]})
    flats(0)
    mine = window()
    page = at_desk(mine.enter(rita, DESK))
    expect(card(page).locator(".prompt")).to_have_text(markup)
    assert "broken" not in page.title()
    novel = f"{markup} word " * 1500
    card(page).locator(".rationale").fill(novel)
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    expect(page.get_by_role("alert")).to_contain_text("nothing was sent")
    expect(card(page).locator(".rationale")).to_have_value(novel)
    mine.keep("desk-long")
    assert not Decision.objects.exists()
    card(page).locator(".rationale").fill(novel[:10_000])
    page.keyboard.press("Escape")
    decide(page, "a")
    assert recorded(page)[0].rationale == novel[:10_000].strip()
    page.keyboard.press("h")
    expect(page.get_by_role("dialog", name="My last decisions").get_by_role("listitem")).to_have_count(1)


def test_the_desk_weighs_little(window: Opener, scenes: Send, rita: User) -> None:
    scenes(5)
    mine = window()
    sizes: dict[str, int] = {}

    def weigh(answer: Response) -> None:
        if ".jpg" not in answer.url:  # static files leave production compressed (CompressedManifestStaticFilesStorage)
            body = answer.body()
            sizes[answer.url] = len(gzip.compress(body) if "/static/" in answer.url else body)

    mine.page.on("response", weigh)
    at_desk(mine.enter(rita, DESK))
    mine.page.wait_for_load_state("networkidle")
    assert sum(sizes.values()) <= HEAVIEST, sizes
