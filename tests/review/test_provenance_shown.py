"""Where an image says it comes from, beside it on the desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client as HttpClient
from django.utils import timezone

import classifiers
from classifiers import registry
from moderation.first_edition import bands
from moderation.models import Client, Reason, ReviewRequest, TriagePlan, User
from tests import world
from tests.classifiers.provenance import files, signing

CLAIM = "/desk/general/claim"


@pytest.fixture
def plan(guidelines: None) -> TriagePlan:
    card = Path(classifiers.__file__).parent / "signals" / "provenance.toml"
    known: Any = bands()
    return world.publish(registry.register(card).ref, bands=known, audit_rate=1.0)


@pytest.fixture
def desk(client: HttpClient, rita: User) -> HttpClient:
    client.force_login(rita)
    return client


def asked(submission_of: Any) -> None:
    """A person is asked to look, and not blindly."""
    ReviewRequest.objects.filter(submission=submission_of).update(reason=Reason.UNCERTAIN)


def test_differences_are_marked_beside_what_was_declared(desk: HttpClient, plan: TriagePlan, platform: Client) -> None:
    text = files.A1111.replace("dusk", "<script>dusk</script>")
    world.triaged(
        platform,
        files.png({"parameters": text}),
        prompt="a bowl of fruit",
        generator={"name": "Midjourney", "seed": 5, "parameters": {"steps": 50}},
    )
    page = desk.post(CLAIM).content.decode()
    assert "4 differ from what was declared" in page
    assert "Not declared:" in page
    assert "≠ declared Midjourney" in page
    assert "≠ declared 5<" in page
    assert "≠ declared 50<" in page
    assert "&lt;script&gt;dusk" in page
    assert "<script>dusk" not in page
    assert "None. That proves nothing." in page


def test_the_verdict_on_credentials_is_told(desk: HttpClient, plan: TriagePlan, platform: Client) -> None:
    asked(world.triaged(platform, signing.signed()))
    page = desk.post(CLAIM).content.decode()
    for words in ("Valid, signer not on the trust list.", "Atelier of the tests, leaf", "made by a trained model"):
        assert words in page
    assert "differ" not in page


def test_personal_data_is_named_and_not_shown(desk: HttpClient, plan: TriagePlan, platform: Client) -> None:
    world.triaged(platform, files.saved("JPEG", exif=files.exif(gps=True, Artist="Rosa Beispiel")))
    page = desk.post(CLAIM).content.decode()
    assert "GPS position present, author’s name present" in page
    assert "Rosa" not in page


def test_a_plain_image_says_that_absence_proves_nothing(desk: HttpClient, plan: TriagePlan, platform: Client) -> None:
    asked(world.triaged(platform, files.png()))
    assert "None. That proves nothing." in desk.post(CLAIM).content.decode()


def test_who_checks_the_machines_sees_none_of_it(desk: HttpClient, plan: TriagePlan, platform: Client) -> None:
    world.triaged(platform, signing.signed())
    page = desk.post(CLAIM).content.decode()
    assert "Judge for yourself" in page
    assert "Provenance" not in page


def test_an_image_nobody_read_shows_no_section(desk: HttpClient, eyes: TriagePlan, platform: Client) -> None:
    world.triaged(platform, world.png(red=0.5))
    assert "Provenance" not in desk.post(CLAIM).content.decode()


def test_a_claim_by_api_carries_the_same_words(desk: HttpClient, plan: TriagePlan, platform: Client) -> None:
    submission = world.triaged(platform, signing.signed())
    asked(submission)
    ReviewRequest.objects.update(leased_until=timezone.now())
    answer = desk.post("/api/v1/queues/general/claim", {"count": 1}, content_type="application/json").json()
    assert answer["claims"][0]["submission"]["provenance"]["verdict"] == "Valid, signer not on the trust list."


def test_who_has_no_rights_sees_nothing(client: HttpClient, eve: User, plan: TriagePlan, platform: Client) -> None:
    world.triaged(platform, signing.signed())
    client.force_login(eve)
    assert client.post(CLAIM).status_code == 403
