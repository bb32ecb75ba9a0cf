"""Content credentials (C2PA) of an image, read in another process: a bomb there costs a verdict, never the worker."""

from __future__ import annotations

import atexit
import json
import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

LENGTH: Final = struct.Struct(">Q")
PROGRAM: Final = Path(__file__).with_name("reader.py")
START_SECONDS: Final = 30
# Nothing is ever fetched: no manifest that lies elsewhere, no revocation list, no identity document (CAWG's did:web).
OFFLINE: Final = {
    "version": 1,
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True},
    "core": {
        "decode_identity_assertions": False,
        "allowed_network_hosts": [],
        "allow_redirects": False,
        "max_decompressed_manifest_size_in_mb": 16,
    },
}


class Unread(Exception):
    """The credentials of this image were not read; the message is a code for people's words."""


class ReaderFailed(Exception):
    """The reader does not start: no verdict on any image."""


class CredentialReader:
    """The other process, started when first needed. Safe to call from several threads; they take turns."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._owner = 0

    def read(self, media_type: str, data: bytes, *, seconds: float, anchors: str = "") -> dict[str, Any]:
        """As `reader.summary` says. `anchors`: certificates (PEM) of the trust list, may be empty.

        Raises Unread when time or memory ran out, ReaderFailed when it cannot start.
        """
        settings = json.dumps({**OFFLINE, "trust": {"user_anchors": anchors} if anchors else {}})
        frames = (settings.encode(), media_type.encode(), data)
        with self._lock:
            fresh = self._start()
            try:
                return self._ask(frames, seconds)
            except TimeoutError as error:
                self._stop()
                raise Unread("credentials_slow") from error
            except OSError as error:
                self._stop()
                if fresh:
                    raise Unread("credentials_crash") from error
            self._start()  # it may have died of something earlier: one more try, on a fresh one
            try:
                return self._ask(frames, seconds)
            except OSError as error:
                self._stop()
                raise Unread("credentials_crash") from error

    def close(self) -> None:
        with self._lock:
            self._stop()

    def _ask(self, frames: Sequence[bytes], seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        for frame in frames:
            self._send(frame, until)
        answer: dict[str, Any] = json.loads(self._receive(until))
        return answer

    def _start(self) -> bool:
        """Afterwards a reader runs that belongs to this process; whether it is a new one."""
        if self._process is not None and self._owner == os.getpid() and self._process.poll() is None:
            return False
        self._stop()
        ours, theirs = socket.socketpair()
        command = [sys.executable, "-I", str(PROGRAM), str(theirs.fileno())]
        with theirs:
            self._process = subprocess.Popen(
                command, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, start_new_session=True
            )
        self._channel, self._owner = ours, os.getpid()
        until = time.monotonic() + START_SECONDS
        try:
            self._receive(until)
        except OSError as error:
            self._stop()
            raise ReaderFailed("the C2PA reader does not start") from error
        return True

    def _stop(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.wait()
        self._process = self._channel = None

    def _send(self, content: bytes, until: float) -> None:
        for part in (LENGTH.pack(len(content)), content):
            self._timed(until).sendall(part)

    def _receive(self, until: float) -> bytes:
        return self._exactly(LENGTH.unpack(self._exactly(LENGTH.size, until))[0], until)

    def _exactly(self, size: int, until: float) -> bytes:
        content = bytearray()
        while len(content) < size:
            more = self._timed(until).recv(size - len(content))
            if not more:
                raise ConnectionError("the reader is gone")
            content += more
        return bytes(content)

    def _timed(self, until: float) -> socket.socket:
        left = until - time.monotonic()
        if self._channel is None or left <= 0:
            raise TimeoutError
        self._channel.settimeout(left)
        return self._channel


READER: Final = CredentialReader()
"""One for each process, whatever the number of cards in service."""
atexit.register(READER.close)
