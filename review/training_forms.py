"""What a person fills in to ask for a training."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.forms import PlainForm
from review.models import Dataset, TrainingKind

NEWEST: Final = 50
HEADS: Final = [
    ("linear", gettext_lazy("Linear: seconds, and steady with few labels")),
    ("mlp", gettext_lazy("With a hidden layer: for what no line parts, with labels by the thousand")),
]
FAIRNESS: Final = [
    ("", gettext_lazy("Labels as they are")),
    ("reweigh", gettext_lazy("Reweigh labels, so that group and label are independent")),
    ("adversarial", gettext_lazy("Against an adversary that reads the group from the score")),
]
STRENGTH: Final = 3.0


class TrainingForm(PlainForm):
    """A data set, what to train on it, and the recipe; what is left empty is as the recipe has it."""

    dataset = forms.ModelChoiceField(label=gettext_lazy("Data set"), queryset=Dataset.objects.none(), empty_label=None)
    kind = forms.ChoiceField(
        label=gettext_lazy("What to train"), choices=TrainingKind.choices, widget=forms.RadioSelect
    )
    name = forms.SlugField(
        label=gettext_lazy("Name of the version"),
        max_length=100,
        required=False,
        help_text=gettext_lazy("Empty: the next version of what scored these images."),
    )
    heads = forms.ChoiceField(label=gettext_lazy("Heads"), choices=HEADS, widget=forms.RadioSelect, initial="linear")
    fairness = forms.ChoiceField(
        label=gettext_lazy("Between groups"), choices=FAIRNESS, widget=forms.RadioSelect, required=False
    )
    group = forms.CharField(
        label=gettext_lazy("Column that declares the group"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("Empty: the generator. Only what was declared; a group is never inferred."),
    )
    focal = forms.FloatField(
        label=gettext_lazy("Focal loss"),
        min_value=0,
        max_value=10,
        required=False,
        help_text=gettext_lazy("The exponent; 2 is usual where almost all labels are easy. Empty: none."),
    )
    target_epsilon = forms.FloatField(
        label=gettext_lazy("Differential privacy, ε"),
        min_value=0.01,
        required=False,
        help_text=gettext_lazy("Linear heads only, from scratch. Empty: none."),
    )
    architecture = forms.CharField(
        label=gettext_lazy("Architecture"),
        max_length=60,
        required=False,
        help_text=gettext_lazy("As torchvision names it. Empty: mobilenet_v3_small."),
    )
    epochs = forms.IntegerField(label=gettext_lazy("Epochs, at most"), min_value=1, max_value=1000, required=False)
    seed = forms.IntegerField(label=gettext_lazy("Seed"), min_value=0, max_value=2**31 - 1, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["dataset"]
        assert isinstance(field, forms.ModelChoiceField)
        newest = Dataset.objects.exclude(folder="").order_by("-id")
        field.queryset = newest
        offered = sorted(newest[:NEWEST], key=lambda one: one.bare)  # every one there ever was is no choice
        field.choices = [(one.pk, words_of(one)) for one in offered]

    def recipe(self) -> dict[str, Any]:
        """What of the form the recipe of its kind knows. Only for a valid form."""
        said = self.cleaned_data
        kind, table = said["kind"], {} if said["seed"] is None else {"seed": said["seed"]}
        if kind == TrainingKind.PROMPTS:
            return table
        if kind == TrainingKind.BACKBONE:
            wanted = {"architecture": said["architecture"], "epochs": said["epochs"], "focal": said["focal"]}
        else:
            wanted = {
                "kind": said["heads"] if said["heads"] != "linear" else "",
                "group": said["group"],
                "reweigh": said["fairness"] == "reweigh",
                "adversarial": STRENGTH if said["fairness"] == "adversarial" else 0,
                "focal": said["focal"],
                "epochs": said["epochs"],
                "target_epsilon": said["target_epsilon"],
            }
        return table | {name: value for name, value in wanted.items() if value}


def words_of(dataset: Dataset) -> str:
    said = {"name": str(dataset), "rows": dataset.rows, "day": f"{dataset.created_at:%Y-%m-%d}"}
    words = _("%(name)s · %(rows)d labels · %(day)s") % said
    return _("%(words)s · without embeddings") % {"words": words} if dataset.bare else words
