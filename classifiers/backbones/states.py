"""State dicts: tensors by name, read without running anything."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from classifiers.base import CardError

if TYPE_CHECKING:
    import torch


def read_state(path: Path) -> "Mapping[str, torch.Tensor]":
    """The tensors of a safetensors file or of a state dict that ``torch.save`` wrote. The latter is a pickle inside a
    zip: torch's reader builds tensors and nothing else from it, and refuses all other content unexecuted."""
    import torch

    if path.suffix.lower() == ".safetensors":
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except SafetensorError as error:
            raise CardError(f"{path.name} is not a safetensors file, or was cut short: {error}") from error
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises as many kinds as a file has ways to be wrong
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise CardError(f"{path.name} is no state dict of tensors only: {reason[0][:300]}") from error
    if not isinstance(state, Mapping) or not all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in state.items()
    ):
        raise CardError(f"{path.name} holds more than a state dict: save model.state_dict() alone, best as safetensors")
    return state
