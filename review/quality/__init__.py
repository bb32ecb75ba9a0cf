"""How well people decide, and how far they agree: measures with their sources, and what is kept of them."""

from review.quality.observers import Estimate, dawid_skene
from review.quality.reliability import (
    cohen_kappa,
    gwet_ac1,
    krippendorff_alpha,
    krippendorff_interval,
    positive_agreement,
)

__all__ = [
    "Estimate",
    "cohen_kappa",
    "dawid_skene",
    "gwet_ac1",
    "krippendorff_alpha",
    "krippendorff_interval",
    "positive_agreement",
]
