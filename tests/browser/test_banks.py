"""Known images in a real browser: a bank is made, filled, read and kept; a block takes its copies along."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from moderation.banks.known import known
from moderation.models import Bank, BankEntry, Client, User
from tests import world
from tests.browser.conftest import NARROW, Opener
from tests.browser.desks import DESK, at_desk, card, recorded, settle
from tests.browser.test_pages import in_both_themes, wider_than_window
from tests.moderation.knowing import copied, fingerprint, learnt, plan_with_banks, scene

PDQ = "f0" * 32


def test_a_bank_is_made_filled_and_kept(window: Opener, guidelines: None, platform: Client, paula: User) -> None:
    mine = window()
    page = mine.enter(paula, "/banks/")
    page.get_by_role("link", name="Make the first bank").click()
    page.get_by_label("Name").fill("Partners")
    page.get_by_label("Category").select_option("HATE")
    page.get_by_label("A match asks for").select_option("block")
    page.get_by_label("Source").fill("the exchange")
    assert in_both_themes(mine) == []
    mine.keep("bank-new")
    page.get_by_role("button", name="Make the bank").click()
    page.get_by_text("is in service").wait_for()

    page.get_by_label("PDQ").fill(PDQ)
    page.get_by_label("Label").fill("third report")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("1 hash added").wait_for()
    lines = "hash,type,label\n" + "".join(f"{n:064x},pdq,report {n}\n" for n in range(1, 9)) + "oops,pdq,\n"
    page.get_by_label("List").set_input_files({"name": "l.csv", "mimeType": "text/csv", "buffer": lines.encode()})
    page.get_by_role("button", name="Send the list").click()
    page.get_by_text("Line 10:").wait_for()

    plan_with_banks()
    learnt(Bank.objects.get(), fingerprint(scene(5)))
    known.refresh(at_once=True)
    world.triaged(platform, copied(scene(5)))
    page = mine.open(f"/banks/{Bank.objects.get().pk}/")
    page.get_by_text("of 256 bits").wait_for()
    page.get_by_text("Remove…").first.click()
    assert in_both_themes(mine, "bank") == []
    assert wider_than_window(page) == 0
    page.get_by_label("Reason").first.fill("a mistake")
    page.get_by_role("button", name="Remove").first.click()
    page.get_by_text("matches no more").wait_for()

    page.get_by_role("link", name="Known images").first.click()
    page.get_by_role("link", name="Partners").wait_for()
    assert in_both_themes(mine, "banks") == []
    small = window(size=NARROW)
    assert wider_than_window(small.enter(paula, f"/banks/{Bank.objects.get().pk}/")) == 0


def test_a_block_takes_the_copies_along_by_one_key(window: Opener, scenes: Callable[[int], None], rita: User) -> None:
    scenes(2)
    page = at_desk(window().enter(rita, DESK))
    page.keyboard.press("b")
    page.keyboard.press("c")
    expect(card(page).get_by_role("button", name="and its copies")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("1")
    settle(page)

    (decision,) = recorded(page)
    assert BankEntry.objects.get().submission_id == decision.submission_id
    page.keyboard.press("b")
    expect(card(page).get_by_role("button", name="and its copies")).to_have_attribute("aria-pressed", "false")
