"""Forms of the bench."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.forms import BY_SEVERITY, PlainForm
from moderation.taxonomy import UNTRAINABLE
from review.concepts import Draft

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
