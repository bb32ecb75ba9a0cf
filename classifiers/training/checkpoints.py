"""Checkpoints: what a training that was killed goes on from."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class Checkpoints:
    """The latest state of each stage of one training, a safetensors file a stage in ``folder`` (None: nothing is kept).

    ``key`` names the labels and the recipe: what was kept for others is not found.
    """

    def __init__(self, folder: Path | None, *, key: str) -> None:
        self.folder, self.key = folder, key

    def load(self, stage: str) -> "tuple[dict[str, torch.Tensor], dict[str, Any]] | None":
        """What ``save`` kept of the stage last, or None."""
        from safetensors import SafetensorError, safe_open

        if self.folder is None or not (path := self.folder / f"{stage}.safetensors").is_file():
            return None
        try:
            with safe_open(path, framework="pt") as file:
                said = json.loads((file.metadata() or {}).get("said", "{}"))
                if said.get("key") != self.key:
                    return None
                return {name: file.get_tensor(name) for name in file.keys()}, said  # noqa: SIM118 - no mapping
        except (SafetensorError, ValueError, OSError):
            return None  # cut short by the machine going down: the stage begins anew

    def save(self, stage: str, tensors: "Mapping[str, torch.Tensor]", said: Mapping[str, Any]) -> None:
        """Afterwards the stage goes on from here. Only its owner can read the file: under differential privacy it holds
        the state of the noise."""
        from safetensors.torch import save_file

        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = self.folder / f"{stage}.safetensors"
        part = path.with_suffix(f".{os.getpid()}.part")
        part.touch(mode=0o600)
        whole = {name: value.contiguous() for name, value in tensors.items()}
        save_file(whole, part, metadata={"said": json.dumps({**said, "key": self.key})})
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
