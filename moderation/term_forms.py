"""An edition of prompt terms as people edit it: a part for each category and group, and a line for each rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifiers.prompts import editions
from classifiers.prompts.editions import ACTIONS, Action, Edition, ListedCategory, RowError, Term
from moderation.forms import BY_SEVERITY, PlainForm
from moderation.taxonomy import DEFAULT_SEVERITY, Category

MOST_EDITED: Final = 5000
"""Terms in an edition that a page can hold. A longer one is edited as a file."""
SPARE_RULES: Final = 1
ASKS: Final = {
    "transform": gettext_lazy("guidance is enough"),
    "review": gettext_lazy("a person looks"),
    "block": gettext_lazy("block"),
}
CHOICES: Final = [(action, ASKS[action]) for action in ACTIONS]


@dataclass(frozen=True, slots=True)
class ListPart:
    """One list of the form. `category` is None for a group, whose terms ask for nothing by themselves."""

    name: str
    category: Category | None
    fields: dict[str, forms.BoundField]
    count: int

    @property
    def errors(self) -> list[str]:
        return [str(error) for field in self.fields.values() for error in field.errors]


class TermsForm(PlainForm):
    """A whole edition as a draft over `based_on`, the ref of the edition in force."""

    based_on = forms.CharField(required=False, widget=forms.HiddenInput)
    groups = forms.CharField(required=False, widget=forms.HiddenInput)
    new_group = forms.RegexField(
        r"^[a-z][a-z0-9_-]{0,39}$",
        label=gettext_lazy("New group"),
        required=False,
        help_text=gettext_lazy("A name in small letters; its terms can be filled in after the next preview."),
    )
    prompts = forms.CharField(
        label=gettext_lazy("Prompts to try"),
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One a line. They are judged by this draft and kept nowhere."),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Why this edition. Everyone who reads the history will see it."),
    )

    def __init__(self, *args: Any, groups: Sequence[str], rules: int, publishing: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.group_names = list(groups)
        self.rule_count = rules + SPARE_RULES
        self.fields["note"].required = publishing
        for name in [*BY_SEVERITY, *self.group_names]:
            self.fields[f"terms_{name}"] = area(_("Terms, %(name)s") % {"name": name}, rows=8)
            self.fields[f"benign_{name}"] = area(_("Harmless phrases, %(name)s") % {"name": name}, rows=3)
        for code in BY_SEVERITY:
            self.fields[f"action_{code}"] = choice(_("A term asks for, %(name)s") % {"name": code.label}, CHOICES)
            self.fields[f"probability_{code}"] = share(_("Probability, %(name)s") % {"name": code.label})
            self.fields[f"guidance_{code}"] = area(_("Guidance, %(name)s") % {"name": code.label}, rows=3)
        for number in range(self.rule_count):
            self.fields[f"rule_name_{number}"] = line(_("Name of rule %(n)d") % {"n": number + 1})
            self.fields[f"rule_all_{number}"] = line(_("Lists of rule %(n)d") % {"n": number + 1})
            codes = [("", "–"), *Category.choices]
            self.fields[f"rule_category_{number}"] = choice(_("Category of rule %(n)d") % {"n": number + 1}, codes)
            self.fields[f"rule_action_{number}"] = choice(_("Rule %(n)d asks for") % {"n": number + 1}, CHOICES)
            self.fields[f"rule_probability_{number}"] = share(_("Probability of rule %(n)d") % {"n": number + 1})

    def categories(self) -> Iterator[ListPart]:
        for code in BY_SEVERITY:
            yield self.part(code.value, code)

    def group_parts(self) -> Iterator[ListPart]:
        for name in self.group_names:
            yield self.part(name, None)

    def part(self, name: str, category: Category | None) -> ListPart:
        wanted = ["terms", "benign"] + (["action", "probability", "guidance"] if category else [])
        fields = {word: self[f"{word}_{name}"] for word in wanted}
        return ListPart(name, category, fields, len(lines_of(fields["terms"].value())))

    def rules(self) -> Iterator[dict[str, forms.BoundField]]:
        for number in range(self.rule_count):
            yield {word: self[f"rule_{word}_{number}"] for word in ("name", "all", "category", "action", "probability")}

    def edition(self) -> Edition:
        """The draft; lines that cannot be used are errors of their field. Only after `is_valid`."""
        edition, said = Edition(), self.cleaned_data
        for name in [*Category.values, *self.group_names]:
            for text in lines_of(said.get(f"terms_{name}")):
                self.take(edition, f"terms_{name}", {"row": "term", "name": name, **term_fields(text)}, text)
            for text in lines_of(said.get(f"benign_{name}")):
                self.take(edition, f"benign_{name}", {"row": "allow", "name": name, "text": text}, text)
        for number in range(self.rule_count):
            self.take_rule(edition, number)
        used = {term.name for term in edition.terms} | {rule.category for rule in edition.combinations}
        used |= {benign.name for benign in edition.benign}
        for code in Category:
            guidance = tuple(lines_of(said.get(f"guidance_{code}")))
            if code in used or guidance:
                action = cast("Action", said[f"action_{code}"] or "review")
                probability = said[f"probability_{code}"]
                edition.add(
                    ListedCategory(
                        code.value,
                        action,
                        0.5 if probability is None else probability,
                        int(DEFAULT_SEVERITY[code]),
                        guidance,
                    )
                )
        return edition

    def take_rule(self, edition: Edition, number: int) -> None:
        said = {word: self.cleaned_data.get(f"rule_{word}_{number}") for word in ("name", "all", "category")}
        if not any(said.values()):
            return
        row = {
            "row": "rule",
            "name": said["name"],
            "all": [part.strip() for part in (said["all"] or "").replace("+", ",").split(",") if part.strip()],
            "category": said["category"],
            "action": self.cleaned_data[f"rule_action_{number}"] or "review",
            "probability": self.cleaned_data[f"rule_probability_{number}"],
        }
        self.take(edition, f"rule_name_{number}", row, said["name"] or _("a rule"))

    def take(self, edition: Edition, field: str, row: dict[str, Any], shown: str) -> None:
        try:
            edition.add(editions.parse(row))
        except RowError as error:
            self.add_error(field, f"“{shown[:60]}”: {error}")


def term_fields(text: str) -> dict[str, Any]:
    """`pipe bomb | block | 0.9`: what a term asks for by itself."""
    text, *own = (part.strip() for part in text.split("|"))
    fields: dict[str, Any] = {"text": text}
    for part in own:
        if part in ACTIONS:
            fields["action"] = part
        elif part:
            try:
                fields["probability"] = float(part)
            except ValueError:
                fields["action"] = part  # parsing then says what an action can be
    return fields


def lines_of(text: Any) -> list[str]:
    return [line.strip() for line in str(text or "").splitlines() if line.strip()]


def draft_of(edition: Edition, *, based_on: str) -> dict[str, Any]:
    """An edition as the form shows it."""
    shown: dict[str, Any] = {"based_on": based_on, "groups": " ".join(edition.groups())}
    listed: dict[str, list[str]] = {}
    for term in edition.terms:
        listed.setdefault(f"terms_{term.name}", []).append(term_line(term))
    for phrase in edition.benign:
        listed.setdefault(f"benign_{phrase.name}", []).append(phrase.text)
    shown |= {name: "\n".join(texts) for name, texts in listed.items()}
    for one in edition.categories.values():
        shown |= {f"action_{one.name}": one.action, f"probability_{one.name}": one.probability}
        shown[f"guidance_{one.name}"] = "\n".join(one.guidance)
    for number, rule in enumerate(edition.combinations):
        shown |= {f"rule_name_{number}": rule.name, f"rule_all_{number}": ", ".join(rule.all)}
        shown |= {f"rule_category_{number}": rule.category, f"rule_action_{number}": rule.action}
        shown[f"rule_probability_{number}"] = rule.probability
    return shown


def term_line(term: Term) -> str:
    own = [str(part) for part in (term.action, term.probability) if part is not None]
    return " | ".join([term.text, *own])


def area(label: str, *, rows: int) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, widget=forms.Textarea(attrs={"rows": rows, "spellcheck": "false"})
    )


def line(label: str) -> forms.CharField:
    return forms.CharField(
        label=label, required=False, max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


def choice(label: str, choices: Sequence[tuple[Any, Any]]) -> forms.ChoiceField:
    initial = "review" if choices is CHOICES else ""
    return forms.ChoiceField(label=label, required=False, choices=choices, initial=initial)


def share(label: str) -> forms.FloatField:
    widget = forms.NumberInput(attrs={"step": "0.01", "inputmode": "decimal"})
    return forms.FloatField(label=label, required=False, min_value=0, max_value=1, initial=0.5, widget=widget)


class UploadForm(PlainForm):
    """An edition as a file."""

    file = forms.FileField(
        label=gettext_lazy("CSV or JSON Lines"),
        help_text=gettext_lazy("As the download gives it. Rows that cannot be used are listed by line."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.jsonl"}),
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=2000,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        required=False,
    )
