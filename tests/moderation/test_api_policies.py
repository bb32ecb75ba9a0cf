"""Guidelines by the API: read, compared, drafted, approved by another, taken in as files."""

from __future__ import annotations

from typing import Any

import pytest

from moderation import policies
from moderation.models import Proposal, User
from moderation.roles import Role
from moderation.taxonomy import Category
from tests.conftest import person
from tests.moderation.callers import stranger, with_key, with_session
from tests.moderation.drafting import body_of, reworded

ROOT = "/api/v1/policies"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("guidelines")]


@pytest.fixture
def pia(db: None) -> User:
    return person("pia", Role.POLICY_LEAD)


def said(**changes: Any) -> dict[str, Any]:
    return {"title": "Clearer", "based_on": 1, "body": body_of("HATE") | changes}


def drafted(author: User, **changes: Any) -> str:
    answer = with_session(author).post(f"{ROOT}/HATE/proposals", said(**changes), format="json")
    assert answer.status_code == 201, answer.json()
    return f"{ROOT}/proposals/{answer.json()['id']}"


def test_a_guideline_is_read_in_every_version_and_compared(rita: User) -> None:
    first = policies.in_force()[Category.HATE].headline
    reworded(Category.HATE, headline="Never contempt.")
    reworded("HATE.memes", headline="Memes.")
    caller = with_session(rita)
    assert len(caller.get(ROOT).json()["results"]) == len(Category) + 1
    now = caller.get(f"{ROOT}/HATE").json()
    assert (now["version"], now["body"]["headline"]) == (2, "Never contempt.")
    assert now["markdown"].startswith("---\npolicy: HATE\nversion: 2\n")
    assert caller.get(f"{ROOT}/HATE", {"version": 1}).json()["body"]["headline"] == first
    assert [one["version"] for one in caller.get(f"{ROOT}/HATE/versions").json()["results"]] == [2, 1]
    (change,) = caller.get(f"{ROOT}/HATE/diff", {"from": 1}).json()["changes"]
    assert change["field"] == "headline"
    assert "".join(piece["text"] for piece in change["pieces"] if piece["kind"] != "new") == first
    for path in ("NOTHING", "HATE.none", "HATE?version=9", "HATE/diff?from=x", "HATE.none/versions"):
        assert caller.get(f"{ROOT}/{path}").status_code == 404


def test_one_drafts_another_approves(paula: User, pia: User) -> None:
    path = drafted(paula, headline="Never contempt.")
    mine, theirs = with_session(paula), with_session(pia)
    assert mine.post(f"{path}/ask", {"revision": 1}, format="json").json()["state"] == "asked"
    refused = mine.post(f"{path}/approve", {"revision": 1}, format="json")
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:loupe:problem:own-work")
    assert theirs.post(f"{path}/remarks", {"text": "Good."}, format="json").status_code == 200
    answer = theirs.post(f"{path}/publish", {"revision": 1}, format="json").json()
    assert (answer["state"], answer["published"], answer["answered_by"]) == ("published", 2, "pia")
    assert policies.in_force()[Category.HATE].headline == "Never contempt."
    assert theirs.post(f"{path}/approve", {"revision": 1}, format="json").status_code == 409


def test_a_draft_is_revised_sent_back_and_withdrawn(paula: User, pia: User) -> None:
    path = drafted(paula)
    mine, theirs = with_session(paula), with_session(pia)
    again = said(headline="Once more.") | {"revision": 1, "effective_at": "2027-01-31T08:00:00Z"}
    answer = mine.put(path, again, format="json").json()
    assert (answer["revision"], answer["body"]["headline"]) == (2, "Once more.")
    assert mine.put(path, again, format="json").status_code == 409
    mine.post(f"{path}/ask", {"revision": 2}, format="json")
    assert theirs.post(f"{path}/send-back", {"revision": 2}, format="json").status_code == 422
    sent = theirs.post(f"{path}/send-back", {"revision": 2, "text": "Why?"}, format="json")
    assert sent.json()["state"] == "draft"
    assert mine.post(f"{path}/withdraw", {"revision": 2}, format="json").json()["state"] == "withdrawn"
    assert mine.get(f"{ROOT}/proposals").json()["results"] == []


def test_going_back_asks_a_second_person(paula: User) -> None:
    reworded(Category.HATE, headline="Worse.")
    answer = with_session(paula).post(f"{ROOT}/HATE/rollback", {"to": 1}, format="json")
    assert (answer.status_code, answer.json()["state"], answer.json()["based_on"]) == (201, "asked", 2)
    assert with_session(paula).post(f"{ROOT}/HATE/rollback", {"to": 9}, format="json").status_code == 404


def test_files_become_drafts(paula: User) -> None:
    caller = with_session(paula)
    text = caller.get(f"{ROOT}/HATE").json()["markdown"].replace("## Definition\n\n", "## Definition\n\nIn git. ")
    answer = caller.post(f"{ROOT}/files", {"files": {"HATE.md": text, "x.md": "no"}}, format="json").json()["results"]
    assert answer[0]["proposal"] == str(Proposal.objects.get().pk)
    assert "begins with facts" in answer[1]["problem"]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"body": 7}, "#/body"),
        ({"body": {"headline": "x"}}, "#/body/allowed"),
        ({"based_on": "one"}, "#/based_on"),
        ({"title": ["x"]}, "#/title"),
        ({"note": "a\x00b"}, "#/note"),
        ({"effective_at": "soon"}, "#/effective_at"),
        ({"title": ""}, "#"),
    ],
)
def test_what_cannot_be_drafted_is_refused_with_its_place(paula: User, changes: Any, pointer: str) -> None:
    answer = with_session(paula).post(f"{ROOT}/HATE/proposals", said() | changes, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, pointer)
    assert not Proposal.objects.exists()


def test_guidelines_are_for_those_who_may(paula: User, rita: User, eve: User, api_key: str) -> None:
    path = drafted(paula)
    reads, writes = (
        [ROOT, f"{ROOT}/HATE"],
        [f"{ROOT}/HATE/proposals", f"{path}/ask", f"{path}/approve", f"{ROOT}/files"],
    )
    for caller, read in (
        (with_session(rita), 200),
        (with_session(eve), 403),
        (with_key(api_key), 403),
        (stranger(), 401),
    ):
        assert {caller.get(one).status_code for one in reads} == {read}
        assert {caller.post(one, {"revision": 1}, format="json").status_code for one in writes} <= {401, 403}
        assert caller.get(path).status_code in {401, 403}


def test_guidelines_and_their_versions_come_by_the_page(guidelines: None, paula: User) -> None:
    for number in range(3):
        reworded("HATE", headline=f"Wording {number}.")
    reworded("HATE.memes")
    reworded("HATE.memes", archived=True)
    caller = with_session(paula)

    seen: list[str] = []
    address: str | None = f"{ROOT}?limit=7"
    while address:
        page = caller.get(address).json()
        seen += [one["policy"] for one in page["results"]]
        address = page["next"]
    versions = caller.get(f"{ROOT}/HATE/versions?limit=2").json()

    assert seen[0] == "HATE"  # published last
    assert sorted(seen) == sorted(Category.values)
    assert [one["version"] for one in versions["results"]] == [4, 3]
    assert [one["version"] for one in caller.get(versions["next"]).json()["results"]] == [2, 1]
    assert caller.get(f"{ROOT}/HATE.nothing/versions").status_code == 404
