from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from moderation import audit
from moderation.models import Client, Reason, ReviewRequest, Status, Submission, TriagePlan, User
from review import grid, queue
from review.decisions import decide
from review.models import Claim, Decision, Verdict
from tests.moderation.callers import at_page, stranger, with_key, with_session
from tests.review.arranging import status_of, waiting

pytestmark = pytest.mark.django_db

MANY = "/api/v1/claims/decisions"
WEAPON = {"category": "WEAPONS_DANGEROUS", "severity": 2}
SEEN = {"revealed": False, "seconds": 0, "tile": 160}


@pytest.fixture
def claims(rita: User, platform: Client, eyes: TriagePlan) -> list[Claim]:
    waiting(platform, 13)
    return grid.claim(rita, queue.GENERAL, 12)


@pytest.fixture
def copies(claims: list[Claim]) -> list[Claim]:
    """All in hand are near-duplicates."""
    Submission.objects.update(cluster=uuid4())
    return claims


def approving(claims: list[Claim]) -> list[dict[str, Any]]:
    return [{"claim_id": str(one.pk), "verdict": "approve", "seen": SEEN} for one in claims]


def following(claims: list[Claim]) -> list[dict[str, Any]]:
    """The first is blocked, the others follow."""
    first = {"claim_id": str(claims[0].pk), "verdict": "block", "labels": [WEAPON], "seen": SEEN}
    follow = [{"claim_id": str(one.pk), "follows": str(claims[0].pk), "seen": SEEN} for one in claims[1:]]
    return [first, *follow]


def post(person: User, decisions: Any, key: str = "k1") -> Any:
    return with_session(person).post(MANY, {"decisions": decisions}, headers={"Idempotency-Key": key})


def test_as_many_as_asked_for_are_leased(claims: list[Claim], rita: User) -> None:
    assert (len(claims), len(queue.held(rita))) == (12, 12)
    assert len(grid.claim(rita, queue.GENERAL, 24)) == 13


def test_what_is_graver_is_left_to_the_desk(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 2)
    ReviewRequest.objects.update(severity=3)
    assert grid.claim(rita, queue.GENERAL, 12) == []
    assert len(queue.claim(rita, queue.GENERAL, 2)) == 2


def test_each_item_is_a_decision_of_its_own(claims: list[Claim], rita: User) -> None:
    items = approving(claims)
    items[3] = {**items[3], "verdict": "block", "labels": [WEAPON]}
    answer = post(rita, items)
    assert (answer.status_code, {one["status"] for one in answer.json()["results"]}) == (200, {201})
    assert sorted(status_of(one.request.submission) for one in claims) == [Status.APPROVED] * 11 + [Status.BLOCKED]
    assert Decision.objects.get(claim=claims[3]).verdict == Verdict.BLOCK
    assert Decision.objects.get(claim=claims[0]).seen["tile"] == 160
    for one in claims:
        last = audit.events_of(audit.submission(one.request.submission_id))[-1]
        assert last.data["claim"] == str(one.pk)


def test_one_bad_item_does_not_sink_the_others(claims: list[Claim], rita: User, sam: User) -> None:
    (his,) = queue.claim(sam, queue.GENERAL)
    items: list[Any] = [*approving(claims[:2]), *approving([his]), {"claim_id": str(uuid4()), "verdict": "approve"}]
    items += [{"claim_id": "x"}, "nonsense", {"claim_id": str(claims[2].pk), "verdict": "block"}]
    results = post(rita, items).json()["results"]
    assert [one["status"] for one in results] == [201, 201, 409, 404, 422, 422, 422]
    assert all(one["problem"] for one in results[2:])
    assert Decision.objects.count() == 2
    assert his in queue.held(sam)


def test_sent_again_the_answers_are_the_same(claims: list[Claim], rita: User) -> None:
    first, again = post(rita, approving(claims)).json(), post(rita, approving(claims)).json()
    assert first == again
    assert Decision.objects.count() == 12
    assert {one["status"] for one in post(rita, approving(claims), key="k2").json()["results"]} == {409}


def test_near_duplicates_follow_and_cite_the_first(
    copies: list[Claim], rita: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid, "SPOT_SHARE", 0.0)
    post(rita, following(copies))
    first, *rest = Decision.objects.order_by("id")
    assert {status_of(one.request.submission) for one in copies} == {Status.BLOCKED}
    assert {one.seen["cites"] for one in rest} == {str(first.pk)}
    assert all(one.labels == [WEAPON] for one in rest)


def test_some_are_left_to_somebody_else_as_a_spot_check(
    copies: list[Claim], rita: User, sam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid, "SPOT_SHARE", 1.0)
    results = post(rita, following(copies)).json()["results"]
    assert [one["spot_check"] for one in results] == [False] + [True] * 11
    assert post(rita, following(copies)).json()["results"] == results
    left = {one.request.submission_id for one in copies[1:]}
    assert not left & {one.request.submission_id for one in grid.claim(rita, queue.GENERAL, 12)}
    assert left <= {one.request.submission_id for one in grid.claim(sam, queue.GENERAL, 24)}


def test_the_lot_is_fair_and_the_same_each_time() -> None:
    keys = [uuid4() for _ in range(4000)]
    drawn = [key for key in keys if grid.is_spot_check(key)]
    assert 120 < len(drawn) < 290  # 5 % of 4000 is 200; six standard deviations either way
    assert drawn == [key for key in keys if grid.is_spot_check(key)]


def test_what_is_no_near_duplicate_follows_nobody(claims: list[Claim], rita: User) -> None:
    for number, one in enumerate(Submission.objects.all()):
        Submission.objects.filter(pk=one.pk).update(cluster=uuid4() if number % 2 else None)
    results = post(rita, following(claims)).json()["results"]
    assert [one["status"] for one in results] == [201] + [422] * 11
    assert len(queue.held(rita)) == 11


def test_nothing_follows_what_was_not_decided(copies: list[Claim], rita: User) -> None:
    items = following(copies)
    items[0] = {**items[0], "labels": []}
    assert {one["status"] for one in post(rita, items).json()["results"]} == {422}
    assert not Decision.objects.exists()


@pytest.mark.parametrize("decisions", [None, [], "x", {}, [{}] * 61])
def test_a_call_without_items_or_with_too_many_is_refused(rita: User, decisions: Any) -> None:
    answer = post(rita, decisions)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/decisions")


@pytest.mark.parametrize("seen", [{"tile": 0}, {"tile": "x"}, {"tile": True}, {"cites": "x"}, {"cites": 7}])
def test_what_was_seen_is_checked(claims: list[Claim], rita: User, seen: dict[str, Any]) -> None:
    items = [{"claim_id": str(claims[0].pk), "verdict": "approve", "seen": {**SEEN, **seen}}]
    assert post(rita, items).json()["results"][0]["status"] == 422


def test_the_tiles_are_blurred_and_their_cost_is_bounded(
    rita: User, platform: Client, eyes: TriagePlan, django_assert_max_num_queries: Any
) -> None:
    waiting(platform, 12)
    Submission.objects.update(cluster=uuid4())
    caller = at_page(rita)
    assert "Grid" in caller.get("/grid/general/?size=12").content.decode()
    with django_assert_max_num_queries(20):
        page = caller.post("/grid/general/claim", {"size": "12"}).content.decode()
    assert (page.count("blurred.jpg"), page.count("working.jpg"), page.count("data-follows")) == (12, 0, 11)


def test_blind_checks_show_no_category_and_follow_nobody(rita: User, platform: Client, eyes: TriagePlan) -> None:
    waiting(platform, 2)
    Submission.objects.update(cluster=uuid4())
    ReviewRequest.objects.update(reason=Reason.AUDIT_SAMPLE)
    page = at_page(rita).post("/grid/general/claim", {"size": "12"}).content.decode()
    assert "data-follows" not in page
    assert "Weapons" not in page


def test_decided_elsewhere_meanwhile_is_told(claims: list[Claim], rita: User) -> None:
    decide(claims[0].pk, rita, verdict="approve")
    results = post(rita, approving(claims[:2])).json()["results"]
    assert [one["status"] for one in results] == [409, 201]


@pytest.mark.parametrize("path", ["/grid/general/", "/grid/general/claim"])
def test_only_reviewers_open_the_grid(path: str, rita: User, paula: User, eve: User) -> None:
    method = "post" if path.endswith("claim") else "get"
    assert [getattr(at_page(one), method)(path).status_code for one in (paula, eve)] == [403] * 2
    assert getattr(stranger(), method)(path).status_code == 302
    assert getattr(at_page(rita), method)(path.replace("general", "escalated")).status_code == 403


def test_nor_decide(claims: list[Claim], paula: User, eve: User, api_key: str) -> None:
    assert [post(one, approving(claims)).status_code for one in (paula, eve)] == [403] * 2
    assert (stranger().post(MANY).status_code, with_key(api_key).post(MANY).status_code) == (401, 403)
