"""The desk's parts, as its modules fetch them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client as HttpClient
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from moderation import roles
from moderation.models import Client, Reason, ReviewRequest, TriagePlan, User
from review import queue
from review.models import Claim, Outcome
from tests import world

CLAIM = "/desk/general/claim"


@pytest.fixture
def three(platform: Client, eyes: TriagePlan) -> list[ReviewRequest]:
    for seed in range(3):
        world.triaged(platform, world.png(red=0.5, seed=seed), prompt=f"a <b>red</b> wall {seed}")
    return list(ReviewRequest.objects.order_by("id"))


@pytest.fixture
def desk(client: HttpClient, rita: User) -> HttpClient:
    client.force_login(rita)
    return client


def test_a_claim_answers_with_cards_of_everything_held(desk: HttpClient, three: list[ReviewRequest]) -> None:
    page = desk.post(CLAIM).content.decode()
    assert page.count("<article") == 3
    assert "Weapons at <em>0.50</em>: between the plan’s cuts of 0.20 and 0.90." in page
    assert "a &lt;b&gt;red&lt;/b&gt; wall 0" in page
    assert 'data-open="3"' in page


def test_what_is_on_the_page_already_is_not_sent_again(desk: HttpClient, three: list[ReviewRequest]) -> None:
    desk.post(CLAIM)
    held = [str(key) for key in Claim.objects.values_list("pk", flat=True)]
    assert "<article" not in desk.post(CLAIM, {"have": held}).content.decode()
    assert desk.post(CLAIM, {"have": held[:1]}).content.decode().count("<article") == 2


def test_a_hand_is_never_more_than_full(desk: HttpClient, platform: Client, eyes: TriagePlan) -> None:
    for seed in range(7):
        world.triaged(platform, world.png(red=0.5, seed=seed))
    desk.post(CLAIM)
    desk.post(CLAIM)
    assert Claim.objects.count() == 5


def test_the_cost_of_cards_does_not_grow_with_their_number(
    desk: HttpClient, three: list[ReviewRequest], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with transaction.atomic():  # what a process reads once and keeps is no cost of a claim
        desk.post(CLAIM)
        transaction.set_rollback(True)
    with django_assert_max_num_queries(19):
        desk.post(CLAIM)


def test_a_blind_check_shows_no_score_and_no_reason(desk: HttpClient, three: list[ReviewRequest]) -> None:
    ReviewRequest.objects.exclude(pk=three[0].pk).update(closed_at=timezone.now())
    ReviewRequest.objects.update(reason=Reason.AUDIT_SAMPLE)
    page = desk.post(CLAIM).content.decode()
    assert "Judge for yourself" in page
    assert "0.50" not in page
    assert "Possible" not in page
    assert "Audit sample" not in page


def test_a_heartbeat_names_what_is_still_held(
    desk: HttpClient, three: list[ReviewRequest], rita: User, sam: User
) -> None:
    (mine,) = queue.claim(rita, "general", 1)
    (his,) = queue.claim(sam, "general", 1)
    (over,) = queue.claim(rita, "general", 1)
    Claim.objects.filter(pk=over.pk).update(expires_at=timezone.now() - timedelta(seconds=1))
    answer = desk.post("/desk/heartbeat", {"claim": [str(mine.pk), str(his.pk), str(over.pk)]})
    assert list(answer.json()["seconds"]) == [str(mine.pk)]


def test_going_away_gives_back_ones_own_and_nothing_else(
    desk: HttpClient, three: list[ReviewRequest], rita: User, sam: User
) -> None:
    (mine,) = queue.claim(rita, "general", 1)
    (his,) = queue.claim(sam, "general", 1)
    answer = desk.post("/desk/release", {"claim": [str(mine.pk), str(his.pk)]})
    assert answer.status_code == 204
    mine.refresh_from_db()
    his.refresh_from_db()
    assert (mine.outcome, his.outcome) == (Outcome.RELEASED, "")


def test_a_page_that_goes_away_takes_nothing_from_the_one_that_came_after_it(
    desk: HttpClient, three: list[ReviewRequest], rita: User
) -> None:
    (mine,) = queue.claim(rita, "general", 1)
    farewell = {"claim": str(mine.pk), "until": mine.expires_at.isoformat()}
    desk.post("/desk/general/claim")  # the page is opened again, and then the old one's farewell arrives
    assert desk.post("/desk/release", farewell).status_code == 204
    mine.refresh_from_db()
    assert mine.outcome == ""
    assert desk.post("/desk/release", {**farewell, "until": mine.expires_at.isoformat()}).status_code == 204
    mine.refresh_from_db()
    assert mine.outcome == Outcome.RELEASED


def test_nonsense_for_claims_is_a_bad_request(desk: HttpClient) -> None:
    assert desk.post("/desk/heartbeat", {"claim": "drop table"}).status_code == 400
    nonsense = {"claim": "01a1b2c3-d4e5-7000-8000-000000000000", "until": "for ever"}
    assert desk.post("/desk/release", nonsense).status_code == 400


def test_escalated_work_is_for_seniors(desk: HttpClient, sam: User) -> None:
    assert desk.get("/desk/escalated/").status_code == 403
    assert desk.post("/desk/escalated/claim").status_code == 403
    desk.force_login(sam)
    assert desk.get("/desk/escalated/").status_code == 200


def test_the_desk_opens_where_one_left_off(desk: HttpClient, three: list[ReviewRequest], rita: User) -> None:
    ReviewRequest.objects.filter(pk=three[2].pk).update(queue="reports")
    assert desk.get("/desk/").headers["Location"] == "/desk/general/"
    queue.claim(rita, "reports", 1)
    assert desk.get("/desk/").headers["Location"] == "/desk/reports/"


def test_history_is_ones_own(desk: HttpClient, three: list[ReviewRequest], rita: User, sam: User) -> None:
    from review.decisions import decide

    for person in (rita, sam):
        (held,) = queue.claim(person, "general", 1)
        decide(held.pk, person, verdict="block", labels=[{"category": "HATE", "severity": 3}])
    page = desk.get("/desk/history").content.decode()
    assert page.count("<li>") == 1
    assert "Hate" in page


def test_an_image_is_not_in_the_history_for_ever(desk: HttpClient, three: list[ReviewRequest], rita: User) -> None:
    from review.decisions import decide

    (held,) = queue.claim(rita, "general", 1)
    decide(held.pk, rita, verdict="approve")
    Claim.objects.update(expires_at=timezone.now() - timedelta(hours=2))
    page = desk.get("/desk/history").content.decode()
    assert "Approved" in page
    assert "<img" not in page


def test_queues_tell_what_waits_and_why(desk: HttpClient, three: list[ReviewRequest], rita: User) -> None:
    queue.claim(rita, "general", 1)
    page = desk.get("/queues/").content.decode()
    assert "1 in your hands" in page
    assert "Uncertain" in page
    assert reverse("desk-queue", args=["general"]) in page
    assert "Escalated" not in page


def test_the_cost_of_the_queue_page_is_bounded(
    desk: HttpClient, three: list[ReviewRequest], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    ReviewRequest.objects.filter(pk=three[0].pk).update(queue="reports")
    with django_assert_max_num_queries(13):
        desk.get("/queues/")


@pytest.mark.parametrize(
    ("role", "path"),
    [
        (roles.Role.MODERATOR, "/desk/"),
        (roles.Role.SENIOR, "/desk/"),
        (roles.Role.POLICY_LEAD, "/policies/"),
        (roles.Role.ML_ENGINEER, "/learning/"),
        (roles.Role.AUDITOR, "/audit/"),
    ],
)
def test_each_role_lands_on_its_own_page(client: HttpClient, eve: User, role: roles.Role, path: str) -> None:
    roles.grant(eve, role)
    client.force_login(eve)
    assert client.get("/").headers["Location"] == path


def test_who_has_no_role_is_told_whom_to_ask(client: HttpClient, eve: User, adam: User) -> None:
    client.force_login(eve)
    page = client.get("/").content.decode()
    assert "Welcome, eve" in page
    assert "adam" in page


@pytest.mark.parametrize("path", ["/desk/", "/desk/general/", "/queues/", "/desk/history"])
def test_strangers_sign_in_and_others_are_refused(client: HttpClient, paula: User, path: str) -> None:
    assert client.get(path).headers["Location"].startswith("/accounts/login/")
    client.force_login(paula)
    assert client.get(path).status_code == 403
