"""What a policy lead asks of the audits."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from moderation.forms import BY_SEVERITY, PlainForm
from moderation.models import BandRisk
from moderation.taxonomy import Category
from review import certifying
from review.certifying import Family

LEAST, MOST = 0.001, 99.999


class CertificateForm(PlainForm):
    """A limit in per cent, with a confidence in per cent."""

    category = forms.ChoiceField(label=_("Category"), choices=[(code.value, code.label) for code in BY_SEVERITY])
    more = forms.MultipleChoiceField(
        label=_("and at once"),
        choices=[(code.value, code.label) for code in BY_SEVERITY],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("All that is certified then holds at once, with the confidence you ask for."),
    )
    risk = forms.ChoiceField(label=_("What may not happen"), choices=BandRisk.choices)
    limit = forms.FloatField(
        label=_("At most, in %"),
        min_value=LEAST,
        max_value=MOST,
        initial=0.5,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    confidence = forms.FloatField(
        label=_("Confidence, in %"),
        min_value=LEAST,
        max_value=MOST,
        initial=95,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    falls_back = forms.BooleanField(
        label=_("On alarm, people decide in this category at once"), required=False, initial=True
    )

    @property
    def hidden_names(self) -> list[tuple[str, str]]:
        """What was asked, to be asked again when it is stored."""
        plain = [(name, str(self.data.get(name, ""))) for name in ("category", "risk", "limit", "confidence")]
        return plain + [("more", one) for one in self.cleaned_data["more"]]

    def assess(self) -> Family:
        """What the audits prove of it now. Raises Unproven."""
        said = self.cleaned_data
        codes = dict.fromkeys([said["category"], *said["more"]])
        return certifying.assess_all(
            [Category(code) for code in codes],
            risk=said["risk"],
            alpha=said["limit"] / 100,
            delta=round(1 - said["confidence"] / 100, 12),
        )
