"""Who may call what: every call, tried by everyone who must not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from moderation import keys
from moderation.actors import Actor
from moderation.models import KEY_SCOPES, Client, Scope, Submission, User
from tests.moderation.callers import PROMPTS, SUBMISSIONS, encoded, send, stranger, with_key, with_session
from tests.world import png, submit

pytestmark = pytest.mark.django_db

SOME_ID = "01900000-0000-7000-8000-000000000000"
CALLS = [
    ("POST", SUBMISSIONS, Scope.SUBMISSIONS_WRITE),
    ("POST", f"{SUBMISSIONS}/batch", Scope.SUBMISSIONS_WRITE),
    ("GET", SUBMISSIONS, Scope.SUBMISSIONS_READ),
    ("HEAD", SUBMISSIONS, Scope.SUBMISSIONS_READ),
    ("GET", f"{SUBMISSIONS}/{SOME_ID}", Scope.SUBMISSIONS_READ),
    ("GET", f"{SUBMISSIONS}/{SOME_ID}/history", Scope.SUBMISSIONS_READ),
    ("POST", PROMPTS, Scope.PROMPTS_CHECK),
]
every_call = pytest.mark.parametrize(("method", "path", "scope"), CALLS)


def call(caller: APIClient, method: str, path: str) -> Any:
    one = {"image_base64": encoded(png())}
    body = {SUBMISSIONS: one, PROMPTS: {"prompt": "a teapot"}}.get(path, {"submissions": [one]})
    return caller.generic(method, path) if method != "POST" else caller.post(path, body)


def key_with(platform: Client, *scopes: Scope, lives: timedelta = timedelta(days=1)) -> keys.Issued:
    expires = timezone.now() + lives
    return keys.issue(platform, name="one", scopes=scopes, expires_at=expires, actor=Actor.command("test"))


@every_call
def test_without_a_key_nothing_is_said(method: str, path: str, scope: Scope) -> None:
    assert call(stranger(), method, path).status_code == 401


@every_call
def test_with_an_unknown_key_nothing_is_said(method: str, path: str, scope: Scope) -> None:
    assert call(with_key("lp_000000000000_" + "x" * 43), method, path).status_code == 401


@every_call
def test_with_an_expired_key_nothing_is_said(platform: Client, method: str, path: str, scope: Scope) -> None:
    expired = key_with(platform, scope, lives=timedelta(seconds=-1))

    assert call(with_key(expired.secret), method, path).status_code == 401


@every_call
def test_with_a_revoked_key_nothing_is_said(platform: Client, method: str, path: str, scope: Scope) -> None:
    fresh = key_with(platform, scope)
    keys.revoke(fresh.key, actor=Actor.command("test"))

    assert call(with_key(fresh.secret), method, path).status_code == 401


@every_call
def test_a_key_with_all_other_scopes_is_refused(platform: Client, method: str, path: str, scope: Scope) -> None:
    others = key_with(platform, *(KEY_SCOPES - {scope}))

    assert call(with_key(others.secret), method, path).status_code == 403
    assert not Submission.objects.exists()


@every_call
def test_a_key_with_just_the_scope_is_let_through(platform: Client, method: str, path: str, scope: Scope) -> None:
    assert call(with_key(key_with(platform, scope).secret), method, path).status_code in {200, 202, 404}


@every_call
def test_eve_is_refused(eve: User, method: str, path: str, scope: Scope) -> None:
    assert call(with_session(eve), method, path).status_code == 403


@every_call
def test_a_moderator_without_the_scope_is_refused(rita: User, method: str, path: str, scope: Scope) -> None:
    assert call(with_session(rita), method, path).status_code == 403


def test_nobody_sends_in_a_clients_name_without_its_key(adam: User) -> None:
    adam.is_superuser = True
    adam.save()

    assert send(with_session(adam), png()).status_code == 403
    assert not Submission.objects.exists()


def test_refusals_are_told_apart_neither_by_words_nor_by_status(platform: Client) -> None:
    revoked = key_with(platform, Scope.SUBMISSIONS_READ)
    keys.revoke(revoked.key, actor=Actor.command("test"))
    expired = key_with(platform, Scope.SUBMISSIONS_READ, lives=timedelta(seconds=-1))
    secrets = [revoked.secret, expired.secret, "lp_000000000000_" + "x" * 43, "nonsense"]

    answers = [with_key(secret).get(SUBMISSIONS).json() for secret in secrets]

    assert len({answer["detail"] for answer in answers}) == 1


def test_a_person_who_may_no_longer_log_in_is_nobody(sam: User) -> None:
    caller = with_session(sam)
    User.objects.filter(pk=sam.pk).update(is_active=False)

    assert caller.get(SUBMISSIONS).status_code == 401


def test_a_session_without_the_csrf_token_changes_nothing(sam: User) -> None:
    browser = Browser(enforce_csrf_checks=True)
    browser.force_login(sam)

    answer = browser.post(SUBMISSIONS, {"image_base64": encoded(png())}, content_type="application/json")

    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]


def test_an_id_nobody_has_and_an_id_of_others_are_one_answer(api_key: str, other_platform: Client) -> None:
    caller = with_key(api_key)

    answers = [caller.get(f"{SUBMISSIONS}/{pk}").json() for pk in (submit(other_platform).pk, uuid4())]

    assert {(answer["status"], answer["detail"]) for answer in answers} == {(404, answers[0]["detail"])}


def test_beyond_the_rate_a_key_is_told_when_to_come_back(
    api_key: str, platform: Client, sam: User, settings: Settings
) -> None:
    settings.API_RATE = 3
    caller = with_key(api_key)

    answers = [caller.get(SUBMISSIONS) for _request in range(8)]

    limited = [answer for answer in answers if answer.status_code == 429]
    assert limited  # at least: a minute may have ended in between
    assert answers[:3] == [answer for answer in answers[:3] if answer.status_code == 200]
    assert 1 <= int(limited[0]["Retry-After"]) <= 60
    assert limited[0]["Content-Type"] == "application/problem+json"
    assert with_key(key_with(platform, Scope.SUBMISSIONS_READ).secret).get(SUBMISSIONS).status_code == 200
    assert with_session(sam).get(SUBMISSIONS).status_code == 200
