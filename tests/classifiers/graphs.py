"""Tiny ONNX networks and their cards, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from onnx import TensorProto, helper

from classifiers import cards
from classifiers.weights import file_sha256

MEAN_COLOURS = ("red", "green", "blue")


def mean_colour(path: Path, *, batch: int | str = "N", size: int = 8, classes: int = 3) -> Path:
    """A network whose `embedding` and `probabilities` are the means of the channels it is fed."""
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, size, size])
    outputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [batch, 3]) for n in ("embedding", "probabilities")]
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["embedding"]),
        helper.make_node("Identity", ["embedding"], ["probabilities"]),
    ]
    graph = helper.make_graph(nodes, "mean", [image], outputs)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), str(path))
    return path


def colour_table(weights: Path, /, **changes: Any) -> dict[str, Any]:
    """A right card for `mean_colour`; `changes` replace entries, None removes one."""
    table: dict[str, Any] = {
        "name": "mean-colour",
        "version": "1",
        "kind": "onnx",
        "weights": weights.name,
        "sha256": file_sha256(weights),
        "licence": "Apache-2.0",
        "input": {"size": 8, "scale": 1 / 255},
        "embedding": {"output": "embedding", "size": 3},
        "outputs": [{"name": "probabilities", "classes": list(MEAN_COLOURS)}],
        "categories": [
            {"code": "VIOLENCE_GORE", "expression": "red"},
            {"code": "OTHER", "expression": "max(green, blue) / 2"},
        ],
    }
    return {key: value for key, value in (table | changes).items() if value is not None}


def colour_card(folder: Path, /, **changes: Any) -> Path:
    weights = mean_colour(folder / "mean.onnx")
    return cards.dump(colour_table(weights, **changes), folder / "mean.toml")
