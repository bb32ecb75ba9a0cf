"""Plans by API: read, compared, drafted, approved by another person, rolled back."""

from __future__ import annotations

from typing import Any

import pytest

from moderation import policies
from moderation.actors import Actor
from moderation.models import Proposal, TriagePlan, User
from moderation.roles import Role
from tests.conftest import person
from tests.moderation.callers import with_key, with_session

pytestmark = pytest.mark.django_db
PLANS = "/api/v1/plans"
DRAFTS = f"{PLANS}/drafts"


@pytest.fixture
def pia(db: None) -> User:
    return person("pia", Role.POLICY_LEAD)


def drafted(author: User, eyes: TriagePlan, **more: Any) -> dict[str, Any]:
    body = {**eyes.body, "audit_rate": 0.25}
    answer = with_session(author).post(DRAFTS, {"title": "Audit more", "body": body, "based_on": 1, **more}, "json")
    assert answer.status_code == 201, answer.json()
    said: dict[str, Any] = answer.json()
    return said


def act(who: User, draft: dict[str, Any], name: str, **more: Any) -> Any:
    return with_session(who).post(f"{DRAFTS}/{draft['id']}/{name}", {"revision": 1, **more}, "json")


def test_one_drafts_another_publishes(paula: User, pia: User, eyes: TriagePlan) -> None:
    draft = drafted(paula, eyes)
    assert act(paula, draft, "ask").json()["state"] == "asked"

    refused = act(paula, draft, "publish")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:loupe:problem:own-work")
    assert TriagePlan.objects.in_force() == eyes

    answer = act(pia, draft, "publish", text="Fine.").json()
    assert (answer["state"], answer["published"], answer["answered_by"]) == ("published", 2, "pia")
    said = with_session(paula).get(f"{PLANS}/2").json()
    assert (said["in_force"], said["body"]["audit_rate"]) == (True, 0.25)


def test_versions_are_listed_newest_first_and_compared(paula: User, eyes: TriagePlan) -> None:
    overlay = {"name": "Germany", "territories": ["DE"], "bands": {"PRIVACY": {"approve": 0.1}}}
    bands = {**eyes.body["bands"], "PRIVACY": {"approve": 0.3}}
    body = {**eyes.body, "bands": bands, "audit_rate": 0.5, "overlays": [overlay]}
    policies.publish_plan(body, note="", actor=Actor.person(paula))
    caller = with_session(paula)

    assert [row["number"] for row in caller.get(PLANS).json()["results"]] == [2, 1]
    words = caller.get(f"{PLANS}/2/diff?from=1").json()["changes"]
    assert words == [
        "Privacy: approve below 0.20 → 0.30",
        "audit rate: 0.0 → 0.5",
        "new overlay “Germany” (DE): Privacy 0.10 / (only a person blocks)",
    ]
    assert caller.get(f"{PLANS}/2/diff").json()["changes"] == []
    assert caller.get(f"{PLANS}/2/diff?from=x").status_code == 422


def test_going_back_is_one_persons(paula: User, eyes: TriagePlan) -> None:
    policies.publish_plan({**eyes.body, "audit_rate": 0.5}, note="", actor=Actor.person(paula))
    answer = with_session(paula).post(f"{PLANS}/1/rollback", {}, "json")

    assert (answer.status_code, answer.json()["number"], answer.json()["body"]) == (201, 3, eyes.body)


def test_a_draft_is_written_anew_sent_back_and_withdrawn(paula: User, pia: User, eyes: TriagePlan) -> None:
    draft = drafted(paula, eyes)
    changed = {**draft, "title": "Audit all", "revision": 1}
    again = with_session(paula).put(f"{DRAFTS}/{draft['id']}", changed, "json").json()
    assert (again["revision"], again["title"]) == (2, "Audit all")
    assert with_session(paula).put(f"{DRAFTS}/{draft['id']}", changed, "json").status_code == 409

    assert act(paula, draft, "ask", revision=2).status_code == 200
    assert act(pia, draft, "send-back", revision=2, text="Why?").json()["state"] == "draft"
    assert act(paula, draft, "withdraw", revision=2).json()["state"] == "withdrawn"
    assert len(with_session(pia).get(DRAFTS).json()["results"]) == 1


@pytest.mark.parametrize(
    ("body", "status"), [({"bands": {}}, 422), ({"bands": {"HATE": {"approve": 3}}}, 422), ("no plan", 422)]
)
def test_what_cannot_be_followed_cannot_be_drafted(paula: User, eyes: TriagePlan, body: Any, status: int) -> None:
    answer = with_session(paula).post(DRAFTS, {"title": "x", "body": body, "based_on": 1}, "json")

    assert answer.status_code == status
    assert not Proposal.objects.exists()


@pytest.mark.parametrize("name", ["eve", "rita", "ming"])
def test_only_policy_leads_write(eyes: TriagePlan, paula: User, name: str, request: pytest.FixtureRequest) -> None:
    who: User = request.getfixturevalue(name)
    draft = drafted(paula, eyes)

    assert with_session(who).post(DRAFTS, {"title": "x", "body": eyes.body, "based_on": 1}, "json").status_code == 403
    assert {act(who, draft, one).status_code for one in ("ask", "publish", "send-back", "withdraw")} == {403}
    assert with_session(who).post(f"{PLANS}/1/rollback", {}, "json").status_code == 403
    assert with_session(who).get(PLANS).status_code == (403 if name == "eve" else 200)


def test_a_platforms_key_reads_no_plans(api_key: str, eyes: TriagePlan) -> None:
    assert with_key(api_key).get(PLANS).status_code == 403
