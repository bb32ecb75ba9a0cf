"""Calibration sessions: blind until everything is answered, and without effect on anything else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client as HttpClient

from moderation import audit, lifecycle
from moderation.actors import HOUSE
from moderation.models import Client, Status, Submission, TriagePlan, User
from moderation.roles import Role
from review import images, looks
from review.images import NotAllowed, Variant
from review.judgements import UnfitDecision
from review.models import CalibrationSeat, CalibrationSession, CalibrationVote, Look
from review.quality import sessions
from review.quality.sessions import NotNow, UnfitSession
from tests import world
from tests.conftest import person
from tests.review.arranging import status_of

WEAPON = {"category": "WEAPONS_DANGEROUS", "severity": 2}


@pytest.fixture
def tom(db: None) -> User:
    return person("tom", Role.MODERATOR)


@pytest.fixture
def pictures(platform: Client, eyes: TriagePlan) -> list[Submission]:
    return [world.triaged(platform, world.png(red=red)) for red in (0.0, 0.97)]


@pytest.fixture
def session(pictures: list[Submission], paula: User, rita: User, tom: User) -> CalibrationSession:
    return sessions.start(paula, title="Toy guns", submissions=[one.pk for one in pictures], people=[rita, tom])


def answer(session: CalibrationSession, who: User, *verdicts: str) -> None:
    for verdict in verdicts:
        item = sessions.next_item(session, who)
        assert item
        sessions.vote(item, who, verdict=verdict, labels=[WEAPON] if verdict == "block" else [])


def test_nobody_sees_the_others_before_they_have_answered_everything(
    session: CalibrationSession, rita: User, tom: User, client: HttpClient
) -> None:
    answer(session, tom, "approve", "block")
    answer(session, rita, "block")
    client.force_login(rita)
    page = client.get(f"/quality/sessions/{session.pk}/").content.decode()
    assert "Image 2 of 2" in page
    assert "tom" not in page
    assert not sessions.may_see_spread(session, rita)
    answer(session, rita, "block")
    page = client.get(f"/quality/sessions/{session.pk}/").content.decode()
    assert page.index("Image 1") < page.index("Image 2")  # the one they are apart on comes first
    assert "tom" in page
    assert [one.apart for one in sessions.spreads(session)] == [True, False]


def test_an_answer_is_given_once_and_stays(session: CalibrationSession, rita: User) -> None:
    item = sessions.next_item(session, rita)
    assert item
    sessions.vote(item, rita, verdict="approve", labels=[])
    with pytest.raises(NotNow):
        sessions.vote(item, rita, verdict="block", labels=[WEAPON])
    assert CalibrationVote.objects.get().verdict == "approve"


def test_nothing_of_it_moves_an_image(session: CalibrationSession, rita: User, pictures: list[Submission]) -> None:
    before = [status_of(one) for one in pictures]
    answer(session, rita, "block", "approve")
    assert [status_of(one) for one in pictures] == before
    assert [event.action for event in audit.events_of(f"calibration:{session.pk}")] == [
        "calibration.started",
        "calibration.voted",
        "calibration.voted",
    ]


def test_a_closed_session_takes_no_answers_and_shows_everybody_the_spread(
    session: CalibrationSession, paula: User, rita: User
) -> None:
    item = sessions.next_item(session, rita)
    assert item
    sessions.close(session, paula)
    with pytest.raises(NotNow):
        sessions.vote(item, rita, verdict="approve", labels=[])
    session.refresh_from_db()
    assert sessions.may_see_spread(session, rita)
    with pytest.raises(NotNow):
        sessions.close(session, paula)


def test_only_who_is_invited_answers_and_looks(
    session: CalibrationSession, sam: User, rita: User, pictures: list[Submission]
) -> None:
    item = session.items.get(position=1)
    with pytest.raises(CalibrationSeat.DoesNotExist):
        sessions.vote(item, sam, verdict="approve", labels=[])
    assert images.name_of(pictures[0].pk, rita, Variant.WORKING)
    with pytest.raises(NotAllowed):
        images.name_of(pictures[0].pk, sam, Variant.WORKING)
    assert looks.reveal(pictures[0].pk, rita).jpeg
    assert Look.objects.get().reviewer == rita


def test_what_came_under_legal_hold_is_passed_over(
    session: CalibrationSession, rita: User, pictures: list[Submission]
) -> None:
    lifecycle.move(pictures[0], Status.QUARANTINED, actor=HOUSE, reason="test")
    item = sessions.next_item(session, rita)
    assert item
    assert item.position == 2
    with pytest.raises(NotAllowed):
        looks.reveal(pictures[0].pk, rita)


def test_a_block_without_a_category_is_sent_back_with_what_was_said(
    session: CalibrationSession, rita: User, client: HttpClient
) -> None:
    client.force_login(rita)
    answer_ = client.post(f"/quality/sessions/{session.pk}/1/vote", {"verdict": "block", "words": "<script>no"})
    page = answer_.content.decode()
    assert (answer_.status_code, "A block names at least one category" in page, "&lt;script&gt;no" in page) == (
        422,
        True,
        True,
    )
    good = {"verdict": "block", "category": "HATE", "severity": "3", "words": "plain"}
    assert client.post(f"/quality/sessions/{session.pk}/1/vote", good).status_code == 302
    assert CalibrationVote.objects.get().labels == [{"category": "HATE", "severity": 3}]


def test_a_lead_keeps_what_came_of_talking(session: CalibrationSession, paula: User, client: HttpClient) -> None:
    client.force_login(paula)
    client.post(f"/quality/sessions/{session.pk}/1/note", {"words": "A toy has an orange tip."})
    assert "A toy has an orange tip." in client.get(f"/quality/sessions/{session.pk}/").content.decode()


def test_a_lead_calls_a_session(
    paula: User, rita: User, tom: User, pictures: list[Submission], client: HttpClient
) -> None:
    client.force_login(paula)
    body = {"title": "Walls", "submissions": str(pictures[0].pk), "people": [str(rita.pk), str(tom.pk)]}
    answer_ = client.post("/quality/sessions/", body)
    assert answer_.status_code == 302
    assert CalibrationSession.objects.get().items.count() == 1
    refused = client.post("/quality/sessions/", {**body, "people": [str(rita.pk)]})
    assert (refused.status_code, "2 to 40 people" in refused.content.decode()) == (422, True)


@pytest.mark.parametrize(("title", "count"), [(" ", 1), ("x", 0), ("x", 41)])
def test_a_session_of_nothing_is_refused(
    paula: User, rita: User, tom: User, title: str, count: int, pictures: list[Submission]
) -> None:
    from uuid import uuid4

    keys = [uuid4() for _ in range(count)]
    with pytest.raises(UnfitSession):
        sessions.start(paula, title=title, submissions=keys, people=[rita, tom])


def test_a_verdict_that_is_none_is_refused(session: CalibrationSession, rita: User) -> None:
    with pytest.raises(UnfitDecision):
        sessions.vote(session.items.get(position=1), rita, verdict="skip", labels=[])


@pytest.mark.parametrize("path", ["", "{pk}/"])
def test_strangers_see_no_session(
    session: CalibrationSession, eve: User, sam: User, path: str, client: HttpClient
) -> None:
    client.force_login(eve)
    assert client.get("/quality/sessions/" + path.format(pk=session.pk)).status_code == 403


def test_a_moderator_who_is_not_invited_finds_nothing(session: CalibrationSession, client: HttpClient) -> None:
    client.force_login(person("uma", Role.MODERATOR))
    assert client.get(f"/quality/sessions/{session.pk}/").status_code == 404
    assert "Toy guns" not in client.get("/quality/sessions/").content.decode()
    assert client.post("/quality/sessions/", {"title": "Mine"}).status_code == 403
    actions: list[tuple[str, dict[str, Any]]] = [("close", {}), ("1/note", {"words": "x"})]
    for path, body in actions:
        assert client.post(f"/quality/sessions/{session.pk}/{path}", body).status_code == 403
