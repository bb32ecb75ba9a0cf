"""What people fill in to stop automation, and to let it go on."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from moderation.forms import BY_SEVERITY, PlainForm
from moderation.models import Client, StopAction

WHAT = (
    (StopAction.ALL.value, gettext_lazy("approve and block")),
    (StopAction.APPROVE.value, gettext_lazy("approve only")),
    (StopAction.BLOCK.value, gettext_lazy("block only")),
)


class StopForm(PlainForm):
    """Everything, unless somebody says less."""

    category = forms.ChoiceField(label=gettext_lazy("Where"), required=False)
    action = forms.ChoiceField(label=gettext_lazy("What machines may not do"), choices=WHAT, required=False)
    client = forms.ModelChoiceField(
        Client.objects.order_by("name"),
        label=gettext_lazy("Of whom"),
        required=False,
        empty_label=gettext_lazy("of every client"),
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"), max_length=2000, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"auto_id": "stop-%s", **options})
        categories = [(code.value, code.label) for code in BY_SEVERITY]
        self.fields["category"].choices = [("", gettext_lazy("in every category")), *categories]  # type: ignore[attr-defined]


class LiftForm(PlainForm):
    """Which stop, and why it may end."""

    category = forms.CharField(max_length=40, required=False, widget=forms.HiddenInput)
    action = forms.CharField(max_length=7, required=False, widget=forms.HiddenInput)
    client = forms.ModelChoiceField(Client.objects.all(), required=False, widget=forms.HiddenInput)
    reason = forms.CharField(
        label=gettext_lazy("Why"), max_length=2000, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
