"""Provenance on the way through triage: what is stored, who must look, and what integrators are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import classifiers
from classifiers import registry
from moderation import ingest, provenance
from moderation.actors import Actor
from moderation.first_edition import bands
from moderation.images import UnacceptableImage
from moderation.models import Client, Finding, Reason, ReviewRequest, Status, TriagePlan
from moderation.policies import parsed
from moderation.routing import Context, route
from moderation.triage import run_once
from moderation.triage.replay import evidence_under
from moderation.wording import sentence
from tests import world
from tests.classifiers.provenance import files, signing
from tests.moderation.callers import SUBMISSIONS, with_key

CARD = Path(classifiers.__file__).parent / "signals" / "provenance.toml"
A1111 = files.png({"parameters": files.A1111})
PROMPT = "a lighthouse at dusk, oil painting"


@pytest.fixture
def plan(guidelines: None) -> TriagePlan:
    """The signal alone, under the bands of the first edition."""
    known: Any = bands()
    return world.publish(registry.register(CARD).ref, bands=known)


def test_a_plain_image_is_untouched_and_leaves_no_finding(plan: TriagePlan, platform: Client) -> None:
    submission = world.triaged(platform, files.png())
    assert submission.status == Status.APPROVED
    assert submission.heard == ["provenance@1"]
    assert sentence(submission.reasons[0]) == "Nothing was found."
    assert not Finding.objects.exists()


@pytest.mark.parametrize("image", [A1111, signing.signed()])
def test_an_honest_file_is_approved_with_its_finding(plan: TriagePlan, platform: Client, image: bytes) -> None:
    submission = world.triaged(platform, image, prompt=PROMPT, generator={"name": "SDXL"})
    assert submission.status == Status.APPROVED
    assert Finding.objects.get(submission=submission).evidence


def test_a_contradiction_goes_to_a_person_in_words(plan: TriagePlan, platform: Client) -> None:
    submission = world.triaged(platform, A1111, prompt="a bowl of fruit", generator={"name": "Midjourney"})
    assert submission.status == Status.IN_REVIEW
    assert {why["code"] for why in submission.reasons} == {"contradiction", "between"}
    request = ReviewRequest.objects.get(submission=submission)
    assert (request.reason, request.category) == (Reason.UNCERTAIN, "IMPERSONATION_FRAUD")


def test_an_altered_file_goes_to_a_person(plan: TriagePlan, platform: Client) -> None:
    data = bytearray(signing.signed("PNG"))
    data[data.find(b"IDAT") - 4 : data.find(b"IDAT") - 4] = files.chunk(b"tEXt", b"Title\0altered")
    submission = world.triaged(platform, bytes(data))
    assert submission.status == Status.IN_REVIEW
    assert Finding.objects.get(submission=submission).evidence["c2pa"]["state"] == "invalid"


def test_a_position_goes_to_a_person_and_is_stored_nowhere(plan: TriagePlan, platform: Client) -> None:
    submission = world.triaged(platform, files.saved("JPEG", exif=files.exif(gps=True)))
    assert submission.status == Status.IN_REVIEW
    assert submission.flagged == ["PRIVACY"]
    assert Finding.objects.get(submission=submission).evidence == {"privacy": ["gps"]}


def test_a_bomb_is_refused_at_the_door_or_passed_over(plan: TriagePlan, platform: Client) -> None:
    try:
        submission = world.triaged(platform, files.bomb(50))
    except UnacceptableImage:
        return
    assert submission.status == Status.APPROVED
    assert Finding.objects.get(submission=submission).evidence == {"notes": ["text_too_large"]}


def test_evidence_that_no_database_takes_is_cleaned(plan: TriagePlan, platform: Client) -> None:
    comment = json.dumps({"c": "a \u0000 \u202e \ud800 kettle", "uc": "", "steps": float("nan")})
    submission = world.triaged(platform, files.png({"Comment": comment}))
    assert Finding.objects.get(submission=submission).evidence["generator"]["prompt"].split() == ["a", "kettle"]


def test_replay_from_storage_gives_the_same_routes(plan: TriagePlan, platform: Client) -> None:
    images = [files.png(), A1111, files.saved("JPEG", exif=files.exif(gps=True)), signing.signed("WEBP")]
    rows = [world.triaged(platform, image, prompt="a bowl of fruit") for image in images]
    again = [route(evidence, parsed(plan), Context()).action for evidence in evidence_under(rows, parsed(plan))]
    assert again == [row.route for row in rows] == ["approve", "review", "review", "approve"]


def test_the_api_discloses_where_a_file_says_it_comes_from(plan: TriagePlan, platform: Client, api_key: str) -> None:
    caller = with_key(api_key)

    def told(image: bytes) -> Any:
        submission = world.triaged(platform, image, prompt=PROMPT)
        return caller.get(f"{SUBMISSIONS}/{submission.pk}").json()["disclosure"]

    assert told(files.png()) == {}
    assert told(A1111) == {
        "c2pa": {"state": "absent"},
        "digital_source_type": None,
        "generator": {"name": "AUTOMATIC1111", "version": "v1.10.1", "model": "sd_xl_base_1.0"},
    }
    assert told(signing.signed()) == {
        "c2pa": {
            "state": "valid",
            "issuer": "Atelier of the tests",
            "signer": "leaf",
            "claim_generator": "Atelier 1.2",
        },
        "digital_source_type": "trainedAlgorithmicMedia",
        "generator": {"name": "Atelier Diffusion 3"},
    }


def test_what_the_signal_says_nothing_of_is_no_score(plan: TriagePlan, platform: Client, api_key: str) -> None:
    submission = world.triaged(platform, files.saved("JPEG", exif=files.exif(gps=True)))
    told = with_key(api_key).get(f"{SUBMISSIONS}/{submission.pk}").json()
    assert told["categories"] == [{"code": "PRIVACY", "probability": 0.4, "band": "review", "overlay": None}]
    assert told["disclosure"] == {}


def test_the_api_tells_a_contradiction_as_a_sentence(plan: TriagePlan, platform: Client, api_key: str) -> None:
    submission = world.triaged(platform, A1111, prompt="a bowl of fruit")
    reasons = with_key(api_key).get(f"{SUBMISSIONS}/{submission.pk}").json()["reasons"]
    assert reasons[0]["text"] == (
        "The file and what was declared about it disagree (words in the file’s prompt were not declared)."
    )


def test_a_lost_original_is_doubt_about_that_image_alone(plan: TriagePlan, platform: Client) -> None:
    from django.core.files.storage import storages

    lost, fine = world.submit(platform, files.png()), world.submit(platform, A1111, prompt=PROMPT)
    storages["originals"].delete(lost.original)
    run_once()
    lost.refresh_from_db()
    fine.refresh_from_db()
    assert (lost.status, fine.status) == (Status.RECEIVED, Status.APPROVED)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({}, "None. That proves nothing."),
        ({"state": "trusted"}, "Valid, signer on the trust list."),
        ({"state": "valid"}, "Valid, signer not on the trust list."),
        ({"state": "invalid"}, "Invalid: altered after signing, or broken."),
        ({"state": "unread", "problems": ["credentials_slow"]}, "Not read: checking them took too long."),
        ({"state": "remote", "at": "m.example"}, "Kept elsewhere (m.example). Never fetched, so unchecked."),
        ({"state": "of a later version"}, "of a later version"),
    ],
)  # fmt: skip
def test_every_verdict_has_words(said: dict[str, Any], words: str) -> None:
    assert provenance.verdict(said) == words


def test_the_door_keeps_the_original_as_it_was_sent(plan: TriagePlan, platform: Client) -> None:
    image = signing.signed("AVIF")
    accepted = ingest.accept(platform, image, fields=ingest.Declared(), actor=Actor.command("test"))
    from moderation.triage.looking import original

    assert original(accepted.submission.original) == image
