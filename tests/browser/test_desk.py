"""The desk as a reviewer works it: claim, look, decide by keyboard, next image."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from moderation.models import Status, Submission, User
from review.models import Claim, Decision, Outcome, Verdict
from tests.browser.conftest import Opener
from tests.browser.desks import DESK, at_desk, card, decide, eventually, painted, recorded, settle, shown

Send = Callable[[int], None]


def test_a_reviewer_signs_in_looks_and_decides_by_keyboard(window: Opener, scenes: Send, rita: User) -> None:
    scenes(7)
    mine = window()
    mine.open("/accounts/login/")
    mine.keep("login")
    page = at_desk(mine.log_in(rita))
    assert page.url.endswith(DESK)
    assert painted(page) == 0
    expect(card(page).locator(".tag")).to_contain_text("Possible: ")
    mine.keep("desk")

    page.keyboard.down("Space")
    expect(card(page).locator("canvas")).to_be_visible()
    assert painted(page) > 500_000
    settle(page)
    mine.keep("desk-revealed")
    page.keyboard.up("Space")
    expect(card(page).locator("canvas")).to_be_hidden()
    assert painted(page) == 0

    approved = decide(page, "a")
    page.keyboard.press("b")
    expect(card(page).get_by_role("group", name="Severity")).to_be_visible()
    mine.keep("desk-blocking")
    first_digit = card(page).locator(".cat[data-digit='1']")
    code, severity = first_digit.get_attribute("data-code"), int(first_digit.get_attribute("data-severity") or 0)
    blocked = decide(page, "1")
    first, second = recorded(page)

    assert (str(first.claim_id), first.verdict, first.labels) == (approved, Verdict.APPROVE, [])
    assert first.seen["revealed"]
    assert 0.1 <= first.seen["seconds"] < 30
    assert (str(second.claim_id), second.verdict) == (blocked, Verdict.BLOCK)
    assert second.labels == [{"category": code, "severity": severity}]
    assert second.seen.items() >= {"revealed": False, "seconds": 0, "variant": "blurred", "scores": True}.items()
    assert {"why", "prompt", "guideline"} <= set(second.seen["panels"])
    assert first.submission.status == Status.APPROVED
    assert second.submission.status == Status.BLOCKED

    page.keyboard.press("h")
    past = page.get_by_role("dialog", name="My last decisions")
    expect(past.get_by_role("listitem")).to_have_count(2)
    expect(past.get_by_role("listitem").first).to_contain_text(f"S{severity}")
    settle(page)
    mine.keep("desk-history")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys of the desk")).to_be_visible()
    mine.keep("desk-help")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_escalate_and_skip_are_one_key_each(window: Opener, flats: Send, rita: User) -> None:
    flats(3)
    page = at_desk(window().enter(rita, DESK))
    decide(page, "e")
    decide(page, "s")
    assert [one.verdict for one in recorded(page)] == [Verdict.ESCALATE, Verdict.SKIP]


def test_a_block_may_name_several_categories_and_another_severity(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    page = at_desk(window().enter(rita, DESK))
    decide(page, "b", "Shift+Digit3", "ArrowUp", "ArrowUp", "ArrowUp", "1")
    (made,) = recorded(page)
    severities = {label["category"]: label["severity"] for label in made.labels}
    assert severities.pop("WEAPONS_DANGEROUS") == 3
    assert len(severities) == 1


def test_every_category_is_in_reach_of_the_keyboard(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    page = at_desk(window().enter(rita, DESK))
    page.keyboard.press("b")
    page.keyboard.press("0")
    picker = page.get_by_role("dialog", name="Block as")
    expect(picker.locator("[data-code]")).to_have_count(18)
    page.keyboard.type("hate")
    expect(picker.locator("[data-code]:visible")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(picker).to_be_hidden()
    assert recorded(page)[0].labels == [{"category": "HATE", "severity": 3}]


def test_escape_takes_a_block_back(window: Opener, flats: Send, rita: User) -> None:
    flats(1)
    page = at_desk(window().enter(rita, DESK))
    page.keyboard.press("b")
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    expect(card(page).locator(".verdicts")).to_be_visible()
    assert recorded(page) == []


def test_a_key_that_is_held_decides_once(window: Opener, flats: Send, rita: User) -> None:
    flats(4)
    page = at_desk(window().enter(rita, DESK))
    page.keyboard.down("a")
    for _repeat in range(5):
        settle(page)
        page.keyboard.down("a")  # Chromium marks these as repeats
    page.keyboard.up("a")
    assert len(recorded(page)) == 1


def test_a_second_key_in_the_same_moment_is_not_for_the_next_image(window: Opener, flats: Send, rita: User) -> None:
    flats(3)
    page = at_desk(window().enter(rita, DESK))
    page.evaluate(
        """for (const [key, code] of [["a", "KeyA"], ["s", "KeyS"]])
             document.dispatchEvent(new KeyboardEvent("keydown", {key, code}))"""
    )
    settle(page)
    assert [one.verdict for one in recorded(page)] == [Verdict.APPROVE]


def test_shortcuts_of_the_browser_and_letters_of_a_note_decide_nothing(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    page = at_desk(window().enter(rita, DESK))
    page.keyboard.press("Control+a")
    page.keyboard.press("n")
    page.keyboard.type("a bees nest, as seen")
    page.keyboard.press("Escape")
    assert recorded(page) == []
    decide(page, "a")
    assert recorded(page)[0].note == "a bees nest, as seen"


def test_pressing_on_the_image_looks_and_a_button_looks_without_holding(
    window: Opener, flats: Send, rita: User
) -> None:
    flats(1)
    page = at_desk(window().enter(rita, DESK))
    card(page).locator(".picture").hover()
    page.mouse.down()
    expect(card(page).locator("canvas")).to_be_visible()
    page.mouse.up()
    expect(card(page).locator("canvas")).to_be_hidden()

    page.get_by_role("button", name="Show").focus()
    page.keyboard.press("Space")
    expect(card(page).locator("canvas")).to_be_visible()
    page.get_by_role("button", name="Grey only").click()
    expect(card(page).locator("canvas.grey")).to_be_visible()
    page.keyboard.press("v")
    expect(card(page).locator("canvas")).to_be_hidden()


def test_the_keyboard_alone_reaches_every_button(window: Opener, flats: Send, rita: User) -> None:
    flats(2)
    page = at_desk(window().enter(rita, DESK))
    for _tab in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.act") == "approve":
            break
    before = shown(page)
    page.keyboard.press("Enter")
    expect(page.locator(f'article[data-claim="{before}"]:not([hidden])')).to_have_count(0)
    assert recorded(page)[0].verdict == Verdict.APPROVE


def test_two_reviewers_never_see_the_same_image(window: Opener, flats: Send, rita: User, sam: User) -> None:
    flats(8)
    hers = at_desk(window().enter(rita, DESK))
    his = at_desk(window().enter(sam, DESK))
    claims = [
        page.locator("article.claim").evaluate_all("all => all.map(one => one.dataset.claim)") for page in (hers, his)
    ]
    assert [len(held) for held in claims] == [5, 3]
    images = Submission.objects.filter(requests__claims__in=[*claims[0], *claims[1]]).distinct()
    assert images.count() == 8


def test_more_comes_before_the_hand_is_empty(window: Opener, flats: Send, rita: User) -> None:
    flats(9)
    page = at_desk(window().enter(rita, DESK))
    for _image in range(9):
        at_desk(page)
        decide(page, "a")
    assert len(recorded(page)) == 9
    expect(page.get_by_role("heading", name="All done here")).to_be_visible()


def test_an_empty_queue_says_so_and_looks_again_by_itself(window: Opener, flats: Send, rita: User) -> None:
    mine = window()
    mine.page.clock.install()
    page = mine.enter(rita, DESK)
    expect(page.get_by_role("heading", name="All done here")).to_be_visible()
    mine.keep("desk-empty")
    flats(1)
    page.clock.fast_forward(16_000)
    expect(card(page)).to_be_visible()
    expect(page.locator(".said")).to_have_text("New images have come in.")


def test_a_reload_goes_on_with_the_same_image(window: Opener, flats: Send, rita: User) -> None:
    flats(6)
    page = at_desk(window().enter(rita, DESK))
    decide(page, "a")
    before = shown(page)
    recorded(page)
    page.reload()
    at_desk(page)
    assert shown(page) == before


def test_leaving_by_a_link_gives_everything_back(window: Opener, flats: Send, rita: User) -> None:
    flats(3)
    page = at_desk(window().enter(rita, DESK))
    page.get_by_role("link", name="Queues").click()
    expect(page.get_by_role("heading", name="Queues")).to_be_visible()
    eventually(page, lambda: not Claim.objects.filter(ended_at__isnull=True).exists())
    assert set(Claim.objects.values_list("outcome", flat=True)) == {Outcome.RELEASED}
    assert not Decision.objects.exists()
