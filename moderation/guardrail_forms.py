"""What policy leads fill in on the guardrails' pages."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.forms import PlainForm
from moderation.guardrails.settings import BOUNDS, HIGHEST, Guards
from moderation.models import Client, Verdict
from moderation.taxonomy import Category

PER_DAY = gettext_lazy("Images a day, by UTC. 0: no cap.")


def whole(name: str, label: Any, words: Any = "") -> forms.IntegerField:
    low, high = BOUNDS[name]
    return forms.IntegerField(min_value=int(low), max_value=int(high), label=label, help_text=words)


class GuardsForm(PlainForm):
    """One edition of the settings."""

    a_month = forms.FloatField(
        min_value=BOUNDS["a_month"][0],
        max_value=BOUNDS["a_month"][1],
        label=gettext_lazy("False alarms a month, at most"),
        help_text=gettext_lazy("Expected over everything that is watched. Fewer: wider limits, later alarms."),
    )
    days = whole(
        "days", gettext_lazy("Days that tell what is usual"), gettext_lazy("The last twelve hours are left out.")
    )
    least_points = forms.FloatField(
        min_value=BOUNDS["least_points"][0],
        max_value=BOUNDS["least_points"][1],
        label=gettext_lazy("Least difference"),
        help_text=gettext_lazy("Percentage points from what is usual; less is no alarm, however sure."),
    )
    plan_cap = whole("plan_cap", gettext_lazy("Blocks under a plan"), PER_DAY)
    category_cap = whole("category_cap", gettext_lazy("Blocks in each category"), PER_DAY)
    client_cap = whole("client_cap", gettext_lazy("Blocks of each client"), PER_DAY)
    caps = forms.CharField(
        required=False,
        label=gettext_lazy("Caps of their own"),
        help_text=gettext_lazy("One a line: a category’s code or a client’s short name, and the number: HATE 200"),
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
    )
    fallback = forms.MultipleChoiceField(
        required=False,
        label=gettext_lazy("When an alarm says that too much is …"),
        choices=[
            ("block", gettext_lazy("blocked: stop automatic blocking there")),
            ("approve", gettext_lazy("approved: stop automatic approval there")),
        ],
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, guards: Guards, **options: Any) -> None:
        initial = guards.dump() | {"caps": written(guards)}
        super().__init__(*args, initial=initial, **options)

    def clean_caps(self) -> dict[str, int]:
        """By category code or client key."""
        lines = [line.split() for line in self.cleaned_data["caps"].splitlines() if line.strip()]
        clients = {row.slug: str(row.pk) for row in Client.objects.filter(slug__in=[line[0] for line in lines])}
        found = {}
        for line in lines:
            key = line[0] if line[0] in Category.values else clients.get(line[0], "")
            if not key or len(line) != 2:
                raise forms.ValidationError(
                    _("“%(line)s”: write a category’s code or a client’s short name, a space, and a number.")
                    % {"line": " ".join(line)[:80]}
                )
            if not (line[1].isascii() and line[1].isdigit() and int(line[1][:9]) <= HIGHEST and len(line[1]) < 9):
                raise forms.ValidationError(
                    _("“%(line)s”: the number is from 0 to %(most)d.") % {"line": " ".join(line)[:80], "most": HIGHEST}
                )
            found[key] = int(line[1])
        return found

    def edition(self) -> Guards:
        """Raises UnfitGuards."""
        said = self.cleaned_data
        return Guards.load({**said, "fallback": frozenset(said["fallback"])})


def written(guards: Guards) -> str:
    keys = [key for key in guards.caps if key not in Category.values]
    clients = {str(row.pk): row.slug for row in Client.objects.filter(pk__in=keys)} if keys else {}
    return "\n".join(f"{clients.get(key, key)} {most}" for key, most in sorted(guards.caps.items()))


class ClosingForm(PlainForm):
    """What an alarm was."""

    verdict = forms.ChoiceField(choices=Verdict.choices, label=gettext_lazy("What it was"))
    note = forms.CharField(
        max_length=2000,
        label=gettext_lazy("What you found"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
