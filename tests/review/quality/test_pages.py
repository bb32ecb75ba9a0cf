"""The quality pages and the API of gold items: who may open them, what they cost, what they never show."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as HttpClient
from django.utils import timezone

from moderation import lifecycle
from moderation.actors import HOUSE
from moderation.models import Client, Status, Submission, TriagePlan, User
from review import blinding
from review.models import GoldItem, Measure, QualityRollup
from review.quality import gold
from tests import world

PAGES = ["/quality/", "/quality/images/?measure=votes", "/quality/gold/"]
CODE = "WEAPONS_DANGEROUS"


@pytest.fixture
def picture(platform: Client, eyes: TriagePlan) -> Submission:
    return world.triaged(platform, world.png())


@pytest.fixture
def counted(picture: Submission, rita: User) -> Submission:
    """A day's counts of every kind, today; the picture is the example."""
    today, key = timezone.now().date(), str(picture.pk)
    votes: dict[str, float] = {"0 0": 40, "2 2": 5, "0 2": 3}
    rows: list[tuple[Measure, str, User | None, dict[str, float]]] = [
        (Measure.VOTES, code, None, votes) for code in ("", CODE)
    ]
    rows += [
        (Measure.GOLD, CODE, rita, {"tp": 9, "fn": 1, "tn": 20}),
        (Measure.GOLD, CODE, None, {"tp": 9, "fn": 1, "tn": 20}),
        (Measure.REFERENCE, "", rita, {"tp": 5, "tn": 8, "fp": 1}),
        (Measure.SKILL, "", rita, {"votes": 13, "sensitivity": 0.91, "specificity": 0.97}),
        (Measure.OVERTURNED, "", None, {"again": 10, "overturned": 2}),
        (Measure.ADJUDICATED, "", None, {"n": 3, "block": 2, "approve": 1}),
        (
            Measure.AUTOMATION,
            "",
            None,
            {"approve_n": 50, "approve_wrong": 1, "approve_w": 500.0, "approve_w_wrong": 10.0, "approve_w2": 5000.0},
        ),
    ]
    for measure, category, who, counts in rows:
        QualityRollup.objects.create(
            day=today, measure=measure, category=category, person=who, counts=counts, examples=[key]
        )
    return picture


@pytest.mark.parametrize("path", PAGES)
def test_figures_are_for_seniors_and_policy_leads(
    path: str, counted: Submission, sam: User, paula: User, rita: User, eve: User, ari: User, client: HttpClient
) -> None:
    for who, status in ((sam, 200), (paula, 200), (rita, 403), (eve, 403), (ari, 403)):
        client.force_login(who)
        assert client.get(path).status_code == status, who


def test_one_sees_ones_own_figures_of_whole_weeks_only(
    counted: Submission, rita: User, eve: User, client: HttpClient
) -> None:
    client.force_login(eve)
    assert client.get("/quality/me/").status_code == 403
    client.force_login(rita)
    assert "90.0 %" not in client.get("/quality/me/").content.decode()
    QualityRollup.objects.update(day=timezone.now().date() - timedelta(days=10))
    page = client.get("/quality/me/").content.decode()
    assert "86.4 %" in page  # (9 + ½) / (10 + 1)
    assert "too few to say yet" not in page.split("Beside what others settled")[0]


def test_the_page_costs_the_same_whatever_the_archive_holds(
    counted: Submission, sam: User, client: HttpClient, django_assert_max_num_queries: Any
) -> None:
    client.force_login(sam)
    with django_assert_max_num_queries(9):
        page = client.get("/quality/").content.decode()
    for words in ("rita", "2.0 %", "Weapons", "Any harm"):
        assert words in page
    assert len(page) < 100_000


@pytest.mark.parametrize("table", ["agreement", "weeks", "people", "automation", "overturned", "gold"])
def test_every_table_comes_as_csv(table: str, counted: Submission, sam: User, client: HttpClient) -> None:
    client.force_login(sam)
    answer = client.get(f"/quality/?csv={table}")
    rows = list(csv.reader(io.StringIO(answer.content.decode())))
    assert answer["Content-Type"].startswith("text/csv")
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    assert client.get("/quality/?csv=nothing").status_code == 404


def test_behind_a_figure_are_its_images_but_none_under_legal_hold(
    counted: Submission, sam: User, client: HttpClient
) -> None:
    client.force_login(sam)
    assert str(counted.pk) in client.get("/quality/images/?measure=votes").content.decode()
    lifecycle.move(counted, Status.QUARANTINED, actor=HOUSE, reason="test")
    page = client.get("/quality/images/?measure=votes").content.decode()
    assert str(counted.pk) not in page
    assert "1 image is not listed" in page


@pytest.mark.parametrize("query", ["person=nobody", "person=6f9619ff-8b86-d011-b42d-00c04fc964ff", "measure=speed"])
def test_what_makes_no_sense_is_refused(query: str, sam: User, client: HttpClient) -> None:
    client.force_login(sam)
    assert client.get(f"/quality/images/?measure=votes&{query}").status_code in {302, 403}


def test_a_lead_sets_how_much_is_checked(sam: User, rita: User, client: HttpClient) -> None:
    client.force_login(rita)
    assert client.post("/quality/rules", {"gold": "5", "unaided": "100"}).status_code == 403
    client.force_login(sam)
    client.post("/quality/rules", {"gold": "5", "unaided": "100"})
    blinding.forget()
    assert blinding.in_force() == blinding.Rules(0.05, 1.0)
    page = client.post("/quality/rules", {"gold": "60", "unaided": "x"}, follow=True).content.decode()
    assert "Nothing was changed" in page


def test_a_gold_item_is_made_and_retired_in_the_browser(picture: Submission, sam: User, client: HttpClient) -> None:
    client.force_login(sam)
    said = {"submission": str(picture.pk), "verdict": "approve", "category": CODE, "severity": "2", "why": "A <b>wall."}
    assert client.post("/quality/gold/", said).status_code == 302
    page = client.get("/quality/gold/").content.decode()
    assert "A &lt;b&gt;wall." in page
    again = client.post("/quality/gold/", said)
    assert (again.status_code, "a gold item already" in again.content.decode()) == (422, True)
    item = GoldItem.objects.get()
    client.post(f"/quality/gold/{item.pk}/retire")
    assert "No gold item yet" in client.get("/quality/gold/").content.decode()


@pytest.mark.parametrize("key", ["", "no id", "00000000-0000-7000-8000-000000000000"])
def test_a_gold_item_needs_an_image(key: str, picture: Submission, sam: User, client: HttpClient) -> None:
    client.force_login(sam)
    said = {"submission": key, "verdict": "block", "category": CODE, "severity": "2", "why": "because"}
    assert client.post("/quality/gold/", said).status_code == 422
    assert not GoldItem.objects.exists()


def test_gold_by_the_api(picture: Submission, sam: User, rita: User, eve: User, client: HttpClient) -> None:
    order = {"submission_id": str(picture.pk), "verdict": "approve", "category": CODE, "why": "A wall."}

    def post(path: str, body: Any) -> Any:
        return client.post(path, body, content_type="application/json")

    for who in (rita, eve):
        client.force_login(who)
        assert post("/api/v1/gold", order).status_code == 403
        assert client.get("/api/v1/gold").status_code == 403
    client.force_login(sam)
    made = post("/api/v1/gold", order)
    assert (made.status_code, made.json()["made_by"]) == (201, "sam")
    assert post("/api/v1/gold", order).status_code == 409
    assert post("/api/v1/gold", {**order, "submission_id": 7}).status_code == 422
    assert post("/api/v1/gold", {**order, "submission_id": str(uuid4())}).status_code == 404
    assert [one["id"] for one in client.get("/api/v1/gold").json()["results"]] == [made.json()["id"]]
    path = f"/api/v1/gold/{made.json()['id']}/retire"
    assert [post(path, {}).status_code, post(path, {}).status_code] == [200, 409]
    assert post(f"/api/v1/gold/{uuid4()}/retire", {}).status_code == 404
    assert client.get("/api/v1/gold").json()["results"] == []


def test_retiring_takes_the_right(picture: Submission, sam: User, rita: User, client: HttpClient) -> None:
    item = gold.add(picture, sam, verdict="approve", labels=[], category=CODE, why="A wall.")
    client.force_login(rita)
    assert client.post(f"/quality/gold/{item.pk}/retire").status_code == 403
    assert client.post(f"/api/v1/gold/{item.pk}/retire").status_code == 403
