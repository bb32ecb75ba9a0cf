"""The page that shows where images would go if a version took over, and what people said of them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from classifiers.models import ClassifierVersion
from moderation import lifecycle, shadows
from moderation.actors import HOUSE, Actor
from moderation.models import Client, Status, Submission, TriagePlan, User
from review import images, queue
from review.agreement import Share
from review.decisions import decide
from tests import world

COMMAND = Actor.command("test")


@pytest.fixture
def candidate(eyes: TriagePlan, tmp_path: Path) -> ClassifierVersion:
    """Heads in place of the eyes: they say 0.5 of everything, so whatever the eyes settle goes to people."""
    heads = world.heads(tmp_path, ClassifierVersion.objects.get(), dict.fromkeys(world.BANDS, [0.0] * 4))
    shadows.start(heads.ref, actor=COMMAND)
    return heads


@pytest.fixture
def archive(candidate: ClassifierVersion, platform: Client) -> list[Submission]:
    """Approved, in review, blocked; newest last."""
    return [world.triaged(platform, world.png(red=red)) for red in (0.05, 0.5, 0.97)]


@pytest.fixture
def browser(client: Browser, ming: User) -> Browser:
    client.force_login(ming)
    return client


def page_of(version: ClassifierVersion, **query: object) -> str:
    return reverse("classifier_shadow", kwargs={"pk": version.pk}) + "".join(f"?{k}={v}" for k, v in query.items())


def test_the_moves_are_counted_and_listed(
    browser: Browser, candidate: ClassifierVersion, archive: list[Submission]
) -> None:
    page = browser.get(page_of(candidate))

    assert {(one.kind, one.images) for one in page.context["moves"]} == {("approve-review", 1), ("block-review", 1)}
    assert [one.image.submission.pk for one in page.context["lines"]] == [archive[2].pk, archive[0].pk]
    assert "same route on 33.3 %" in page.content.decode()


def test_one_kind_of_move_can_be_looked_at(
    browser: Browser, candidate: ClassifierVersion, archive: list[Submission]
) -> None:
    page = browser.get(page_of(candidate, move="block-review"))

    assert [one.image.submission.pk for one in page.context["lines"]] == [archive[2].pk]


def test_what_people_decided_is_held_against_both(
    browser: Browser, candidate: ClassifierVersion, platform: Client, rita: User
) -> None:
    world.publish("colour-eyes@1", audit_rate=1.0)  # every image is checked by a person as well
    world.triaged(platform, world.png(red=0.05))
    (claim,) = queue.claim(rita, queue.GENERAL)
    label = {"category": "PRIVACY", "severity": 2}
    decide(claim.pk, rita, verdict="block", labels=[label])

    said = browser.get(page_of(candidate, format="json")).json()

    assert said["people"]["all"] == {
        "decided": 1,
        "before": {"settled": 1, "agreed": 0, "share": 0.0, "low": 0.0, "high": pytest.approx(0.793, abs=0.001)},
        "after": {"settled": 0, "agreed": 0, "share": None, "low": 0.0, "high": 1.0},
    }
    assert said["moves"] == [{"from": "approve", "to": "review", "images": 1}]


def test_the_csv_holds_every_image_that_moves(
    browser: Browser, candidate: ClassifierVersion, archive: list[Submission]
) -> None:
    rows = list(csv.DictReader(io.StringIO(browser.get(page_of(candidate, format="csv")).content.decode())))

    assert [(row["submission_id"], row["before"], row["after"]) for row in rows] == [
        (str(archive[2].pk), "block", "review"),
        (str(archive[0].pk), "approve", "review"),
    ]


def test_what_lies_under_legal_hold_is_counted_and_never_named(
    browser: Browser, candidate: ClassifierVersion, archive: list[Submission]
) -> None:
    lifecycle.move(archive[0], Status.QUARANTINED, actor=HOUSE, reason="test")

    page = browser.get(page_of(candidate))

    assert (len(page.context["found"].moved), page.context["hidden"]) == (2, 1)
    for format_ in ("", "csv", "json"):
        assert str(archive[0].pk) not in browser.get(page_of(candidate, format=format_)).content.decode()


def test_the_pictures_are_blurred_and_open(
    browser: Browser, candidate: ClassifierVersion, archive: list[Submission], rita: User
) -> None:
    link = browser.get(page_of(candidate)).context["lines"][0].glimpse

    assert "glimpse" in link
    assert browser.get(link).headers["Content-Type"] == "image/jpeg"
    browser.force_login(rita)
    assert browser.get(link).status_code == 403  # made for somebody else


def test_who_only_reads_sees_no_picture(
    client: Browser, candidate: ClassifierVersion, archive: list[Submission], ari: User, eve: User
) -> None:
    client.force_login(ari)
    assert [one.glimpse for one in client.get(page_of(candidate)).context["lines"]] == ["", ""]
    for person in (ari, eve):
        client.force_login(person)
        assert client.get(images.link(archive[0], person, images.Variant.GLIMPSE)).status_code == 403


def test_a_glimpse_of_what_came_under_legal_hold_is_refused(archive: list[Submission], ming: User) -> None:
    link = images.glimpse(archive[0], ming)
    lifecycle.move(archive[0], Status.QUARANTINED, actor=HOUSE, reason="test")

    browser = Browser()
    browser.force_login(ming)

    assert browser.get(link).status_code == 403
    assert images.glimpse(archive[0], ming) == ""


def test_nothing_seen_yet_says_what_to_do(browser: Browser, candidate: ClassifierVersion) -> None:
    assert "It has not seen an image yet" in browser.get(page_of(candidate)).content.decode()


@pytest.mark.parametrize("format_", ["json", "csv"])
def test_what_is_in_service_has_nothing_to_be_compared_with(
    browser: Browser, candidate: ClassifierVersion, format_: str
) -> None:
    in_service = ClassifierVersion.objects.get(name="colour-eyes")

    assert "Nothing to compare" in browser.get(page_of(in_service)).content.decode()
    assert browser.get(page_of(in_service, format=format_)).status_code == 409


def test_its_cost_does_not_follow_the_archive(
    browser: Browser,
    candidate: ClassifierVersion,
    archive: list[Submission],
    platform: Client,
    django_assert_max_num_queries: Any,
) -> None:
    for seed in range(12):
        world.triaged(platform, world.png(red=0.97, seed=seed))

    with django_assert_max_num_queries(22):
        assert len(browser.get(page_of(candidate)).context["lines"]) == 14


def test_starting_and_ending_from_the_page(browser: Browser, eyes: TriagePlan, tmp_path: Path) -> None:
    version = world.colour_eyes(tmp_path, version="2")
    set_ = reverse("classifier_shadow_set", kwargs={"pk": version.pk})

    browser.post(set_)
    assert shadows.standing(TriagePlan.objects.in_force()) == [version.ref]
    assert "looks on in the shadow" in browser.get(reverse("classifier", kwargs={"pk": version.pk})).content.decode()

    browser.post(set_, {"end": "1"})
    assert shadows.standing(TriagePlan.objects.in_force()) == []


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_interval_is_wilson_s(part: int, of: int) -> None:
    part = min(part, of)
    found = Share(part, of)

    if of:
        interval = binomtest(part, of).proportion_ci(method="wilson")
        assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-6)
    else:
        assert found.interval == (0.0, 1.0)
