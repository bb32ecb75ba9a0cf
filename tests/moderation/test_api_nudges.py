"""The message to the workers: sent when the row is committed, and never what a submission depends on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from redis import Redis

from moderation.models import Client, Submission
from moderation.tasks import HINTED, triage
from tests.moderation.callers import SUBMISSIONS, encoded, send, with_key
from tests.world import png

pytestmark = pytest.mark.django_db(transaction=True)
PROJECT = Path(__file__).resolve().parents[2]


def waiting_messages() -> int:
    with Redis.from_url(settings.CELERY_BROKER_URL) as redis:
        return int(redis.llen("triage"))


@pytest.fixture(autouse=True)
def no_messages() -> None:
    with Redis.from_url(settings.CELERY_BROKER_URL) as redis:
        redis.delete("triage", HINTED)


def test_a_new_submission_sends_one_message(api_key: str) -> None:
    send(with_key(api_key), png())

    assert waiting_messages() == 1


def test_one_message_under_way_is_enough_until_a_worker_takes_it_up(api_key: str) -> None:
    caller = with_key(api_key)
    send(caller, png(red=0.1))
    send(caller, png(red=0.2))
    assert waiting_messages() == 1

    triage.apply()
    send(caller, png(red=0.3))

    assert waiting_messages() == 2


def test_a_batch_sends_one_message(api_key: str) -> None:
    items = [{"image_base64": encoded(png(red=red / 10))} for red in range(5)]

    with_key(api_key).post(f"{SUBMISSIONS}/batch", {"submissions": items})

    assert waiting_messages() == 1


def test_what_stores_nothing_sends_nothing(api_key: str) -> None:
    caller = with_key(api_key)
    send(caller, png(), external_id="a-1")
    before = waiting_messages()

    send(caller, png(), external_id="a-1")
    send(caller, b"no image")
    caller.post(f"{SUBMISSIONS}/batch", {"submissions": [{"image_base64": ""}]})

    assert waiting_messages() == before


SENDER = """
import base64, json, os, sys
import django
django.setup()
from django.conf import settings
settings.ALLOWED_HOSTS = ["testserver"]
from rest_framework.test import APIClient
caller = APIClient()
caller.credentials(HTTP_AUTHORIZATION="Bearer " + os.environ["KEY"])
answer = caller.post("/api/v1/submissions", {"image_base64": os.environ["IMAGE"]})
print(json.dumps([answer.status_code, answer.json()]))
"""


def test_without_redis_a_submission_is_taken_in_all_the_same(api_key: str, platform: Client) -> None:
    database = os.environ["DATABASE_URL"].replace("/loupe?", f"/{connection.settings_dict['NAME']}?")
    process = subprocess.run(
        [sys.executable, "-c", SENDER],
        cwd=PROJECT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": database,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "KEY": api_key,
            "IMAGE": encoded(png()),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert process.returncode == 0, process.stderr
    status, body = json.loads(process.stdout)
    assert status == 202
    assert body["id"] == str(Submission.objects.of(platform).get().pk)
