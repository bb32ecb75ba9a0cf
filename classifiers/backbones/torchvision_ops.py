"""Import this before torchvision, everywhere.

Where torch is the CPU build and torchvision's wheel was built for CUDA, torchvision's own ops library cannot be loaded
and
``import torchvision`` dies with "operator torchvision::nms does not exist". Nothing here uses these two operators, so
declaring their schemas is enough.
"""

import importlib.util
from pathlib import Path
from typing import Final

import torch

_SCHEMAS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)


def _load_own_library() -> bool:
    spec = importlib.util.find_spec("torchvision")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for library in sorted(Path(folder).glob("_C*.so")) + sorted(Path(folder).glob("_C*.dylib")):
            try:
                torch.ops.load_library(library)
            except OSError:
                continue
            return True
    return False


def _declare() -> torch.library.Library:
    library = torch.library.Library("torchvision", "DEF")
    for schema in _SCHEMAS:
        library.define(schema)
    return library


# Kept for the life of the process: a Library that is collected takes its operators with it.
LIBRARY: Final = None if _load_own_library() else _declare()
