"""How tests arrange the world: with the product's own verbs, on real rows and a real (tiny) classifier."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from PIL import Image

from classifiers import cards, registry
from classifiers.heads import Calibration, Heads
from classifiers.models import ClassifierVersion
from moderation import ingest, policies
from moderation.actors import Actor
from moderation.admission import Past
from moderation.models import Client, Submission, TriagePlan
from moderation.triage import run_once

BANDS: Mapping[str, Mapping[str, float | None]] = {
    "WEAPONS_DANGEROUS": {"approve": 0.2, "block": 0.9},
    "REGULATED": {"approve": 0.2, "block": 0.9},
    "PRIVACY": {"approve": 0.2},
}

CARD = """
name = "colour-eyes"
version = "{version}"
kind = "onnx"
weights = "colour-eyes.onnx"
sha256 = "{sha256}"
licence = "Apache-2.0"
trained_on = "nothing: it answers with the mean of each colour channel"
limits = "for tests"

[input]
name = "image"
layout = "NCHW"
size = 16
resize = "stretch"
interpolation = "bilinear"
scale = 0.00392156862745098
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]

[embedding]
output = "embedding"
size = 3

[[outputs]]
name = "probabilities"
classes = ["red", "green", "blue"]

[[categories]]
code = "WEAPONS_DANGEROUS"
expression = "red"

[[categories]]
code = "REGULATED"
expression = "green"

[[categories]]
code = "PRIVACY"
expression = "blue"
"""


def png(*, red: float = 0.0, green: float = 0.0, blue: float = 0.0, size: int = 64, seed: int | None = None) -> bytes:
    """A PNG whose channel means are these fractions of full; `seed` adds a faint texture, so that bytes and hashes
    differ.
    """
    pixels = np.ones((size, size, 3)) * np.array([red, green, blue]) * 255
    if seed is not None:
        pixels = np.clip(pixels + np.random.default_rng(seed).normal(0, 2, (size, size, 1)), 0, 255)
    buffer = io.BytesIO()
    Image.fromarray(pixels.round().astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def colour_graph(path: Path) -> Path:
    """A real ONNX graph: global average pooling, as embedding and as probabilities."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, 16, 16])
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("embedding", "probabilities")
    ]
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embedding"]),
        helper.make_node("Identity", ["embedding"], ["probabilities"]),
    ]
    graph = helper.make_graph(nodes, "colour", [image], outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, str(path))
    return path


def colour_eyes(folder: Path, *, version: str = "1", more: str = "") -> ClassifierVersion:
    """The graph, registered by its card, which begins with `more`."""
    weights = colour_graph(folder / "colour-eyes.onnx")
    card = folder / f"colour-eyes-{version}.toml"
    card.write_text(more + CARD.format(version=version, sha256=registry.digest(weights)))
    return registry.register(card)


def heads(
    folder: Path,
    backbone: ClassifierVersion,
    rows: Mapping[str, Sequence[float]],
    *,
    name: str = "heads",
    version: str = "1",
) -> ClassifierVersion:
    """Registered heads on `backbone`: a row of weights a category, and a last number for its bias."""
    table = np.array(list(rows.values()), dtype=np.float32)
    weights = folder / f"{name}-{version}.safetensors"
    Heads(tuple(rows), table[:, :-1], table[:, -1], (Calibration(),) * len(rows)).save(weights)
    card = {"name": name, "version": version, "kind": "heads", "backbone": backbone.ref, "licence": "Apache-2.0"}
    card |= {"weights": weights.name, "sha256": registry.digest(weights)}
    return registry.register(cards.dump(card, folder / f"{name}-{version}.toml"))


def publish(
    *refs: str, bands: Mapping[str, Mapping[str, float | None]] | None = None, audit_rate: float = 0.0, **more: Any
) -> TriagePlan:
    body = {"bands": bands or BANDS, "classifiers": list(refs), "audit_rate": audit_rate, **more}
    past = Past("a world is made for a test", "test")
    return policies.publish_plan(body, note="for a test", actor=Actor.command("test"), past=past)


def submit(platform: Client, image: bytes | None = None, *, awaited: bool = False, **fields: Any) -> Submission:
    declared, actor = ingest.Declared(**fields), Actor.command("test")
    accepted = ingest.accept(platform, image or png(red=0.5), fields=declared, actor=actor, awaited=awaited)
    return accepted.submission


def triaged(platform: Client, image: bytes | None = None, **fields: Any) -> Submission:
    submission = submit(platform, image, **fields)
    run_once()
    submission.refresh_from_db()
    return submission
