"""Models of the Hugging Face hub, from a hub of one model that runs in the test."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from classifiers.backbones.hub import snapshot
from classifiers.base import CardError
from classifiers.folders import members

REVISION = "0123456789abcdef0123456789abcdef01234567"


class Hub(BaseHTTPRequestHandler):
    """What the library asks of the hub: which files a commit has, and each of them."""

    files: ClassVar[dict[str, bytes]] = {
        "config.json": b"{}",
        "model.safetensors": b"weights",
        "pytorch_model.bin": b"a pickle",
        "modeling.py": b"code",
        "onnx/config.json": b"another",
        "1_Pooling/config.json": b"{}",
        "1_Pooling/deeper/config.json": b"{}",
    }
    asked: ClassVar[list[str]] = []

    def log_message(self, format: str, *args: object) -> None:
        """No line a request."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        self.asked.append(self.path)
        path = self.path.partition("?")[0]
        if path == f"/api/models/house/eyes/revision/{REVISION}":
            siblings = [{"rfilename": name} for name in self.files]
            return self.send(json.dumps({"id": "house/eyes", "sha": REVISION, "siblings": siblings}).encode())
        prefix = f"/api/models/house/eyes/tree/{REVISION}"
        if path.startswith(prefix):
            tree = [
                {"type": "file", "path": name, "size": len(data), "oid": hashlib.sha1(data).hexdigest()}
                for name, data in self.files.items()
            ]
            return self.send(json.dumps(tree).encode())
        name = path.removeprefix(f"/house/eyes/resolve/{REVISION}/")
        if name in self.files:
            return self.send(self.files[name])
        return self.send(b"{}", status=404)

    def send(self, body: bytes, *, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("ETag", f'"{hashlib.sha1(body).hexdigest()}"')
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_address[1]}")
    yield
    server.shutdown()
    server.server_close()


def test_only_what_counts_is_fetched_of_a_commit(hub: None, tmp_path: Path) -> None:
    Hub.asked.clear()

    folder = snapshot(f"house/eyes@{REVISION}", tmp_path)

    counted = [path.relative_to(folder).as_posix() for path in members(folder)]
    assert counted == ["1_Pooling/config.json", "config.json", "model.safetensors"]
    assert not any(
        "modeling.py" in path or "pytorch_model" in path or "onnx/" in path or "deeper" in path for path in Hub.asked
    )


def test_a_commit_the_hub_does_not_know_is_said(hub: None, tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"hub:house/eyes@f+ cannot be fetched"):
        snapshot(f"house/eyes@{'f' * 40}", tmp_path)


@pytest.mark.parametrize("stated", ["house/eyes", "house/eyes@main", f"eyes@{REVISION}", f"house/eyes@{REVISION[:12]}"])
def test_what_may_move_is_refused(tmp_path: Path, stated: str) -> None:
    with pytest.raises(CardError, match="a branch moves"):
        snapshot(stated, tmp_path)
