"""A whole torchvision network taught on the images of a manifest: on a CPU, on CUDA, on several devices by torchrun.

torch is imported inside functions and by ``network`` alone, which is imported late.
"""

from classifiers.finetuning.candidates import Network
from classifiers.finetuning.recipes import BackboneRecipe
from classifiers.finetuning.teaching import train_backbone

__all__ = ["BackboneRecipe", "Network", "train_backbone"]
