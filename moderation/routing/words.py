"""What goes into routing and what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from moderation.plans import Served, Zone
from moderation.stops import NOTHING, Stops

Action = Literal["approve", "review", "block", "quarantine"]
DemandCode = Literal["match", "rule", "rule_error", "term", "contradiction"]


@dataclass(frozen=True, slots=True)
class Demand:
    """What evidence asks for whatever the bands say: a known image, a rule, a term. `detail` names it for people."""

    action: Literal["review", "block", "quarantine"]
    code: DemandCode
    category: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """One signal's word, as routing sees it: a network, a bank of known images, a term list, a rule. `error` says why
    it has none. `tightened_by` names, a category, what in the signal tightens it, where the signal's own name is not
    enough.
    """

    classifier: str
    probabilities: Mapping[str, float] = field(default_factory=dict)
    error: str = ""
    demands: tuple[Demand, ...] = ()
    tighten: Mapping[str, float] = field(default_factory=dict)
    queue: str = ""
    tightened_by: Mapping[str, str] = field(default_factory=dict)

    def only_looks(self, category: str) -> bool:
        """Whether all that this signal asks about a known image of the category is that a person looks."""
        asked = {one.action for one in self.demands if one.code == "match" and one.category == category}
        return asked == {"review"}

    @classmethod
    def read(cls, classifier: str, probabilities: Mapping[str, float], shown: Mapping[str, Any]) -> Self:
        """From a finding: its probabilities, and what it showed (`classifiers.base.Shown`)."""
        if not shown:
            return cls(classifier, probabilities)
        demands = tuple(Demand(**each) for each in shown.get("demands", ()))
        return cls(
            classifier,
            probabilities,
            "",
            demands,
            shown.get("tighten", {}),
            shown.get("queue", ""),
            shown.get("tightened_by", {}),
        )


@dataclass(frozen=True, slots=True)
class Precedent:
    """What people decided of a near-duplicate, by guidelines that are still in force: `approve` in the `categories`
    they had in mind, `block` as `category`; `review` where only people may decide, or where they disagreed.
    """

    action: Literal["approve", "review", "block"]
    categories: frozenset[str]
    decision: str
    submission: str = ""
    category: str = ""


@dataclass(frozen=True, slots=True)
class Context:
    """`draw` in [0, 1) is the audit lot of this image: a keyed hash of its id, so that it is repeatable and
    unpredictable. `precedent` counts where the plan lets decisions settle copies. `stopped` is what no machine may
    decide now; `capped`, what had reached its cap on blocks a day (plan, category or client) when the image came;
    `served`, to whom the image is shown.
    """

    draw: float = 1.0
    precedent: Precedent | None = None
    stopped: Stops = NOTHING
    capped: str = ""
    served: Served = field(default_factory=Served)

    def stored(self) -> dict[str, Any]:
        """What replay needs of it: JSON, without what is as usual, and without `served`, which was declared."""
        said: dict[str, Any] = {} if self.draw == 1.0 else {"draw": self.draw}
        if self.precedent is not None:
            said["precedent"] = {**asdict(self.precedent), "categories": sorted(self.precedent.categories)}
        said |= {"stopped": self.stopped.stored()} if self.stopped else {}
        return said | ({"capped": self.capped} if self.capped else {})

    @classmethod
    def read(cls, stored: Mapping[str, Any], served: Served = Served()) -> Self:  # noqa: B008 - never changes
        """From `stored`."""
        said = stored.get("precedent")
        precedent = Precedent(**{**said, "categories": frozenset(said["categories"])}) if said else None
        stopped = Stops.of(stored.get("stopped", ()))
        return cls(stored.get("draw", 1.0), precedent, stopped, stored.get("capped", ""), served)


@dataclass(frozen=True, slots=True)
class Why:
    """One reason, in a form that can be put into words in any language (`moderation.wording`). `approve` and `block`
    are the cuts as they held for this image: lower by `tightened` than the plan's, for `tightened_by`, a category or
    the name of a rule or signal. `overlay` names whose cuts they are where they are not the plan's own.
    """

    code: (
        Literal["no_plan", "classifier_error", "unknown_category", "block", "between", "below", "copy"]
        | Literal["stopped", "capped"]
        | DemandCode
    )
    category: str = ""
    probability: float | None = None
    approve: float | None = None
    block: float | None = None
    detail: str = ""
    tightened: float | None = None
    tightened_by: str = ""
    overlay: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """By how much a category's cuts are lower for one image, and for whose sake."""

    by: float
    whose: str


@dataclass(frozen=True, slots=True)
class Route:
    """`category` is the one that stands out most; `inclusion_probability`, the chance that a person sees the image;
    `grounds`, the reasons that block it, each of which would do. `territories` has the route in each of them, where
    they are not all treated alike; this one is then the strictest of them.
    """

    action: Action
    why: tuple[Why, ...]
    category: str = ""
    zones: Mapping[str, Zone] = field(default_factory=dict)
    probabilities: Mapping[str, float] = field(default_factory=dict)
    failed: bool = False
    audit: bool = False
    inclusion_probability: float = 1.0
    queue: str = ""
    precedent: Precedent | None = None
    grounds: tuple[Why, ...] = ()
    territories: Mapping[str, Route] = field(default_factory=dict)

    @property
    def asking(self) -> Route | None:
        """The route that a person must answer, if only for some of the territories."""
        return (
            self
            if self.action == "review"
            else next((one for _place, one in sorted(self.territories.items()) if one.action == "review"), None)
        )
