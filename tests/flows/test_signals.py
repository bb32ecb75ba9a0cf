"""Every signal of triage speaks on real files: sent through the API, triaged by a real worker, read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from moderation import audit
from moderation.first_edition import bands, register_signals
from moderation.models import BankAction, Client, Embedding, Finding, Status, Submission
from moderation.taxonomy import Category
from review import concepts
from tests import world
from tests.classifiers.provenance import files, signing
from tests.classifiers.test_prompt_model import drawn
from tests.flows.conftest import Worker, until
from tests.moderation import knowing
from tests.moderation.callers import upload, with_key
from tests.moderation.rulings import put, rule
from tests.review.test_concepts import archive, learnt, switched, teal  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(transaction=True)
# Half a lease is what all signals together may take: of these workers' usual two seconds the first batch may need more,
# and then an image that a bank has settled already is not asked about again.
PATIENT = "60"

A1111 = (
    "a paper lantern over a quiet lake, <lora:ink:0.8>\nNegative prompt: blurry\n"
    "Steps: 20, Sampler: Euler a, CFG scale: 7, Seed: 42, Size: 512x512, Model: dreamy_v3"
)


@pytest.fixture
def law(guidelines: None, tmp_path: Path) -> None:
    """A plan that pins every kind of signal: a network with heads, what the house brings, a text model, rules; and a
    candidate in the shadow.
    """
    eyes = world.colour_eyes(tmp_path)
    heads = world.heads(tmp_path, eyes, {"HATE": [0.0, 0.0, 0.0, -6.0]})
    shadow = world.heads(tmp_path, eyes, {"HATE": [0.0, 0.0, 0.0, -4.0]}, version="2")
    prompts = taught(tmp_path)
    pinned = [eyes.ref, heads.ref, prompts, *register_signals()]
    # The eyes of tests answer with colours: their categories are not to matter here.
    loose = {code: {"approve": 0.99, "block": None} for code in ("WEAPONS_DANGEROUS", "REGULATED", "PRIVACY")}
    world.publish(*pinned, bands={**bands(), **loose}, shadows=[shadow.ref])
    put(rule("small pictures of animals", 'prompt.contains("kitten") && image.width <= 64', "review"))


def taught(folder: Path) -> str:
    """A text model, trained by the command on labelled prompts."""
    labelled = folder / "prompts.csv"
    labelled.write_text("prompt,categories\n" + "".join(f"{prompt},{label}\n" for prompt, label in drawn()))
    call_command("train", kind="prompts", manifest=labelled, verbosity=0)
    from classifiers.models import ClassifierVersion

    return ClassifierVersion.objects.get(kind="prompts").ref


def test_every_signal_speaks_on_real_files(
    law: None, platform: Client, api_key: str, hire: Callable[..., Worker]
) -> None:
    caller = with_key(api_key)
    known = knowing.scene(3)
    bank = knowing.bank("Arms fair", category=Category.WEAPONS_DANGEROUS, action=BankAction.BLOCK)
    knowing.learnt(bank, knowing.fingerprint(known))
    gravest = knowing.bank("Held by law", category=Category.CSAE, action=BankAction.QUARANTINE)
    knowing.learnt(gravest, knowing.fingerprint(knowing.scene(8)))
    author = {"author_ref": "a-7"}
    sent: dict[str, Submission] = {}

    def send(name: str, image: bytes, **fields: Any) -> None:
        answer = upload(caller, image, external_id=name, **author, **fields)
        assert answer.status_code == 202, answer.content
        sent[name] = Submission.objects.get(pk=answer.json()["id"])

    scene = knowing.scene(5)
    send("first", knowing.encoded(scene), prompt="a quiet lake at dawn")
    send("signed", signing.signed("JPEG", image=knowing.encoded(knowing.scene(6), "JPEG", quality=92)), prompt="a lake")
    send("a1111", files.png({"parameters": A1111}, size=256), prompt="a glass teapot in a town")
    send("located", knowing.encoded(knowing.scene(7), "JPEG", exif=files.exif(gps=True)))
    send("known", knowing.copied(known), prompt="a meadow")
    send("held", knowing.copied(knowing.scene(8)), prompt="a meadow")
    send("disguised", knowing.encoded(knowing.scene(9)), prompt="a b\u0435heаded statue")
    send("violent", knowing.encoded(knowing.scene(10)), prompt="severed hand at dawn in winter")
    send("ruled", world.png(blue=0.1, seed=4), prompt="sleepy kitten")
    hire("ada", LOUPE_TRIAGE_LEASE_SECONDS=PATIENT)
    until(settled, seconds=90, what="all images are triaged")
    send("copy", knowing.copied(scene), prompt="the same lake")
    until(settled, seconds=60, what="the copy is triaged")

    for one in sent.values():
        one.refresh_from_db()
    looks = {name: findings(one) for name, one in sent.items()}
    # the network, its heads and the shadow speak on each image; one embedding serves them all
    for name in sent:
        assert {"colour-eyes@1", "heads@1", "heads@2"} <= looks[name].keys(), name
    assert Embedding.objects.count() == len(sent)
    heard = {"colour-eyes@1", "heads@1", "heads@2", "hashes@1", "provenance@1", "terms@1", "house-rules@1"}
    assert {name: heard - set(one.heard) for name, one in sent.items() if not heard <= set(one.heard)} == {}

    credentials = looks["signed"]["provenance@1"]["c2pa"]
    assert credentials["state"] == "valid"
    written = looks["a1111"]["provenance@1"]
    assert "quiet lake" in json.dumps(written)
    assert any(demand["code"] == "contradiction" for demand in written["demands"])
    assert "gps" in json.dumps(looks["located"]["provenance@1"]).lower()
    match = looks["known"]["hashes@1"]
    assert "Arms fair" in json.dumps(match)
    assert "demands" in looks["disguised"]["terms@1"]
    assert any(ref.startswith("prompts") for ref in looks["violent"])
    assert looks["ruled"]["house-rules@1"]["demands"][0]["detail"] == "small pictures of animals"
    assert sent["copy"].cluster == sent["first"].cluster is not None

    assert sent["known"].status == Status.BLOCKED
    assert sent["held"].status == Status.QUARANTINED
    for name in ("a1111", "disguised", "ruled"):
        assert sent[name].status == Status.IN_REVIEW, name
    assert sent["first"].status == Status.APPROVED
    assert list(audit.verify()) == []


def test_a_concept_taught_by_examples_speaks_too(
    teal: list[Submission],  # noqa: F811
    api_key: str,
    hire: Callable[..., Worker],
) -> None:
    version = learnt(teal)
    switched(concepts.switch_on(version))
    answer = upload(with_key(api_key), world.png(red=0.12, green=0.68, blue=0.7, seed=500, size=32))
    hire("ada", LOUPE_TRIAGE_LEASE_SECONDS=PATIENT)
    until(settled, seconds=60, what="the image is triaged")
    image = Submission.objects.get(pk=answer.json()["id"])
    assert version.ref in findings(image)
    assert (image.status, image.flagged) == (Status.IN_REVIEW, ["HATE"])


def settled() -> bool:
    return not Submission.objects.filter(status=Status.RECEIVED).exists()


def findings(submission: Submission) -> dict[str, dict[str, Any]]:
    """What each version showed of the image."""
    found = Finding.objects.filter(submission=submission).select_related("classifier")
    return {one.classifier.ref: one.evidence for one in found}
