from __future__ import annotations

import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.core.files.storage import storages
from django.test import Client as Browser
from django.utils import timezone
from PIL import Image

from moderation import lifecycle
from moderation.actors import HOUSE
from moderation.models import Client, Status, Submission, TriagePlan, User
from review import images, queue
from review.decisions import decide
from review.models import Claim
from tests.review.arranging import waiting


@pytest.fixture
def submission(platform: Client, eyes: TriagePlan) -> Submission:
    (request,) = waiting(platform, 1)
    return request.submission


@pytest.fixture
def claim(rita: User, submission: Submission) -> Claim:
    (claim,) = queue.claim(rita, queue.GENERAL)
    return claim


def get(person: User | None, url: str) -> Any:
    browser = Browser()
    if person is not None:
        browser.force_login(person)
    return browser.get(url)


def test_whoever_holds_the_claim_sees_the_blurred_image(rita: User, submission: Submission, claim: Claim) -> None:
    answer = get(rita, images.link(submission, rita, "blurred"))
    with storages["derivatives"].open(submission.blurred) as file:
        assert answer.content == file.read()
    assert Image.open(io.BytesIO(answer.content)).format == "JPEG"


def test_the_image_is_served_so_that_nothing_but_an_image_comes_of_it(
    rita: User, submission: Submission, claim: Claim, settings: Any
) -> None:
    answer = get(rita, images.link(submission, rita, "blurred"))
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == "inline"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    cached = answer.headers["Cache-Control"].split(", ")
    assert "private" in cached
    assert f"max-age={settings.IMAGE_URL_SECONDS}" in cached or f"max-age={settings.IMAGE_URL_SECONDS - 1}" in cached


def test_the_cache_forgets_it_when_the_link_ends(
    rita: User, submission: Submission, claim: Claim, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    url = images.link(submission, rita, "blurred")
    key = url.partition("key=")[2]
    later = timezone.now() + timedelta(seconds=settings.IMAGE_URL_SECONDS - 60)
    monkeypatch.setattr("django.utils.timezone.now", lambda: later)
    assert 58 <= images.seconds_left(key) <= 60


def test_a_link_is_of_no_use_to_anybody_else(
    rita: User, sam: User, eve: User, submission: Submission, claim: Claim
) -> None:
    url = images.link(submission, rita, "blurred")
    assert [get(person, url).status_code for person in (sam, eve, None)] == [403, 403, 401]


def test_a_link_of_ones_own_without_a_claim_opens_nothing(
    sam: User, eve: User, adam: User, submission: Submission, claim: Claim
) -> None:
    answers = [get(person, images.link(submission, person, "blurred")).status_code for person in (sam, eve, adam)]
    assert answers == [403, 403, 403]


def test_who_no_longer_reviews_no_longer_sees(rita: User, submission: Submission, claim: Claim) -> None:
    url = images.link(submission, rita, "blurred")
    rita.groups.remove(Group.objects.get(name="moderator"))
    assert get(rita, url).status_code == 403


def test_an_old_link_is_gone(rita: User, submission: Submission, claim: Claim, settings: Any) -> None:
    url = images.link(submission, rita, "blurred")
    settings.IMAGE_URL_SECONDS = -1
    assert get(rita, url).status_code == 410


def test_a_link_serves_its_own_variant_only(rita: User, submission: Submission, claim: Claim) -> None:
    url = images.link(submission, rita, "blurred").replace("blurred", "glimpse")
    assert get(rita, url).status_code == 403


def test_there_is_no_link_to_a_clear_image(rita: User, submission: Submission, claim: Claim) -> None:
    with pytest.raises(ValueError, match="no link"):
        images.link(submission, rita, "working")
    url = images.link(submission, rita, "blurred").replace("blurred", "working")
    assert get(rita, url).status_code == 404


def test_a_link_serves_its_own_image_only(rita: User, submission: Submission, claim: Claim) -> None:
    url = images.link(submission, rita, "blurred").replace(str(submission.pk), str(uuid4()))
    assert get(rita, url).status_code == 403


@pytest.mark.parametrize("key", ["", "x", ":", "1xUdDC", "1xUdDC:", "1xUdDC:AAAA", "!:!", "ä:ö", "a:b:c", "%00"])
def test_an_invented_key_opens_nothing(rita: User, submission: Submission, claim: Claim, key: str) -> None:
    url = images.link(submission, rita, "blurred").partition("?")[0]
    assert get(rita, f"{url}?key={key}").status_code == 403


def test_a_changed_key_opens_nothing(rita: User, submission: Submission, claim: Claim) -> None:
    url = images.link(submission, rita, "blurred")
    changed = url[:-5] + ("A" if url[-5] != "A" else "B") + url[-4:]
    assert get(rita, changed).status_code == 403


def test_there_is_no_other_variant(rita: User, submission: Submission, claim: Claim) -> None:
    url = images.link(submission, rita, "blurred").replace("blurred", "original")
    assert get(rita, url).status_code == 404


def test_what_was_just_decided_can_be_looked_at_again(rita: User, submission: Submission, claim: Claim) -> None:
    decide(claim.pk, rita, verdict="approve")
    assert get(rita, images.link(submission, rita, "blurred")).status_code == 200


def test_what_was_held_long_ago_cannot(rita: User, submission: Submission, claim: Claim) -> None:
    Claim.objects.update(expires_at=timezone.now() - images.LOOK_BACK - timedelta(seconds=1))
    assert get(rita, images.link(submission, rita, "blurred")).status_code == 403


def test_under_legal_hold_nothing_is_served(rita: User, submission: Submission, claim: Claim) -> None:
    url = images.link(submission, rita, "blurred")
    lifecycle.move(submission, Status.QUARANTINED, actor=HOUSE, reason="test")
    assert get(rita, url).status_code == 403


def test_a_file_that_is_gone_is_not_found(rita: User, submission: Submission, claim: Claim) -> None:
    storages["derivatives"].delete(submission.blurred)
    assert get(rita, images.link(submission, rita, "blurred")).status_code == 404


def test_an_image_that_never_was_is_not_found(rita: User) -> None:
    assert get(rita, images.link(Submission(pk=uuid4()), rita, "blurred")).status_code == 404


def test_refusals_are_not_cached(eve: User, submission: Submission) -> None:
    assert get(eve, images.link(submission, eve, "blurred")).headers["Cache-Control"] == "no-store"


def test_images_are_for_looking_only(rita: User, submission: Submission, claim: Claim) -> None:
    browser = Browser()
    browser.force_login(rita)
    assert browser.post(images.link(submission, rita, "blurred")).status_code == 405


def test_an_image_costs_few_queries(
    rita: User, submission: Submission, claim: Claim, django_assert_max_num_queries: Any
) -> None:
    browser = Browser()
    browser.force_login(rita)
    url = images.link(submission, rita, "blurred")
    with django_assert_max_num_queries(5):
        browser.get(url)
