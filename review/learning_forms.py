"""What ML engineers fill in to audit labels and to have images drawn to learn from."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifiers.models import ClassifierVersion
from moderation.forms import BY_SEVERITY, PlainForm
from review.label_audits.asking import MOST as MOST_SENT
from review.models import Dataset, Export, ExportState, Strategy
from review.selection.budgets import MIX, MOST, Budget
from review.training_forms import words_of

OFFERED = 100
ANY = ("", gettext_lazy("Any category"))


class AuditForm(PlainForm):
    """Which data set, and whose word."""

    dataset = forms.ModelChoiceField(
        queryset=Dataset.objects.none(),
        label=gettext_lazy("Data set"),
        empty_label=None,
        help_text=gettext_lazy("With embeddings. Only those whose files are kept here are listed."),
    )
    version = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Go by"),
        help_text=gettext_lazy("Heads fitted for the audit never judge a label that they have seen."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["dataset"]
        assert isinstance(field, forms.ModelChoiceField)
        done = Export.objects.filter(dataset=OuterRef("pk"), state=ExportState.DONE)
        kept = Dataset.objects.filter(~Q(folder="") | Exists(done)).order_by("-id")
        field.queryset = kept
        field.choices = [(one.pk, words_of(one)) for one in kept[:OFFERED] if not one.bare]
        heads = ClassifierVersion.objects.filter(kind="heads").order_by("-created_at").defer("card")[:OFFERED]
        choices = [("", _("Heads fitted for this audit")), *((one.ref, one.ref) for one in heads)]
        self.fields["version"].choices = choices  # type: ignore[attr-defined]


class SendForm(PlainForm):
    """How many of the most doubted images go to somebody else."""

    count = forms.IntegerField(
        min_value=1, max_value=MOST_SENT, initial=20, label=gettext_lazy("The most doubted images")
    )
    category = forms.ChoiceField(
        required=False, label=gettext_lazy("Category"), choices=[ANY, *((one.value, one.label) for one in BY_SEVERITY)]
    )
    flagged = forms.BooleanField(required=False, initial=True, label=gettext_lazy("Suspected ones only"))


class DrawForm(PlainForm):
    """One draw, now."""

    budget = forms.IntegerField(min_value=1, max_value=MOST, initial=50, label=gettext_lazy("Images"))
    strategy = forms.ChoiceField(label=gettext_lazy("Strategy"), choices=Strategy.choices, initial=Strategy.MIX)
    category = forms.ChoiceField(
        required=False,
        label=gettext_lazy("Go by"),
        choices=[ANY, *((one.value, one.label) for one in BY_SEVERITY)],
    )
    waiting = forms.BooleanField(
        required=False,
        label=gettext_lazy("Also images that wait for a person already"),
        help_text=gettext_lazy("They come sooner; one answer serves both."),
    )


class BudgetForm(PlainForm):
    """One edition of the budget and the mix."""

    a_day = forms.IntegerField(
        min_value=0,
        max_value=MOST,
        label=gettext_lazy("Images a day"),
        help_text=gettext_lazy("By UTC, spread over the day. 0: none is drawn by itself."),
    )

    def __init__(self, *args: Any, budget: Budget, **options: Any) -> None:
        super().__init__(*args, initial={"a_day": budget.a_day, **budget.mix}, **options)
        for name in MIX:
            self.fields[name] = forms.IntegerField(
                min_value=0, max_value=100, label=Strategy(name).label, help_text=_("Per cent.")
            )

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        shares = [said.get(name) for name in MIX]
        if None not in shares and sum(one or 0 for one in shares) != 100:
            raise forms.ValidationError(_("The shares must come to 100 per cent."))
        return said

    def edition(self) -> Budget:
        said = self.cleaned_data
        return Budget(said["a_day"], {name: said[name] for name in MIX})
