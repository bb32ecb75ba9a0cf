"""The web server as it runs in production, on the test's own database, for tests that stop and start it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection

from bench.harness import PROJECT, await_answer, free_port
from config.processes import commands


@dataclass(slots=True)
class WebServer:
    environment: dict[str, str]
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = commands("serve", port=self.port)["web"]
        self.process = subprocess.Popen(command, cwd=PROJECT, env=self.environment)
        await_answer(self.port, self.process)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(timeout=30)
            self.process = None


@contextmanager
def web_server(store: Path) -> Iterator[WebServer]:
    """A server that runs for the block, unless it is stopped and started in it; images lie in `store`."""
    settings = connection.settings_dict
    environment = {
        **os.environ,
        "DATABASE_URL": os.environ["DATABASE_URL"].rsplit("/", 1)[0] + "/" + settings["NAME"] + query_of_url(),
        "LOUPE_STORAGE": store.as_uri(),
    }
    collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
    subprocess.run(collect, cwd=PROJECT, env=environment, check=True)
    server = WebServer(environment)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def query_of_url() -> str:
    """An embedded server is reached by its socket, which the address names after a question mark."""
    _path, mark, query = os.environ["DATABASE_URL"].partition("?")
    return mark + query
