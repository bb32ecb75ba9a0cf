"""Content credentials: signed here, altered here, and never looked for on the network."""

from __future__ import annotations

import os
import signal
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from classifiers.base import ImageInput
from classifiers.provenance import credentials
from classifiers.provenance.classifier import Provenance
from classifiers.provenance.credentials import READER
from tests.classifiers.provenance import files, signing
from tests.classifiers.provenance.conftest import Inspect, opened

FORMATS = sorted(signing.MIME)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_valid_signature_by_a_stranger_is_valid_and_no_more(inspect: Inspect, kind: str) -> None:
    shown, probabilities = inspect(signing.signed(kind))
    assert shown["c2pa"] == {
        "state": "valid",
        "claim_generator": "Atelier 1.2",
        "issuer": "Atelier of the tests",
        "signer": "leaf",
        "made_by": "Atelier Diffusion 3",
        "digital_source_types": ["trainedAlgorithmicMedia"],
        "actions": ["c2pa.created"],
        "training": {"ai_generative_training": "notAllowed"},
    }
    assert set(probabilities.values()) == {0.0}


def test_a_signer_on_the_cards_trust_list_is_trusted(inspect: Inspect, trusting: Provenance) -> None:
    shown, _probabilities = inspect(signing.signed(), by=trusting)
    assert shown["c2pa"]["state"] == "trusted"


@pytest.mark.parametrize("kind", FORMATS)
def test_one_altered_byte_makes_it_invalid_and_a_person_looks(
    inspect: Inspect, trusting: Provenance, kind: str
) -> None:
    data = bytearray(signing.signed(kind))
    plain = files.saved(kind)
    place = data.find(plain[-400:-300])  # within the pixels
    assert place > 0
    data[place + 50] ^= 1
    shown, probabilities = inspect(bytes(data), by=trusting)
    assert shown["c2pa"]["state"] == "invalid"
    assert any("Hash.mismatch" in problem for problem in shown["c2pa"]["problems"])
    assert probabilities["IMPERSONATION_FRAUD"] == pytest.approx(0.3)


def test_an_image_without_credentials_has_nothing_to_show(inspect: Inspect) -> None:
    for kind in FORMATS:
        assert inspect(files.saved(kind)) == ({}, {"IMPERSONATION_FRAUD": 0.0, "PRIVACY": 0.0})


def test_a_manifest_that_lies_elsewhere_is_named_and_never_fetched(inspect: Inspect) -> None:
    asked: list[str] = []

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_port}/manifest.c2pa"
        shown, _probabilities = inspect(signing.signed(remote=address))
        # With a manifest in the file beside the address, the library itself is asked.
        inner, _probabilities = inspect(signing.signed(image=signing.signed(remote=address)))
        server.shutdown()
        thread.join()
    assert shown["c2pa"] == {"state": "remote", "at": address}
    assert inner["c2pa"]["state"] == "valid"
    assert asked == []


def test_a_manifest_store_beyond_the_cards_size_is_not_read(inspect: Inspect) -> None:
    strict = opened(max_bytes=1000)
    shown, probabilities = inspect(signing.signed(), by=strict)
    assert shown["c2pa"] == {"state": "unread", "problems": ["credentials_too_large"]}
    assert probabilities["IMPERSONATION_FRAUD"] == pytest.approx(0.3)


def test_a_reader_that_takes_too_long_costs_the_verdict_not_the_worker(inspect: Inspect) -> None:
    hasty = opened(seconds=0.0000001)
    shown, _probabilities = inspect(signing.signed(), by=hasty)
    assert shown["c2pa"] == {"state": "unread", "problems": ["credentials_slow"]}


def test_a_reader_that_died_is_started_again(inspect: Inspect) -> None:
    inspect(signing.signed())
    process = READER._process
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    shown, _probabilities = inspect(signing.signed())
    assert shown["c2pa"]["state"] == "valid"


GREETING = """
import socket, sys
channel = socket.socket(fileno=int(sys.argv[1]))
channel.sendall(b"\\0" * 7 + b"\\2{}")
"""


@pytest.mark.parametrize(
    ("program", "outcome"),
    [
        (GREETING + "channel.recv(1)", {"state": "unread", "problems": ["credentials_crash"]}),
        ("raise SystemExit(1)", None),
    ],
)
def test_a_reader_that_breaks_is_told_of_and_one_that_never_starts_is_doubt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str, outcome: dict[str, Any] | None
) -> None:
    (tmp_path / "reader.py").write_text(program)
    monkeypatch.setattr(credentials, "PROGRAM", tmp_path / "reader.py")
    READER.close()
    seen = ImageInput(Image.new("RGB", (8, 8)), original=signing.signed)
    outputs = opened().run([seen, ImageInput(Image.new("RGB", (8, 8)), original=files.png)])
    READER.close()
    assert outputs.shown is not None
    assert outputs.shown[0] == ({"c2pa": outcome} if outcome else {})
    assert outputs.errors == ({} if outcome else {0: "provenance@1: ReaderFailed"})


def test_a_store_nested_without_end_is_invalid(inspect: Inspect) -> None:
    head = box(b"jumd", bytes.fromhex("63326d6100110010800000aa00389b71") + b"\x03x\0")
    depth = 50_000
    nested = b"".join(
        struct.pack(">I4s", len(head) + 8 + level * (len(head) + 8), b"jumb") + head for level in range(depth, 0, -1)
    )
    store = box(b"jumb", box(b"jumd", bytes.fromhex("6332706100110010800000aa00389b71") + b"\x03c2pa\0") + nested)
    shown, _probabilities = inspect(files.with_chunk(b"caBX", store))
    assert shown["c2pa"]["state"] in {"invalid", "unread"}


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body) + 8, kind) + body


def test_the_reader_ends_with_the_process_that_asked(inspect: Inspect) -> None:
    inspect(signing.signed())
    process, channel = READER._process, READER._channel
    assert process is not None
    assert channel is not None
    channel.shutdown(socket.SHUT_RDWR)  # as the kernel does when its owner dies
    assert process.wait(timeout=10) == 0
