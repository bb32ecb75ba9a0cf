"""Weights that torchvision publishes: where they are, and how they want to be fed."""

import re
from typing import Any

from classifiers.base import CardError
from classifiers.shapes import InputSpec


def address(name: str, *, sha256: str) -> str:
    """Where the weights of this enum (``ResNet50_Weights.IMAGENET1K_V2``) are; CardError where the hash that their
    file name carries is not the beginning of ``sha256``."""
    url = str(_weights(name).url)
    stamp = re.search(r"-([0-9a-f]{8,64})\.\w+$", url)
    if stamp and not sha256.startswith(stamp[1]):
        raise CardError(f"sha256 of {name} begins with {stamp[1]}, the card says {sha256}: mend the card")
    return url


def architecture(name: str) -> str:
    """The architecture these weights are for, as ``torchvision.models.get_model`` knows it."""
    weights = _weights(name)
    from torchvision.models import get_model_weights, list_models

    return str(next(model for model in list_models() if get_model_weights(model) is type(weights)))


def preset(name: str) -> InputSpec:
    """The weights' own preprocessing: the shorter side to one size, the middle square of another cut out of it."""
    transforms = _weights(name).transforms()
    try:
        [crop], [resized] = transforms.crop_size, transforms.resize_size
        return InputSpec(
            size=int(crop),
            resize="crop",
            keep=min(1.0, crop / resized),
            interpolation=str(transforms.interpolation.value),
            mean=tuple(transforms.mean),
            std=tuple(transforms.std),
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise CardError(f"{name} is fed in a way of its own: say it as [input]") from error


def _weights(name: str) -> Any:
    import classifiers.backbones.torchvision_ops  # noqa: F401, I001  must come before torchvision
    from torchvision.models import get_weight

    try:
        return get_weight(name)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise CardError(f"torchvision publishes no weights {name!r}") from error
