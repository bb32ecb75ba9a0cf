"""What the plan in force asks of a version before it is promoted, and what its latest evaluation answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifiers.fairness import LEAST
from classifiers.models import ClassifierVersion
from moderation import admission, adoption
from moderation.admission import Admission, Answer, Case, Gate, State
from moderation.models import TriagePlan
from moderation.plans import Gates, Plan, PlanError
from moderation.plans.gates import LIMITS
from moderation.wording import category_name
from review.evaluations import orders
from review.models import Evaluation
from review.promotion import bounds
from review.promotion.bounds import Part

CANDIDATE: Final = "candidate"
FAIRNESS: Final[Mapping[str, Promise]] = {
    "statistical_parity": gettext_lazy("difference in how many are flagged"),
    "disparate_impact": gettext_lazy("ratio of how many are flagged"),
    "equal_opportunity": gettext_lazy("difference in violations found"),
    "average_odds": gettext_lazy("mean difference in violations found and harmless flagged"),
}


def answers(case: Case) -> Answer:
    """As `settings.PROMOTION_GATES` promises: every gate of the plan in force, passed or not. What was never measured
    does not pass, and what cannot be told from so few labels does not either. Two queries.
    """
    found = [*privacy(case.law.privacy_budget, case.version)]
    gates = case.law.gates
    if gates is None or case.free or not measures(gates):
        return Answer(found)
    evaluation = orders.latest(case.version)
    stale = outdated(evaluation, case)
    found.insert(0, evaluated(evaluation, stale))
    if evaluation is None or stale:
        return Answer(found, str(evaluation.pk) if evaluation else "")
    measured = Measured.of(case, gates, evaluation)
    found += measured.whole()
    found += measured.sliced()
    found += measured.calibrated()
    found += measured.fair()
    found += measured.certified()
    return Answer(found, str(evaluation.pk))


def standing(version: ClassifierVersion, plan: TriagePlan | None) -> Admission | None:
    """The gates of a version as if it were adopted now; None where the plan asks for nothing, or it needs not be asked:
    it serves already, or has learnt nothing.
    """
    if plan is None or version.ref in plan.body["classifiers"] or not admission.gated(version):
        return None
    return next(iter(admission.asked(adopting(version, plan), plan)), None)


def adopting(version: ClassifierVersion, plan: TriagePlan) -> Mapping[str, Any]:
    """The plan that adopting would publish; where it cannot take over, what a plan drafted by hand would say first."""
    try:
        return adoption.prepare(version.ref).body
    except PlanError:
        return {**plan.body, "classifiers": [version.ref], "shadows": []}


def open_for(version: ClassifierVersion, plan: TriagePlan | None) -> list[Gate]:
    found = standing(version, plan)
    return list(found.gates) if found else []


def measures(gates: Gates) -> bool:
    """Whether any gate needs an evaluation."""
    return bool(gates.tolerance is not None or gates.calibration is not None or gates.fairness or gates.alpha)


def evaluated(evaluation: Evaluation | None, stale: str) -> Gate:
    words = _("Measured on labels it never saw")
    if evaluation is None:
        return Gate("evaluated", words, State.CLOSED, why=_("It was not evaluated yet."))
    figure = _("%(n)d images") % {"n": evaluation.figures["images"]}
    return Gate("evaluated", words, State.CLOSED if stale else State.PASSED, figure, why=stale)


def outdated(evaluation: Evaluation | None, case: Case) -> str:
    """Why its figures say nothing of today; "" while they do."""
    if evaluation is None or not case.before or evaluation.incumbent == case.before[0]:
        return ""
    words = {"before": evaluation.incumbent.ref if evaluation.incumbent else _("nothing"), "now": case.before[0].ref}
    if case.before[0].ref in case.law.classifiers:
        return _("It was held against %(before)s, and %(now)s is in service: evaluate it again.") % words
    return _("It was held against %(before)s, and %(now)s served last: evaluate it again.") % words


@dataclass(frozen=True, slots=True)
class Measured:
    """An evaluation, read by the gates of the plan in force. `owed`: the categories that somebody served in before, by
    whom; `same`: those in which the very same head serves.
    """

    version: ClassifierVersion
    gates: Gates
    after: Plan
    figures: Mapping[str, Any]
    against: str
    owed: Mapping[str, str]
    same: frozenset[str]

    @classmethod
    def of(cls, case: Case, gates: Gates, evaluation: Evaluation) -> Self:
        incumbent = evaluation.incumbent
        owed: dict[str, str] = {}
        for one in [*([incumbent] if incumbent else []), *case.before]:
            owed |= {code: one.ref for code in sorted(admission.shared(case.version, one)) if code not in owed}
        same = frozenset(evaluation.figures.get("unchanged", ()))
        against = incumbent.ref if incumbent else ""
        return cls(case.version, gates, case.after, evaluation.figures, against, owed, same)

    def category(self, code: str) -> Mapping[str, Any] | None:
        found: Mapping[str, Any] | None = self.figures["categories"].get(code)
        return found

    def whole(self) -> Iterator[Gate]:
        margin = self.gates.tolerance
        if margin is None or not self.owed:
            return
        parts = []
        for code, ref in self.owed.items():
            one, name = self.category(code), category_name(code)
            if code in self.same:
                parts.append(bounds.same(name))
            elif one is None or ref != self.against:
                where = (
                    name
                    if ref == self.against
                    else _("%(category)s, where %(ref)s serves") % {"category": name, "ref": ref}
                )
                parts.append(bounds.no_worse(None, margin, where=where, n=0))
            else:
                parts.append(bounds.no_worse(less(one["compared"]), margin, where=name, n=one["compared"]["n"]))
        words = _("No worse than %(ref)s in any category") % {"ref": self.against}
        yield bounds.gate("overall", words, parts, limit=margin_told(margin), what=_("AUC"))

    def sliced(self) -> Iterator[Gate]:
        margin = self.gates.tolerance
        if margin is None or not self.owed:
            return
        for by in self.gates.slices:
            parts, few = self.slices(by, margin)
            words = _("No worse on any slice by %(by)s") % {"by": by}
            more = (
                _("not asked of fewer than %(least)d labels: %(which)s")
                % {"least": self.gates.least, "which": ", ".join(one.told for one in few[: bounds.NAMED])}
                if few
                else ""
            )
            yield bounds.gate(f"slices.{by}", words, parts, limit=margin_told(margin), what=_("AUC"), more=more)

    def slices(self, by: str, margin: float) -> tuple[list[Part], list[Part]]:
        """Those that count, and those of fewer labels than the plan asks of."""
        parts: list[Part] = []
        few: list[Part] = []
        for code in self.owed:
            if code in self.same:
                parts.append(bounds.same(category_name(code)))
                continue
            found = [one for one in (self.category(code) or {}).get("slices", ()) if one["by"] == by]
            counted = [one for one in found if one["n"] >= self.gates.least]
            for one in found:
                where = f"{category_name(code)}, {one['value'] or _('not declared')}"
                part = bounds.no_worse(less(one["compared"]), margin, where=where, n=one["n"])
                (parts if one in counted else few).append(part)
            if not counted:
                parts.append(bounds.no_worse(None, margin, where=category_name(code), n=sum(one["n"] for one in found)))
        return parts, few

    def calibrated(self) -> Iterator[Gate]:
        limit = self.gates.calibration
        if limit is None:
            return
        parts = []
        for code in self.version.categories:
            one = self.category(code)
            if code in self.same:
                parts.append(bounds.same(category_name(code)))
                continue
            said = one["compared"] if one else None
            ece = said["sides"][CANDIDATE]["ece"] if said else None
            parts.append(bounds.at_most(ece, limit, where=category_name(code), n=said["n"] if said else 0))
        yield bounds.gate("calibration", _("Its probabilities are true"), parts, limit=f"≤ {limit:g}", what=_("ECE"))

    def fair(self) -> Iterator[Gate]:
        for by in self.gates.groups:
            for name in (name for name in LIMITS if name in self.gates.fairness):
                limit = self.gates.fairness[name]
                judge, sign = (bounds.at_least, "≥") if name == "disparate_impact" else (bounds.at_most, "≤")
                parts, few = [], set[str]()
                for code in self.version.categories:
                    where = category_name(code)
                    if code in self.same:
                        parts.append(bounds.same(where))
                        continue
                    found, n, small = self.gap(code, by, name)
                    few |= small
                    parts.append(judge(found, limit, where=where, n=n))
                words = _("Groups by %(by)s: %(what)s") % {"by": by, "what": FAIRNESS[name]}
                skipped = {"least": LEAST, "which": ", ".join(sorted(few))}
                more = _("not asked of fewer than %(least)d labels: %(which)s") % skipped if few else ""
                what = str(FAIRNESS[name])
                key = f"fairness.{by}.{name}"
                yield bounds.gate(key, words, parts, limit=f"{sign} {limit:g}", what=what, more=more)

    def gap(self, code: str, by: str, name: str) -> tuple[Mapping[str, Any] | None, int, set[str]]:
        """The gap of a category with its labels, and the groups too small to count; None where it was not measured at
        the cut that would hold.
        """
        one, band = self.category(code), self.after.bands.get(code)
        if one is None:
            return None, 0, set()
        report = one["fairness"][CANDIDATE]
        found = next((part for part in report["attributes"] if part["by"] == by), None)
        moved = band is not None and band.approve > 0 and band.approve != report["cut"]
        if found is None or moved:
            return None, report["n"] if found is None else 0, set()
        return found["gaps"][name], report["n"], set(found["few"])

    def certified(self) -> Iterator[Gate]:
        """The approve cut of each category that machines may approve in, the highest of any overlay's, is proved again
        on this version's scores.
        """
        alpha, delta = self.gates.alpha, self.gates.delta
        if alpha is None:
            return
        words = _("Every approve cut is certified again")
        limit = _("≤ %(alpha)s %% approved wrongly, doubt %(delta)s %%") % {
            "alpha": f"{100 * alpha:g}",
            "delta": f"{100 * delta:g}",
        }
        if self.figures["alpha"] > alpha or self.figures["delta"] > delta:
            why = _("It was evaluated at a looser limit: evaluate it again.")
            yield Gate("certificate", words, State.CLOSED, limit=limit, why=why)
            return
        cuts = highest_cuts(self.after)
        codes = [code for code in self.version.categories if cuts.get(code, 0.0) > 0 and code not in self.same]
        unknown = [code for code in codes if self.category(code) is None]
        failed = [code for code in codes if code not in unknown and not self.covers(code, cuts[code])]
        figure = _("%(n)d of %(all)d categories") % {
            "n": len(codes) - len(failed) - len(unknown),
            "all": len(codes),
        }
        reasons = [_("not certified: %(codes)s") % {"codes": named(failed)}] if failed else []
        reasons += [_("no labels to tell: %(codes)s") % {"codes": named(unknown)}] if unknown else []
        state = State.CLOSED if failed else State.UNTOLD if unknown else State.PASSED
        yield Gate("certificate", words, state, figure, limit, "; ".join(reasons))

    def covers(self, code: str, cut: float) -> bool:
        found = self.figures["categories"][code]["load"][CANDIDATE]["certificate"]
        return found["threshold"] is not None and (cut <= found["threshold"] or found["n"] == found["audits"])


def highest_cuts(plan: Plan) -> dict[str, float]:
    """By category, below which score machines may approve anywhere."""
    found: dict[str, float] = {}
    for bands in [plan.bands, *(overlay.bands for overlay in plan.overlays)]:
        for code, band in bands.items():
            found[code] = max(found.get(code, 0.0), band.approve)
    return found


def less(found: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The candidate's AUC less the incumbent's."""
    said: Mapping[str, Any] | None = (found or {}).get("differences", {}).get("auc")
    return said


def margin_told(margin: float) -> str:
    return f"≥ −{margin:g}"


def named(codes: list[str]) -> str:
    return ", ".join(category_name(code) for code in codes)


def privacy(budget: float | None, version: ClassifierVersion) -> Iterator[Gate]:
    """Of what learnt from labels of this house; publishing a plan holds it to the same (`policies.check_privacy`)."""
    if budget is None or not version.manifest_fingerprint:
        return
    said = version.card.get("privacy")
    epsilon = said.get("epsilon") if isinstance(said, dict) else None
    words, limit = _("Trained within the privacy budget"), f"ε ≤ {budget:g}"
    if not isinstance(epsilon, int | float) or isinstance(epsilon, bool):
        why = _("Its card states no ε: it was not trained with differential privacy.")
        yield Gate("privacy", words, State.CLOSED, limit=limit, why=why)
        return
    state = State.PASSED if epsilon <= budget else State.CLOSED
    yield Gate("privacy", words, state, f"ε = {epsilon:.2f}", limit)
