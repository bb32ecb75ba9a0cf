"""How a model of the transformers library wants to be fed, read from the files beside its weights."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from classifiers.base import CardError
from classifiers.shapes import InputSpec

# Pillow's numbers, by which these files name a filter.
_FILTERS: Final = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box", 5: "hamming"}


def read_object(path: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CardError(f"{path.name} cannot be read: {error}") from error
    if not isinstance(found, dict):
        raise CardError(f"{path.name} holds no JSON object")
    return found


def processor_input(folder: Path) -> InputSpec:
    """The preprocessing as ``[input]`` would say it; CardError where there is none, or one that ``[input]`` cannot
    say."""
    values: Mapping[str, Any] = {}
    for name, key in (("preprocessor_config.json", None), ("processor_config.json", "image_processor")):
        if (folder / name).is_file():
            values = read_object(folder / name)
            values = values.get(key) or {} if key else values
            break
    if not values:
        raise CardError(f"{folder.name} has no preprocessor_config.json: give [input] in the card")
    try:
        return _spec(values)
    except (KeyError, TypeError, ValueError) as error:
        raise CardError(f"the preprocessing of {folder.name} is of another kind: give [input] in the card") from error


def _spec(values: Mapping[str, Any]) -> InputSpec:
    size, resize, keep = _size(values)
    normalised = values.get("do_normalize", True)
    mean = tuple(map(float, values["image_mean"])) if normalised else (0.0, 0.0, 0.0)
    std = tuple(map(float, values["image_std"])) if normalised else (1.0, 1.0, 1.0)
    (r, g, b), (x, y, z) = mean, std
    if 0 in std:
        raise ValueError("a standard deviation of 0 divides")
    return InputSpec(
        size=size,
        resize=resize,
        keep=keep,
        interpolation=_FILTERS[values.get("resample", 2)],
        scale=float(values.get("rescale_factor", 1 / 255)) if values.get("do_rescale", True) else 1.0,
        mean=(r, g, b),
        std=(x, y, z),
    )


def _size(values: Mapping[str, Any]) -> tuple[int, str, float]:
    size = values["size"]
    size = {"height": size, "width": size} if isinstance(size, int) else size
    edge = size.get("shortest_edge")
    if values.get("do_center_crop"):
        crop = values["crop_size"]
        crop = {"height": crop, "width": crop} if isinstance(crop, int) else crop
        whole = edge or _square(size)
        side = _square(crop)
        return side, "crop" if edge else "stretch", min(1.0, side / whole) if edge else _unit(side, whole)
    if edge:
        return int(edge), "crop", float(values["crop_pct"])
    return _square(size), "stretch", 1.0


def _square(size: Mapping[str, Any]) -> int:
    if size["height"] != size["width"]:
        raise ValueError("not square")
    return int(size["height"])


def _unit(side: int, whole: int) -> float:
    if side != whole:
        raise ValueError("stretched, then cropped")
    return 1.0
