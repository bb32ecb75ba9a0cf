"""What is filled in to have a data set made."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifiers.models import ClassifierVersion
from moderation.forms import PlainForm
from moderation.models import Client, Reason
from review.feedback import default_backbone
from review.forms import CATEGORIES
from review.labels.queries import Query, UnfitQuery
from review.models import ExportFormat, ExportKind

MOST_BACKBONES = 40


class DayInput(forms.DateInput):
    input_type = "date"


def several(label: Any, choices: Any, **options: Any) -> forms.MultipleChoiceField:
    widget = forms.CheckboxSelectMultiple
    return forms.MultipleChoiceField(label=label, choices=choices, required=False, widget=widget, **options)


def one(label: Any, choices: Any, **options: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=choices, widget=forms.RadioSelect, initial=choices[0][0], **options)


class DatasetForm(PlainForm):
    """Becomes a query of `review.labels.queries`, which has the last word on what fits."""

    kind = one(gettext_lazy("What"), ExportKind.choices)
    format = forms.ChoiceField(label=gettext_lazy("Format"), choices=ExportFormat.choices)
    categories = several(
        gettext_lazy("Categories"), CATEGORIES, help_text=gettext_lazy("None ticked: all that may be learnt.")
    )
    since = forms.DateField(label=gettext_lazy("Settled from"), required=False, widget=DayInput(format="%Y-%m-%d"))
    until = forms.DateField(label=gettext_lazy("to before"), required=False, widget=DayInput(format="%Y-%m-%d"))
    sources = several(
        gettext_lazy("Who said so"),
        [
            ("human", gettext_lazy("One person")),
            ("consensus", gettext_lazy("Several people")),
            ("gold", gettext_lazy("Gold items")),
        ],
    )
    gold = forms.BooleanField(
        label=gettext_lazy("Take gold items along"),
        required=False,
        help_text=gettext_lazy("Their answers take the place of what else was decided on their images."),
    )
    clients = several(gettext_lazy("Platforms"), [])
    generators = forms.CharField(
        label=gettext_lazy("Generators"),
        required=False,
        max_length=2000,
        help_text=gettext_lazy("Names, separated by commas; empty: all."),
    )
    reasons = several(gettext_lazy("People were asked because"), Reason.choices)
    sampling = one(
        gettext_lazy("Sample"),
        [
            ("all", gettext_lazy("All")),
            ("balanced", gettext_lazy("Balanced: as many denied as affirmed, weights tell the chance")),
            ("active", gettext_lazy("Only what was drawn to learn from")),
        ],
    )
    splitting = one(
        gettext_lazy("Splits"),
        [
            ("cluster", gettext_lazy("By lot: 70 % train, 15 % validation, 15 % test")),
            ("time", gettext_lazy("By time: the newest 15 % test")),
        ],
        help_text=gettext_lazy("Near-duplicates always lie in one split."),
    )
    older = one(
        gettext_lazy("Labels under a guideline that was replaced since"),
        [
            ("keep", gettext_lazy("Keep, marked")),
            ("exclude", gettext_lazy("Leave out")),
            ("remap", gettext_lazy("Map to what it became")),
        ],
    )
    remap = forms.CharField(
        label=gettext_lazy("Map"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "class": "mono"}),
        help_text=gettext_lazy(
            "A guideline and its category now, one a line: HATE v1 = HARASSMENT. What is not named is left out."
        ),
    )
    images = one(
        gettext_lazy("Images, where the format has them"),
        [
            ("working", gettext_lazy("Working copies: 1024 pixels at most, no metadata")),
            ("original", gettext_lazy("Originals, byte for byte")),
        ],
    )
    soft = forms.BooleanField(label=gettext_lazy("Add the share of votes as a soft label"), required=False)
    demand = forms.BooleanField(
        label=gettext_lazy("Refuse what has no licence or no basis of consent"),
        required=False,
        initial=True,
        help_text=gettext_lazy("As integrators declare them: context.licence and context.consent_basis."),
    )
    backbone = forms.ChoiceField(label=gettext_lazy("Embeddings of"), required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        platforms = Client.objects.order_by("name").values_list("slug", "name")
        self.choices_of("clients", list(platforms))
        eyes = ClassifierVersion.objects.filter(embedding_size__isnull=False).order_by("-created_at")
        refs = [version.ref for version in eyes.defer("card", "metrics")[:MOST_BACKBONES]]
        self.choices_of("backbone", [("", _("None")), *((ref, ref) for ref in refs)])
        self.fields["backbone"].initial = default_backbone()

    def choices_of(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        try:
            said["query"] = Query.read(self.asked(said))
        except UnfitQuery as error:
            self.add_error(error.pointer if error.pointer in self.fields else None, str(error))
        return said

    def asked(self, said: dict[str, Any]) -> dict[str, Any]:
        """As JSON of `POST /exports`; what did not clean is left out, and has been told already."""
        same = ("categories", "sources", "clients", "reasons", "sampling", "splitting", "older", "images", "backbone")
        query = {name: said[name] for name in same if name in said}
        query |= {name: said.get(name, False) for name in ("gold", "soft", "demand")}
        query |= {name: said[name].isoformat() for name in ("since", "until") if said.get(name)}
        query["generators"] = [name.strip() for name in said.get("generators", "").split(",") if name.strip()]
        lines = [line.partition("=") for line in said.get("remap", "").splitlines() if line.strip()]
        if query.get("older") == "remap":
            query["remap"] = {name.strip(): code.strip() for name, _sign, code in lines}
        return query
