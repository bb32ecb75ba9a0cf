"""Forms of the bench."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.forms import BY_SEVERITY, PlainForm
from moderation.models import Scope, User
from moderation.taxonomy import UNTRAINABLE, Severity
from review.blinding import MOST_GOLD
from review.concepts import Draft
from review.models import GoldItem, Verdict

CATEGORIES = [(code.value, code.label) for code in BY_SEVERITY if code not in UNTRAINABLE]


class KeysField(forms.CharField):
    """Ids of submissions, separated by anything that is not part of one. Cleans to a list."""

    def __init__(self, **options: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 7, "spellcheck": "false", "class": "mono"}), **options)

    def clean(self, value: Any) -> list[UUID]:
        words = super().clean(value).replace(",", " ").replace(";", " ").split()
        try:
            return [UUID(word) for word in words]
        except ValueError as error:
            wrong = next(word for word in words if not is_key(word))
            raise forms.ValidationError(_("“%(word)s” is no id of a submission.") % {"word": wrong[:60]}) from error


def is_key(word: str) -> bool:
    try:
        UUID(word)
    except ValueError:
        return False
    return True


class ConceptForm(PlainForm):
    """A concept as a policy lead gives it."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        help_text=gettext_lazy("Short and plain, as “toy pistols”. The same name again makes its next version."),
    )
    category = forms.ChoiceField(
        label=gettext_lazy("Category"),
        choices=CATEGORIES,
        help_text=gettext_lazy("What a hit speaks for. Of several voices in a category the highest counts."),
    )
    examples = KeysField(
        label=gettext_lazy("Examples"),
        help_text=gettext_lazy("Ids of submissions that show it, one a line; five at least, all different images."),
    )
    counters = KeysField(
        label=gettext_lazy("Counter-examples"),
        required=False,
        help_text=gettext_lazy("Ids of submissions that look alike and do not show it. Optional."),
    )

    def draft(self) -> Draft:
        """Only for a valid form."""
        said = self.cleaned_data
        return Draft(said["name"], said["category"], said["examples"], said["counters"])


class GoldForm(PlainForm):
    """An image with its right answer."""

    submission = forms.UUIDField(
        label=gettext_lazy("Image"), help_text=gettext_lazy("Id of a submission that is decided beyond doubt.")
    )
    verdict = forms.ChoiceField(
        label=gettext_lazy("Right answer"), choices=[(one.value, one.label) for one in GoldItem.EXPECTED]
    )
    category = forms.ChoiceField(
        label=gettext_lazy("Category"),
        choices=CATEGORIES,
        help_text=gettext_lazy("To block: what it violates. To approve: what it is easily mistaken for."),
    )
    severity = forms.TypedChoiceField(
        label=gettext_lazy("Severity"), choices=Severity.choices[1:], coerce=int, help_text=gettext_lazy("Of a block.")
    )
    why = forms.CharField(
        label=gettext_lazy("Why this is right"),
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy("Whoever misses it will ask. Cite the guideline."),
    )

    def answer(self) -> dict[str, Any]:
        """As `review.quality.gold.add` takes it. Only for a valid form."""
        said = self.cleaned_data
        label = {"category": said["category"], "severity": said["severity"]}
        labels = [label] if said["verdict"] == Verdict.BLOCK else []
        return {"verdict": said["verdict"], "labels": labels, "category": said["category"], "why": said["why"]}


class QualityRulesForm(PlainForm):
    """How much is checked, in percent."""

    gold = forms.FloatField(
        label=gettext_lazy("Gold items, % of what people are given"), min_value=0, max_value=100 * MOST_GOLD
    )
    unaided = forms.FloatField(
        label=gettext_lazy("Uncertain images shown without scores, %"),
        min_value=0,
        max_value=100,
        help_text=gettext_lazy("100: everybody judges before the machines speak."),
    )


class CalibrationForm(PlainForm):
    """A session as a lead calls it."""

    title = forms.CharField(label=gettext_lazy("Title"), max_length=120)
    submissions = KeysField(
        label=gettext_lazy("Images"), help_text=gettext_lazy("Ids of submissions, one a line, in the order of looking.")
    )
    people = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Who is invited"),
        queryset=User.objects.none(),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Two people at least. Invite yourself to judge along."),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        reviewers = User.objects.filter(is_active=True, groups__permissions__codename=Scope.REVIEW.value)
        self.fields["people"].queryset = reviewers.distinct().order_by("username")  # type: ignore[attr-defined]


class BallotForm(PlainForm):
    """One person's word on one image of a session."""

    verdict = forms.ChoiceField(
        label=gettext_lazy("I would"),
        choices=[(one.value, one.label) for one in GoldItem.EXPECTED],
        widget=forms.RadioSelect,
    )
    category = forms.ChoiceField(
        label=gettext_lazy("As"),
        required=False,
        choices=[("", "–"), *((code.value, code.label) for code in BY_SEVERITY)],
    )
    severity = forms.TypedChoiceField(
        label=gettext_lazy("Severity"), required=False, choices=Severity.choices[1:], coerce=int
    )
    words = forms.CharField(
        label=gettext_lazy("Why"), required=False, max_length=2000, widget=forms.Textarea(attrs={"rows": 3})
    )

    def labels(self) -> list[dict[str, Any]]:
        """Only for a valid form."""
        said = self.cleaned_data
        blocks = said["verdict"] == Verdict.BLOCK and said["category"]
        return [{"category": said["category"], "severity": int(said["severity"] or 1)}] if blocks else []
