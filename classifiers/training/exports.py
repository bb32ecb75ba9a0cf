"""Heads as an ONNX graph, from embeddings to calibrated probabilities. onnx is imported inside."""

from pathlib import Path

import numpy as np

from classifiers.heads import Heads
from classifiers.training.graphs import Graph

OPSET = 18
INPUT, OUTPUT = "embedding", "probabilities"


def write_onnx(heads: Heads, path: Path) -> None:
    """A graph that says of embeddings (float32 [N, D]) what ``heads.apply`` says: float32 [N, K], in double precision
    on the way. Its metadata name the categories in order."""
    import json

    import onnx
    from onnx import TensorProto, helper

    graph = Graph()
    seen = graph.add("Cast", INPUT, to=TensorProto.DOUBLE)
    logits = graph.add("MatMul", seen, graph.constant(heads.weight.T))
    if heads.normalised:
        length = graph.add("ReduceL2", seen, graph.whole([1]), keepdims=1)
        logits = graph.add("Div", logits, graph.add("Max", length, graph.constant(np.array(1e-12))))
    logits = graph.add("Add", logits, graph.constant(heads.bias))
    if heads.hidden is not None:
        units = graph.add("MatMul", seen, graph.constant(heads.hidden.weight.T))
        units = graph.add("Relu", graph.add("Add", units, graph.constant(heads.hidden.bias)))
        logits = graph.add("Add", logits, graph.add("MatMul", units, graph.constant(heads.hidden.out.T)))
    said = [_curve(graph, heads, k, logits) for k in range(len(heads.categories))]
    graph.add("Cast", graph.add("Concat", *said, axis=1), to=TensorProto.FLOAT, named=OUTPUT)
    proto = helper.make_graph(
        graph.nodes,
        "heads",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", heads.embedding_size])],
        [helper.make_tensor_value_info(OUTPUT, TensorProto.FLOAT, ["n", len(heads.categories)])],
        graph.constants,
    )
    model = helper.make_model(proto, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    helper.set_model_props(model, {"categories": json.dumps(heads.categories)})
    part = path.with_suffix(".onnx.part")
    onnx.save(model, str(part))
    part.replace(path)


def _curve(graph: Graph, heads: Heads, k: int, logits: str) -> str:
    """The probability of one head, [N, 1]: a logistic curve, or straight lines between knots as a sum of ramps."""
    mine, curve = graph.add("Gather", logits, graph.whole([k]), axis=1), heads.calibrations[k]
    if not curve.knots:
        scaled = graph.add("Mul", mine, graph.constant(np.array([curve.scale])))
        return graph.add("Sigmoid", graph.add("Add", scaled, graph.constant(np.array([curve.shift]))))
    table = np.asarray(curve.knots, dtype=np.float64)
    at, high = table[:, 0], table[:, 1]
    slopes = np.concatenate([[0.0], np.diff(high) / np.maximum(np.diff(at), 1e-300), [0.0]])
    # Ramps cancel only where nothing lies far outside the knots.
    inside = graph.add("Clip", mine, graph.constant(np.array(at[0])), graph.constant(np.array(at[-1])))
    ramps = graph.add("Relu", graph.add("Sub", inside, graph.constant(at[None])))
    rise = graph.add("MatMul", ramps, graph.constant(np.diff(slopes)[:, None]))
    return graph.add("Add", rise, graph.constant(np.array([high[0]])))
