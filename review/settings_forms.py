"""Forms of the settings: a person's own, and the organisation's."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from moderation.forms import BY_SEVERITY, PlainForm
from moderation.taxonomy import DEFAULT_SEVERITY, Severity
from review.models import ReviewerSettings
from review.wellness.settings import BOUNDS, HEAVIEST, REVEALS, Comfort, House, merged

MINUTE: Final = 60  # budgets are kept in seconds and written in minutes
WAYS: Final = {"hold": _("Hold the key or the pointer"), "click": _("Press once"), "hover": _("Point at it")}
COMFORT: Final = tuple(one.name for one in fields(Comfort))
NUMBERS: Final = ("shift", "warn", "benign", "severest_items", "severest_days", "rest_days")


def number(name: str, label: Any, words: Any = "", *, scale: int = 1) -> forms.IntegerField:
    low, high = BOUNDS[name]
    return forms.IntegerField(min_value=low // scale, max_value=high // scale, label=label, help_text=words)


class ComfortForm(PlainForm):
    """How images are shown."""

    blur = number("blur", _("More blur before you look"), _("In pixels, over the blurred copy. 0 leaves it as it is."))
    reveal = forms.ChoiceField(
        choices=[(way, WAYS[way]) for way in reversed(REVEALS)], label=_("To look"), widget=forms.RadioSelect
    )
    reblur = number("reblur", _("Blur again after"), _("Seconds. 0: when you let go or press again."))
    grey = forms.BooleanField(required=False, label=_("Show the clear image in grey"))
    muted = forms.BooleanField(required=False, label=_("Mute its colours"))
    thumbnail = number("thumbnail", _("Size of images in lists"), _("Pixels, the longer side."))
    breaks = number("breaks", _("Suggest a break every"), _("Minutes at the desk. 0: never. You may always go on."))
    budget = number(
        "budget",
        _("Exposure budget a shift"),
        _("Weighted minutes: a minute counts by the severity of what was in view."),
        scale=MINUTE,
    )

    def comfort(self) -> dict[str, Any]:
        said = {name: self.cleaned_data[name] for name in COMFORT}
        return said | {"budget": said["budget"] * MINUTE}


def as_written(comfort: Comfort) -> dict[str, Any]:
    """As a form shows it."""
    return asdict(comfort) | {"budget": comfort.budget // MINUTE}


class OwnForm(ComfortForm):
    """What a person chooses for themselves."""

    avoided = forms.MultipleChoiceField(
        required=False,
        choices=[(code.value, code.label) for code in BY_SEVERITY],
        label=_("Keep these from me"),
        widget=forms.CheckboxSelectMultiple,
    )
    volunteers = forms.BooleanField(required=False, label=_("I volunteer for S4"))

    def __init__(self, *args: Any, house: House, own: ReviewerSettings, **options: Any) -> None:
        initial = as_written(merged(house, own.comfort)) | {
            "avoided": own.avoided,
            "volunteers": own.severest_since is not None,
        }
        super().__init__(*args, initial=initial, **options)
        for name in house.floors:
            self.fields[name].help_text = str(self.fields[name].help_text) + " " + str(FLOOR)

    @property
    def categories(self) -> list[tuple[Any, Severity]]:
        """The checkboxes of `avoided`, each with the severity of its category."""
        return [(box, DEFAULT_SEVERITY[code]) for box, code in zip(self["avoided"], BY_SEVERITY, strict=True)]


FLOOR: Final = _("You may only make it gentler than the organisation does.")


class HouseForm(ComfortForm):
    """What the organisation sets."""

    floors = forms.MultipleChoiceField(
        required=False, choices=[(name, name) for name in COMFORT], widget=forms.CheckboxSelectMultiple
    )
    shift = number("shift", _("A shift is the last"), _("Hours. What was seen before counts no more."))
    warn = number("warn", _("Warn from"), _("Per cent of the budget."))
    benign = number("benign", _("Mild images among what is claimed"), _("Per cent of each claim. 0: by urgency alone."))
    severest_items = number("severest_items", _("S4 looks a shift, at most"))
    severest_days = number("severest_days", _("Days with S4, at most"), _("Then a turn without."))
    rest_days = number("rest_days", _("Days without S4 after that"))
    weights = forms.CharField(
        label=_("Weights of S0, S1, S2, S3, S4"), help_text=_("What a second of each counts for, in that order.")
    )

    def __init__(self, *args: Any, house: House, **options: Any) -> None:
        initial = as_written(house.comfort) | {name: getattr(house, name) for name in NUMBERS}
        initial |= {"floors": sorted(house.floors), "weights": " ".join(f"{weight:g}" for weight in house.weights)}
        super().__init__(*args, initial=initial, **options)

    @property
    def defaults(self) -> list[tuple[forms.BoundField, Any]]:
        """The fields that people may change for themselves, each with its box "a floor"; the budget is always one."""
        boxes = dict(zip(COMFORT, self["floors"], strict=True))
        return [(self[name], boxes[name] if name != "budget" else None) for name in COMFORT]

    def clean_weights(self) -> tuple[float, ...]:
        try:
            weights = tuple(float(word) for word in self.cleaned_data["weights"].replace(",", " ").split())
        except ValueError:
            weights = ()
        if len(weights) != len(Severity) or not all(0 <= weight <= HEAVIEST for weight in weights):
            raise forms.ValidationError(_("Five numbers from 0 to 100, separated by spaces."))
        return weights

    def edition(self) -> House:
        said = self.cleaned_data
        numbers = {name: said[name] for name in NUMBERS}
        comfort = Comfort(**self.comfort())
        return House(comfort=comfort, floors=frozenset(said["floors"]), weights=said["weights"], **numbers)
