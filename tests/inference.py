"""A real, small model server: the Open Inference Protocol v2 over HTTP, in front of onnxruntime, with switches for all
that may go wrong with one.

    with ModelServer(weights, model="colours") as server:
        server.mode = "error"     # from now on; server.next = ["busy"] for single answers
        server.die()              # connections break, the port is closed
        server.start()            # and answers again, at the same address
"""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
import onnxruntime

from classifiers import cards
from classifiers.backbones.inference import LENGTH

Mode = Literal[
    "ok",
    "error",  # 500
    "busy",  # 429
    "drip",  # the answer comes byte by byte and never ends
    "drip-head",  # so do the headers
    "hang",  # the connection is taken and nothing comes
    "cut",  # half an answer, then the end
    "flood",  # an answer without end
    "moved",  # a redirect to another host
    "garbage",  # 200, and bytes that mean nothing
    "html",  # 200, and somebody's login page
    "nan",  # every second row is NaN
    "short",  # a row is missing
    "wide",  # rows of one number too many
    "stranger",  # the answer of another model
]
NUMPY = {"FP16": "<f2", "FP32": "<f4"}


class ModelServer:
    """Serves one graph as `model`. `asked` counts the requests by path; `tokens` are the Authorization headers seen."""

    def __init__(self, weights: Path, *, model: str = "colours", version: str = "1", binary: bool = True) -> None:
        options = onnxruntime.SessionOptions()
        # A session with threads, collected in a forked child, waits for them for ever.
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(weights.read_bytes(), options, providers=["CPUExecutionProvider"])
        self.model, self.version, self.binary = model, version, binary
        self.mode: Mode = "ok"
        self.next: list[Mode] = []
        self.asked: list[str] = []
        self.tokens: set[str] = set()
        self.connections = 0
        self.datatype = "FP32"
        self.patience = threading.Event()
        self._port = 0
        self._open: set[socket.socket] = set()
        self._server: ThreadingHTTPServer | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.die()

    def start(self) -> None:
        """Answer at `url`; after `die` at the same one."""
        self.patience.clear()
        handler = type("Handler", (_Handler,), {"serving": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def die(self) -> None:
        """As a killed process leaves it: every connection reset, the port closed."""
        self.patience.set()
        server, self._server = self._server, None
        if server is None:
            return
        for each in list(self._open):
            try:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        server.shutdown()
        server.server_close()

    def card(self, folder: Path, /, **changes: Any) -> Path:
        """A card for a graph of mean colours (`tests/classifiers/graphs.py`, or the eyes of `tests/world.py` with
        `input={"size": 16}`) behind this server; `changes` replace entries, `server` is merged."""
        table: dict[str, Any] = {
            "name": "remote-eyes",
            "version": "1",
            "kind": "remote",
            "licence": "Apache-2.0",
            "input": {"size": 8},
            "embedding": {"output": "embedding", "size": 3},
            "outputs": [{"name": "probabilities", "classes": ["red", "green", "blue"]}],
            "categories": [
                {"code": "WEAPONS_DANGEROUS", "expression": "red"},
                {"code": "REGULATED", "expression": "green"},
                {"code": "PRIVACY", "expression": "blue"},
            ],
        }
        limits = {"connect_s": 1.0, "read_s": 1.0, "call_s": 3.0, "retries": 1}
        server = {"url": self.url, "model": self.model, **limits, **changes.pop("server", {})}
        table = {key: value for key, value in (table | changes).items() if value is not None}
        return cards.dump(table | {"server": server}, folder / f"{table['name']}.toml")

    def infer(self, body: bytes, length: str | None, mode: Mode) -> tuple[bytes, dict[str, str]]:
        head = json.loads(body[: int(length)] if length else body)
        [given] = head["inputs"]
        if "data" in given:
            values = np.array(given["data"], dtype=np.float32)
        else:
            values = np.frombuffer(body[int(length or 0) :], dtype=NUMPY[given["datatype"]])
        names = [output["name"] for output in head["outputs"]]
        results = self.session.run(names, {given["name"]: values.reshape(given["shape"]).astype(np.float32)})
        arrays = {name: _spoilt(value, mode) for name, value in zip(names, results, strict=True)}
        model = "somebody-else" if mode == "stranger" else self.model
        return _answer({"model_name": model, "model_version": self.version}, arrays, binary=length is not None)

    def metadata(self) -> dict[str, Any]:
        def tensors(values: list[Any]) -> list[dict[str, Any]]:
            return [
                {
                    "name": value.name,
                    "datatype": self.datatype,
                    "shape": [size if isinstance(size, int) else -1 for size in value.shape],
                }
                for value in values
            ]

        return {
            "name": self.model,
            "versions": [self.version],
            "platform": "onnxruntime_onnx",
            "inputs": tensors(self.session.get_inputs()),
            "outputs": tensors(self.session.get_outputs()),
        }


class _Handler(BaseHTTPRequestHandler):
    serving: ClassVar[ModelServer]
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        self.serving.connections += 1
        self.serving._open.add(self.connection)

    def finish(self) -> None:
        self.serving._open.discard(self.connection)
        with contextlib.suppress(OSError):  # the other side hung up, or we did
            super().finish()

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read `asked` instead."""

    def do_GET(self) -> None:
        self.answer(b"")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, body: bytes) -> None:
        server = self.serving
        server.asked.append(self.path)
        server.tokens.add(self.headers.get("Authorization", ""))
        mode = server.next.pop(0) if server.next else server.mode
        if fault := getattr(self, f"fault_{mode.replace('-', '_')}", None):
            fault()
            return
        model = f"/v2/models/{server.model}"
        paths = [model, f"{model}/versions/{server.version}"]
        if self.path == "/v2/health/ready":
            self.send(b"")
        elif self.path == "/v2":
            extensions = ["binary_tensor_data"] if server.binary else []
            self.send(json.dumps({"name": "tests", "version": "1", "extensions": extensions}).encode())
        elif self.path in paths:
            self.send(json.dumps(server.metadata()).encode())
        elif self.path in [f"{path}/infer" for path in paths]:
            self.send(*server.infer(body, self.headers.get(LENGTH), mode))
        else:
            self.send(json.dumps({"error": "no such model"}).encode(), status=404)

    def send(self, body: bytes, headers: dict[str, str] | None = None, *, status: int = 200) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def fault_error(self) -> None:
        self.send(b'{"error": "out of memory"}', status=500)

    def fault_busy(self) -> None:
        self.send(b"", {"Retry-After": "0"}, status=429)

    def fault_hang(self) -> None:
        self.serving.patience.wait()
        self.close_connection = True

    def fault_drip(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.trickle()

    def fault_drip_head(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Patience: ")
        self.trickle()

    def trickle(self) -> None:
        while not self.serving.patience.wait(0.05):
            self.wfile.write(b"1")
            self.wfile.flush()
        self.close_connection = True

    def fault_cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b'{"outputs": [')
        self.close_connection = True

    def fault_flood(self) -> None:
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        while not self.serving.patience.is_set():
            self.wfile.write(b" " * 65536)

    def fault_moved(self) -> None:
        self.send(b"", {"Location": "http://metadata.invalid/"}, status=302)

    def fault_garbage(self) -> None:
        self.send(b"\x00\xff\x80 not what you asked for")

    def fault_html(self) -> None:
        self.send(b"<html>Please log in</html>", {"Content-Type": "text/html"})


def _spoilt(array: Any, mode: Mode) -> Any:
    array = np.array(array, dtype=np.float32)
    if mode == "nan":
        array[1::2] = np.nan
    elif mode == "short":
        array = array[:-1]
    elif mode == "wide":
        array = np.concatenate([array, array[:, :1]], axis=1)
    return array


def _answer(said: dict[str, Any], arrays: dict[str, Any], *, binary: bool) -> tuple[bytes, dict[str, str]]:
    outputs: list[dict[str, Any]] = []
    for name, array in arrays.items():
        output = {"name": name, "datatype": "FP32", "shape": list(array.shape)}
        if binary:
            outputs.append(output | {"parameters": {"binary_data_size": array.nbytes}})
        else:
            flat = array.ravel().astype(object)
            flat[[bool(np.isnan(x)) for x in flat]] = None
            outputs.append(output | {"data": flat.tolist()})
    head = json.dumps(said | {"outputs": outputs}).encode()
    if not binary:
        return head, {"Content-Type": "application/json"}
    return head + b"".join(array.tobytes() for array in arrays.values()), {LENGTH: str(len(head))}
