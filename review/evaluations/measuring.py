"""From labels and versions to figures, as an `Evaluation` keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from django.utils.translation import gettext as _

from classifiers import fairness
from classifiers.evaluation import reliability
from classifiers.evaluations import curves, slicing
from classifiers.evaluations.comparing import CANDIDATE, INCUMBENT, compare
from classifiers.evaluations.resampling import REPLICATES, SEED
from classifiers.evaluations.samples import Samples, coded
from moderation.certificates.burden import Burden, burdens
from moderation.policies import parsed
from review.evaluations import attacking, living, moving
from review.evaluations.declaring import GROUPS, UNDECLARED, Declared, checked, declared, groups
from review.evaluations.labelled import Labelled, NothingToMeasure, key_of
from review.evaluations.learning import Learnt, learnt
from review.evaluations.scoring import scores, unchanged

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from classifiers.manifests import Manifest
    from classifiers.models import ClassifierVersion
    from moderation.models import TriagePlan
    from moderation.plans import Band

SCHEMA: Final = 1
BY: Final = ("generator", "seen", *GROUPS)
ALPHA: Final = 0.01
DELTA: Final = 0.05
LOADS: Final = 100
SLICES: Final = 200


@dataclass(frozen=True, slots=True)
class Terms:
    """How it is measured: reviewer load at FOR ≤ `alpha` with confidence 1 − `delta`, slices and groups `by` these
    attributes, at the cuts of `plan`.
    """

    alpha: float = ALPHA
    delta: float = DELTA
    by: Sequence[str] = BY
    plan: TriagePlan | None = None
    replicates: int = REPLICATES
    seed: int = SEED

    def at_most(self, number: int) -> int:
        """Resamples for figures that cost more than one product of matrices each."""
        return min(self.replicates, number)


@dataclass(slots=True)
class Left:
    """Labels that were left out, and why: what a version was taught, what a version has no word on, what lies under
    legal hold.
    """

    taught: int = 0
    unscored: int = 0
    held: int = 0
    unchecked: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Material:
    """Labels that each side may be judged by, what it says of them, and who declared what."""

    rows: Labelled
    heard: Mapping[str, NDArray[np.float64]]
    groups: Mapping[str, Mapping[str, NDArray[np.bool_]]]
    left: Left
    taught: Learnt | None

    @classmethod
    def of(
        cls,
        candidate: ClassifierVersion,
        incumbent: ClassifierVersion | None,
        rows: Labelled,
        *,
        by: Sequence[str],
        at_hand: Manifest | None,
    ) -> Material:
        """Raises UnknownAttribute or CardError."""
        by, left = checked(by), Left()
        said = declared(rows.keys(), by)
        sides = sides_of(candidate, incumbent)
        known = {side: learnt(one, at_hand=at_hand) for side, one in sides.items()}
        rows = fresh(rows, known, said, left, sides)
        heard = {side: scores(one, rows) for side, one in sides.items()}
        taught = known[CANDIDATE]
        return cls(rows, heard, groups(rows, by, said, seen=taught.generators if taught else None), left, taught)

    def categories(self) -> Iterator[tuple[str, NDArray[np.bool_], Samples]]:
        """Each category, which rows are of it, and its samples; those on which the candidate has no word are left out.
        Raises NothingToMeasure where that is all of them.
        """
        found = False
        for code in sorted(set(self.rows.category)):
            here, samples = gathered(code, self.rows, self.heard, self.groups, self.left)
            if samples is not None:
                found = True
                yield code, here, samples
        if not found:
            raise NothingToMeasure(_("It has no word on any label of this sample that it was not taught."))


def measure(
    candidate: ClassifierVersion,
    incumbent: ClassifierVersion | None,
    rows: Labelled,
    *,
    terms: Terms,
    at_hand: Manifest | None = None,
) -> dict[str, Any]:
    """All figures, as JSON has them. Raises NothingToMeasure, UnknownAttribute or CardError.

    Labels that either version was taught or calibrated on are left out for both, by picture and by near-duplicate.
    """
    stuff = Material.of(candidate, incumbent, rows, by=terms.by, at_hand=at_hand)
    bands = parsed(terms.plan).bands if terms.plan else {}
    categories = {
        code: of_category(samples, bands.get(code), terms, rows=stuff.rows.where(here))
        for code, here, samples in stuff.categories()
    }
    return {
        "schema": SCHEMA,
        "candidate": candidate.ref,
        "incumbent": incumbent.ref if incumbent else None,
        "plan": terms.plan.number if terms.plan else None,
        "alpha": terms.alpha,
        "delta": terms.delta,
        "by": list(terms.by),
        "seed": terms.seed,
        "replicates": terms.replicates,
        "left_out": asdict(stuff.left),
        "images": len(set(stuff.rows.submission)),
        "unchanged": unchanged(candidate, incumbent),
        "summary": summary(categories),
        "categories": categories,
        "live": {side: living.overturned(one, terms.by) for side, one in sides_of(candidate, incumbent).items()},
        "membership": attacking.audit(candidate, stuff.taught),
    }


def fairness_of(
    version: ClassifierVersion, rows: Labelled, *, terms: Terms, at_hand: Manifest | None = None
) -> tuple[dict[str, fairness.Report], Left]:
    """By category, and what was left out. Raises as `measure` does."""
    stuff = Material.of(version, None, rows, by=terms.by, at_hand=at_hand)
    bands = parsed(terms.plan).bands if terms.plan else {}
    found = {
        code: fair(samples, cuts_of(bands.get(code)), terms)[CANDIDATE] for code, _here, samples in stuff.categories()
    }
    return found, stuff.left


def sides_of(candidate: ClassifierVersion, incumbent: ClassifierVersion | None) -> dict[str, ClassifierVersion]:
    return {CANDIDATE: candidate} | ({INCUMBENT: incumbent} if incumbent else {})


def fresh(
    rows: Labelled,
    known: Mapping[str, Learnt | None],
    said: Declared,
    left: Left,
    sides: Mapping[str, ClassifierVersion],
) -> Labelled:
    """Without what is held and what either was taught."""
    held = np.array([key_of(name) in said.held for name in rows.submission], dtype=bool)
    left.held, rows = int(held.sum()), rows.where(~held)
    for side, version in sides.items():
        taught = known[side]
        if taught is None:
            if version.kind == "heads":
                left.unchecked.append(version.ref)
            continue
        if taught.manifest.fingerprint == rows.fingerprint:
            continue  # its splits are disjoint by cluster
        again = taught.holds(rows)
        left.taught, rows = left.taught + int(again.sum()), rows.where(~again)
    return rows


def gathered(
    code: str,
    rows: Labelled,
    heard: Mapping[str, NDArray[np.float64]],
    by: Mapping[str, Mapping[str, NDArray[np.bool_]]],
    left: Left,
) -> tuple[NDArray[np.bool_], Samples | None]:
    """The labels of a category that every side which scores it has a word on. An incumbent that scores none of them is
    left out of the comparison, not the labels.
    """
    here = rows.category == code
    speaking = {side: p for side, p in heard.items() if np.isfinite(p[here]).any()}
    if CANDIDATE not in speaking:
        return here, None
    whole = here & np.all([np.isfinite(p) for p in speaking.values()], axis=0)
    left.unscored += int((here & ~whole).sum())
    if not whole.any():
        return whole, None
    return whole, Samples(
        rows.label[whole],
        rows.weight[whole],
        coded(rows.cluster[whole]),
        {side: p[whole].astype(np.float64) for side, p in speaking.items()},
        {name: {value: mask[whole] for value, mask in values.items()} for name, values in by.items()},
    )


def of_category(samples: Samples, band: Band | None, terms: Terms, *, rows: Labelled) -> dict[str, Any]:
    cuts = cuts_of(band)
    load, less = burdens(
        samples, alpha=terms.alpha, delta=terms.delta, replicates=terms.at_most(LOADS), seed=terms.seed
    )
    return {
        "cuts": cuts,
        "compared": compare(samples, cuts=cuts, replicates=terms.replicates, seed=terms.seed),
        "load": {side: load_told(one, cuts.get("approve")) for side, one in load.items()},
        "load_difference": less,
        "curves": {side: curves.curves(p, samples.label, samples.weight) for side, p in samples.scores.items()},
        "reliability": {side: reliability(p, samples.label, samples.weight) for side, p in samples.scores.items()},
        "slices": slicing.slices(samples, cuts=cuts, replicates=terms.at_most(SLICES), seed=terms.seed),
        "fairness": fair(samples, cuts, terms),
        "moved": moving.moved(samples, rows, band) if band else [],
    }


def fair(samples: Samples, cuts: Mapping[str, float], terms: Terms) -> dict[str, fairness.Report]:
    """Of each side at the plan's approve cut, 0.5 where it has none; by what was declared, the undeclared left out."""
    named = {
        by: {value: mask for value, mask in values.items() if value != UNDECLARED}
        for by, values in samples.groups.items()
        if by not in {"generator", "seen"}
    }
    known = {by: values for by, values in named.items() if values}
    view = Samples(samples.label, samples.weight, samples.cluster, samples.scores, known)
    cut, block = cuts.get("approve", 0.5), cuts.get("block")
    often, seed = terms.at_most(SLICES), terms.seed
    return {
        side: fairness.report(view, side, cut=cut, block=block, replicates=often, seed=seed) for side in view.scores
    }


def cuts_of(band: Band | None) -> dict[str, float]:
    if band is None:
        return {}
    return {"approve": band.approve} | ({"block": band.block} if band.block is not None else {})


def load_told(one: Burden, cut: float | None) -> dict[str, Any]:
    """`covers`: whether the plan's approve cut lies inside what was certified."""
    found = one.certificate
    names = ("threshold", "n", "k", "p_value", "share", "audits", "method", "rate")
    covers = None if not cut else found.threshold is not None and (cut <= found.threshold or found.n == found.audits)
    certificate = {name: getattr(found, name) for name in names}
    return {"load": one.load, "low": one.low, "high": one.high, "covers": covers, "certificate": certificate}


def summary(categories: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Plain means over the categories that both sides score, so that the two stand on the same ground."""
    both = [one for one in categories.values() if INCUMBENT in one["load"]] or list(categories.values())
    sides: dict[str, dict[str, float | None]] = {}
    for side in (CANDIDATE, INCUMBENT):
        if any(side not in one["load"] for one in both):
            continue
        sides[side] = {"load": float(np.mean([one["load"][side]["load"] for one in both]))}
        for name in ("auc", "ap", "log_loss", "brier", "ece"):
            said = [one["compared"]["sides"][side][name]["value"] for one in both]
            known = [value for value in said if value is not None]
            sides[side][name] = float(np.mean(known)) if len(known) == len(said) else None
    return {"categories": len(both), "sides": sides}
