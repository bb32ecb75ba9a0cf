"""A small network that looks for things anywhere in a picture. Imports torch: import it late."""

import classifiers.backbones.torchvision_ops  # noqa: F401, I001  must come before torchvision
import torch
from torch import nn
from torchvision.ops import Conv2dNormActivation

WIDTH = 24
_LIMIT = 8.0


class Finder(nn.Module):
    """Six convolutions, stride 8, a field of view of 55 pixels; then, at each place, one logit a thing.

    It learns from patches that hold one thing each, then looks at whole pictures at two scales: what is strongest
    anywhere counts. That needs far fewer pictures than learning from whole scenes alone, where most pixels say nothing.
    """

    def __init__(self, things: int, *, width: int = WIDTH) -> None:
        super().__init__()
        self.features = nn.Sequential(
            Conv2dNormActivation(3, width, 3, 2),
            Conv2dNormActivation(width, 2 * width, 3, 2),
            Conv2dNormActivation(2 * width, 2 * width, 3),
            Conv2dNormActivation(2 * width, 4 * width, 3, 2),
            Conv2dNormActivation(4 * width, 4 * width, 3),
            Conv2dNormActivation(4 * width, 4 * width, 3),
        )
        self.things = nn.Conv2d(4 * width, things, 1)
        assert self.things.bias is not None
        nn.init.constant_(self.things.bias, -3.0)

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        """[N, 3, S, S] in -1 … 1 -> [N, things] logits, the strongest anywhere."""
        found: torch.Tensor = self.things(self.features(image)).amax((2, 3))
        return found

    def at_two_scales(self, image: torch.Tensor) -> torch.Tensor:
        """As ``forward``, with large things seen at half scale, where they fit into the field of view."""
        return torch.maximum(self(image), self(nn.functional.avg_pool2d(image, 2)))


class Eyes(nn.Module):
    """``Finder`` on whole pictures: the embedding is the evidence for each thing, as probability and as logit."""

    def __init__(self, finder: Finder) -> None:
        super().__init__()
        self.finder = finder

    def forward(self, image: torch.Tensor) -> tuple[torch.Tensor]:
        """[N, 3, S, S] in -1 … 1 -> ([N, 2 x things],)."""
        evidence = self.finder.at_two_scales(image)
        return (torch.cat([torch.sigmoid(evidence), evidence.clamp(-_LIMIT, _LIMIT) / _LIMIT], dim=1),)
