"""The whole plan as a form: beside cuts and classifiers, who looks by category, overlays, and when it is in force."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.forms import BY_SEVERITY, PastForm, PlainForm, PlanForm, cut, draft_of_plan
from moderation.ingest.territories import TERRITORIES
from moderation.models import Audience
from moderation.plans import CONTEXTS, MOST_VOTES, Plan
from moderation.queues import known
from moderation.taxonomy import Category

OVERLAY_PARTS: Final = ("name", "territories", "audience", "surface", "context", "category", "approve", "block", "drop")
MOST_OVERLAY_LINES: Final = 100


@dataclass(frozen=True, slots=True)
class CareRow:
    """Who looks at one category: people who must agree, share that is audited, queue."""

    category: Category
    votes: forms.BoundField
    audit: forms.BoundField
    queue: forms.BoundField

    @property
    def errors(self) -> list[str]:
        return [str(error) for field in (self.votes, self.audit, self.queue) for error in field.errors]


@dataclass(frozen=True, slots=True)
class OverlayRow:
    """One category of one overlay; lines of one name are one overlay."""

    fields: Mapping[str, forms.BoundField]

    def __getattr__(self, part: str) -> forms.BoundField:
        try:
            return self.fields[part]
        except KeyError:
            raise AttributeError(part) from None

    @property
    def told(self) -> list[dict[str, Any]]:
        """Its fields but for the last, each with a short word for the eye and a whole one for the ear."""
        return [
            {"short": SHORT[part], "label": field.label, "id_for_label": field.id_for_label, "widget": field}
            for part, field in self.fields.items()
            if part in SHORT
        ]

    @property
    def errors(self) -> list[str]:
        return [str(error) for field in self.fields.values() for error in field.errors]


SHORT: Final = {
    "name": gettext_lazy("Name"),
    "territories": gettext_lazy("Countries"),
    "audience": gettext_lazy("Audience"),
    "surface": gettext_lazy("Surface"),
    "context": gettext_lazy("Verified"),
    "category": gettext_lazy("Category"),
    "approve": gettext_lazy("Approve below"),
    "block": gettext_lazy("Block from"),
}


class WholePlanForm(PlanForm, PastForm):
    """`title`, `effective_at` and `past_gates` are of the proposal, not of the plan."""

    effective_at = forms.DateTimeField(
        label=gettext_lazy("In force from"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("Empty: as soon as it is approved."),
    )
    share_percent = forms.FloatField(
        label=gettext_lazy("Try it first on"),
        required=False,
        min_value=0.01,
        max_value=99,
        help_text=gettext_lazy("Percent of new images that follow it until you adopt or drop it. Empty: all at once."),
    )
    privacy_budget = forms.FloatField(
        label=gettext_lazy("Privacy budget (ε)"),
        required=False,
        min_value=0.01,
        help_text=gettext_lazy(
            "What learns from labels of this house may be pinned only if it was trained with differential privacy, at "
            "this epsilon at most. Empty: no bound."
        ),
    )
    proposal = forms.UUIDField(required=False, widget=forms.HiddenInput)
    revision = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        queues = [("", _("by the queues’ own conditions"))]
        queues += [(slug, slug) for slug in known.definitions().slugs()]
        for code in BY_SEVERITY:
            self.fields |= care_fields(code, queues)
        values = self.data if self.is_bound else self.initial
        self.overlay_lines = min(overlay_lines(values), MOST_OVERLAY_LINES)
        for line in range(self.overlay_lines):
            self.fields |= overlay_fields(line)

    def care_rows(self) -> Iterator[CareRow]:
        for code in BY_SEVERITY:
            yield CareRow(code, *(self[f"{part}_{code}"] for part in ("votes", "audit", "queue")))

    def overlay_rows(self) -> Iterator[OverlayRow]:
        for line in range(self.overlay_lines):
            yield OverlayRow({part: self[f"overlay_{part}_{line}"] for part in OVERLAY_PARTS})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        for code in BY_SEVERITY:
            said = any(cleaned.get(f"{part}_{code}") not in (None, "") for part in ("votes", "audit", "queue"))
            if said and cleaned.get(f"approve_{code}") is None and f"approve_{code}" not in self.errors:
                self.add_error(f"votes_{code}", _("Set its approve cut first, or leave the line empty."))
        for line in self.overlays_filled(cleaned):
            self.check_overlay(line, cleaned)
        return cleaned

    def overlays_filled(self, cleaned: Mapping[str, Any]) -> list[int]:
        return [
            line
            for line in range(self.overlay_lines)
            if cleaned.get(f"overlay_name_{line}") and not cleaned.get(f"overlay_drop_{line}")
        ]

    def check_overlay(self, line: int, cleaned: dict[str, Any]) -> None:
        said = {part: cleaned.get(f"overlay_{part}_{line}") for part in OVERLAY_PARTS}
        places = territories_in(said["territories"] or "")
        if odd := [place for place in places if place not in TERRITORIES]:
            self.add_error(f"overlay_territories_{line}", _("“%(code)s” is no country code.") % {"code": odd[0]})
        if not (places or said["audience"] or said["surface"] or said["context"]):
            self.add_error(f"overlay_territories_{line}", _("Say where it holds: a country, an audience …"))
        for part in ("category", "approve"):
            if said[part] in (None, "") and f"overlay_{part}_{line}" not in self.errors:
                self.add_error(f"overlay_{part}_{line}", _("Fill in the whole line, or remove it."))
        code = said["category"]
        if code and cleaned.get(f"approve_{code}") is None:
            self.add_error(
                f"overlay_category_{line}",
                _("%(category)s has no cuts in this plan.") % {"category": Category(code).label},
            )
        if said["block"] is not None and said["approve"] is not None and said["block"] < said["approve"]:
            self.add_error(f"overlay_block_{line}", _("The block cut must not lie below the approve cut."))

    def body(self, over: Mapping[str, Any]) -> dict[str, Any]:
        said = self.cleaned_data
        body = super().body(over)
        severities = {name: votes for name, votes in dict(over.get("consensus") or {}).items() if len(name) == 2}
        body["consensus"] = severities | {
            code.value: said[f"votes_{code}"] for code in Category if (said[f"votes_{code}"] or 1) > 1
        }
        body["audit_rates"] = {
            code.value: round(said[f"audit_{code}"] / 100, 6) for code in Category if said[f"audit_{code}"] is not None
        }
        body["queues"] = {code.value: said[f"queue_{code}"] for code in Category if said[f"queue_{code}"]}
        body["overlays"] = self.overlays()
        body["privacy_budget"] = said["privacy_budget"]
        return {name: part for name, part in body.items() if part or name not in OPTIONAL}

    def overlays(self) -> list[dict[str, Any]]:
        """Lines of one name together: their conditions united, their bands by category."""
        found: dict[str, dict[str, Any]] = {}
        for line in self.overlays_filled(self.cleaned_data):
            said = {part: self.cleaned_data[f"overlay_{part}_{line}"] for part in OVERLAY_PARTS}
            one = found.setdefault(said["name"], {"name": said["name"], "bands": {}})
            conditions = {
                "territories": territories_in(said["territories"]),
                "audiences": [said["audience"]],
                "surfaces": [said["surface"]],
                "contexts": [said["context"]],
            }
            for part, values in conditions.items():
                if named := sorted({*one.get(part, []), *filter(None, values)}):
                    one[part] = named
            one["bands"][said["category"]] = {"approve": said["approve"], "block": said["block"]}
        return list(found.values())


OPTIONAL: Final = frozenset({"consensus", "audit_rates", "queues", "overlays", "privacy_budget"})


def territories_in(text: str) -> list[str]:
    return sorted({code.upper() for code in text.replace(",", " ").split()})


def care_fields(code: Category, queues: list[tuple[str, str]]) -> dict[str, forms.Field]:
    named = {"category": code.label}
    number = {"inputmode": "decimal"}
    return {
        f"votes_{code}": forms.IntegerField(
            label=_("People who must agree, %(category)s") % named,
            required=False,
            min_value=1,
            max_value=MOST_VOTES,
            widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        ),
        f"audit_{code}": forms.FloatField(
            label=_("Audit rate in percent, %(category)s") % named,
            required=False,
            min_value=0,
            max_value=100,
            widget=forms.NumberInput(attrs={"step": "any", **number}),
        ),
        f"queue_{code}": forms.ChoiceField(label=_("Queue, %(category)s") % named, required=False, choices=queues),
    }


def overlay_lines(values: Mapping[str, Any]) -> int:
    """Those that are there, and an empty one to fill in."""
    found = 0
    while f"overlay_name_{found}" in values:
        found += 1
    return found if found and not values.get(f"overlay_name_{found - 1}") else found + 1


def overlay_fields(line: int) -> dict[str, forms.Field]:
    number = {"line": line + 1}

    def choice(label: str, choices: list[tuple[str, Any]]) -> forms.Field:
        return forms.ChoiceField(label=label % number, choices=[("", "–"), *choices], required=False)

    def words(label: str, longest: int) -> forms.Field:
        return forms.CharField(label=label % number, max_length=longest, required=False)

    fields = {
        "name": words(_("Name, overlay line %(line)d"), 60),
        "territories": words(_("Countries, overlay line %(line)d"), 400),
        "audience": choice(_("Audience, overlay line %(line)d"), list(Audience.choices)),
        "surface": words(_("Surface, overlay line %(line)d"), 100),
        "context": choice(_("Verified context, overlay line %(line)d"), [(one, one) for one in CONTEXTS]),
        "category": choice(_("Category, overlay line %(line)d"), [(code.value, code.label) for code in BY_SEVERITY]),
        "approve": cut(_("Approve below, overlay line %(line)d") % number),
        "block": cut(_("Block from, overlay line %(line)d") % number),
        "drop": forms.BooleanField(label=_("Remove overlay line %(line)d") % number, required=False),
    }
    return {f"overlay_{part}_{line}": field for part, field in fields.items()}


def whole_draft_of(plan: Plan, *, based_on: int) -> dict[str, Any]:
    """A plan as the form shows it. An overlay with several audiences, surfaces or contexts has a line for each."""
    shown = draft_of_plan(plan, based_on=based_on) | {"privacy_budget": plan.privacy_budget}
    for code in plan.bands:
        shown |= {f"votes_{code}": plan.consensus[code]} if code in plan.consensus else {}
        shown |= {f"audit_{code}": round(plan.audit_rates[code] * 100, 4)} if code in plan.audit_rates else {}
        shown |= {f"queue_{code}": plan.queues[code]} if code in plan.queues else {}
    line = 0
    for one in plan.overlays:
        most = max(1, len(one.audiences), len(one.surfaces), len(one.contexts))
        listed = [sorted(part) + [""] * most for part in (one.audiences, one.surfaces, one.contexts)]
        cases = [(category, 0) for category in sorted(one.bands)]
        cases += [(min(one.bands), more) for more in range(1, most)] if one.bands else []
        for category, at in cases:
            said = {
                "name": one.name,
                "territories": " ".join(sorted(one.territories)),
                "audience": listed[0][at],
                "surface": listed[1][at],
                "context": listed[2][at],
                "category": category,
                "approve": one.bands[category].approve,
                "block": one.bands[category].block,
            }
            shown |= {f"overlay_{part}_{line}": value for part, value in said.items()}
            line += 1
    return shown


class AnswerForm(PlainForm):
    """Answering a proposal: the revision one read, and words where they are needed."""

    revision = forms.IntegerField(min_value=1, widget=forms.HiddenInput)
    text = forms.CharField(
        label=gettext_lazy("Remark"), max_length=10_000, required=False, widget=forms.Textarea(attrs={"rows": 2})
    )
