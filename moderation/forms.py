"""What people fill in to change the law: a plan, a note."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifiers.models import ClassifierVersion
from moderation.plans import COPIES_ACROSS
from moderation.routing import Band, Plan, is_probability
from moderation.taxonomy import DEFAULT_SEVERITY, PEOPLE_ONLY, Category, Severity

FAILURES: Final = (
    ("review", gettext_lazy("A person looks")),
    ("wait", gettext_lazy("The image waits until it answers")),
)
MOST_TIGHTENING: Final = 50
TIGHTENING_PARTS: Final = ("when", "above", "category", "by", "remove")
BY_SEVERITY: Final = sorted(Category, key=lambda code: -DEFAULT_SEVERITY[code])  # stable: the taxonomy's order within


class PlainForm(forms.Form):
    """Labels without a colon."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"label_suffix": "", **options})


class LinesField(forms.CharField):
    """One entry a line; blank lines do not count. Cleans to a list."""

    def __init__(self, *, longest: int, **options: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 6}), **options)
        self.longest = longest

    def clean(self, value: Any) -> list[str]:
        lines = [line.strip() for line in super().clean(value).splitlines() if line.strip()]
        long = [line for line in lines if len(line) > self.longest]
        if long:
            raise forms.ValidationError(
                _("At most %(most)d characters a line; this one has %(length)d: “%(start)s…”")
                % {"most": self.longest, "length": len(long[0]), "start": long[0][:40]}
            )
        return lines


@dataclass(frozen=True, slots=True)
class BandRow:
    """One category's line of the plan form."""

    category: Category
    severity: Severity
    approve: forms.BoundField
    automatic: forms.BoundField
    block: forms.BoundField

    @property
    def people_only(self) -> bool:
        return self.category in PEOPLE_ONLY

    @property
    def band(self) -> Band:
        """As far as the figures in the form make one; what is missing leaves everything to people."""
        approve, block = number(self.approve.value()), number(self.block.value())
        return Band(0.0 if approve is None else approve, block if self.automatic.value() else None)

    @property
    def errors(self) -> list[str]:
        return [str(error) for field in (self.approve, self.automatic, self.block) for error in field.errors]


@dataclass(frozen=True, slots=True)
class TighteningRow:
    """One conditional rule's line of the plan form; a line whose `when` is empty is none."""

    when: forms.BoundField
    above: forms.BoundField
    category: forms.BoundField
    by: forms.BoundField
    remove: forms.BoundField

    @property
    def errors(self) -> list[str]:
        return [str(error) for field in (self.when, self.above, self.category, self.by) for error in field.errors]


SETTLING: Final = [
    ("off", gettext_lazy("are judged like any image")),
    ("settle", gettext_lazy("follow the decision, within one client")),
    (COPIES_ACROSS, gettext_lazy("follow the decision, whichever client sent them")),
]


class PlanForm(PlainForm):
    """A whole plan as a draft over plan `based_on`: two cuts a category, what tightens them, audit rate, pinned
    classifiers, what to do when one of them fails, and why.
    """

    based_on = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    audit_percent = forms.FloatField(
        label=gettext_lazy("Audit rate"),
        min_value=0,
        max_value=100,
        help_text=gettext_lazy("Percent of the images decided by machine that a person checks as well."),
    )
    classifiers = forms.MultipleChoiceField(
        label=gettext_lazy("Classifiers"),
        widget=forms.CheckboxSelectMultiple,
        error_messages={
            "required": gettext_lazy("Pin at least one classifier; without one, every image goes to a person.")
        },
    )
    on_error = forms.ChoiceField(
        label=gettext_lazy("When a classifier fails"),
        choices=FAILURES,
        required=False,
        initial="review",
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "An image on which a pinned classifier gave no answer is never approved by machine. It is tried again a "
            "few times; then a person looks, or it waits until the classifier answers."
        ),
    )
    copies = forms.ChoiceField(
        label=gettext_lazy("Near-duplicates of what people decided"),
        choices=SETTLING,
        required=False,
        initial="off",
        widget=forms.RadioSelect,
        help_text=gettext_lazy(
            "A copy of what a person approved is approved where only the bands made it uncertain; a copy of what a "
            "person blocked is blocked, or goes to a person where only people block. Only while the guideline stands "
            "as it was, and audited like everything machines decide."
        ),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Why this plan. Everyone who reads the history will see it."),
    )

    def __init__(
        self, *args: Any, versions: Sequence[ClassifierVersion], publishing: bool = False, **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self.versions = versions
        self.fields["note"].required = publishing
        self.fields["classifiers"].choices = [(version.ref, version.ref) for version in versions]  # type: ignore[attr-defined]
        for code in BY_SEVERITY:
            self.fields[f"approve_{code}"] = cut(_("Approve below, %(category)s") % {"category": code.label})
            self.fields[f"automatic_{code}"] = forms.BooleanField(
                label=_("May block without a person, %(category)s") % {"category": code.label},
                required=False,
                disabled=code in PEOPLE_ONLY,
                initial=False,
            )
            self.fields[f"block_{code}"] = cut(_("Block from, %(category)s") % {"category": code.label})
        self.lines = min(lines_in(self.data if self.is_bound else self.initial), MOST_TIGHTENING)
        for line in range(self.lines):
            self.fields |= tightening_fields(line)

    def tightening_rows(self) -> Iterator[TighteningRow]:
        for line in range(self.lines):
            yield TighteningRow(*(self[f"{part}_{line}"] for part in TIGHTENING_PARTS))

    def rows(self) -> Iterator[BandRow]:
        for code in BY_SEVERITY:
            fields = (self[f"{part}_{code}"] for part in ("approve", "automatic", "block"))
            yield BandRow(code, DEFAULT_SEVERITY[code], *fields)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for code in BY_SEVERITY:
            self.check_band(code, cleaned)
        for line in self.filled(cleaned):
            self.check_tightening(line, cleaned)
        return cleaned

    def filled(self, cleaned: dict[str, Any]) -> list[int]:
        """The lines of tightening that say something and are not to be removed."""
        return [line for line in range(self.lines) if cleaned.get(f"when_{line}") and not cleaned[f"remove_{line}"]]

    def check_tightening(self, line: int, cleaned: dict[str, Any]) -> None:
        for part in ("above", "category", "by"):
            if cleaned.get(f"{part}_{line}") in {None, ""} and f"{part}_{line}" not in self.errors:
                self.add_error(f"{part}_{line}", _("Fill in the whole line, or remove it."))
        for part in ("when", "category"):
            code = cleaned.get(f"{part}_{line}")
            if code and cleaned.get(f"approve_{code}") is None:
                self.add_error(
                    f"{part}_{line}", _("%(category)s has no cuts in this plan.") % {"category": Category(code).label}
                )

    def check_band(self, code: Category, cleaned: dict[str, Any]) -> None:
        approve, block, automatic = (cleaned.get(f"{part}_{code}") for part in ("approve", "block", "automatic"))
        if f"approve_{code}" in self.errors or f"block_{code}" in self.errors:
            return
        if approve is None:
            speakers = [
                v.ref for v in self.versions if v.ref in cleaned.get("classifiers", ()) and code in v.categories
            ]
            if speakers:
                self.add_error(
                    f"approve_{code}", _("%(ref)s scores this category: set its approve cut.") % {"ref": speakers[0]}
                )
            elif automatic:
                self.add_error(f"approve_{code}", _("Set the approve cut too, or leave the category out."))
        elif automatic and block is None:
            self.add_error(f"block_{code}", _("Say from which probability to block, or untick the box."))
        elif automatic and block < approve:
            self.add_error(f"block_{code}", _("The block cut must not lie below the approve cut."))

    def body(self, over: Mapping[str, Any]) -> dict[str, Any]:
        """The plan as `moderation.policies` publishes it: what the form says, over what a plan says that it has no
        fields for. Only for a valid form.
        """
        said = self.cleaned_data
        bands = {
            code.value: {
                "approve": said[f"approve_{code}"],
                "block": said[f"block_{code}"] if said[f"automatic_{code}"] else None,
            }
            for code in Category
            if said[f"approve_{code}"] is not None
        }
        body = {
            **over,
            "bands": bands,
            "classifiers": said["classifiers"],
            "audit_rate": round(said["audit_percent"] / 100, 6),
            "tightening": [
                {part: said[f"{part}_{line}"] for part in ("when", "above", "category", "by")}
                for line in self.filled(said)
            ],
            "on_error": said["on_error"] or "review",
            "copies": said["copies"] or over.get("copies", "off"),
        }
        if shadows := body.get("shadows"):
            body["shadows"] = [ref for ref in shadows if ref not in said["classifiers"]]
        return body


def number(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if is_probability(found) else None


def lines_in(values: Mapping[str, Any]) -> int:
    """How many lines of tightening the form shows: those that are there, and an empty one to fill in."""
    found = 0
    while f"when_{found}" in values:
        found += 1
    return found if found and not values.get(f"when_{found - 1}") else found + 1


def tightening_fields(line: int) -> dict[str, forms.Field]:
    number = {"line": line + 1}
    categories = [("", "–"), *((code.value, code.label) for code in BY_SEVERITY)]
    return {
        f"when_{line}": forms.ChoiceField(
            label=_("When this category, rule %(line)d") % number, choices=categories, required=False
        ),
        f"above_{line}": cut(_("Scores above, rule %(line)d") % number),
        f"category_{line}": forms.ChoiceField(
            label=_("Tighten this category, rule %(line)d") % number, choices=categories, required=False
        ),
        f"by_{line}": cut(_("By, rule %(line)d") % number, least=0.001),
        f"remove_{line}": forms.BooleanField(label=_("Remove rule %(line)d") % number, required=False),
    }


def cut(label: str, *, least: float = 0) -> forms.FloatField:
    widget = forms.NumberInput(attrs={"step": "0.001", "inputmode": "decimal"})
    return forms.FloatField(label=label, min_value=least, max_value=1, required=False, widget=widget)


def draft_of_plan(plan: Plan, *, based_on: int) -> dict[str, Any]:
    """A plan as the form shows it."""
    shown: dict[str, Any] = {
        "based_on": based_on,
        "audit_percent": round(plan.audit_rate * 100, 4),
        "classifiers": list(plan.classifiers),
        "on_error": plan.on_error,
        "copies": plan.copies,
    }
    for line, each in enumerate(plan.tightening):
        shown |= {f"{part}_{line}": getattr(each, part) for part in ("when", "above", "category", "by")}
    for code, band in plan.bands.items():
        shown |= {
            f"approve_{code}": band.approve,
            f"automatic_{code}": band.block is not None,
            f"block_{code}": band.block,
        }
    return shown


class PastForm(PlainForm):
    """Why closed gates are gone past: for who proposes it, and for who approves."""

    past_gates = forms.CharField(
        label=gettext_lazy("Why past closed gates"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
    )


class NoteForm(PlainForm):
    """Why: for a roll back or an adoption."""

    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=2000,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
