"""Recipes: everything that decides the outcome besides the labels."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from classifiers.training.faults import TrainingError

KINDS = ("linear", "mlp")
FIRST = frozenset(
    {"ridge", "anchor", "balance", "balance_limit", "max_share", "prior_weight"}
    | {"fewest", "fewest_validation", "thin", "folds", "iterations"}
)
"""Fields of the first edition. Later ones count in the digest only where they differ from their defaults, so that
what was trained before is still known by its digest."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides the outcome besides the labels.

    ``ridge`` is the precision of a Gaussian prior on the weights (of standardised embeddings), centred on the previous
    heads, or on zero when there are none. The loss is a sum over labels, so the prior is worth a fixed number of them:
    a dozen labels move a head a little, hundreds move it where they say, and nothing is forgotten about directions in
    which the new labels do not vary. ``anchor`` multiplies the ridge where there is a previous head.

    ``balance`` 0-1 is how far the rarer class is weighed up towards parity (at most ``balance_limit`` times);
    calibration undoes the shift in level. An audited label stands for many unseen ones by its weight (the inverse of
    its chance to be drawn, to the power of ``propensity``: 0 counts all alike), but is one look: none weighs more than
    ``max_share`` of its split, which trims it while labels are few and leaves it alone later. ``focal`` is the exponent
    of Lin et al. 2017, (1 - p)^focal: above 0 labels that are easy already count less.

    A category needs ``fewest`` labels of each class in the training split, else its head stays as it is. Where the
    calibration half of validation holds fewer than ``thin`` labels of the rarer class, calibration also uses
    out-of-fold logits of ``folds`` folds; with fewer than ``fewest_validation`` the calibration stays.
    ``prior_weight`` is how many labels the previous calibration is worth: labels from review come from the doubtful
    middle and say little about the level elsewhere.

    ``kind`` linear is solved by L-BFGS in at most ``iterations``. ``mlp`` adds ``hidden`` rectified units that all
    heads share to the linear part, by Adam (``learning_rate``, ``batch``, ``seed``) for at most ``epochs``; it stops
    when log loss on the validation half that thresholds are picked on has not fallen for ``patience`` epochs, and the
    best epoch stays.

    ``reweigh`` weighs each label so that group and label are independent (Kamiran and Calders 2012). ``adversarial``
    is the strength of an adversary that reads the group from the score, by gradient reversal (Zhang et al. 2018).
    ``group`` is the declared column; where a file declares groups, ``declared`` is the digest of what it says. A
    ``target_epsilon`` above 0 trains by DP-SGD with ``delta`` (0: the smaller of 1e-5 and a tenth of 1 / pictures) and
    gradients clipped at ``max_grad_norm``.
    """

    ridge: float = 10.0
    anchor: float = 1.0
    balance: float = 0.5
    balance_limit: float = 10.0
    max_share: float = 0.015
    prior_weight: float = 100.0
    fewest: int = 4
    fewest_validation: int = 3
    thin: int = 50
    folds: int = 5
    iterations: int = 200
    kind: str = "linear"
    propensity: float = 1.0
    focal: float = 0.0
    hidden: int = 64
    epochs: int = 40
    patience: int = 5
    batch: int = 256
    learning_rate: float = 0.003
    seed: int = 0
    group: str = "generator"
    reweigh: bool = False
    adversarial: float = 0.0
    declared: str = ""
    target_epsilon: float = 0.0
    delta: float = 0.0
    max_grad_norm: float = 1.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise TrainingError(f"recipe: kind is one of {', '.join(KINDS)}, not {self.kind!r}")
        for name in ("hidden", "epochs", "batch", "learning_rate", "max_grad_norm"):
            if getattr(self, name) <= 0:
                raise TrainingError(f"recipe: {name} must be above 0")
        if self.private and (self.kind != "linear" or self.reweigh or self.adversarial):
            raise TrainingError(
                "recipe: differential privacy trains linear heads, without reweigh and adversarial: group counts and "
                "what an adversary learns would leave the training uncounted"
            )
        if not 0 <= self.delta < 1:
            raise TrainingError("recipe: delta is a probability below 1")

    @classmethod
    def parse(cls, table: Mapping[str, Any]) -> "Recipe":
        """A recipe from a TOML or JSON table; TrainingError for what it does not know."""
        known = {field.name: field.type for field in fields(cls)}
        for key, value in table.items():
            if key not in known:
                raise TrainingError(f"recipe: {key} is unknown; there are {', '.join(known)}")
            check_value(key, value, known[key])
        return cls(**table)

    @property
    def private(self) -> bool:
        return self.target_epsilon > 0

    @property
    def grouped(self) -> bool:
        """Whether it needs to know groups."""
        return self.reweigh or self.adversarial > 0

    @property
    def digest(self) -> str:
        """Hex name of the recipe."""
        said, usual = asdict(self), asdict(_USUAL)
        kept = {name: value for name, value in said.items() if name in FIRST or value != usual[name]}
        return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()

    def describe(self) -> dict[str, Any]:
        """The table of a card: all of it, so that nobody has to know what the defaults were."""
        return asdict(self)


def check_value(key: str, value: Any, wanted: Any) -> None:
    """TrainingError unless a field of this type may be so."""
    if wanted in {bool, str}:
        if not isinstance(value, wanted):
            raise TrainingError(f"recipe: {key} must be {'true or false' if wanted is bool else 'a text'}")
        return
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise TrainingError(f"recipe: {key} must be a number that is not negative")
    if wanted is int and not isinstance(value, int):
        raise TrainingError(f"recipe: {key} must be a whole number")


_USUAL = Recipe()
