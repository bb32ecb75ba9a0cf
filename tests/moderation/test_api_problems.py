from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as FieldsInvalid
from django.db import InterfaceError, OperationalError, connection
from django.http import Http404
from django.test import Client as Browser
from django.test import RequestFactory
from pytest_django import Settings
from rest_framework import exceptions

from moderation.api import problems, throttling
from moderation.api.problems import Problem, as_problem
from tests.moderation.callers import SUBMISSIONS, send, with_key
from tests.world import png


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (Problem(418, "Teapot", "Short and stout"), 418),
        (exceptions.ParseError(), 400),
        (SuspiciousOperation("a detail that may hold what was sent"), 400),
        (exceptions.NotAuthenticated(), 401),
        (PermissionDenied(), 403),
        (exceptions.PermissionDenied(), 403),
        (Http404(), 404),
        (exceptions.MethodNotAllowed("PUT"), 405),
        (RequestDataTooBig(), 413),
        (exceptions.UnsupportedMediaType("image/png"), 415),
        (exceptions.ValidationError("no"), 422),
        (FieldsInvalid(["no", "nor this"]), 422),
        (exceptions.Throttled(wait=3), 429),
        (OperationalError("at postgres://user:hush@host"), 503),
        (InterfaceError("connection already closed"), 503),
    ],
    ids=lambda value: type(value).__name__ + str(getattr(value, "status_code", "")),
)
def test_what_views_raise_becomes_a_problem(raised: Exception, status: int) -> None:
    problem = as_problem(raised)

    assert problem is not None
    body = problem.body("some-request")
    assert body["status"] == problem.status_code == status
    assert body["title"]
    assert body["request_id"] == "some-request"
    assert "hush" not in json.dumps(body)
    assert "what was sent" not in json.dumps(body)


def test_what_nobody_foresaw_is_left_to_the_log() -> None:
    assert as_problem(ZeroDivisionError()) is None


def test_who_shall_come_back_is_told_when() -> None:
    throttled, away = as_problem(exceptions.Throttled(wait=2.1)), as_problem(OperationalError())

    assert throttled is not None
    assert away is not None
    assert (throttled.headers, away.headers) == ({"Retry-After": "3"}, {"Retry-After": "5"})


def test_nested_errors_point_into_the_request() -> None:
    detail: Any = {
        "labels": [{}, {"category": ["Not known."]}],
        "non_field_errors": ["Too much."],
        "note": ["Long.", "Empty."],
    }

    problem = as_problem(exceptions.ValidationError(detail))

    assert problem is not None
    assert problem.errors == [
        {"pointer": "#/labels/1/category", "detail": "Not known."},
        {"pointer": "#", "detail": "Too much."},
        {"pointer": "#/note", "detail": "Long."},
        {"pointer": "#/note", "detail": "Empty."},
    ]


@pytest.fixture
def broken_audit(db: None) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE moderation_auditevent ADD CONSTRAINT refuse CHECK (false) NOT VALID")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE moderation_auditevent DROP CONSTRAINT refuse")


@pytest.mark.django_db
def test_a_failure_of_ours_is_a_problem_too(api_key: str, broken_audit: None) -> None:
    answer = send(with_key(api_key), png())

    assert answer.status_code == 500
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer["X-Request-ID"]
    assert "refuse" not in answer.content.decode()


@pytest.mark.parametrize(("handler", "status"), [("not_found", 404), ("server_error", 500), ("bad_request", 400)])
def test_djangos_own_handlers_answer_the_api_in_json_and_people_in_html(handler: str, status: int) -> None:
    handle = getattr(problems, handler)
    arguments = () if handler == "server_error" else (SuspiciousOperation("some detail"),)

    of_api = handle(RequestFactory().get("/api/v1/x"), *arguments)
    of_pages = handle(RequestFactory().get("/x"), *arguments)

    assert (of_api.status_code, of_pages.status_code) == (status, status)
    assert of_api["Content-Type"] == "application/problem+json"
    assert of_pages["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_an_unknown_host_is_refused_as_a_problem() -> None:
    answer = Browser(raise_request_exception=False).get(SUBMISSIONS, headers={"host": "elsewhere.example"})

    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


@pytest.fixture
def no_redis(settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    throttling.redis.cache_clear()
    yield
    throttling.redis.cache_clear()


@pytest.mark.django_db
def test_without_redis_nobody_is_turned_away(api_key: str, settings: Settings, no_redis: None) -> None:
    settings.API_RATE = 1
    caller = with_key(api_key)

    assert [caller.get(SUBMISSIONS).status_code for _request in range(3)] == [200, 200, 200]
