"""What a policy lead fills in to define a queue."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.forms import BY_SEVERITY, LinesField, PlainForm
from moderation.models import Client, QueueOrder, Reason, ReviewQueue, Scope, User
from moderation.queues.definitions import DUE_HOURS, ESCALATED, GENERAL
from moderation.queues.keeping import UnfitQueue
from moderation.taxonomy import Severity

WEEKDAYS: Final = [
    (0, gettext_lazy("Monday")),
    (1, gettext_lazy("Tuesday")),
    (2, gettext_lazy("Wednesday")),
    (3, gettext_lazy("Thursday")),
    (4, gettext_lazy("Friday")),
    (5, gettext_lazy("Saturday")),
    (6, gettext_lazy("Sunday")),
]


class WordsField(forms.CharField):
    """Entries apart by commas or blanks. Cleans to a list."""

    def __init__(self, *, apart: str = "", upper: bool = False, **options: Any) -> None:
        super().__init__(required=False, **options)
        self.apart, self.upper = apart, upper

    def clean(self, value: Any) -> list[str]:
        said = super().clean(value).strip()
        said = said.upper() if self.upper else said
        parts = said.split(",") if self.apart == "," else said.replace(",", " ").split()
        return [part.strip() for part in parts if part.strip()]


class ManyField(forms.MultipleChoiceField):
    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, widget=forms.CheckboxSelectMultiple, **options)


class QueueForm(PlainForm):
    """One queue, over what holds now. `parts` are its fields in the groups that the page shows."""

    slug = forms.CharField(
        label=gettext_lazy("Short name"),
        max_length=50,
        help_text=gettext_lazy("In addresses and in rules, for good: small letters, digits and hyphens."),
    )
    title = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    position = forms.IntegerField(
        label=gettext_lazy("Position"),
        min_value=0,
        max_value=9999,
        initial=100,
        help_text=gettext_lazy("Queues are asked from the lowest on; the first that takes a request gets it."),
    )
    order = forms.ChoiceField(label=gettext_lazy("Order"), choices=QueueOrder.choices)
    categories = ManyField(label=gettext_lazy("Categories"), choices=[(code.value, code.label) for code in BY_SEVERITY])
    least_severity = forms.TypedChoiceField(
        label=gettext_lazy("Severity at least"), choices=Severity.choices, coerce=int, required=False
    )
    reasons = ManyField(label=gettext_lazy("Reasons"), choices=Reason.choices)
    clients = ManyField(label=gettext_lazy("Platforms"))
    territories = WordsField(
        label=gettext_lazy("Territories"), upper=True, help_text=gettext_lazy("Country codes, as in DE, AT.")
    )
    languages = WordsField(
        label=gettext_lazy("Languages"),
        help_text=gettext_lazy("As declared in the submission’s context: two or three letters, as in de, fr."),
    )
    surfaces = WordsField(label=gettext_lazy("Surfaces"), apart=",", help_text=gettext_lazy("Apart by commas."))
    hours = WordsField(
        label=gettext_lazy("Hours until due, for severity 0 to 4"),
        help_text=gettext_lazy("Five numbers; they count in working hours."),
    )
    territory_hours = LinesField(
        label=gettext_lazy("Shorter or longer in some territories"),
        longest=80,
        required=False,
        help_text=gettext_lazy("One a line, as in DE: 3=2 4=0.5 (severity = hours). Of several, the shortest counts."),
    )
    zone = forms.CharField(
        label=gettext_lazy("Time zone of the working hours"),
        required=False,
        max_length=64,
        help_text=gettext_lazy("As in Europe/Berlin. Empty: people work around the clock."),
    )
    weekdays = ManyField(label=gettext_lazy("Working days"), choices=WEEKDAYS)
    opens = forms.CharField(label=gettext_lazy("From"), required=False, max_length=5, initial="09:00")
    closes = forms.CharField(label=gettext_lazy("To"), required=False, max_length=5, initial="17:00")
    holidays = LinesField(
        label=gettext_lazy("Holidays"),
        longest=10,
        required=False,
        help_text=gettext_lazy("As in 2026-12-25, one a line."),
    )
    spoken = WordsField(
        label=gettext_lazy("Who works here knows one of these languages"), help_text=gettext_lazy("As in de, fr.")
    )
    specialties = WordsField(
        label=gettext_lazy("and has one of these specialties"), apart=",", help_text=gettext_lazy("Apart by commas.")
    )
    members = ManyField(label=gettext_lazy("Only these people"), help_text=gettext_lazy("None chosen: everybody."))

    PARTS: Final = (
        (gettext_lazy("The queue"), ("slug", "title", "position", "order")),
        (
            gettext_lazy("What it takes"),
            ("categories", "least_severity", "reasons", "clients", "territories", "languages", "surfaces"),
        ),
        (gettext_lazy("Until when"), ("hours", "territory_hours", "zone", "weekdays", "opens", "closes", "holidays")),
        (gettext_lazy("Who works here"), ("spoken", "specialties", "members")),
    )

    def __init__(self, *args: Any, row: ReviewQueue | None = None, slug: str = "", **options: Any) -> None:
        initial = initial_of(row) if row else {"hours": " ".join(f"{one:g}" for one in DUE_HOURS), "slug": slug}
        super().__init__(*args, initial=initial, **options)
        self.choose("clients", [(str(one.pk), one.name) for one in Client.objects.order_by("name")[:100]])
        people = User.objects.filter(is_active=True, groups__permissions__codename=Scope.REVIEW.value).distinct()
        self.choose("members", [(str(one.pk), one.username) for one in people.order_by("username")[:500]])
        if slug:
            self.fields["slug"].disabled = True
            self.initial["slug"] = slug
        if slug in {GENERAL, ESCALATED}:
            for name in self.PARTS[1][1]:
                del self.fields[name]

    def choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]

    def parts(self) -> Iterator[tuple[Any, list[forms.BoundField]]]:
        for words, names in self.PARTS:
            if fields := [self[name] for name in names if name in self.fields]:
                yield words, fields

    def said(self) -> dict[str, Any]:
        """As `keeping.define` takes it. Raises UnfitQueue for what this form alone writes in a line of text."""
        data = self.cleaned_data
        calendar = {name: data[name] for name in ("zone", "weekdays", "opens", "closes", "holidays")}
        return {
            **{name: data[name] for name in ("slug", "title", "position", "order")},
            "conditions": {name: data[name] for name in self.PARTS[1][1] if name in data},
            "due": {
                "hours": [number(one, "hours") for one in data["hours"]],
                "territories": dict(territory(line) for line in data["territory_hours"]),
            },
            "calendar": calendar if data["zone"] else None,
            "access": {
                "languages": data["spoken"],
                "specialties": [one.lower() for one in data["specialties"]],
                "members": data["members"],
            },
        }


def number(text: str, field: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise UnfitQueue(field, _("“%(text)s” is no number of hours.") % {"text": text[:20]}) from error


def territory(line: str) -> tuple[str, dict[str, float]]:
    code, _colon, rest = line.partition(":")
    pairs = [one.partition("=") for one in rest.replace(",", " ").split()]
    if not pairs or any(severity not in {"0", "1", "2", "3", "4"} for severity, _equals, _hours in pairs):
        raise UnfitQueue("territory_hours", _("“%(line)s”: write it as in DE: 3=2 4=0.5.") % {"line": line[:40]})
    return code.strip().upper(), {severity: number(hours, "territory_hours") for severity, _equals, hours in pairs}


def initial_of(row: ReviewQueue) -> dict[str, Any]:
    conditions, access, calendar = row.conditions, row.access, row.calendar or {}
    own = row.due.get("territories", {})
    lines = [f"{code}: " + " ".join(f"{sev}={hours:g}" for sev, hours in by.items()) for code, by in own.items()]
    return {
        **{name: getattr(row, name) for name in ("slug", "title", "position", "order")},
        **conditions,
        **{name: ", ".join(conditions.get(name, ())) for name in ("territories", "languages", "surfaces")},
        "hours": " ".join(f"{one:g}" for one in row.due.get("hours", DUE_HOURS)),
        "territory_hours": "\n".join(lines),
        **calendar,
        "holidays": "\n".join(calendar.get("holidays", ())),
        "spoken": ", ".join(access.get("languages", ())),
        "specialties": ", ".join(access.get("specialties", ())),
        "members": access.get("members", []),
    }
