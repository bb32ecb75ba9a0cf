"""Decided images as examples: linked, blurred, and never from under legal hold."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client as Browser

from moderation import lifecycle
from moderation.actors import Actor
from moderation.guidelines import bodies
from moderation.guidelines.faults import UnfitWording
from moderation.guidelines.subjects import Subject
from moderation.models import Client, Status, Submission, TriagePlan, User
from tests import world
from tests.moderation.drafting import body_of, reworded

pytestmark = pytest.mark.django_db


@pytest.fixture
def decided(platform: Client, eyes: TriagePlan, rita: User) -> Submission:
    submission = world.triaged(platform, world.png(red=0.5))
    lifecycle.move(submission, Status.BLOCKED, actor=Actor.person(rita), reason="decision")
    return submission


def showing(submission: object, subject: str = "HATE") -> dict[str, object]:
    example = {"submission": str(submission), "allowed": False, "words": "A slur on a wall"}
    return bodies.checked(Subject.parse(subject), body_of(subject) | {"examples": [example]})


def test_an_example_is_shown_blurred_to_those_who_may_see_images(
    client: Browser, decided: Submission, rita: User, ari: User
) -> None:
    reworded("HATE", examples=showing(decided.pk)["examples"])
    for person, links in ((rita, 1), (ari, 0)):
        client.force_login(person)
        page = client.get("/policies/HATE/").content.decode()
        assert "A slur on a wall" in page
        assert page.count(f"/images/{decided.pk}/glimpse.jpg") == links


def test_what_comes_under_legal_hold_is_shown_no_longer(client: Browser, decided: Submission, rita: User) -> None:
    reworded("HATE", examples=showing(decided.pk)["examples"])
    for to in (Status.IN_REVIEW, Status.QUARANTINED):
        lifecycle.move(decided, to, actor=Actor.person(rita), reason="decision")
    client.force_login(rita)
    page = client.get("/policies/HATE/").content.decode()
    assert "no longer shown" in page
    assert str(decided.pk) not in page
    with pytest.raises(UnfitWording, match="under legal hold"):
        showing(decided.pk)


def test_only_what_a_person_decided_is_an_example(platform: Client, eyes: TriagePlan) -> None:
    for submission in (world.triaged(platform, world.png(red=0.1)).pk, uuid4()):
        with pytest.raises(UnfitWording, match="not an image that a person decided"):
            showing(submission)


def test_no_image_is_an_example_of_child_safety(decided: Submission) -> None:
    with pytest.raises(UnfitWording, match="No image of this category"):
        showing(decided.pk, "CSAE")
