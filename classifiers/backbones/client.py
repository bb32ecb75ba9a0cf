"""One HTTP call to a model server: in time, of bounded size, tried again where that may help."""

import contextlib
import os
import random
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError

from classifiers.backbones.servers import ServerSpec

AGAIN: Final = frozenset({429, 500, 502, 503, 504})
_PIECE = 1 << 16
_FIRST_PAUSE = 0.1


class NoAnswer(RuntimeError):
    """The model server gave no answer that can be used. The message says what was asked of whom, and what came."""


@dataclass(frozen=True, slots=True)
class Answer:
    headers: Mapping[str, str]
    body: bytes


class _Passing(Exception):
    """Went wrong in a way that the next try may not. ``pause`` is what the server asked for, in seconds."""

    def __init__(self, words: str, pause: float = 0.0) -> None:
        super().__init__(words)
        self.pause = pause


class _Prompt:
    """The headers must be there within the read timeout: as a whole, not only each byte of them after the last."""

    sock: Any
    timeout: Any

    def getresponse(self) -> Any:
        late = threading.Event()
        timer = threading.Timer(float(self.timeout), _cut, [self.sock, late])
        timer.daemon = True
        timer.start()
        try:
            response = super().getresponse()  # type: ignore[misc]
        except Exception as error:
            if late.is_set():
                raise TimeoutError from error
            raise
        finally:
            timer.cancel()
        if late.is_set():  # headers that were cut off read like headers that ended
            response.close()
            raise TimeoutError
        return response


class _PlainConnection(_Prompt, HTTPConnection):
    pass


class _SecureConnection(_Prompt, HTTPSConnection):
    pass


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


class Client:
    """Calls to one server over connections that are kept. A process that was forked opens its own."""

    def __init__(self, server: ServerSpec) -> None:
        self.server = server
        self._pool: urllib3.HTTPConnectionPool | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def get(self, path: str, *, most: int = 1 << 20) -> Answer:
        return self.call("GET", path, most=most)

    def call(
        self, method: str, path: str, *, body: bytes = b"", headers: Mapping[str, str] | None = None, most: int
    ) -> Answer:
        """A 200 of at most ``most`` bytes, or NoAnswer. A refused or broken connection and the statuses ``AGAIN`` are
        tried again after a growing pause, as often as the card says and never past its ``call_s``."""
        end = time.monotonic() + self.server.call
        sent = {"Accept-Encoding": "identity", **(headers or {})}
        if token := self.server.token():
            sent["Authorization"] = f"Bearer {token}"
        tries = 0
        while True:
            tries += 1
            try:
                return self._once(method, path, body, sent, most=most, end=end)
            except _Passing as passing:
                # Half of the pause is drawn by lot, lest all workers come back at the same moment.
                pause = max(passing.pause, _FIRST_PAUSE * 2 ** (tries - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
                if tries > self.server.retries or time.monotonic() + pause >= end:
                    raise NoAnswer(f"{self._named(path)}: {passing}; tried {tries} times") from passing
            except HTTPError as error:
                raise NoAnswer(f"{self._named(path)}: {_words(error)}") from error
            time.sleep(pause)

    def _once(
        self, method: str, path: str, body: bytes, headers: Mapping[str, str], *, most: int, end: float
    ) -> Answer:
        left = max(end - time.monotonic(), 0.001)
        timeout = urllib3.Timeout(connect=min(self.server.connect, left), read=min(self.server.read, left))
        try:
            response = self.pool().urlopen(
                method,
                f"{urlsplit(self.server.url).path}{path}",
                body=body or None,
                headers=headers,
                retries=False,
                redirect=False,
                timeout=timeout,
                preload_content=False,
            )
            try:
                return self._taken(response, path, most=most, end=end)
            except BaseException:
                # Unread bytes would be the next call's answer.
                response.close()
                raise
            finally:
                response.release_conn()
        except ReadTimeoutError as error:
            raise NoAnswer(f"{self._named(path)}: no answer within {self.server.read:g} s") from error
        except (HTTPError, OSError) as error:
            raise _Passing(_words(error)) from error

    def _taken(self, response: urllib3.BaseHTTPResponse, path: str, *, most: int, end: float) -> Answer:
        if response.status in AGAIN:
            asked = response.headers.get("Retry-After", "")
            raise _Passing(f"status {response.status}", float(asked) if asked.isdecimal() else 0.0)
        if 300 <= response.status < 400:
            raise NoAnswer(f"{self._named(path)}: status {response.status}; redirects are not followed")
        pieces: list[bytes] = []
        size = 0
        while piece := response.read1(_PIECE, decode_content=False):
            size += len(piece)
            pieces.append(piece)
            if size > most:
                raise NoAnswer(f"{self._named(path)}: the answer is longer than {most} bytes")
            if time.monotonic() > end:
                raise NoAnswer(f"{self._named(path)}: no whole answer within {self.server.call:g} s")
        if response.status != 200:
            raise NoAnswer(f"{self._named(path)}: status {response.status}")
        length = response.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) != size:
            raise _Passing(f"{size} of {length} bytes came")
        return Answer(response.headers, b"".join(pieces))

    def pool(self) -> urllib3.HTTPConnectionPool:
        """The process's own connections: two processes on one would read each other's answers."""
        with self._lock:
            if self._pool is None or self._owner != os.getpid():
                self._pool, self._owner = self._connect(), os.getpid()
            return self._pool

    def _connect(self) -> urllib3.HTTPConnectionPool:
        split = urlsplit(self.server.url)
        assert split.hostname is not None
        if split.scheme == "http":
            return _PlainPool(split.hostname, split.port or 80, maxsize=4)
        return _SecurePool(split.hostname, split.port or 443, maxsize=4, ca_certs=self.server.ca_file or None)

    def _named(self, path: str) -> str:
        return f"{self.server.url}{path}"


def _cut(sock: socket.socket | None, late: threading.Event) -> None:
    late.set()
    with contextlib.suppress(OSError):
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)


def _words(error: BaseException) -> str:
    """What went wrong, without the object that urllib3 puts before it."""
    reason = error.reason if isinstance(error, MaxRetryError) and error.reason else error
    cause = reason.__cause__ or reason.__context__
    return f"{type(reason).__name__}: {cause}" if cause else type(reason).__name__
