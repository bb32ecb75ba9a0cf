"""The cast and the world every test may call on."""

from __future__ import annotations

import gc
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.utils import timezone
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pytest_django import DjangoDbBlocker

from moderation import keys, roles
from moderation.actors import Actor
from moderation.first_edition import publish_guidelines
from moderation.metrics import counting
from moderation.models import KEY_SCOPES, Client, TriagePlan, User
from moderation.queues import known
from moderation.roles import Role
from moderation.triage import archive, likeness
from review import access, blinding
from tests import resetting, world

# How long an example takes is the machine's affair: a test that fails because others use it too says nothing of ours.
PATIENT = [HealthCheck.too_slow]
hypothesis_settings.register_profile("patient", deadline=None, suppress_health_check=PATIENT)
hypothesis_settings.load_profile("patient")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole circles first, the demo's before all: they take longest, and would else keep one worker busy when the
    others are done. Files of many short tests last, for the same reason: with those all end together.
    """
    order = ["test_demo.py", "flows", "", "moderation"]  # "" is all that is not named

    def place(item: pytest.Item) -> int:
        parts = item.path.relative_to(Path(__file__).parent).parts
        return next((order.index(name) for name in order if name in parts), order.index(""))

    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What importing and collecting left behind stays to the end: the garbage collector need not walk through it again
    and again.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def static_root() -> None:
    """WhiteNoise warns where there is none."""
    Path(settings.STATIC_ROOT).mkdir(parents=True, exist_ok=True)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> None:
    """A million rounds for each person of each test was half of the suite's time."""
    settings.PASSWORD_HASHERS = ["tests.quick_hasher.QuickHasher"]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The database of this run, migrated and with the roles in it."""
    with django_db_blocker.unblock():
        resetting.begin()


@pytest.fixture(autouse=True)
def own_storage(tmp_path: Path, settings: Any) -> None:
    """Every test keeps its files to itself."""
    from config.storage import storages_from_url

    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}  # no collectstatic before a test
    settings.STORAGES = {**settings.STORAGES, **storages_from_url((tmp_path / "store").as_uri()), "staticfiles": plain}


@pytest.fixture
def shared() -> Path:
    """Real photos, prompts and a real model; a user's clone has none of it, CI must."""
    if not settings.SHARED_DIR.is_dir():
        message = f"needs the shared test data: set LOUPE_SHARED (looked in {settings.SHARED_DIR})"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return Path(settings.SHARED_DIR)


def person(username: str, role: Role | None) -> User:
    if not Group.objects.filter(name=role or Role.MODERATOR).exists():
        roles.sync()
    user = User.objects.create_user(username=username, password=f"{username}-likes-to-look-closely")
    if role is not None:
        roles.grant(user, role)
    return user


@pytest.fixture
def rita(db: None) -> User:
    return person("rita", Role.MODERATOR)


@pytest.fixture
def sam(db: None) -> User:
    return person("sam", Role.SENIOR)


@pytest.fixture
def paula(db: None) -> User:
    return person("paula", Role.POLICY_LEAD)


@pytest.fixture
def ming(db: None) -> User:
    return person("ming", Role.ML_ENGINEER)


@pytest.fixture
def ari(db: None) -> User:
    return person("ari", Role.AUDITOR)


@pytest.fixture
def adam(db: None) -> User:
    return person("adam", Role.ADMIN)


@pytest.fixture
def eve(db: None) -> User:
    """Has an account and no rights at all."""
    return person("eve", None)


@pytest.fixture
def platform(db: None) -> Client:
    return Client.objects.create(slug="atelier", name="Atelier")


@pytest.fixture
def other_platform(db: None) -> Client:
    return Client.objects.create(slug="fresco", name="Fresco")


@pytest.fixture
def api_key(platform: Client) -> str:
    expires = timezone.now() + timedelta(days=1)
    return keys.issue(platform, name="tests", scopes=KEY_SCOPES, expires_at=expires, actor=Actor.command("test")).secret


@pytest.fixture
def guidelines(db: None) -> None:
    publish_guidelines(actor=Actor.command("test"))


@pytest.fixture
def eyes(db: None, guidelines: None, tmp_path: Path) -> TriagePlan:
    """Plan 1 in force, over a real classifier that answers with mean colours (tests/world.py)."""
    return world.publish(world.colour_eyes(tmp_path).ref)


@pytest.fixture(autouse=True)
def empty_archive() -> None:
    """No test finds the images of another."""
    archive.of_this_process.cache_clear()
    likeness.window.cache_clear()


@pytest.fixture(autouse=True)
def unknown_queues() -> None:
    """No test knows the queues of another."""
    known.forget()
    access.forget()


@pytest.fixture
def counts_from_zero() -> None:
    """What earlier tests counted is told before it is forgotten: this process still keeps its last second."""
    counting.flush()
    counting.store().delete(counting.KEY)


@pytest.fixture(autouse=True)
def empty_cache() -> None:
    cache.clear()
    blinding.forget()
