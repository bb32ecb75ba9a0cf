"""From labels to heads: recipes, groups, solvers, settling, and the candidate that comes of them.

torch is imported inside functions: only a worker or a command ever pays for it.
"""

from classifiers.training.candidates import OWN_LABELS, Candidate
from classifiers.training.faults import TrainingError
from classifiers.training.recipes import Recipe
from classifiers.training.teaching import train_heads

__all__ = ["OWN_LABELS", "Candidate", "Recipe", "TrainingError", "train_heads"]
