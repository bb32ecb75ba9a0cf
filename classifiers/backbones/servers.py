"""``[server]`` of a remote classifier's card: where it is, how long to wait for it, and how to prove who asks."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlsplit

from classifiers.base import CardError
from classifiers.fields import Table

LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """Times are in seconds: ``connect`` and ``read`` (until the headers are there, and between two pieces of the
    answer) for each try, ``call`` for all tries together. The token itself is never kept here."""

    url: str
    model: str
    model_version: str
    connect: float
    read: float
    call: float
    retries: int
    batch: int
    token_env: str
    token_file: str
    ca_file: str

    @property
    def path(self) -> str:
        """Of the model, under ``url``."""
        version = f"/versions/{quote(self.model_version, safe='')}" if self.model_version else ""
        return f"v2/models/{quote(self.model, safe='')}{version}"

    def token(self) -> str:
        """The bearer token as it is now, so that one that was changed needs no restart; empty where none is asked."""
        if self.token_env:
            token = os.environ.get(self.token_env, "").strip()
            if not token:
                raise CardError(f"[server] token_env: the environment variable {self.token_env} is not set")
            return token
        if not self.token_file:
            return ""
        try:
            return Path(self.token_file).read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise CardError(f"[server] token_file: {self.token_file} cannot be read") from error


def read_server(top: Table) -> ServerSpec:
    spec = top.table("server")
    if spec is None:
        raise CardError("[server] is missing: give at least url and model")
    if stray := {"token", "password", "api_key", "authorization"} & set(spec.names()):
        raise CardError(f"[server] {stray.pop()}: a card holds no secret; name it by token_env or token_file")
    server = ServerSpec(
        url=_url(spec.string("url")),
        model=spec.string("model"),
        model_version=spec.string("model_version", default=""),
        connect=_seconds(spec, "connect_s", 2.0),
        read=_seconds(spec, "read_s", 10.0),
        call=_seconds(spec, "call_s", 30.0),
        retries=spec.whole("retries", default=2),
        batch=spec.positive("batch", default=32),
        token_env=spec.string("token_env", default=""),
        token_file=spec.string("token_file", default=""),
        ca_file=spec.string("ca_file", default=""),
    )
    if server.retries > 10:
        raise CardError("[server] retries must be 10 at most")
    if server.token_env and server.token_file:
        raise CardError("[server] give token_env or token_file, not both")
    split = urlsplit(server.url)
    if (server.token_env or server.token_file) and split.scheme == "http" and split.hostname not in LOOPBACK:
        raise CardError("[server] a token over http can be read on the way: use https")
    return server


def _seconds(spec: Table, key: str, default: float) -> float:
    value = spec.number(key, default=default)
    if not 0 < value <= 600:
        raise CardError(f"[server] {key} must be above 0 and at most 600 seconds")
    return value


def _url(text: str) -> str:
    try:
        split = urlsplit(text)
        _port = split.port
    except ValueError as error:
        raise CardError(f"[server] url is no address: {error}") from error
    if split.scheme not in {"http", "https"} or not split.hostname:
        raise CardError("[server] url must start with http:// or https:// and name a host")
    if split.username or split.password or split.query or split.fragment:
        raise CardError("[server] url must hold neither user, password, query nor fragment")
    return text.rstrip("/") + "/"
