"""The embedded servers: real processes, started, shared, killed and started again."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest
from redis import Redis

from config import embedded
from config.embedded import programs, redis_server
from config.embedded.postgresql import PostgreSQL

PROJECT = Path(__file__).resolve().parents[2]
PROGRAM = """
import sys
from pathlib import Path
from config import embedded
with embedded.ensure(Path(sys.argv[1]), durable=False) as addresses:
    print(addresses.database_url, addresses.redis_url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def new_folder() -> Iterator[Path]:
    """A short data folder that nothing was in yet; whatever a test leaves running on it is stopped."""
    with tempfile.TemporaryDirectory(prefix="loupe-embedded-") as name:
        yield Path(name)
        embedded.stop_abandoned(Path(name))


@pytest.fixture(scope="module")
def used_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="loupe-embedded-") as name:
        yield Path(name)


@pytest.fixture
def folder(used_folder: Path) -> Iterator[Path]:
    """A data folder that other tests have used, and crashed on, before: that must make no difference."""
    yield used_folder
    assert embedded.stop_abandoned(used_folder)


class Neighbour:
    """Another process that uses the servers until it is told to leave."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(folder)],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def addresses(self) -> embedded.Addresses:
        """Those it prints once it has them."""
        assert self.process.stdout
        return embedded.Addresses(*self.process.stdout.readline().split())

    def leave(self) -> None:
        self.process.communicate()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextmanager
def neighbour(folder: Path) -> Iterator[Neighbour]:
    other = Neighbour(folder)
    try:
        yield other
    finally:
        if other.process.poll() is None:
            other.kill()


def works(addresses: embedded.Addresses) -> bool:
    with psycopg.connect(addresses.database_url) as connection, Redis.from_url(addresses.redis_url) as redis:
        return connection.execute("SELECT 1").fetchone() == (1,) and bool(redis.ping())


def pids(folder: Path) -> tuple[int, int]:
    """Of PostgreSQL and Redis."""
    postgres = int((folder / "postgres" / "postmaster.pid").read_text().split()[0])
    return postgres, json.loads((folder / "run" / "redis.json").read_text())["pid"]


def wait_for(condition: Callable[[], bool]) -> None:
    assert programs.poll(condition, seconds=20)


def kill(pid: int) -> None:
    process = psutil.Process(pid)
    process.kill()
    wait_for(lambda: not psutil.pid_exists(pid) or process.status() == psutil.STATUS_ZOMBIE)


def test_both_servers_run_for_the_block_and_not_after_it(folder: Path) -> None:
    with embedded.ensure(folder, durable=False) as addresses:
        assert works(addresses)
        assert embedded.locate(folder) == addresses
    assert embedded.locate(folder) is None


def test_data_outlive_a_stop(folder: Path) -> None:
    with embedded.ensure(folder) as addresses, psycopg.connect(addresses.database_url) as connection:
        connection.execute("DROP TABLE IF EXISTS kept")
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    with embedded.ensure(folder) as addresses, psycopg.connect(addresses.database_url) as connection:
        assert connection.execute("SELECT number FROM kept").fetchone() == (7,)


def test_the_settings_fit_a_small_machine_and_lose_nothing(folder: Path) -> None:
    wanted = {"jit": "off", "TimeZone": "UTC", "max_connections": "200", "shared_buffers": "32768"}
    wanted |= {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    query = "SELECT name, setting FROM pg_settings WHERE name = ANY(%s)"
    with embedded.ensure(folder) as addresses, psycopg.connect(addresses.database_url) as connection:
        assert dict(connection.execute(query, [list(wanted)]).fetchall()) == wanted


def test_the_role_is_no_superuser_and_finds_pgvector_in_new_databases(folder: Path) -> None:
    with (
        embedded.ensure(folder, durable=False) as addresses,
        psycopg.connect(addresses.database_url, autocommit=True) as connection,
    ):
        connection.execute("DROP DATABASE IF EXISTS another")
        connection.execute("CREATE DATABASE another")
        url = PostgreSQL(folder.resolve()).url(database="another")
        assert url
        with psycopg.connect(url) as other:
            superuser = other.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
            assert superuser == (False,)
            assert other.execute("SELECT '[3,4]'::vector <-> '[0,0]'").fetchone() == (5.0,)


def test_redis_asks_for_its_password_and_refuses_to_forget(folder: Path) -> None:
    with embedded.ensure(folder, durable=False) as addresses, Redis.from_url(addresses.redis_url) as redis:
        assert redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        port = redis.connection_pool.connection_kwargs["port"]
        with socket.create_connection(("127.0.0.1", port)) as stranger:
            stranger.sendall(b"PING\r\n")
            assert stranger.recv(100).startswith(b"-NOAUTH")


def test_secrets_are_for_their_owner_only(folder: Path) -> None:
    with embedded.ensure(folder, durable=False) as addresses:
        password = addresses.redis_url.split(":")[2].split("@")[0]
        assert (folder / "run" / "redis.json").stat().st_mode & 0o777 == 0o600
        assert (folder / "postgres").stat().st_mode & 0o077 == 0
        assert not any(password in " ".join(psutil.Process(pid).cmdline()) for pid in pids(folder))


def test_processes_that_start_together_share_one_set(folder: Path) -> None:
    with neighbour(folder) as first, neighbour(folder) as second:
        assert first.addresses() == second.addresses()
        assert len(programs.strays(program="postgres", folder=(folder / "postgres").resolve())) == 1
        assert len(programs.strays(program="redis-server", folder=(folder / "redis").resolve())) == 1


def test_the_starter_leaves_the_servers_to_whoever_still_uses_them(folder: Path) -> None:
    with neighbour(folder) as starter, neighbour(folder) as guest:
        addresses = starter.addresses()
        assert guest.addresses() == addresses
        starter.leave()
        assert works(addresses)
        guest.leave()
        assert embedded.locate(folder) is None


def test_what_a_killed_owner_left_is_taken_over_and_then_stopped(folder: Path) -> None:
    with neighbour(folder) as owner:
        addresses = owner.addresses()
        owner.kill()
    before = pids(folder)
    with embedded.ensure(folder, durable=False) as found:
        assert found == addresses
        assert pids(folder) == before
        assert works(found)
    assert embedded.locate(folder) is None


def test_a_killed_postgresql_comes_back_at_its_address(folder: Path) -> None:
    with embedded.ensure(folder, durable=False) as addresses:
        kill(pids(folder)[0])
        assert embedded.locate(folder) is None
        with embedded.ensure(folder, durable=False) as again:
            assert again == addresses
            assert works(again)


def test_a_killed_redis_comes_back_at_its_address(folder: Path) -> None:
    with embedded.ensure(folder, durable=False) as addresses:
        kill(pids(folder)[1])
        assert embedded.locate(folder) is None
        with embedded.ensure(folder, durable=False) as again:
            assert again == addresses
            assert works(again)


def test_files_that_name_another_process_block_nothing(folder: Path) -> None:
    with embedded.ensure(folder, durable=False):
        postgres, redis = pids(folder)
        pid_file = (folder / "postgres" / "postmaster.pid").read_text()
        note = (folder / "run" / "redis.json").read_text()
    # As after a power cut and a reboot: the numbers belong to somebody else now.
    (folder / "postgres" / "postmaster.pid").write_text(pid_file.replace(str(postgres), str(os.getpid()), 1))
    (folder / "run" / "redis.json").write_text(note.replace(f'"pid": {redis}', f'"pid": {os.getpid()}'))
    assert embedded.locate(folder) is None
    with embedded.ensure(folder, durable=False) as addresses:
        assert works(addresses)


def test_a_torn_note_and_a_lost_redis_block_nothing(folder: Path) -> None:
    with neighbour(folder) as owner:
        owner.addresses()
        lost = pids(folder)[1]
        (folder / "run" / "redis.json").write_text('{"pid": 1')
        with embedded.ensure(folder, durable=False) as addresses:
            assert works(addresses)
            assert pids(folder)[1] != lost
            assert not programs.is_alive(lost, program="redis-server", folder=(folder / "redis").resolve())


def test_a_taken_port_is_passed_over(folder: Path) -> None:
    with socket.socket() as squatter, embedded.ensure(folder, durable=False) as addresses:
        note = json.loads((folder / "run" / "redis.json").read_text())
        kill(note["pid"])
        wait_for(lambda: redis_server.is_free(note["port"]))
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind((redis_server.HOST, note["port"]))
        squatter.listen()
        with embedded.ensure(folder, durable=False) as again:
            assert again.redis_url != addresses.redis_url
            assert works(again)


def test_an_interrupted_initdb_leaves_nothing_that_looks_like_a_database(new_folder: Path) -> None:
    (new_folder / "postgres.part").mkdir()
    (new_folder / "postgres.part" / "PG_VERSION").write_text("18")
    with embedded.ensure(new_folder, durable=False) as addresses:
        assert works(addresses)
    assert not (new_folder / "postgres.part").exists()


@pytest.mark.parametrize("name", ["a b, 'c' \"d\" é", "long" * 10 + "/" + "long" * 20], ids=["odd", "long"])
def test_any_folder_name_will_do(new_folder: Path, name: str) -> None:
    with embedded.ensure(new_folder / name, durable=False) as addresses:
        assert works(addresses)


def test_a_folder_that_cannot_be_made_is_named(new_folder: Path) -> None:
    (new_folder / "file").write_text("")
    with (
        pytest.raises(embedded.CannotStart, match=r"LOUPE_DATA_DIR .*file"),
        embedded.ensure(new_folder / "file" / "var"),
    ):
        pass


def test_servers_given_by_url_are_used_instead(new_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_DATA_DIR", str(new_folder))
    monkeypatch.setenv("DATABASE_URL", "postgres://elsewhere/loupe")
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("REDIS_URL_FILE", "/run/secrets/redis")
    with embedded.unless_given():
        assert not list(new_folder.iterdir())


def test_one_missing_url_starts_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOUPE_DATA_DIR", str(folder))
    monkeypatch.setenv("REDIS_URL", "")
    with embedded.unless_given():
        assert embedded.locate(embedded.data_dir())


def test_a_block_that_fails_stops_them_too(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), embedded.ensure(folder, durable=False):
        _ = 1 / 0
    assert embedded.locate(folder) is None


def test_abandoned_servers_are_stopped_and_used_ones_are_not(folder: Path) -> None:
    with neighbour(folder) as owner:
        owner.addresses()
        assert not embedded.stop_abandoned(folder)
        assert embedded.locate(folder)
        owner.kill()
    assert embedded.stop_abandoned(folder)
    assert embedded.locate(folder) is None


def test_a_sigterm_lets_a_command_stop_its_servers(folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}}
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", "print('up', flush=True); input()"]
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(
                command,
                cwd=PROJECT,
                env={**environment, "LOUPE_DATA_DIR": str(folder)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
        )
        stack.callback(process.kill)
        assert process.stdout
        assert process.stdout.readline() == b"up\n"
        assert embedded.locate(folder)
        started = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 143
        assert embedded.locate(folder) is None
        assert time.monotonic() - started < 10
