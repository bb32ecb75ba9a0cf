"""Classifiers on another machine: what a good answer yields, and what every bad one comes to."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Iterator
from multiprocessing.queues import SimpleQueue
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from classifiers.backbones.client import NoAnswer
from classifiers.backbones.remote import RemoteClassifier
from classifiers.base import CardError, ImageInput
from classifiers.registry import load_card
from tests.classifiers.graphs import mean_colour
from tests.inference import Mode, ModelServer


def solid(red: int, green: int, blue: int) -> ImageInput:
    return ImageInput(Image.new("RGB", (20, 12), (red, green, blue)))


SCENE = [solid(255, 0, 51), solid(0, 102, 0), solid(0, 0, 204)]
SEEN = [[1.0, 0.0, 0.2], [0.0, 0.4, 0.0], [0.0, 0.0, 0.8]]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ModelServer]:
    with ModelServer(mean_colour(tmp_path / "mean.onnx")) as server:
        yield server


@pytest.fixture
def remote(server: ModelServer, tmp_path: Path) -> RemoteClassifier:
    classifier = load_card(server.card(tmp_path))
    assert isinstance(classifier, RemoteClassifier)
    return classifier


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
@pytest.mark.parametrize("datatype", ["FP32", "FP16"])
def test_a_model_behind_a_server_sees_what_it_would_see_here(tmp_path: Path, binary: bool, datatype: str) -> None:
    with ModelServer(mean_colour(tmp_path / "mean.onnx"), binary=binary) as server:
        server.datatype = datatype
        outputs = load_card(server.card(tmp_path)).run(SCENE)

    np.testing.assert_allclose(outputs.probabilities, SEEN, atol=1e-3)
    assert outputs.embeddings is not None
    np.testing.assert_allclose(outputs.embeddings, SEEN, atol=1e-3)
    assert not outputs.errors


def test_large_batches_go_in_parts_over_one_connection(server: ModelServer, tmp_path: Path) -> None:
    classifier = load_card(server.card(tmp_path, server={"batch": 2, "model_version": "1"}))
    server.asked.clear()

    outputs = classifier.run(SCENE)

    assert server.asked == ["/v2/models/colours/versions/1/infer"] * 2
    assert server.connections == 1
    np.testing.assert_allclose(outputs.probabilities, SEEN, atol=1e-6)


def test_no_pictures_ask_nothing(remote: RemoteClassifier, server: ModelServer) -> None:
    server.asked.clear()

    assert remote.run([]).probabilities.shape == (0, 3)
    assert server.asked == []


@pytest.mark.parametrize("mode", ["error", "busy", "cut"])
def test_what_may_pass_is_tried_again(remote: RemoteClassifier, server: ModelServer, mode: Mode) -> None:
    server.next = [mode]

    assert remote.run(SCENE).probabilities.shape == (3, 3)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("error", "status 500; tried 2 times"),
        ("busy", "status 429; tried 2 times"),
        ("hang", "no answer within 0.3 s"),
        ("drip-head", "no answer within 0.3 s"),
        ("drip", "no whole answer within 1 s"),
        ("cut", "tried 2 times"),
        ("flood", "longer than"),
        ("moved", "redirects are not followed"),
        ("garbage", "not JSON"),
        ("html", "not JSON"),
        ("short", "for 3 pictures"),
        ("stranger", "of the model 'somebody-else'"),
    ],
)
def test_a_server_that_misbehaves_is_no_answer_and_then_forgiven(
    server: ModelServer, tmp_path: Path, mode: Mode, words: str
) -> None:
    patience = 0.3 if "0.3 s" in words else 20.0  # a busy machine is slow to misbehave as well
    whole = 1.0 if "1 s" in words or patience < 1 else 60.0
    remote = load_card(server.card(tmp_path, server={"read_s": patience, "call_s": whole}))
    server.mode = mode

    with pytest.raises(NoAnswer, match=words):
        remote.run(SCENE)

    server.mode = "ok"
    np.testing.assert_allclose(remote.run(SCENE).probabilities, SEEN, atol=1e-6)


def test_rows_of_another_width_are_another_model(remote: RemoteClassifier, server: ModelServer) -> None:
    server.mode = "wide"

    with pytest.raises(CardError, match="has 4 classes, the card lists 3"):
        remote.run(SCENE)


@pytest.mark.parametrize("binary", [True, False], ids=["binary", "json"])
def test_a_picture_that_yields_nan_is_an_error_and_the_others_are_not(tmp_path: Path, binary: bool) -> None:
    with ModelServer(mean_colour(tmp_path / "mean.onnx"), binary=binary) as server:
        remote = load_card(server.card(tmp_path))
        server.mode = "nan"
        outputs = remote.run(SCENE)

    assert list(outputs.errors) == [1]
    assert "NaN or infinity" in outputs.errors[1]
    np.testing.assert_allclose(outputs.probabilities[[0, 2]], [SEEN[0], SEEN[2]], atol=1e-6)


def test_a_server_that_died_is_asked_again_when_it_is_back(remote: RemoteClassifier, server: ModelServer) -> None:
    server.die()
    with pytest.raises(NoAnswer, match="tried 2 times"):
        remote.run(SCENE)

    server.start()
    np.testing.assert_allclose(remote.run(SCENE).probabilities, SEEN, atol=1e-6)


def test_a_model_that_was_swapped_meanwhile_is_noticed(
    remote: RemoteClassifier, server: ModelServer, tmp_path: Path
) -> None:
    other = ModelServer(mean_colour(tmp_path / "other.onnx", size=9))
    server.die()
    with pytest.raises(NoAnswer):
        remote.run(SCENE)
    server.session = other.session
    server.start()

    with pytest.raises(CardError, match="mend size or layout"):
        remote.run(SCENE)


def answer(classifier: RemoteClassifier, queue: SimpleQueue[Any]) -> None:
    queue.put((os.getpid(), classifier.run(SCENE).probabilities.tolist()))


def test_a_forked_worker_opens_its_own_connection(remote: RemoteClassifier, server: ModelServer) -> None:
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    before = server.connections
    worker = context.Process(target=answer, args=(remote, queue), daemon=True)
    worker.start()
    worker.join(30)

    assert worker.exitcode == 0
    pid, scores = queue.get()

    assert pid != os.getpid()
    np.testing.assert_allclose(scores, remote.run(SCENE).probabilities, atol=1e-6)
    assert server.connections == before + 1


def test_the_token_is_read_when_it_is_needed_and_never_told(
    server: ModelServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MODEL_TOKEN", "first-secret")
    remote = load_card(server.card(tmp_path, server={"token_env": "MODEL_TOKEN"}))
    monkeypatch.setenv("MODEL_TOKEN", "second-secret")
    server.next = ["garbage"]

    with pytest.raises(NoAnswer) as refused:
        remote.run(SCENE)
    monkeypatch.delenv("MODEL_TOKEN")
    with pytest.raises(CardError, match="MODEL_TOKEN is not set"):
        remote.run(SCENE)

    assert {"Bearer first-secret", "Bearer second-secret"} == server.tokens
    assert "secret" not in str(refused.value) + caplog.text + (tmp_path / "remote-eyes.toml").read_text()


def test_the_token_may_lie_in_a_file(server: ModelServer, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file\n")

    load_card(server.card(tmp_path, server={"token_file": str(tmp_path / "token")}))

    assert server.tokens == {"Bearer from-a-file"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"server": {"url": "ftp://models.example"}}, "http:// or https://"),
        ({"server": {"url": "https://user:pass@models.example"}}, "neither user, password"),
        ({"server": {"url": "https://models.example:port"}}, "no address"),
        ({"server": {"model": ""}}, "model must be a text"),
        ({"server": {"model": "absent"}}, "status 404"),
        ({"server": {"model_version": "7"}}, "status 404"),
        ({"server": {"token": "s3cret"}}, "a card holds no secret"),
        ({"server": {"url": "http://models.example", "token_env": "T"}}, "use https"),
        ({"server": {"token_env": "T", "token_file": "t"}}, "not both"),
        ({"server": {"token_file": "/nowhere/token"}}, "cannot be read"),
        ({"server": {"read_s": 0}}, "read_s must be above 0"),
        ({"server": {"retries": 11}}, "10 at most"),
        ({"input": None}, r"\[input\] is missing"),
        ({"input": {"size": 9}}, "mend size or layout"),
        ({"outputs": [{"name": "probabilities", "classes": ["red", "green", "blue", "grey"]}]}, "4 classes"),
        ({"embedding": {"output": "absent", "size": 3}}, "'absent' is not in the graph"),
    ],
)
def test_a_card_that_does_not_fit_the_server_is_refused(
    server: ModelServer, tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(CardError, match=reason):
        load_card(server.card(tmp_path, **changes))


def test_a_server_that_is_down_or_not_ready_is_no_reason_to_trust_a_card(server: ModelServer, tmp_path: Path) -> None:
    card = server.card(tmp_path)
    server.mode = "error"
    with pytest.raises(CardError, match=r"v2/health/ready: status 500"):
        load_card(card)
    server.die()
    with pytest.raises(CardError, match="does not answer as it should"):
        load_card(card)
