from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client as Browser
from openapi_schema_validator import OAS31Validator

from moderation.models import ApiKey, Client, Scope, TriagePlan, User
from review import queue
from review.models import Claim, Outcome
from tests import world
from tests.moderation.callers import stranger, with_key, with_session
from tests.review.arranging import sampled, waiting

pytestmark = pytest.mark.django_db

QUEUES = "/api/v1/queues"
CLAIM = f"{QUEUES}/general/claim"


@pytest.fixture
def schema() -> dict[str, Any]:
    found: dict[str, Any] = Browser().get("/api/schema/").json()
    return found


def faults(body: Any, name: str, schema: dict[str, Any]) -> list[str]:
    described = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
    return [f"{error.json_path}: {error.message}" for error in OAS31Validator(described).iter_errors(body)]


def claimed(person: User) -> Claim:
    (claim,) = queue.claim(person, queue.GENERAL)
    return claim


def test_a_claim_shows_the_image_its_scores_the_reasons_and_the_rule(
    rita: User, platform: Client, eyes: TriagePlan
) -> None:
    submission = world.triaged(
        platform,
        world.png(red=0.5, green=0.3),
        external_id="a-1",
        prompt="a hunter",
        negative_prompt="blur",
        generator={"name": "sd", "seed": 7},
    )
    (claim,) = with_session(rita).post(CLAIM, {"count": 1}).json()["claims"]
    shown = claim["submission"]
    assert (claim["submission_id"], claim["reason"]) == (str(submission.pk), "uncertain")
    assert [shown[name] for name in ("external_id", "prompt", "negative_prompt", "width", "height", "media_type")] == [
        "a-1",
        "a hunter",
        "blur",
        64,
        64,
        "image/png",
    ]
    assert shown["generator"] == {"name": "sd", "seed": 7}
    first = shown["categories"][0]
    assert (first["code"], first["band"], first["approve"], first["block"]) == ("WEAPONS_DANGEROUS", "review", 0.2, 0.9)
    assert first["probability"] == pytest.approx(0.5, abs=0.01)
    assert shown["reasons"][0] == "Weapons at 0.50: between the plan’s cuts of 0.20 and 0.90."
    assert shown["policy"]["category"] == "WEAPONS_DANGEROUS"
    assert shown["image"].keys() == {"blurred", "look"}


def test_a_claim_fits_the_schema(rita: User, platform: Client, eyes: TriagePlan, schema: dict[str, Any]) -> None:
    waiting(platform, 2)
    body = with_session(rita).post(CLAIM, {"count": 2}).json()
    assert len(body["claims"]) == 2
    assert faults(body, "ClaimsAnswer", schema) == []


def test_whoever_checks_the_machines_is_not_told_what_they_said(
    rita: User, platform: Client, eyes: TriagePlan, schema: dict[str, Any]
) -> None:
    sampled(platform, eyes, world.png(red=0.97))
    body = with_session(rita).post(CLAIM).json()
    (claim,) = body["claims"]
    shown = claim["submission"]
    assert (claim["category"], shown["status"], shown["categories"], shown["reasons"]) == (None, None, [], [])
    assert shown["policy"]["category"] == "OTHER"
    assert faults(body, "ClaimsAnswer", schema) == []


def test_what_no_plan_triaged_can_be_claimed(rita: User, platform: Client, schema: dict[str, Any]) -> None:
    world.triaged(platform)
    body = with_session(rita).post(CLAIM).json()
    assert body["claims"][0]["submission"]["policy"] is None
    assert faults(body, "ClaimsAnswer", schema) == []


def test_the_number_of_queries_does_not_grow_with_the_count(
    rita: User, sam: User, platform: Client, eyes: TriagePlan, django_assert_max_num_queries: Any
) -> None:
    waiting(platform, 12)
    with_session(sam).post(CLAIM, {"count": 1})  # what never changes is read once a process
    caller = with_session(rita)
    with django_assert_max_num_queries(9):
        body = caller.post(CLAIM, {"count": 10}).json()
    assert len(body["claims"]) == 10


def test_an_empty_queue_answers_an_empty_list(rita: User) -> None:
    answer = with_session(rita).post(CLAIM, {"count": 3})
    assert (answer.status_code, answer.json()) == (200, {"claims": []})


@pytest.mark.parametrize("count", [0, 11, -1, "many", None, 1.5])
def test_a_count_out_of_bounds_is_named(rita: User, count: Any) -> None:
    answer = with_session(rita).post(CLAIM, {"count": count})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/count")


def test_the_queues_come_with_their_backlog(
    rita: User, platform: Client, eyes: TriagePlan, schema: dict[str, Any]
) -> None:
    waiting(platform, 2)
    body = with_session(rita).get(QUEUES).json()
    assert [(one["name"], one["open"], one["capped"]) for one in body["queues"]] == [("general", 2, False)]
    assert faults(body, "QueuesAnswer", schema) == []


def test_seniors_see_what_was_escalated(sam: User) -> None:
    assert [one["name"] for one in with_session(sam).get(QUEUES).json()["queues"]] == ["general", "escalated"]


def test_moderators_do_not_claim_what_was_escalated(rita: User) -> None:
    answer = with_session(rita).post(f"{QUEUES}/escalated/claim")
    assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json")


def test_a_released_claim_answers_nothing_more(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 1)
    claim = claimed(rita)
    assert with_session(rita).post(f"/api/v1/claims/{claim.pk}/release").status_code == 204
    claim.refresh_from_db()
    assert claim.outcome == Outcome.RELEASED


def test_a_heartbeat_tells_the_new_end(
    rita: User, platform: Client, eyes: TriagePlan, settings: Any, schema: dict[str, Any]
) -> None:
    waiting(platform, 1)
    claim = claimed(rita)
    settings.REVIEW_LEASE_SECONDS = 3600
    body = with_session(rita).post(f"/api/v1/claims/{claim.pk}/extend").json()
    claim.refresh_from_db()
    assert body == {"claim_id": str(claim.pk), "expires_at": claim.expires_at.isoformat().replace("+00:00", "Z")}
    assert faults(body, "ExtensionAnswer", schema) == []


@pytest.mark.parametrize("verb", ["release", "extend"])
def test_anothers_claim_is_a_conflict(rita: User, sam: User, platform: Client, eyes: TriagePlan, verb: str) -> None:
    waiting(platform, 1)
    claim = claimed(rita)
    answer = with_session(sam).post(f"/api/v1/claims/{claim.pk}/{verb}")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:loupe:problem:claim-gone")
    assert queue.held(rita) == [claim]


@pytest.mark.parametrize("verb", ["release", "extend"])
def test_a_claim_whose_lease_is_over_is_a_conflict(
    rita: User, platform: Client, eyes: TriagePlan, settings: Any, verb: str
) -> None:
    waiting(platform, 1)
    settings.REVIEW_LEASE_SECONDS = 0
    assert with_session(rita).post(f"/api/v1/claims/{claimed(rita).pk}/{verb}").status_code == 409


@pytest.mark.parametrize("verb", ["release", "extend"])
def test_a_claim_nobody_ever_made_is_not_found(rita: User, verb: str) -> None:
    assert with_session(rita).post(f"/api/v1/claims/{uuid4()}/{verb}").status_code == 404


NOBODYS = UUID(int=7)  # no random one: xdist wants the same tests in each of its workers
CALLS = [("GET", QUEUES), ("POST", CLAIM)]
CALLS += [
    ("POST", f"/api/v1/claims/{NOBODYS}/{verb}") for verb in ("decision", "release", "extend", "send", "second-opinion")
]
every_call = pytest.mark.parametrize(("method", "path"), CALLS)


@every_call
def test_strangers_are_not_let_in(method: str, path: str) -> None:
    assert stranger().generic(method, path).status_code == 401


@every_call
def test_those_who_do_not_review_are_refused(
    eve: User, paula: User, ming: User, ari: User, adam: User, method: str, path: str
) -> None:
    answers = [with_session(person).generic(method, path).status_code for person in (eve, paula, ming, ari, adam)]
    assert answers == [403] * 5


@every_call
def test_a_key_never_stands_in_for_a_person(api_key: str, method: str, path: str) -> None:
    assert with_key(api_key).generic(method, path).status_code == 403


@every_call
def test_not_even_a_key_that_was_forged_to_review(api_key: str, method: str, path: str) -> None:
    ApiKey.objects.update(scopes=[Scope.REVIEW])
    assert with_key(api_key).generic(method, path).status_code == 403
