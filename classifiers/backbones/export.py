"""From a torch network to an ONNX file that takes any number of pictures."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

OPSET = 18


def export_onnx(
    network: "torch.nn.Module",
    path: Path,
    *,
    size: int,
    output_names: Sequence[str],
    input_name: str = "image",
) -> None:
    """Write ``network`` (float32 [N, 3, size, size] -> tuple of [N, ...]) to ``path`` as one file, N left open."""
    import torch

    with warnings.catch_warnings():
        # torch 2.13's own exporter trips over a deprecation of torch's own pytree.
        warnings.filterwarnings("ignore", message=r".*LeafSpec.*", category=FutureWarning)
        program = torch.onnx.export(
            network.eval(),
            (torch.zeros(2, 3, size, size),),
            input_names=[input_name],
            output_names=list(output_names),
            opset_version=OPSET,
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
            verbose=False,
        )
    assert program is not None
    program.save(path, external_data=False)
