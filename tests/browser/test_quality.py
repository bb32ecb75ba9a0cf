"""The quality pages in a real browser: free of barriers, whole in small windows, kept as pictures."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from moderation.models import Client, Submission, TriagePlan, User
from moderation.roles import Role
from review.models import CalibrationSession, Measure, QualityRollup
from review.quality import gold, sessions
from tests import world
from tests.browser.conftest import NARROW, Opener
from tests.browser.test_pages import in_both_themes, wider_than_window
from tests.conftest import person

PHONE = {"width": 390, "height": 844}
CODES = ["", "WEAPONS_DANGEROUS", "HATE", "NUDITY"]


@pytest.fixture
def counted(transactional_db: None, eyes: TriagePlan, platform: Client, sam: User, rita: User) -> list[Submission]:
    """Twelve weeks of counts of every kind, two gold items, and images behind the figures."""
    pictures = [world.triaged(platform, world.png(red=red, seed=1)) for red in (0.0, 0.97, 0.05)]
    today = timezone.now().date()
    tom = person("tom", Role.MODERATOR)
    rows: list[tuple[date, Measure, str, User | None, dict[str, float]]] = []
    for week in range(12):
        day = today - timedelta(days=7 * week)
        for at, code in enumerate(CODES):
            votes: dict[str, float] = {"0 0": 30 + week, "2 2": 9, "0 2": 1 + (week + at) % 4, "2 3": 2}
            rows.append((day, Measure.VOTES, code, None, votes))
        for who, missed in ((rita, 1), (tom, week % 3)):
            answers: dict[str, float] = {"tp": 6, "fn": missed, "tn": 9, "fp": week % 2}
            rows.append((day, Measure.GOLD, "HATE", who, answers))
            rows.append((day, Measure.REFERENCE, "", who, {"tp": 5, "tn": 12, "fp": 1, "fn": missed}))
            rows.append((day, Measure.SKILL, "", who, {"votes": 80, "sensitivity": 0.93, "specificity": 0.97}))
        rows.append((day, Measure.GOLD, "HATE", None, {"tp": 12, "fn": 2, "tn": 18}))
        rows.append((day, Measure.OVERTURNED, "", None, {"again": 14, "overturned": 2}))
        rows.append((day, Measure.ADJUDICATED, "", None, {"n": 3, "block": 2, "approve": 1}))
        audits = {"n": 50, "wrong": 1, "w": 1000.0, "w_wrong": 20.0, "w2": 20000.0}
        rows.append((day, Measure.AUTOMATION, "", None, {f"approve_{name}": value for name, value in audits.items()}))
    examples = [str(one.pk) for one in pictures]
    QualityRollup.objects.bulk_create(
        QualityRollup(day=day, measure=measure, category=code, person=who, counts=counts, examples=examples)
        for day, measure, code, who, counts in rows
    )
    label = [{"category": "WEAPONS_DANGEROUS", "severity": 2}]
    why = "A realistic weapon aimed at the viewer: guideline Weapons, first rule."
    gold.add(pictures[1], sam, verdict="block", labels=label, category="", why=why)
    gold.add(pictures[0], sam, verdict="approve", labels=[], category="HATE", why="An empty wall.")
    return pictures


@pytest.fixture
def session(counted: list[Submission], paula: User, rita: User) -> CalibrationSession:
    tom = User.objects.get(username="tom")
    called = sessions.start(paula, title="Toy guns", submissions=[one.pk for one in counted], people=[rita, tom])
    for verdict in ("approve", "block", "approve"):
        item = sessions.next_item(called, tom)
        assert item
        labels = [{"category": "HATE", "severity": 3}] if verdict == "block" else []
        sessions.vote(item, tom, verdict=verdict, labels=labels, words="As the guideline says.")
    return called


def test_the_quality_pages_have_no_barriers(window: Opener, session: CalibrationSession, sam: User) -> None:
    mine = window()
    for path, name in (
        ("/quality/", "quality"),
        ("/quality/images/?measure=votes", "quality-images"),
        ("/quality/gold/", "quality-gold"),
        ("/quality/sessions/", "calibrations"),
        (f"/quality/sessions/{session.pk}/", "calibration-spread"),
    ):
        mine.enter(sam, path)
        assert in_both_themes(mine, name) == []


def test_a_ballot_is_judged_blind_and_has_no_barriers(window: Opener, session: CalibrationSession, rita: User) -> None:
    mine = window()
    page = mine.enter(rita, f"/quality/sessions/{session.pk}/")
    assert in_both_themes(mine, "calibration-ballot") == []
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("img", name="The image, clear")).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_label("Block").check()
    page.get_by_label("As", exact=True).select_option("WEAPONS_DANGEROUS")
    page.get_by_role("button", name="Answer").click()
    expect(page.get_by_text("Image 2 of 3")).to_be_visible()
    for place in ("Image 3 of 3", "apart; they come first"):
        page.get_by_label("Approve").check()
        page.get_by_role("button", name="Answer").click()
        expect(page.get_by_text(place)).to_be_visible()
    mine.open("/quality/me/")
    assert in_both_themes(mine, "quality-me") == []


@pytest.mark.parametrize("size", [NARROW, PHONE], ids=["1024x768", "390x844"])
def test_nothing_is_cut_off_in_a_small_window(
    window: Opener, session: CalibrationSession, sam: User, rita: User, size: dict[str, int]
) -> None:
    mine = window(size=size)
    for who, path, name in (
        (sam, "/quality/", "quality"),
        (sam, "/quality/gold/", "quality-gold"),
        (sam, f"/quality/sessions/{session.pk}/", "calibration-spread"),
        (rita, f"/quality/sessions/{session.pk}/", "calibration-ballot"),
    ):
        page = mine.enter(who, path)
        assert wider_than_window(page) <= 0, path
        mine.keep(f"{name}-{size['width']}")
