"""Who is signed in, from one request to the next."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from django.utils import timezone

from moderation import roles
from moderation.models import User

pytestmark = pytest.mark.django_db
CALL = "/api/v1/queues"


def signed_in(person: User) -> Browser:
    browser = Browser()
    browser.force_login(person)
    assert browser.get(CALL).status_code == 200
    return browser


def test_a_session_that_was_deleted_anywhere_opens_nothing_any_more(rita: User) -> None:
    browser = signed_in(rita)
    Session.objects.all().delete()
    assert browser.get(CALL).status_code in {401, 403}


def test_a_session_ends_when_its_time_is_over(rita: User) -> None:
    browser = signed_in(rita)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert browser.get(CALL).status_code in {401, 403}


def test_a_session_is_its_persons_alone(rita: User, eve: User) -> None:
    browser = signed_in(rita)
    browser.force_login(eve)
    assert browser.get(CALL).status_code == 403


def test_a_new_password_ends_the_sessions_before(rita: User) -> None:
    browser = signed_in(rita)
    rita.set_password("another one entirely")
    rita.save()
    assert browser.get(CALL).status_code in {401, 403}


def test_a_role_that_is_taken_away_is_gone_with_the_next_request(rita: User) -> None:
    browser = signed_in(rita)
    rita.groups.clear()
    assert browser.get(CALL).status_code == 403
    roles.grant(rita, roles.Role.MODERATOR)
    assert browser.get(CALL).status_code == 200


def test_a_session_that_was_tampered_with_is_none(rita: User) -> None:
    browser = signed_in(rita)
    stored = Session.objects.get()
    Session.objects.update(session_data=stored.session_data[:-1] + ("a" if stored.session_data[-1] != "a" else "b"))
    assert browser.get(CALL).status_code in {401, 403}
