"""The gates of a plan, as a policy lead writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.forms import PlainForm
from moderation.plans import Gates
from moderation.plans.gates import ATTRIBUTES, LEAST, LIMITS, MOST

CHOICES: Final = [(one, one) for one in ATTRIBUTES]
GROUPS: Final = [(one, one) for one in ATTRIBUTES if one not in {"generator", "seen"}]


def share(label: Any, help_text: Any = "") -> forms.FloatField:
    return forms.FloatField(
        label=label,
        help_text=help_text,
        required=False,
        min_value=0,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )


class GatesForm(PlainForm):
    """Empty fields ask for nothing."""

    tolerance = share(
        gettext_lazy("AUC may fall by at most"),
        gettext_lazy(
            "The margin of non-inferiority, against the version in service, in any category and any slice: the lower "
            "end of the 95 % interval of the difference must lie above it. Empty: not compared."
        ),
    )
    slices = forms.MultipleChoiceField(
        label=gettext_lazy("Slices by"), choices=CHOICES, required=False, widget=forms.CheckboxSelectMultiple
    )
    least = forms.IntegerField(
        label=gettext_lazy("Of slices with labels at least"),
        required=False,
        min_value=LEAST,
        max_value=MOST,
        help_text=gettext_lazy("Smaller slices are named beside the gate, and close nothing. Empty: 20."),
    )
    calibration = share(
        gettext_lazy("Calibration error (ECE) at most"), gettext_lazy("By the upper end of its interval.")
    )
    groups = forms.MultipleChoiceField(
        label=gettext_lazy("Groups by"), choices=GROUPS, required=False, widget=forms.CheckboxSelectMultiple
    )
    statistical_parity = share(gettext_lazy("Statistical parity difference at most"))
    disparate_impact = share(gettext_lazy("Disparate impact at least"), gettext_lazy("0.8 is the four-fifths rule."))
    equal_opportunity = share(gettext_lazy("Equal opportunity difference at most"))
    average_odds = share(gettext_lazy("Average odds difference at most"))
    limit = forms.FloatField(
        label=gettext_lazy("Approve cuts certified: at most, in %, approved wrongly"),
        required=False,
        min_value=0.001,
        max_value=99.999,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    confidence = forms.FloatField(
        label=gettext_lazy("With a confidence, in %, of"),
        required=False,
        initial=95,
        min_value=0.001,
        max_value=99.999,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    note = forms.CharField(label=gettext_lazy("Why"), required=False, max_length=2000, widget=forms.TextInput())
    based_on = forms.IntegerField(min_value=0, widget=forms.HiddenInput())

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if any(said.get(name) is not None for name in LIMITS) and not said.get("groups"):
            self.add_error("groups", _("Name the attributes whose groups are compared."))
        if said.get("slices") and said.get("tolerance") is None:
            self.add_error("tolerance", _("Say by how much a slice may fall."))
        return said

    def body(self) -> dict[str, Any]:
        """As a plan's body has them; only for a valid form."""
        said = self.cleaned_data
        found: dict[str, Any] = {name: said[name] for name in ("tolerance", "calibration")}
        found |= {"slices": said["slices"], "least": said["least"], "groups": said["groups"]}
        found["fairness"] = {name: said[name] for name in LIMITS if said[name] is not None}
        if said["limit"] is not None:
            found["alpha"] = said["limit"] / 100
            found["delta"] = round(1 - (said["confidence"] or 95) / 100, 12)
        return {name: value for name, value in found.items() if value not in (None, [], {})}


def initial_of(gates: Gates | None) -> Mapping[str, Any]:
    if gates is None:
        return {}
    said: dict[str, Any] = {name: getattr(gates, name) for name in ("tolerance", "calibration")}
    said |= {
        "slices": gates.slices,
        "least": gates.least if gates.least != LEAST else None,
        "groups": gates.groups,
        **gates.fairness,
    }
    if gates.alpha is not None:
        said |= {"limit": round(100 * gates.alpha, 9), "confidence": round(100 * (1 - gates.delta), 9)}
    return said
