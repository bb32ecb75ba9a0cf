from __future__ import annotations

import json
from datetime import timedelta
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from moderation import audit, lifecycle
from moderation.actors import Actor
from moderation.models import Client, Status, Submission, TriagePlan, User
from moderation.triage import run_once
from tests.moderation.callers import SUBMISSIONS, send, stranger, upload, with_key, with_session
from tests.world import png, submit, triaged

pytestmark = pytest.mark.django_db


def test_an_upload_is_taken_in_and_waits_for_triage(api_key: str, platform: Client) -> None:
    answer = upload(with_key(api_key), png(red=0.5), external_id="a-1", prompt="a red square", territories=["DE", "BR"])

    assert answer.status_code == 202
    row = Submission.objects.of(platform).get()
    body = answer.json()
    assert body["id"] == str(row.pk)
    assert body["status"] == "received"
    assert body["declared"]["prompt"] == "a red square"
    assert body["territories"] == {"DE": "received", "BR": "received"}
    assert body["image"]["sha256"] == row.sha256
    assert answer["Location"] == f"{SUBMISSIONS}/{row.pk}"


def test_json_with_base64_is_the_same_as_a_form(api_key: str) -> None:
    generator = {"name": "sd", "version": "3", "seed": 7, "parameters": {"steps": 20}}
    caller = with_key(api_key)

    by_json = send(caller, png(red=0.5), generator=generator, territories=["DE"], audience="teen", context={"a": 1})
    by_form = upload(
        caller, png(red=0.5), generator=json.dumps(generator), territories='["DE"]', audience="teen", context='{"a": 1}'
    )

    assert by_json.status_code == by_form.status_code == 202
    assert by_json.json()["declared"] == by_form.json()["declared"]
    assert by_json.json()["declared"]["generator"] == generator
    assert by_json.json()["territories"] == by_form.json()["territories"] == {"DE": "received"}


def test_the_same_again_is_the_same_submission(api_key: str) -> None:
    caller = with_key(api_key)
    first = upload(caller, png(red=0.5), external_id="a-1")

    again = upload(caller, png(red=0.5), external_id="a-1")

    assert again.status_code == 200
    assert again.json()["id"] == first.json()["id"]
    assert Submission.objects.count() == 1


def test_other_bytes_under_a_taken_external_id_are_a_conflict(api_key: str) -> None:
    caller = with_key(api_key)
    upload(caller, png(red=0.5), external_id="a-1")

    answer = upload(caller, png(red=0.6), external_id="a-1")

    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert Submission.objects.count() == 1


def test_two_clients_may_use_one_external_id(api_key: str, other_platform: Client) -> None:
    submit(other_platform, png(red=0.6), external_id="a-1")

    assert upload(with_key(api_key), png(red=0.5), external_id="a-1").status_code == 202


def test_categories_come_with_their_bands_and_reasons_in_words(
    api_key: str, platform: Client, eyes: TriagePlan
) -> None:
    row = triaged(platform, png(red=0.5, green=0.1))

    body = with_key(api_key).get(f"{SUBMISSIONS}/{row.pk}").json()

    assert body["status"] == "in_review"
    assert body["route"] == "review"
    assert body["decided_by"] is None
    assert body["plan_version"] == 1
    assert body["policy_version"] == "WEAPONS_DANGEROUS v1"
    assert [(one["code"], one["band"]) for one in body["categories"]] == [
        ("WEAPONS_DANGEROUS", "review"),
        ("REGULATED", "approve"),
        ("PRIVACY", "approve"),
    ]
    assert body["categories"][0]["probability"] == pytest.approx(0.5, abs=0.01)
    assert body["reasons"][0]["code"] == "between"
    assert body["reasons"][0]["category"] == "WEAPONS_DANGEROUS"
    assert "0.50" in body["reasons"][0]["text"]


def test_what_automation_settles_says_so(api_key: str, platform: Client, eyes: TriagePlan) -> None:
    row = triaged(platform, png())

    body = with_key(api_key).get(f"{SUBMISSIONS}/{row.pk}").json()

    assert (body["status"], body["decided_by"]) == ("approved", "automation")
    assert body["settled_at"] is not None


def test_under_legal_hold_neither_prompt_nor_image_is_told(api_key: str, platform: Client, eyes: TriagePlan) -> None:
    row = triaged(platform, png(red=0.5), prompt="never to be shown")
    lifecycle.move(row, Status.QUARANTINED, actor=Actor.command("test"), reason="test")

    answer = with_key(api_key).get(f"{SUBMISSIONS}/{row.pk}")

    assert answer.json()["status"] == "quarantined"
    assert "image" not in answer.json()
    assert "never to be shown" not in answer.content.decode()


def test_another_clients_submission_is_not_found(api_key: str, other_platform: Client) -> None:
    foreign = submit(other_platform)
    caller = with_key(api_key)

    answers = [caller.get(f"{SUBMISSIONS}/{foreign.pk}"), caller.get(f"{SUBMISSIONS}/{foreign.pk}/history")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert caller.get(SUBMISSIONS).json()["results"] == []
    assert caller.get(f"{SUBMISSIONS}/{uuid4()}").json()["detail"] == answers[0].json()["detail"]


def test_people_with_the_scope_see_every_clients_submissions(
    sam: User, platform: Client, other_platform: Client
) -> None:
    ids = {str(submit(platform).pk), str(submit(other_platform).pk)}

    body = with_session(sam).get(SUBMISSIONS).json()

    assert {one["id"] for one in body["results"]} == ids


def test_the_list_goes_from_newest_to_oldest_page_by_page(api_key: str, platform: Client) -> None:
    ids = [str(submit(platform, external_id=str(number)).pk) for number in range(5)]
    caller = with_key(api_key)

    first = caller.get(SUBMISSIONS, {"limit": 3}).json()
    second = caller.get(first["next"]).json()

    assert [one["id"] for one in first["results"] + second["results"]] == ids[::-1]
    assert first["previous"] is None
    assert second["next"] is None


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ({"status": "approved"}, ["clear"]),
        ({"status": ["approved", "in_review"]}, ["weapon", "clear"]),
        ({"external_id": "weapon"}, ["weapon"]),
        ({"category": "WEAPONS_DANGEROUS"}, ["weapon"]),
        ({"category": "HATE"}, []),
    ],
)
def test_the_list_can_be_narrowed(
    api_key: str, platform: Client, eyes: TriagePlan, question: dict[str, Any], expected: list[str]
) -> None:
    triaged(platform, png(), external_id="clear")
    triaged(platform, png(red=0.5), external_id="weapon")

    results = with_key(api_key).get(SUBMISSIONS, question).json()["results"]

    assert [one["external_id"] for one in results] == expected


def test_the_list_can_start_after_a_moment(api_key: str, platform: Client) -> None:
    old = submit(platform, external_id="old")
    new = submit(platform, external_id="new")
    Submission.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(minutes=1))
    moment = (new.created_at - timedelta(microseconds=1)).isoformat()

    results = with_key(api_key).get(SUBMISSIONS, {"created_after": moment}).json()["results"]

    assert [one["external_id"] for one in results] == ["new"]


@pytest.mark.parametrize(
    ("question", "pointer"),
    [
        ({"status": "lost"}, "#/status"),
        ({"category": "LOVE"}, "#/category"),
        ({"created_after": "yesterday"}, "#/created_after"),
        ({"external_id": "a\0b"}, "#/external_id"),
        ({"cursor": "cD1ub3QtYW4taWQ="}, "#/cursor"),
        ({"cursor": "é"}, "#/cursor"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_so(api_key: str, question: dict[str, str], pointer: str) -> None:
    answer = with_key(api_key).get(SUBMISSIONS, question)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


def test_a_list_costs_the_same_queries_however_long(
    api_key: str, platform: Client, eyes: TriagePlan, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(4):
        triaged(platform, png(red=0.5), external_id=str(number))
    caller = with_key(api_key)

    with django_assert_num_queries(6):  # the key, the submissions, their plans, guidelines, findings and open requests
        caller.get(SUBMISSIONS)


def test_history_tells_a_client_what_happened_but_not_who(
    api_key: str, platform: Client, rita: User, eyes: TriagePlan
) -> None:
    row = triaged(platform, png(red=0.5))
    lifecycle.move(row, Status.BLOCKED, actor=Actor.person(rita), reason="WEAPONS_DANGEROUS", note="for colleagues")

    answer = with_key(api_key).get(f"{SUBMISSIONS}/{row.pk}/history")

    events = answer.json()["results"]
    assert [event["action"] for event in events] == [
        "submission.received",
        "submission.in_review",
        "submission.blocked",
    ]
    assert [event["actor"] for event in events] == ["command", "automation", "person"]
    assert events[-1]["data"] == {"from": "in_review", "to": "blocked", "reason": "WEAPONS_DANGEROUS"}
    assert "rita" not in answer.content.decode()


def test_history_tells_people_all(sam: User, platform: Client) -> None:
    row = submit(platform)

    events = with_session(sam).get(f"{SUBMISSIONS}/{row.pk}/history").json()["results"]

    assert events[0]["data"] == audit.events_of(audit.submission(row.pk))[0].data


def test_history_goes_on_where_the_page_ended(sam: User, platform: Client, eyes: TriagePlan) -> None:
    row = triaged(platform)
    caller = with_session(sam)

    first = caller.get(f"{SUBMISSIONS}/{row.pk}/history", {"limit": 1}).json()

    assert [event["action"] for event in caller.get(first["next"]).json()["results"]] == ["submission.in_review"]


def test_waiting_ends_at_once_when_the_submission_is_settled_already(
    api_key: str, platform: Client, eyes: TriagePlan
) -> None:
    triaged(platform, png(), external_id="a-1")

    answer = upload(with_key(api_key), png(), external_id="a-1", headers={"prefer": "wait=10"})

    assert (answer.status_code, answer.json()["status"]) == (200, "approved")
    assert answer["Preference-Applied"] == "wait=10"


@pytest.mark.parametrize("prefer", ["wait=99", "respond-async, wait=99", 'wait="99"; foo'])
def test_waiting_is_held_to_ten_seconds(api_key: str, platform: Client, eyes: TriagePlan, prefer: str) -> None:
    triaged(platform, png(), external_id="a-1")

    assert (
        upload(with_key(api_key), png(), external_id="a-1", headers={"prefer": prefer})["Preference-Applied"]
        == "wait=10"
    )


@pytest.mark.parametrize("prefer", ["wait=soon", "await=3", "wait=-1", ""])
def test_a_preference_nobody_understands_is_passed_over(api_key: str, prefer: str) -> None:
    answer = upload(with_key(api_key), png(), headers={"prefer": prefer})

    assert answer.status_code == 202
    assert "Preference-Applied" not in answer


def test_waiting_without_a_worker_ends_with_the_time(api_key: str) -> None:
    answer = upload(with_key(api_key), png(), headers={"prefer": "wait=1"})

    assert (answer.status_code, answer.json()["status"]) == (202, "received")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("red", "expected"), [(0.0, (200, "approved")), (0.97, (200, "blocked")), (0.5, (202, "in_review"))]
)
def test_waiting_ends_as_soon_as_triage_has_spoken(
    api_key: str, eyes: TriagePlan, red: float, expected: tuple[int, str]
) -> None:
    def work() -> None:
        try:
            deadline = timezone.now() + timedelta(seconds=8)
            while timezone.now() < deadline and not run_once().claimed:
                pass
        finally:
            connection.close()

    worker = Thread(target=work)
    worker.start()

    answer = upload(with_key(api_key), png(red=red), headers={"prefer": "wait=10"})

    worker.join()
    assert (answer.status_code, answer.json()["status"]) == expected
    assert answer.json()["categories"]


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_what_a_view_does_not_do_is_not_allowed(api_key: str, method: str) -> None:
    answer = getattr(with_key(api_key), method)(SUBMISSIONS)

    assert answer.status_code == 405
    assert answer["Content-Type"] == "application/problem+json"


def test_an_unknown_address_is_a_problem_too(api_key: str) -> None:
    answer = with_key(api_key).get("/api/v1/nothing")

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer["X-Request-ID"]


def test_a_stranger_is_asked_for_a_key() -> None:
    answer = stranger().get(SUBMISSIONS)

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Bearer realm="loupe"'
    assert answer.json()["status"] == 401
