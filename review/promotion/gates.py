"""What the plan in force asks of a version before it is promoted, and what its latest evaluation answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifiers.models import ClassifierVersion
from moderation.models import TriagePlan
from moderation.plans import Band, Gates
from moderation.plans.gates import LIMITS
from moderation.policies import parsed
from moderation.wording import category_name
from review.evaluations import orders
from review.models import Evaluation

CANDIDATE: Final = "candidate"
INCUMBENT: Final = "incumbent"
FAIRNESS: Final[Mapping[str, Promise]] = {
    "statistical_parity": gettext_lazy("difference in how many are flagged"),
    "disparate_impact": gettext_lazy("ratio of how many are flagged"),
    "equal_opportunity": gettext_lazy("difference in violations found"),
    "average_odds": gettext_lazy("mean difference in violations found and harmless flagged"),
}


class GateClosed(Exception):
    """The plan in force asks for more than this version shows; the message names each gate that is closed."""


@dataclass(frozen=True, slots=True)
class Gate:
    """One condition. `figure` beside its `limit`, as people read them; `why`, what it rests on, or what is missing."""

    name: str
    words: str
    passed: bool
    figure: str
    limit: str
    why: str = ""


def open_for(version: ClassifierVersion, plan: TriagePlan | None) -> list[Gate]:
    """Every gate of the plan in force, passed or not; none where it sets none. A few queries.

    What was never measured does not pass. Slices of too few labels are passed over, and say so; where none of an
    attribute could be measured, its gate is closed.
    """
    if plan is None:
        return []
    law = parsed(plan)
    found = [*privacy(law.privacy_budget, version)]
    gates = law.gates
    if gates is None or not measures(gates):
        return found
    evaluation, against = orders.latest(version), orders.counterpart(version)
    stale = outdated(evaluation, against)
    found.insert(0, evaluated(evaluation, stale))
    if evaluation is None or stale:
        return found
    categories: Mapping[str, Any] = evaluation.figures["categories"]
    found += whole(gates, categories, against)
    found += sliced(gates, categories, against)
    found += calibrated(gates, categories)
    found += fair(gates, categories)
    found += certified(gates, evaluation.figures, law.bands)
    return found


def check(version: ClassifierVersion, plan: TriagePlan | None) -> None:
    """Raises GateClosed."""
    if closed := [one for one in open_for(version, plan) if not one.passed]:
        told = "; ".join(f"{one.words}: {one.why or one.figure}" for one in closed)
        raise GateClosed(_("%(ref)s is not promoted. %(gates)s.") % {"ref": version.ref, "gates": told})


def measures(gates: Gates) -> bool:
    """Whether any gate needs an evaluation."""
    return bool(gates.tolerance is not None or gates.calibration is not None or gates.fairness or gates.alpha)


def evaluated(evaluation: Evaluation | None, stale: str) -> Gate:
    words = _("Measured on labels it never saw")
    if evaluation is None:
        return Gate("evaluated", words, passed=False, figure="–", limit="", why=_("It was not evaluated yet."))
    figure = _("%(n)d images") % {"n": evaluation.figures["images"]}
    return Gate("evaluated", words, passed=not stale, figure=figure, limit="", why=stale)


def outdated(evaluation: Evaluation | None, against: ClassifierVersion | None) -> str:
    """Why its figures say nothing of today; "" while they do."""
    if evaluation is None or against is None or evaluation.incumbent == against:
        return ""
    before = evaluation.incumbent.ref if evaluation.incumbent else _("nothing")
    return _("It was held against %(before)s, and %(now)s is in service: evaluate it again.") % {
        "before": before,
        "now": against.ref,
    }


def whole(gates: Gates, categories: Mapping[str, Any], against: ClassifierVersion | None) -> Iterator[Gate]:
    if gates.tolerance is None or against is None:
        return
    worst = min(
        (
            (less, category_name(code))
            for code, one in categories.items()
            if (less := fall(one["compared"])) is not None
        ),
        default=None,
    )
    words = _("No worse than %(ref)s in any category") % {"ref": against.ref}
    yield compared("overall", words, worst, gates.tolerance)


def sliced(gates: Gates, categories: Mapping[str, Any], against: ClassifierVersion | None) -> Iterator[Gate]:
    if gates.tolerance is None or against is None:
        return
    for by in gates.slices:
        falls, few = [], 0
        for code, one in categories.items():
            for part in one["slices"]:
                if part["by"] != by:
                    continue
                less = fall(part["compared"]) if part["compared"] else None
                if less is None:
                    few += 1
                else:
                    falls.append((less, f"{category_name(code)}, {part['value'] or _('not declared')}"))
        words = _("No worse on any slice by %(by)s") % {"by": by}
        gate = compared(f"slices.{by}", words, min(falls, default=None), gates.tolerance)
        skipped = _("%(n)d slices have too few labels") % {"n": few} if few else ""
        yield replace(gate, why="; ".join(filter(None, [gate.why, skipped])))


def compared(name: str, words: str, worst: tuple[float, str] | None, tolerance: float) -> Gate:
    limit = f"≥ −{tolerance:.3f}"
    if worst is None:
        return Gate(name, words, passed=False, figure="–", limit=limit, why=_("Nothing could be compared."))
    less, where = worst
    why = _("AUC in %(where)s") % {"where": where}
    return Gate(name, words, passed=less >= -tolerance, figure=f"{less:+.3f}".replace("-", "−"), limit=limit, why=why)


def fall(found: Mapping[str, Any] | None) -> float | None:
    """The candidate's AUC less the incumbent's."""
    less = (found or {}).get("differences", {}).get("auc", {}).get("value")
    return None if less is None else float(less)


def calibrated(gates: Gates, categories: Mapping[str, Any]) -> Iterator[Gate]:
    if gates.calibration is None:
        return
    found = [(one["compared"]["sides"][CANDIDATE]["ece"]["value"], code) for code, one in categories.items()]
    worst = max(((value, code) for value, code in found if value is not None), default=None)
    yield highest("calibration", _("Its probabilities are true"), worst, gates.calibration, _("ECE in %(where)s"))


def highest(name: str, words: str, worst: tuple[float, str] | None, limit: float, why: str) -> Gate:
    if worst is None:
        return Gate(name, words, passed=False, figure="–", limit=f"≤ {limit:g}", why=_("Nothing could be measured."))
    value, code = worst
    passed, told = value <= limit, why % {"where": category_name(code)}
    return Gate(name, words, passed=passed, figure=f"{value:.3f}", limit=f"≤ {limit:g}", why=told)


def fair(gates: Gates, categories: Mapping[str, Any]) -> Iterator[Gate]:
    for by in gates.groups:
        for name, limit in ((name, gates.fairness[name]) for name in LIMITS if name in gates.fairness):
            found = list(gaps(categories, by, name))
            words = _("Groups by %(by)s: %(what)s") % {"by": by, "what": FAIRNESS[name]}
            if name != "disparate_impact":
                yield highest(f"fairness.{by}.{name}", words, max(found, default=None), limit, _("in %(where)s"))
                continue
            least = min(found, default=None)
            value, where = least or (None, "")
            passed = value is not None and value >= limit
            why = _("in %(where)s") % {"where": category_name(where)} if least else _("Nothing could be measured.")
            figure = "–" if value is None else f"{value:.3f}"
            yield Gate(f"fairness.{by}.{name}", words, passed=passed, figure=figure, limit=f"≥ {limit:g}", why=why)


def gaps(categories: Mapping[str, Any], by: str, name: str) -> Iterator[tuple[float, str]]:
    for code, one in categories.items():
        for attribute in one["fairness"][CANDIDATE]["attributes"]:
            value = attribute["gaps"][name]["value"]
            if attribute["by"] == by and value is not None:
                yield value, code


def certified(gates: Gates, figures: Mapping[str, Any], bands: Mapping[str, Band]) -> Iterator[Gate]:
    """The approve cut of each category that machines may approve in is proved again, on this version's scores."""
    if gates.alpha is None:
        return
    words = _("Every approve cut is certified again")
    limit = _("≤ %(alpha)s %% approved wrongly, doubt %(delta)s %%") % {
        "alpha": f"{100 * gates.alpha:g}",
        "delta": f"{100 * gates.delta:g}",
    }
    if figures["alpha"] > gates.alpha or figures["delta"] > gates.delta:
        why = _("It was evaluated at a looser limit: evaluate it again.")
        yield Gate("certificate", words, passed=False, figure="–", limit=limit, why=why)
        return
    codes = [code for code in figures["categories"] if code in bands and bands[code].approve > 0]
    open_ones = [code for code in codes if not covers(figures["categories"][code]["load"][CANDIDATE], bands[code])]
    figure = _("%(n)d of %(all)d categories") % {"n": len(codes) - len(open_ones), "all": len(codes)}
    why = ", ".join(category_name(code) for code in open_ones)
    if open_ones:
        why = _("not certified: %(codes)s") % {"codes": why}
    yield Gate("certificate", words, passed=bool(codes) and not open_ones, figure=figure, limit=limit, why=why)


def covers(load: Mapping[str, Any], band: Band) -> bool:
    found = load["certificate"]
    return found["threshold"] is not None and (band.approve <= found["threshold"] or found["n"] == found["audits"])


def privacy(budget: float | None, version: ClassifierVersion) -> Iterator[Gate]:
    """Of what learnt from labels of this house; publishing a plan holds it to the same (`policies.check_privacy`)."""
    if budget is None or not version.manifest_fingerprint:
        return
    said = version.card.get("privacy")
    epsilon = said.get("epsilon") if isinstance(said, dict) else None
    words, limit = _("Trained within the privacy budget"), f"ε ≤ {budget:g}"
    if not isinstance(epsilon, int | float) or isinstance(epsilon, bool):
        why = _("Its card states no ε: it was not trained with differential privacy.")
        yield Gate("privacy", words, passed=False, figure="–", limit=limit, why=why)
        return
    yield Gate("privacy", words, passed=epsilon <= budget, figure=f"ε = {epsilon:.2f}", limit=limit)


def as_json(gates: Sequence[Gate]) -> list[dict[str, Any]]:
    names = ("name", "words", "passed", "figure", "limit", "why")
    return [{name: getattr(one, name) for name in names} for one in gates]
