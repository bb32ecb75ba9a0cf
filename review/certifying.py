"""From audits to a certificate: what they show of a category, what is missing, what readers' errors make of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from uuid_utils.compat import uuid7

from moderation import guarantees
from moderation.actors import Actor
from moderation.guarantees import Ground, Siblings, Unproven
from moderation.guarantees.drifting import binned
from moderation.guarantees.keeping import Sampled
from moderation.models import BandCertificate, User
from moderation.policies import parsed
from moderation.taxonomy import Category
from review import audits
from review.audits import Audits
from review.models import Measure, QualityRollup
from review.quality.posteriors import Posterior
from review.service_times import ServiceTimes, service_times

if TYPE_CHECKING:
    from moderation.certificates import Certificate, Corrected, Need, Risk

GOLD_SPAN: Final = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the audits of a category show. `cut` is the plan's own on that side, None where it has none; `need`, what is
    missing to certify it; `raw`, the share wrong inside the threshold (everywhere, without one) by the readers' word,
    of as many audits as the weights are worth; `corrected`, with their errors reckoned in.
    """

    category: Category
    found: Certificate
    sample: Audits
    cut: float | None
    need: Need
    seconds: float | None
    sensitivity: Posterior
    specificity: Posterior
    corrected: Corrected | None
    ground: Ground
    raw: Posterior
    rate: float

    def as_json(self) -> dict[str, Any]:
        return {
            "category": self.category.value,
            **asdict(self.found),
            "cut": self.cut,
            "needed": asdict(self.need),
            "seconds_each": self.seconds,
            "raw": {"share": self.rate, "low": self.raw.low, "high": self.raw.high},
            "corrected": asdict(self.corrected) if self.corrected else None,
            "waiting": self.sample.waiting,
            "sampled_from": self.sample.since.isoformat(),
            "sampled_until": self.sample.until.isoformat(),
            "classifiers": [one.ref for one in self.ground.scoring(self.category)],
            "policy": str(self.ground.policies[self.category]),
            "plan": self.ground.plan.number if self.ground.plan else None,
        }


@dataclass(frozen=True, slots=True)
class Family:
    """Several categories certified at once: all of `made` hold together with confidence 1 − `delta`. `refused`: why one
    could not even be tested, and so took no part.
    """

    delta: float
    made: Sequence[Assessment]
    refused: Mapping[Category, str]

    @property
    def certified(self) -> list[Assessment]:
        return [one for one in self.made if one.found.threshold is not None]

    def as_json(self) -> dict[str, Any]:
        return {
            "delta": self.delta,
            "certificates": [one.as_json() for one in self.made],
            "refused": [{"category": code.value, "detail": why} for code, why in self.refused.items()],
        }


def assess(category: Category, *, risk: Risk, alpha: float, delta: float) -> Assessment:
    """What can be certified now of the plan in force. Raises Unproven where there is no plan, no guideline, or nobody
    who scores the category; ValueError for numbers that cannot be.
    """
    found = assess_all([category], risk=risk, alpha=alpha, delta=delta)
    for why in found.refused.values():
        raise Unproven(why)
    return found.made[0]


def assess_all(categories: Sequence[Category], *, risk: Risk, alpha: float, delta: float) -> Family:
    """The same of several, so that all that is certified holds at once. Raises Unproven without a plan; ValueError for
    numbers that cannot be.
    """
    from moderation.certificates import certify_all  # late: it brings numpy, which few pages need

    ground = Ground.now()
    if ground.plan is None:
        raise Unproven(_("A certificate stands on a published plan and a published guideline."))
    samples: dict[Category, Audits] = {}
    refused: dict[Category, str] = {}
    for category in dict.fromkeys(categories):
        scorers, policy = ground.scoring(category), ground.policies.get(category)
        if policy is None:
            refused[category] = _("A certificate stands on a published plan and a published guideline.")
        elif not scorers:
            refused[category] = _("No classifier of plan %(number)d scores this category.") % {
                "number": ground.plan.number
            }
        else:
            samples[category] = audits.gathered(category, scorers, worded=policy.published_at)
    found = certify_all(
        {category: (one.scores, one.violating, one.weights or None) for category, one in samples.items()},
        risk=risk,
        alpha=alpha,
        delta=delta,
    )
    times = service_times()
    made = [assessed(category, found[category], samples[category], ground, times) for category in samples]
    return Family(delta, made, refused)


def assessed(category: Category, found: Certificate, sample: Audits, ground: Ground, times: ServiceTimes) -> Assessment:
    assert ground.plan is not None
    band = parsed(ground.plan).bands.get(category)
    cut = None if band is None else band.approve if found.risk == "FOR" else band.block
    seconds = times.of(category)
    se, sp = readers(category)
    shown = Sums.inside(sample, found.risk, found.threshold)
    return Assessment(
        category=category,
        found=found,
        sample=sample,
        cut=cut,
        need=missing(found, sample, cut, seconds),
        seconds=seconds,
        sensitivity=se,
        specificity=sp,
        corrected=mended(shown, found.risk, se, sp),
        ground=ground,
        raw=Posterior(shown.rate * shown.worth, shown.worth),
        rate=shown.rate,
    )


@transaction.atomic
def keep_all(
    made: Family, *, actor: Actor, person: User | None = None, falls_back: bool = False
) -> list[BandCertificate]:
    """Afterwards each that could be certified is stored with the plan, and says with which others it holds. Raises
    Unproven where none could.
    """
    if not made.certified:
        raise Unproven(_("Nothing can be certified from these audits, so all goes to people."))
    tested = [one.category.value for one in made.made]
    siblings = Siblings(uuid7(), made.delta, tested) if len(tested) > 1 else None
    return [keep(one, actor=actor, person=person, falls_back=falls_back, siblings=siblings) for one in made.certified]


def keep(
    made: Assessment,
    *,
    actor: Actor,
    person: User | None = None,
    falls_back: bool = False,
    siblings: Siblings | None = None,
) -> BandCertificate:
    """Afterwards it is stored with the plan. Raises Unproven."""
    sample = made.sample
    sampled = Sampled(
        sample.since,
        sample.rows[-1].at if sample.rows else sample.until,
        binned(sample.scores, sample.weights),
        asdict(made.corrected) if made.corrected else None,
    )
    return guarantees.keep(
        made.found,
        made.category,
        sampled,
        ground=made.ground,
        actor=actor,
        person=person,
        falls_back=falls_back,
        siblings=siblings,
    )


def on_safe_side(risk: str, score: float, threshold: float) -> bool:
    return score <= threshold if risk == "FOR" else score >= threshold


def covers(found: Certificate, cut: float) -> bool:
    """Whether the cut lies inside; where all audits do, no cut holds more of them than were tested."""
    if found.threshold is None:
        return False
    return found.n == found.audits or on_safe_side(found.risk, cut, found.threshold)


def is_wrong(risk: str, *, violating: bool) -> bool:
    return violating if risk == "FOR" else not violating


@dataclass(frozen=True, slots=True)
class Sums:
    """Of the audits inside a threshold: how many, how many of them wrong, the weighted `rate` of these, how many equal
    audits they are worth, (Σw)² / Σw² (Kish 1965), and their share of all traffic.
    """

    n: int
    k: int
    rate: float
    worth: float
    share: float

    @classmethod
    def inside(cls, sample: Audits, risk: str, threshold: float | None) -> Sums:
        """None: of all."""
        pairs = list(zip(sample.rows, sample.weights, strict=True))
        kept = [one for one in pairs if threshold is None or on_safe_side(risk, one[0].score, threshold)]
        wrong = [weight for audit, weight in kept if is_wrong(risk, violating=audit.violating)]
        w, w2, total = sum(w for _a, w in kept), sum(w * w for _a, w in kept), sum(sample.weights)
        if not w:
            return cls(0, 0, 0.0, 0.0, 0.0)
        return cls(len(kept), len(wrong), sum(wrong) / w, w * w / w2, w / total)


def missing(found: Certificate, sample: Audits, cut: float | None, seconds: float | None) -> Need:
    """Until the plan's own cut is certified; 0 where it is. Weighted audits count as what they are worth."""
    from moderation.certificates import Need, needed, repeated

    if found.threshold is not None and (cut is None or covers(found, cut)):
        return Need(0, 0, 0.0 if seconds is not None else None)
    there = Sums.inside(sample, found.risk, cut)
    if not there.n:
        return needed(n=0, k=0, share=1.0, alpha=found.alpha, delta=found.delta, seconds=seconds)
    need = needed(
        n=round(there.worth),
        k=round(there.rate * there.worth),
        share=there.share,
        alpha=found.alpha,
        delta=found.delta,
        seconds=seconds,
        worth=there.worth / there.n,
    )
    if found.method == "binomial" or need.audits is None or cut is None:
        return need
    # A bet takes more than the exact test of as many equal audits: never less than it has shown to need.
    risk, alpha, delta = found.risk, found.alpha, found.delta
    times = repeated(sample.scores, sample.violating, sample.weights, cut=cut, risk=risk, alpha=alpha, delta=delta)
    audits = max(need.audits, (times - 1) * found.audits)
    hours = None if seconds is None else audits * seconds / 3600
    return Need(max(need.inside or 0, (times - 1) * there.n), audits, hours)


def readers(category: Category) -> tuple[Posterior, Posterior]:
    """How often readers see a violation that is there, and pass what is harmless, by the gold items of this category in
    the last half year.
    """
    since = timezone.now().date() - GOLD_SPAN
    rows = QualityRollup.objects.filter(measure=Measure.GOLD, person__isnull=True, day__gte=since)
    own: dict[str, int] = {}
    for counts in rows.filter(category=category).values_list("counts", flat=True):
        for name, number in counts.items():
            own[name] = own.get(name, 0) + number
    tp, fn, tn, fp = (own.get(name, 0) for name in ("tp", "fn", "tn", "fp"))
    return Posterior(tp, tp + fn), Posterior(tn, tn + fp)


def mended(shown: Sums, risk: str, se: Posterior, sp: Posterior) -> Corrected | None:
    """The share that is truly wrong; None where gold items do not say how readers err."""
    from moderation.certificates import corrected

    if not shown.n or not se.trials or not sp.trials:
        return None
    right, wrong = (sp, se) if risk == "FDR" else (se, sp)
    hits = shown.rate * shown.worth
    return corrected(hits, shown.worth, sensitivity=(right.a, right.b), specificity=(wrong.a, wrong.b))
