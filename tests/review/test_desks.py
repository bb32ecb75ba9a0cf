"""What is a person's own at the desk: their keys, the notes that name them, their past decisions opened again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client as HttpClient
from django.test.utils import CaptureQueriesContext

from moderation import lifecycle
from moderation.actors import HOUSE
from moderation.models import AuditEvent, Client, Reason, ReviewRequest, Status, TriagePlan, User
from review import keymaps, queue
from review.decisions import decide
from review.effects import undo
from review.models import Decision, DeskSettings, Mention
from review.views import acts
from tests.review.arranging import waiting

ADDRESSES = ["/desk/keys", "/desk/colleagues", "/desk/history/01a1ffb3-bc1e-7131-96d1-1294c3996624/reopen"]


@pytest.fixture
def desk(client: HttpClient, rita: User) -> HttpClient:
    client.force_login(rita)
    return client


def decided(person: User, verdict: str = "approve", **words: Any) -> Decision:
    (held,) = queue.claim(person, "general", 1)
    return decide(held.pk, person, verdict=verdict, **words)


def test_a_key_is_moved_and_kept(desk: HttpClient, rita: User, sam: User) -> None:
    told = desk.post("/desk/keys", {"act": "skip", "key": "X"}).json()["acts"]
    assert {one["act"]: one["key"] for one in told}["skip"] == "X"
    assert DeskSettings.objects.get(person=rita).keys == {"skip": "X"}
    assert keymaps.keys_of(rita, acts.HOUSE)["skip"] == "X"
    assert keymaps.keys_of(sam, acts.HOUSE)["skip"] == "S"
    assert '"key": "X"' in desk.get("/desk/general/").content.decode()
    desk.post("/desk/keys")
    assert keymaps.keys_of(rita, acts.HOUSE) == acts.HOUSE


def test_two_acts_may_change_places_by_way_of_a_free_key(desk: HttpClient, rita: User) -> None:
    for act, key in (("approve", "X"), ("block", "A"), ("approve", "B")):
        assert desk.post("/desk/keys", {"act": act, "key": key}).status_code == 200
    found = keymaps.keys_of(rita, acts.HOUSE)
    assert (found["approve"], found["block"]) == ("B", "A")


@pytest.mark.parametrize(
    ("act", "key", "words"),
    [
        ("approve", "B", "B is taken already"),
        ("approve", "1", "Take a letter"),
        ("approve", "Ctrl+A", "Take a letter"),
        ("approve", "<b>", "Take a letter"),
        ("look", "X", "stays where it is"),
        ("dance", "X", "stays where it is"),
    ],
)
def test_a_key_that_cannot_be_had_is_refused_with_words(desk: HttpClient, act: str, key: str, words: str) -> None:
    answer = desk.post("/desk/keys", {"act": act, "key": key})
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert not DeskSettings.objects.exclude(keys={}).exists()


def test_the_house_has_each_key_once() -> None:
    assert len({act.key for act in acts.ACTS}) == len(acts.ACTS) == len({act.code for act in acts.ACTS})


def test_a_note_reaches_whom_it_names(
    desk: HttpClient, client: HttpClient, platform: Client, eyes: TriagePlan, rita: User, sam: User, eve: User
) -> None:
    waiting(platform, 2)
    made = decided(rita, note="@Sam. and @eve, is this a <b>toy</b>? mail@sam.example @rita")
    assert list(Mention.objects.values_list("person__username", "decision")) == [("sam", made.pk)]
    client.force_login(sam)
    page = client.get("/desk/history").content.decode()
    assert "You were named" in page
    assert "&lt;b&gt;toy&lt;/b&gt;" in page
    assert "Approved" not in page
    assert "new</span>" in page
    assert "new</span>" not in client.get("/desk/history").content.decode()


def test_a_decision_taken_back_calls_nobody(
    client: HttpClient, platform: Client, eyes: TriagePlan, rita: User, sam: User, settings: Any
) -> None:
    settings.REVIEW_UNDO_SECONDS = 10
    waiting(platform, 1)
    undo(decided(rita, note="@sam look").pk, rita)
    client.force_login(sam)
    assert "You were named" not in client.get("/desk/history").content.decode()


def test_a_note_that_names_nobody_costs_nothing(platform: Client, eyes: TriagePlan, rita: User, sam: User) -> None:
    waiting(platform, 2)
    costs = []
    for note in ("nobody here", "@sam here"):
        (held,) = queue.claim(rita, "general", 1)
        with CaptureQueriesContext(connection) as queries:
            decide(held.pk, rita, verdict="approve", note=note)
        costs.append(sum("mention" in one["sql"] or "moderation_user" in one["sql"] for one in queries))
    assert costs[0] == costs[1] - 2


def test_colleagues_are_those_who_review(desk: HttpClient, sam: User, eve: User, paula: User) -> None:
    assert desk.get("/desk/colleagues").json() == {"names": ["sam"]}


def test_reopening_asks_somebody_else(
    desk: HttpClient, platform: Client, eyes: TriagePlan, rita: User, sam: User
) -> None:
    waiting(platform, 1)
    made = decided(rita)
    answer = desk.post(f"/desk/history/{made.pk}/reopen")
    assert (answer.status_code, answer.json()["detail"]) == (200, "Somebody else will be asked.")
    assert desk.post(f"/desk/history/{made.pk}/reopen").status_code == 200
    (asked,) = ReviewRequest.objects.filter(reason=Reason.SECOND_OPINION)
    assert asked.submission.status == Status.APPROVED
    assert queue.claim(rita, asked.queue, 1) == []
    (held,) = queue.claim(sam, asked.queue, 1)
    decide(held.pk, sam, verdict="block", labels=[{"category": "WEAPONS_DANGEROUS", "severity": 2}])
    asked.submission.refresh_from_db()
    assert asked.submission.status == Status.BLOCKED
    assert AuditEvent.objects.filter(action="decision.reopened").count() == 2


def test_what_is_not_ones_own_or_not_settled_is_not_reopened(
    desk: HttpClient, platform: Client, eyes: TriagePlan, rita: User, sam: User, settings: Any
) -> None:
    waiting(platform, 3)
    assert desk.post(f"/desk/history/{decided(sam).pk}/reopen").status_code == 404
    held = decided(rita)
    lifecycle.move(held.submission, Status.QUARANTINED, actor=HOUSE, reason="test")
    assert desk.post(f"/desk/history/{held.pk}/reopen").status_code == 409
    settings.REVIEW_UNDO_SECONDS = 10
    fresh = decided(rita)
    answer = desk.post(f"/desk/history/{fresh.pk}/reopen")
    assert answer.status_code == 409
    assert "not in effect" in answer.json()["detail"]
    assert f'data-undo="{fresh.pk}"' in desk.get("/desk/history").content.decode()
    assert not ReviewRequest.objects.filter(reason=Reason.SECOND_OPINION).exists()


def test_the_history_costs_the_same_however_long(
    desk: HttpClient, platform: Client, eyes: TriagePlan, rita: User, sam: User
) -> None:
    waiting(platform, 4)
    costs = []
    for _round in range(2):
        decided(sam, note="@rita")
        decided(rita)
        with CaptureQueriesContext(connection) as queries:
            desk.get("/desk/history")
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 8


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_does_not_review_has_no_desk(client: HttpClient, eve: User, address: str) -> None:
    ask = client.get if address.endswith("colleagues") else client.post
    assert ask(address).status_code == 302
    client.force_login(eve)
    assert ask(address).status_code == 403
    assert not DeskSettings.objects.exists()
