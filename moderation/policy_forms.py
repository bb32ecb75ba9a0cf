"""What people fill in to change a guideline, as a draft that a second person reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.forms import LinesField, PlainForm
from moderation.guidelines import bodies, images
from moderation.guidelines.faults import UnfitWording
from moderation.guidelines.subjects import Subject
from moderation.models import Audience, DefaultAction, ExceptionKind
from moderation.taxonomy import UNTRAINABLE, Severity

LONGEST: Final = bodies.LONGEST_TEXT
SPARE: Final = 2  # empty rows for images, beside those that are filled in


def markdown(rows: int) -> forms.Textarea:
    return forms.Textarea(attrs={"rows": rows})


class PolicyForm(PlainForm):
    """A whole guideline over version `based_on`, with why and when; `body` is what it says, once it is valid."""

    based_on = forms.IntegerField(min_value=0, widget=forms.HiddenInput)
    revision = forms.IntegerField(min_value=0, widget=forms.HiddenInput, required=False)
    translates = forms.IntegerField(min_value=1, widget=forms.HiddenInput, required=False)
    headline = forms.CharField(
        label=gettext_lazy("Headline"), max_length=200, help_text=gettext_lazy("The rule in one sentence.")
    )
    definition = forms.CharField(
        label=gettext_lazy("Definition"),
        max_length=LONGEST,
        widget=markdown(8),
        help_text=gettext_lazy(
            "What belongs here and what decides the hard cases. Markdown; headings begin with ####."
        ),
    )
    allowed = LinesField(
        label=gettext_lazy("Allowed"), longest=300, help_text=gettext_lazy("One example a line, in words.")
    )
    not_allowed = LinesField(
        label=gettext_lazy("Not allowed"), longest=300, help_text=gettext_lazy("One example a line, described calmly.")
    )
    exceptions = forms.CharField(
        label=gettext_lazy("Exceptions"),
        max_length=LONGEST,
        required=False,
        widget=markdown(4),
        help_text=gettext_lazy("When the rule gives way, and what is never an exception."),
    )
    severity = forms.TypedChoiceField(
        label=gettext_lazy("Severity"),
        choices=Severity.choices,
        coerce=int,
        help_text=gettext_lazy("When nobody says otherwise."),
    )
    report_duty = forms.CharField(
        label=gettext_lazy("Report duty"),
        max_length=LONGEST,
        required=False,
        widget=markdown(3),
        help_text=gettext_lazy("Whom the law wants told, by when, and who does it."),
    )
    owner = forms.CharField(
        label=gettext_lazy("Owner"),
        max_length=150,
        required=False,
        help_text=gettext_lazy("A person or a team to ask."),
    )
    review_by = forms.DateField(
        label=gettext_lazy("Review by"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("To be read again by then."),
    )
    archived = forms.BooleanField(
        label=gettext_lazy("Archive it"),
        required=False,
        help_text=gettext_lazy("Not in force any more; every version stays readable."),
    )
    title = forms.CharField(
        label=gettext_lazy("What changes"),
        max_length=200,
        help_text=gettext_lazy("In a few words, for the list of drafts."),
    )
    note = forms.CharField(
        label=gettext_lazy("Why"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Everyone who reads the history will see it."),
    )
    effective_at = forms.DateTimeField(
        label=gettext_lazy("In force from (UTC)"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        help_text=gettext_lazy("Empty: as soon as a second person approved."),
    )

    def __init__(self, *args: Any, subject: Subject, **options: Any) -> None:
        super().__init__(*args, **options)
        self.subject = subject
        self.body: dict[str, Any] = {}
        for kind, label in ExceptionKind.choices:
            self.fields[f"exempt_{kind}"] = words(label, 2)
        for level in Severity:
            self.fields[f"ladder_{level.value}"] = words(level.label, 2)
        for audience, label in Audience.choices:
            choices = [("", "–"), *DefaultAction.choices]
            self.fields[f"action_{audience}"] = forms.ChoiceField(label=label, choices=choices, required=False)
        self.lines = 0 if subject.category in UNTRAINABLE or subject.locale else self.count()
        for row in range(self.lines):
            self.fields |= image_fields(row)
        for name in self.unused():
            del self.fields[name]

    def count(self) -> int:
        values = self.data if self.is_bound else self.initial
        filled = [row for row in range(images.MOST) if values.get(f"image_{row}")]
        return min(max(filled, default=-1) + 1 + SPARE, images.MOST)

    def unused(self) -> list[str]:
        """What a translation has from its original, and a category's own guideline cannot be."""
        if not self.subject.locale:
            return ["archived"] if self.subject.is_category else []
        return ["severity", "owner", "review_by", *(f"action_{audience}" for audience in Audience.values)]

    def exempt_rows(self) -> Iterator[forms.BoundField]:
        return (self[f"exempt_{kind}"] for kind in ExceptionKind.values)

    def ladder_rows(self) -> Iterator[forms.BoundField]:
        return (self[f"ladder_{level}"] for level in Severity.values)

    def action_rows(self) -> list[forms.BoundField]:
        names = [f"action_{audience}" for audience in Audience.values]
        return [self[name] for name in names if name in self.fields]

    def image_rows(self) -> Iterator[tuple[forms.BoundField, ...]]:
        return (tuple(self[f"{part}_{row}"] for part in ("image", "is", "says")) for row in range(self.lines))

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                self.body = bodies.checked(self.subject, self.said(cleaned))
            except UnfitWording as error:
                self.add_error(self.place_of(error.field), str(error))
        return cleaned

    def said(self, cleaned: Mapping[str, Any]) -> dict[str, Any]:
        """The body as far as the fields say it; what does not stand in them is empty."""
        day = cleaned.get("review_by")
        return {
            **{name: cleaned.get(name) or "" for name in ("headline", "owner", *bodies.TEXTS)},
            **{name: cleaned.get(name) or [] for name in bodies.LISTS},
            "severity": cleaned["severity"] if cleaned.get("severity") is not None else 0,
            "exempt": given("exempt", ExceptionKind.values, cleaned),
            "ladder": given("ladder", [str(level) for level in Severity.values], cleaned),
            "actions": given("action", Audience.values, cleaned),
            "examples": [
                {
                    "submission": str(cleaned[f"image_{row}"]),
                    "allowed": cleaned.get(f"is_{row}") == "allowed",
                    "words": cleaned.get(f"says_{row}") or "",
                }
                for row in range(self.lines)
                if cleaned.get(f"image_{row}")
            ],
            "review_by": day.isoformat() if day else "",
            "archived": bool(cleaned.get("archived")),
            "translates": cleaned.get("translates"),
        }

    def place_of(self, field: str) -> str | None:
        """The form's field for a body's; None for what has several."""
        return field if field in self.fields else None


def given(prefix: str, keys: Sequence[str], cleaned: Mapping[str, Any]) -> dict[str, str]:
    return {key: said for key in keys if (said := cleaned.get(f"{prefix}_{key}"))}


def words(label: Any, rows: int) -> forms.CharField:
    return forms.CharField(label=label, max_length=LONGEST, required=False, widget=markdown(rows))


def image_fields(row: int) -> dict[str, forms.Field]:
    number = {"row": row + 1}
    choices = [("not_allowed", _("Not allowed")), ("allowed", _("Allowed"))]
    return {
        f"image_{row}": forms.UUIDField(label=_("Image %(row)d: the submission’s id") % number, required=False),
        f"is_{row}": forms.ChoiceField(label=_("Image %(row)d is") % number, choices=choices, required=False),
        f"says_{row}": forms.CharField(label=_("Image %(row)d shows") % number, max_length=300, required=False),
    }


def filled(body: Mapping[str, Any], *, based_on: int) -> dict[str, Any]:
    """A guideline as the form shows it."""
    shown: dict[str, Any] = {
        **{
            name: body.get(name) for name in ("headline", "owner", "review_by", "archived", "translates", *bodies.TEXTS)
        },
        **{name: "\n".join(body.get(name, ())) for name in bodies.LISTS},
        "severity": body.get("severity"),
        "based_on": based_on,
    }
    shown |= {f"exempt_{kind}": said for kind, said in body.get("exempt", {}).items()}
    shown |= {f"ladder_{level}": said for level, said in body.get("ladder", {}).items()}
    shown |= {f"action_{audience}": said for audience, said in body.get("actions", {}).items()}
    for row, one in enumerate(body.get("examples", ())):
        shown |= {
            f"image_{row}": one["submission"],
            f"is_{row}": "allowed" if one["allowed"] else "not_allowed",
            f"says_{row}": one["words"],
        }
    return shown
