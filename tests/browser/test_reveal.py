"""What leaves the house before anybody asked to see, and what the page keeps count of."""

from __future__ import annotations

from collections.abc import Callable

from django.core.files.storage import storages
from playwright.sync_api import Response, expect

from moderation.models import Submission, User
from review import queue
from review.decisions import decide as decide_by_rule
from review.models import Exposure, Look
from tests.browser.conftest import Opener
from tests.browser.desks import DESK, at_desk, decide, eventually, painted

Send = Callable[[int], None]


def clear_images() -> set[bytes]:
    found = set()
    for name in Submission.objects.values_list("working", flat=True):
        with storages["derivatives"].open(name) as file:
            found.add(file.read())
    return found


def test_no_clear_image_leaves_before_somebody_asks_to_see_it(window: Opener, flats: Send, rita: User) -> None:
    flats(4)
    clear = clear_images()
    mine = window()
    received: list[Response] = []
    mine.page.on("response", lambda answer: received.append(answer))  # noqa: PLW0108 - Playwright marks it
    page = at_desk(mine.enter(rita, DESK))
    decide(page, "a")
    page.wait_for_load_state("networkidle")
    bodies = [answer.body() for answer in received if answer.status == 200]
    assert any(body.startswith(b"\xff\xd8") for body in bodies), "the blurred ones came"
    assert not clear & set(bodies)
    assert not [answer.url for answer in received if answer.url.endswith("/looks")]
    assert not Look.objects.exists()
    with page.expect_response("**/looks") as looked:
        page.keyboard.press("v")
    expect(page.locator("article.claim:not([hidden]) canvas")).to_be_visible()
    assert int(looked.value.headers["content-length"]) in map(len, clear)
    assert (painted(page) > 0, Look.objects.count()) == (True, 1)


def test_how_long_it_was_in_view_arrives_even_when_the_page_goes_away(window: Opener, flats: Send, rita: User) -> None:
    flats(1)
    mine = window()
    page = at_desk(mine.enter(rita, DESK))
    page.keyboard.press("v")
    expect(page.locator("article.claim:not([hidden]) canvas")).to_be_visible()
    page.wait_for_function("(from) => performance.now() > from", arg=page.evaluate("performance.now()") + 1600)
    page.goto("about:blank")
    eventually(page, lambda: Look.objects.get().seconds > 1.5)
    assert Exposure.objects.get().seconds == Look.objects.get().seconds


def test_each_look_is_one_of_its_own(window: Opener, flats: Send, rita: User) -> None:
    flats(1)
    page = at_desk(window().enter(rita, DESK))
    canvas = page.locator("article.claim:not([hidden]) canvas")
    for _time in range(2):
        page.keyboard.press("v")
        expect(canvas).to_be_visible()
        page.keyboard.press("v")
        expect(canvas).to_be_hidden()
    eventually(page, lambda: Look.objects.count() == 2)


def test_a_second_person_looks_at_what_is_held_and_that_is_on_record(
    window: Opener, flats: Send, rita: User, sam: User
) -> None:
    flats(1)
    (claim,) = queue.claim(rita, queue.GENERAL)
    grave = [{"category": "HATE", "severity": 3}]
    decide_by_rule(claim.pk, rita, verdict="block", labels=grave)
    page = window().enter(sam, "/held/")
    page.get_by_role("button", name="Show the image").click()
    expect(page.get_by_role("img", name="The image, clear")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("img", name="The image, clear")).to_be_hidden()
    look = Look.objects.get()
    assert (look.reviewer, look.place) == (sam, "elsewhere")
