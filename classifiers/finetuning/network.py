"""The network while it is taught. Imports torch: import it late."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import classifiers.backbones.torchvision_ops  # noqa: F401 - must come before torchvision
from classifiers.backbones.states import read_state
from classifiers.base import FloatArray
from classifiers.finetuning.album import Album
from classifiers.finetuning.recipes import BackboneRecipe
from classifiers.fitting import cross_entropy
from classifiers.shapes import InputSpec
from classifiers.training.checkpoints import Checkpoints
from classifiers.training.faults import TrainingError

import torch  # isort: skip

STAGE = "network"


class Group:
    """The processes that teach together, as torchrun says; alone, it is a group of one."""

    def __init__(self) -> None:
        self.rank, self.size = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        cuda = torch.cuda.is_available()
        if cuda:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        self.device = torch.device("cuda" if cuda else "cpu")

    @contextmanager
    def together(self) -> Iterator[None]:
        if self.size == 1:
            yield
            return
        torch.distributed.init_process_group("nccl" if self.device.type == "cuda" else "gloo")
        try:
            yield
        finally:
            torch.distributed.destroy_process_group()

    def agreed(self, value: float) -> float:
        """What the first process says, in all of them."""
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        torch.distributed.broadcast(shared, src=0)
        return float(shared.item())

    def summed(self, value: float) -> float:
        if self.size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(shared)
        return float(shared.item())


class Pupil:
    """A network, what moves it, and how it is fed. With CUDA it is moved in mixed precision: bfloat16 where the device
    has it, else float16 with its losses scaled."""

    def __init__(self, album: Album, recipe: BackboneRecipe, spec: InputSpec, group: Group, start: Path | None) -> None:
        self.album, self.recipe, self.spec, self.group = album, recipe, spec, group
        self.network = newborn(recipe, len(album.categories), start).to(group.device)
        self.moved: Any = self.network
        if group.size > 1:
            self.moved = torch.nn.parallel.DistributedDataParallel(self.network)
        self.solver = torch.optim.AdamW(self.network.parameters(), lr=recipe.learning_rate, weight_decay=recipe.decay)
        self.half = torch.float32
        if group.device.type == "cuda":
            self.half = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        self.scaler = torch.amp.GradScaler(group.device.type, enabled=self.half == torch.float16)

    def epoch(self, number: int) -> Iterator[tuple[float, float]]:
        """Teach one epoch; after each step the share of the epoch that is done, and the mean loss so far. What it does
        follows from the seed, its number and the number of processes."""
        rng = torch.Generator().manual_seed(self.recipe.seed * 1_000_003 + number)
        taught = torch.from_numpy(self.album.taught)
        order = taught[torch.randperm(len(taught), generator=rng)]
        mirrored = torch.rand(len(taught), generator=rng) < 0.5
        steps = -(-len(order) // self.recipe.batch)
        average, lost, weighed = float(self.album.mass.sum()) / len(taught), 0.0, 0.0
        self.moved.train()
        torch.manual_seed(self.recipe.seed * 1_000_003 + number * 1009 + self.group.rank)  # for layers that draw lots
        for step in range(steps):
            self._aim(number - 1 + step / steps)
            whole = slice(step * self.recipe.batch, (step + 1) * self.recipe.batch)
            rows, turned = order[whole][self.group.rank :: self.group.size], mirrored[whole]
            count = len(order[whole])
            if len(rows) == 0:  # every process takes part in every step
                rows, turned = order[whole][:1], turned[:1]
                gain = 0.0
            else:
                turned, gain = turned[self.group.rank :: self.group.size], 1.0
            loss, mass = self._loss(rows.numpy(), turned)
            # Gradients are averaged over the processes: by the size of the whole batch, it counts as one.
            scaled = loss * (gain * self.group.size / (average * count))
            self.solver.zero_grad()
            self.scaler.scale(scaled).backward()
            self.scaler.step(self.solver)
            self.scaler.update()
            lost, weighed = lost + gain * float(loss.detach()), weighed + gain * mass
            yield (step + 1) / steps, lost / max(weighed, 1e-12)

    def _loss(self, rows: NDArray[np.int64], turned: torch.Tensor) -> tuple[torch.Tensor, float]:
        pixels = torch.from_numpy(self.album.pixels(rows, self.spec))
        pixels[turned] = pixels[turned].flip(-1)
        known = (self.album.target[rows], self.album.mass[rows])
        target, mass = (torch.from_numpy(part).to(self.group.device) for part in known)
        with torch.autocast(self.group.device.type, dtype=self.half, enabled=self.half != torch.float32):
            logits = self.moved(pixels.to(self.group.device))
        return cross_entropy(logits.float(), target, mass, focal=self.recipe.focal), float(mass.sum())

    def _aim(self, epochs: float) -> None:
        """The rate falls along half a cosine, so that it is known without what came before."""
        share = min(1.0, epochs / self.recipe.epochs)
        for one in self.solver.param_groups:
            one["lr"] = self.recipe.learning_rate * 0.5 * (1 + np.cos(np.pi * share))

    def logits(self, rows: NDArray[np.int64]) -> FloatArray:
        """float32 [N, K] of these images."""
        self.network.eval()
        found = []
        with torch.inference_mode():
            for start in range(0, len(rows), self.recipe.batch):
                pixels = torch.from_numpy(self.album.pixels(rows[start : start + self.recipe.batch], self.spec))
                found.append(self.network(pixels.to(self.group.device)).float().cpu().numpy())
        return np.concatenate(found) if found else np.empty((0, len(self.album.categories)), np.float32)

    def state(self) -> dict[str, torch.Tensor]:
        """A copy of the weights on the CPU."""
        return {name: value.detach().cpu().clone() for name, value in self.network.state_dict().items()}

    def keep(self, kept: Checkpoints, epoch: int, best: Mapping[str, torch.Tensor], said: Mapping[str, Any]) -> None:
        tensors = {f"now.{name}": value for name, value in self.state().items()}
        tensors |= {f"best.{name}": value for name, value in best.items()}
        for number, weight in enumerate(self.network.parameters()):
            tensors |= {f"solver.{number}.{part}": value.cpu() for part, value in self.solver.state[weight].items()}
        kept.save(STAGE, tensors, {**said, "epoch": epoch, "scale": self.scaler.state_dict()})

    def restore(self, kept: Checkpoints) -> tuple[dict[str, torch.Tensor], dict[str, Any]] | None:
        """The best weights so far and what was said, with the network where it was; None where nothing was kept."""
        if (found := kept.load(STAGE)) is None:
            return None
        tensors, said = found
        self.network.load_state_dict(
            {name.removeprefix("now."): value for name, value in tensors.items() if name.startswith("now.")}
        )
        for number, weight in enumerate(self.network.parameters()):
            start = f"solver.{number}."
            self.solver.state[weight] = {
                name.removeprefix(start): value if name.endswith(".step") else value.to(self.group.device)
                for name, value in tensors.items()
                if name.startswith(start)
            }
        if said["scale"]:
            self.scaler.load_state_dict(said["scale"])
        # In the network's own order, by which its last layer is known; a file keeps another.
        return {name: tensors[f"best.{name}"] for name in self.network.state_dict()}, said


def newborn(recipe: BackboneRecipe, categories: int, start: Path | None) -> torch.nn.Module:
    """The architecture with a last layer for so many categories, from ``start`` or drawn from the seed. Of weights for
    other classes all but the last layer is taken."""
    from torchvision.models import get_model

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        try:
            network: torch.nn.Module = get_model(recipe.architecture, weights=None, num_classes=categories)
        except ValueError as error:
            raise TrainingError(f"torchvision has no architecture {recipe.architecture!r}: {error}") from error
    if start is not None:
        state, own = dict(read_state(start)), network.state_dict()
        for name in list(own)[-2:]:
            state[name] = own[name]
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise TrainingError(f"{start.name} holds no weights of {recipe.architecture}: {error}") from error
    return network
