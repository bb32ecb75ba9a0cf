"""`POST /prompts/check`: what becomes of a prompt, by the plan in force, and nothing kept."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from classifiers import registry
from classifiers.models import ClassifierVersion
from classifiers.prompt_training import train_prompts
from classifiers.prompts import examples
from classifiers.prompts.editions import ListedCategory, Term
from moderation.models import AuditEvent, Client, Submission, TriagePlan, User
from tests import world
from tests.classifiers.editions import term_card
from tests.classifiers.test_prompt_model import drawn
from tests.moderation.callers import PROMPTS, with_key, with_session
from tests.moderation.test_api_schema import assert_fits, schema  # noqa: F401 - a fixture
from tests.world import png, triaged

pytestmark = pytest.mark.django_db

BANDS: dict[str, dict[str, float]] = {
    "CSAE": {"approve": 0.01},
    "NUDITY": {"approve": 0.25, "block": 0.98},
    "WEAPONS_DANGEROUS": {"approve": 0.2, "block": 0.95},
    "VIOLENCE_GORE": {"approve": 0.3, "block": 0.9},
}


@pytest.fixture
def terms(tmp_path: Path) -> ClassifierVersion:
    return registry.register(term_card(tmp_path))


@pytest.fixture
def plan(terms: ClassifierVersion, guidelines: None) -> TriagePlan:
    return world.publish(terms.ref, bands=BANDS)


def check(api_key: str, prompt: str, **fields: Any) -> dict[str, Any]:
    answer = with_key(api_key).post(PROMPTS, {"prompt": prompt, **fields})
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_a_harmless_prompt_is_allowed(api_key: str, plan: TriagePlan) -> None:
    assert check(api_key, "a teapot on a hill") == {
        "action": "allow",
        "categories": [],
        "reasons": [],
        "matched": [],
        "guidance": {"negative_prompt": ""},
        "policy_version": None,
        "plan_version": 1,
    }


def test_a_listed_term_asks_for_a_person_and_is_shown_where_it_stands(api_key: str, plan: TriagePlan) -> None:
    said = check(api_key, "a man with a g\u200bսn")

    assert said["action"] == "review"
    assert said["categories"] == [{"code": "WEAPONS_DANGEROUS", "probability": 0.7, "band": "review"}]
    assert said["matched"] == [
        {"term": "gun", "category": "WEAPONS_DANGEROUS", "start": 13, "end": 17, "text": "g\u200bսn"}
    ]
    assert said["guidance"] == {"negative_prompt": "gun, rifle"}
    assert said["policy_version"] == "WEAPONS_DANGEROUS v1"
    assert {reason["code"] for reason in said["reasons"]} == {"term", "between"}


def test_what_guidance_makes_harmless_is_transformed(api_key: str, plan: TriagePlan) -> None:
    said = check(api_key, "a nude statue", negative_prompt="blurry, Bare Skin")

    assert said["action"] == "transform"
    assert said["guidance"] == {"negative_prompt": "nudity"}  # the rest was there


def test_a_minor_and_a_sexual_term_together_are_blocked(api_key: str, plan: TriagePlan) -> None:
    said = check(api_key, "a nude ch1ld")

    assert said["action"] == "block"
    assert said["categories"][0]["code"] == "CSAE"
    assert {match["category"] for match in said["matched"]} == {"NUDITY", "minor"}
    assert check(api_key, "a child with a kite")["action"] == "allow"


def test_what_an_image_is_not_to_show_asks_for_nothing(api_key: str, plan: TriagePlan) -> None:
    assert check(api_key, "a beach", negative_prompt="nude, gun, pipe bomb")["action"] == "allow"


def test_a_learnt_signal_speaks_by_the_plans_bands(
    api_key: str, terms: ClassifierVersion, tmp_path: Path, guidelines: None
) -> None:
    path = tmp_path / "labelled.csv"
    path.write_text("prompt,categories\n" + "".join(f"{text},{label}\n" for text, label in drawn()))
    card = train_prompts(examples.read(path)).write(tmp_path, name="prompts", version="1", licence="none")
    world.publish(terms.ref, registry.register(card).ref, bands=BANDS)

    assert check(api_key, "a paper lantern in winter")["action"] == "allow"
    said = check(api_key, "severed hand, bloody wound, gory corpse, violent stabbing")
    assert said["action"] in {"review", "block"}
    assert said["categories"][0]["code"] == "VIOLENCE_GORE"
    assert said["matched"] == []


def test_what_only_triage_can_read_lets_nothing_through_and_is_not_opened(
    api_key: str, terms: ClassifierVersion, guidelines: None
) -> None:
    reader = ClassifierVersion.objects.create(
        name="sentences",
        version="1",
        kind="prompts",
        card={"kind": "prompts", "encoder": {"folder": "tiny", "sha256": "0" * 64}},
        categories=["NUDITY"],
    )
    world.publish(terms.ref, reader.ref, bands=BANDS)

    said = check(api_key, "a teapot")
    assert said["action"] == "review"
    (why,) = said["reasons"]
    assert why["code"] == "classifier_error"
    assert "sentences@1 reads prompts in triage only" in why["text"]
    assert check(api_key, "a nude child")["action"] == "block"
    assert not registry.is_open(reader)


def test_without_a_plan_a_person_looks(api_key: str) -> None:
    said = check(api_key, "a teapot")
    assert (said["action"], said["plan_version"], said["reasons"][0]["code"]) == ("review", None, "no_plan")


def test_a_plan_that_pins_nothing_for_prompts_lets_nothing_through(api_key: str, eyes: TriagePlan) -> None:
    said = check(api_key, "a teapot")
    assert (said["action"], said["reasons"][0]["code"]) == ("review", "classifier_error")


def test_a_signal_that_fails_lets_nothing_through_and_tells_no_secret(
    api_key: str, tmp_path: Path, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    row = registry.register(term_card(tmp_path, [ListedCategory("NUDITY"), Term("NUDITY", "nude")], version="9"))
    world.publish(row.ref, bands=BANDS)
    from django.core.files.storage import storages

    storages["models"].delete(row.weights)
    with caplog.at_level(logging.DEBUG):
        said = check(api_key, "a teapot with a secret")

    assert (said["action"], said["reasons"][0]["code"]) == ("review", "classifier_error")
    assert str(tmp_path) not in str(said)
    assert "secret" not in caplog.text


def test_nothing_is_kept(api_key: str, plan: TriagePlan, caplog: pytest.LogCaptureFixture) -> None:
    events = AuditEvent.objects.count()
    with caplog.at_level(logging.DEBUG, logger="moderation"), CaptureQueriesContext(connection) as queries:
        check(api_key, "a very particular gun")

    assert AuditEvent.objects.count() == events
    assert not Submission.objects.exists()
    assert all(query["sql"].lstrip().startswith("SELECT") for query in queries)
    assert "particular" not in caplog.text


def test_a_check_costs_few_queries(api_key: str, plan: TriagePlan) -> None:
    check(api_key, "a teapot")
    with CaptureQueriesContext(connection) as queries:
        check(api_key, "a teapot")
    assert len(queries) <= 2  # the key, the plan


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/prompt"),
        ({"prompt": " "}, "#/prompt"),
        ({"prompt": 7}, "#/prompt"),
        ({"prompt": "x" * 20_001}, "#/prompt"),
        ({"prompt": "a\0b"}, "#/prompt"),
        ({"prompt": "x", "negative_prompt": ["y"]}, "#/negative_prompt"),
        ({"prompt": "x", "audience": "martians"}, "#/audience"),
        ({"prompt": "x", "territories": ["Germany"]}, "#/territories/0"),
        ([], "#"),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(api_key: str, plan: TriagePlan, body: Any, pointer: str) -> None:
    answer = with_key(api_key).post(PROMPTS, body)
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_policy_leads_may_try_prompts_and_auditors_may_not(paula: User, ari: User, plan: TriagePlan) -> None:
    assert with_session(paula).post(PROMPTS, {"prompt": "a gun"}).json()["action"] == "review"
    assert with_session(ari).post(PROMPTS, {"prompt": "a gun"}).status_code == 403


def test_answers_fit_the_schema(api_key: str, plan: TriagePlan, schema: dict[str, Any]) -> None:  # noqa: F811
    for prompt in ("a teapot", "a gun", "a nude child"):
        assert_fits(check(api_key, prompt, audience="teen", territories=["DE"]), "PromptAnswer", schema)


def test_the_same_words_send_an_image_to_a_person(
    platform: Client, terms: ClassifierVersion, tmp_path: Path, guidelines: None
) -> None:
    world.publish(world.colour_eyes(tmp_path).ref, terms.ref, bands={**world.BANDS, **BANDS})

    shown = triaged(platform, png(), prompt="a man with a gսn")
    plain = triaged(platform, png(seed=1), prompt="a man with a hat", negative_prompt="gun")
    barred = triaged(platform, png(seed=2), prompt="a nude child")

    assert (shown.status, shown.reasons[0]["code"]) == ("in_review", "term")
    assert shown.findings.get(classifier=terms).evidence["matched"][0]["text"] == "gսn"
    assert (plain.status, plain.heard) == ("approved", ["colour-eyes@1", terms.ref])
    assert not plain.findings.filter(classifier=terms).exists()
    assert barred.status == "in_review"  # an image is there now, and only people block in this category
