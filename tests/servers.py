"""A pytest plugin (`-p tests.servers`): PostgreSQL and Redis of the test run's own, before Django reads its settings.

With pytest-xdist (`-n 2`) every worker has servers of its own, so that a test may restart or flush them; the process
that hands out the tests runs none.

`LOUPE_TEST_DATABASE_URL` and `LOUPE_TEST_REDIS_URL` name servers to use instead. Tests of faults call
`restart_postgres` and `redis_flush`; tests that must get round a trigger connect to `superuser_url()`.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest
from redis import Redis

from config import embedded
from config.embedded.postgresql import SUPERUSER, PostgreSQL

PREFIX = "loupe-test-"
KEPT = {"LOUPE_SHARED", "LOUPE_TEST_DATABASE_URL", "LOUPE_TEST_REDIS_URL"}
# What a developer may have exported must not reach the tests.
CLEARED = {"ALLOWED_HOSTS", "CELERY_BROKER_URL", "CSRF_TRUSTED_ORIGINS", "EMAIL_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"}
CLEARED |= {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEBUG", "SENTRY_DSN"}


@pytest.hookimpl(wrapper=True)  # a wrapper, to come before pytest-django, which reads the settings in the same hook
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None]:
    stack = ExitStack()
    early_config.add_cleanup(stack.close)
    _clear_environment()
    given = {name: os.environ.get(f"LOUPE_TEST_{name}") for name in ("DATABASE_URL", "REDIS_URL")}
    _remove_abandoned()
    data_dir = tempfile.mkdtemp(prefix=PREFIX)
    stack.callback(shutil.rmtree, data_dir, ignore_errors=True)
    os.environ |= {"LOUPE_DATA_DIR": data_dir, "SECRET_KEY": secrets.token_urlsafe(50), "DEBUG": "0"}
    os.environ["LOUPE_UNAIDED_SHARE"] = "0"  # what a test looks for is there every time; `test_blinding` draws lots
    os.environ["LOUPE_UNDO_SECONDS"] = "0"  # what tests decide is in effect; `test_effects` lets time pass
    if _hands_out(early_config):
        given = {"DATABASE_URL": "postgres:///none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    elif not all(given.values()):
        addresses = stack.enter_context(embedded.ensure(Path(data_dir), durable=False))
        given["DATABASE_URL"] = given["DATABASE_URL"] or addresses.database_url
        given["REDIS_URL"] = given["REDIS_URL"] or addresses.redis_url
    os.environ.update({name: url for name, url in given.items() if url})
    return (yield)


def superuser_url(database: str) -> str:
    """For psycopg: a superuser's way into `database`."""
    given = os.environ.get("LOUPE_TEST_DATABASE_URL")
    if given:
        pytest.skip("needs the embedded PostgreSQL: a server given by URL has its own superuser")
    url = _postgresql().url(role=SUPERUSER, database=database)
    assert url, "the embedded PostgreSQL runs"
    return url


def restart_postgres() -> None:
    """Ends PostgreSQL with every session on it and starts it again at the same address."""
    if os.environ.get("LOUPE_TEST_DATABASE_URL"):
        pytest.skip("needs the embedded PostgreSQL: a server given by URL is not ours to restart")
    _postgresql().stop()
    _postgresql().ensure(durable=False)


def redis_flush() -> None:
    """Redis forgets everything: messages, leases, limits and caches."""
    with Redis.from_url(os.environ["REDIS_URL"]) as connection:
        connection.flushall()


def _hands_out(config: pytest.Config) -> bool:
    """Whether this process only distributes the tests among xdist's workers."""
    workers = getattr(config.known_args_namespace, "numprocesses", None)
    return bool(workers) and "PYTEST_XDIST_WORKER" not in os.environ


def _postgresql() -> PostgreSQL:
    return PostgreSQL(Path(os.environ["LOUPE_DATA_DIR"]).resolve())


def _clear_environment() -> None:
    for name in list(os.environ):
        base = name.removesuffix("_FILE")
        if base in CLEARED or (base.startswith("LOUPE_") and name not in KEPT):
            del os.environ[name]


def _remove_abandoned() -> None:
    """A run that was killed could not tidy up after itself."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        if folder.owner() == Path.home().owner() and embedded.stop_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
