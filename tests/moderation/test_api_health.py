from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.storage import storages
from django.test import Client as Browser
from pytest_django import Settings

from moderation.triage import warming

pytestmark = pytest.mark.django_db(transaction=True)
PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def worker() -> Iterator[None]:
    """A real Celery worker on the tests' Redis."""
    command = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "config",
        "worker",
        "--pool",
        "solo",
        "-Q",
        "nothing",
        "-l",
        "ERROR",
    ]
    process = subprocess.Popen(command, cwd=PROJECT)
    yield
    process.terminate()
    process.wait(timeout=20)


def test_alive_asks_for_nothing() -> None:
    answer = Browser().get("/healthz")

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert "no-store" in answer["Cache-Control"]


def test_ready_once_a_worker_has_answered(worker: None) -> None:
    deadline = time.monotonic() + 40
    answer = Browser().get("/readyz")
    while answer.status_code != 200 and time.monotonic() < deadline:
        answer = Browser().get("/readyz")

    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "parts": {"database": "ok", "redis": "ok", "storage": "ok", "worker": "ok", "models": "ok"},
    }


def test_without_a_worker_it_is_not_ready() -> None:
    answer = Browser().get("/readyz")

    assert answer.status_code == 503
    assert answer.json()["parts"] == {
        "database": "ok",
        "redis": "ok",
        "storage": "ok",
        "worker": "failed",
        "models": "ok",
    }


def test_without_a_place_to_write_it_is_not_ready() -> None:
    root = Path(storages["originals"].path(""))
    root.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(root, ignore_errors=True)
    root.write_text("a file where the folder was")

    answer = Browser().get("/readyz")

    assert answer.json()["parts"]["storage"] == "failed"
    assert str(root) not in answer.content.decode()


def test_without_redis_it_is_not_ready_and_says_nothing_of_its_address(settings: Settings) -> None:
    settings.REDIS_URL = "redis://user:hush@127.0.0.1:1/0"

    answer = Browser().get("/readyz")

    assert answer.json()["parts"]["redis"] == "failed"
    assert "hush" not in answer.content.decode()


def test_readiness_is_for_reading(api_key: str) -> None:
    assert Browser().post("/readyz").status_code == 405


def test_while_workers_only_read_their_classifiers_it_is_not_ready() -> None:
    warming.note(warming.WARMING, 60)
    assert Browser().get("/readyz").json()["parts"]["models"] == "failed"

    warming.tell()
    assert Browser().get("/readyz").json()["parts"]["models"] == "ok"
