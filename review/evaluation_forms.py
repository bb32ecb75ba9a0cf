"""What an ML engineer wants measured."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext_lazy as _

from classifiers.models import ClassifierVersion
from moderation.forms import PlainForm
from moderation.models import User
from moderation.plans.gates import ATTRIBUTES
from review.evaluations import orders
from review.models import Dataset, EvaluationOrder, Sample
from review.training_forms import words_of

SERVICE: Final = "service"
ALONE: Final = "none"
SPLITS: Final = [(one.value, one.label) for one in (Sample.TEST, Sample.VALIDATION, Sample.TRAIN)]
NEWEST: Final = 100


class EvaluationForm(PlainForm):
    """A version, what it is held against, and on which labels. Without a data set: on the gold items."""

    candidate = forms.ModelChoiceField(label=_("Version"), queryset=ClassifierVersion.objects.none(), empty_label=None)
    against = forms.ChoiceField(
        label=_("Held against"),
        help_text=_("Both are measured on the same labels; what either was taught is left out."),
    )
    dataset = forms.ModelChoiceField(
        label=_("Data set"), queryset=Dataset.objects.none(), required=False, empty_label=_("Gold items")
    )
    split = forms.ChoiceField(
        label=_("Split"), choices=SPLITS, required=False, help_text=_("Of a data set; gold items have none.")
    )
    limit = forms.FloatField(
        label=_("Equal risk: what may violate, in % of what is approved"),
        min_value=0.001,
        max_value=99.999,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    confidence = forms.FloatField(
        label=_("Confidence, in %"),
        min_value=0.001,
        max_value=99.999,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    by = forms.MultipleChoiceField(
        label=_("Slices and groups by"),
        choices=[(one, one) for one in ATTRIBUTES],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("As integrators declared them; nothing is inferred. “seen”: training knew the generator."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        versions = ClassifierVersion.objects.exclude(categories=[]).exclude(kind="rules")
        newest = versions.order_by("-created_at", "-pk").defer("card", "metrics")
        self.fields["candidate"].queryset = newest  # type: ignore[attr-defined]
        self.fields["dataset"].queryset = Dataset.objects.exclude(folder="").order_by("-id")  # type: ignore[attr-defined]
        self.fields["dataset"].label_from_instance = words_of  # type: ignore[attr-defined]
        self.fields["against"].choices = [  # type: ignore[attr-defined]
            (SERVICE, _("What is in service, which it would replace")),
            (ALONE, _("Nothing")),
            *((str(one.pk), one.ref) for one in newest[:NEWEST]),
        ]

    def incumbent(self) -> ClassifierVersion | None:
        """Only for a valid form."""
        said = self.cleaned_data["against"]
        if said == SERVICE:
            return orders.counterpart(self.cleaned_data["candidate"])
        return None if said == ALONE else ClassifierVersion.objects.get(pk=said)

    def ask(self, person: User) -> EvaluationOrder:
        """Raises CannotEvaluate. Only for a valid form."""
        said = self.cleaned_data
        return orders.ask(
            person,
            said["candidate"],
            self.incumbent(),
            dataset=said["dataset"],
            split=(said["split"] or Sample.TEST) if said["dataset"] else Sample.GOLD,
            alpha=said["limit"] / 100,
            delta=round(1 - said["confidence"] / 100, 12),
            by=said["by"],
        )
