"""An ONNX graph in the making. onnx is imported inside."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Graph:
    """Nodes and constants, named in order, so that equal heads give equal files."""

    def __init__(self) -> None:
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def add(self, operator: str, *inputs: str, named: str = "", **attributes: Any) -> str:
        from onnx import helper

        name = named or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], **attributes))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        return self._kept(np.ascontiguousarray(value, dtype=np.float64).reshape(np.shape(value)))

    def whole(self, value: list[int]) -> str:
        return self._kept(np.array(value, dtype=np.int64))

    def _kept(self, value: NDArray[Any]) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(value, name))
        return name
