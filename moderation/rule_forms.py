"""What people fill in to write rules: a line of fields a rule, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.forms import BY_SEVERITY, PlainForm
from moderation.rules.faults import RuleError
from moderation.rules.language import LONGEST
from moderation.rules.sets import LONGEST_NAME, MOST_RULES, Rule, RuleSet
from moderation.rules.wording import told

if TYPE_CHECKING:
    from django.http import QueryDict

PREFIX: Final = "rule"
PARTS: Final = {
    "find": ("category", "amount"),
    "tighten": ("category", "amount"),
    "review": ("category", "queue"),
    "queue": ("queue",),
}


class RuleForm(PlainForm):
    """One rule. What its effect does not use is not kept."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=LONGEST_NAME)
    when = forms.CharField(
        label=gettext_lazy("When"),
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "maxlength": LONGEST, "class": "code"}),
    )
    effect = forms.ChoiceField(
        label=gettext_lazy("Then"),
        choices=[
            ("review", gettext_lazy("a person looks")),
            ("tighten", gettext_lazy("tighten a category’s cuts")),
            ("find", gettext_lazy("find a category")),
            ("queue", gettext_lazy("choose the queue, if a person looks")),
        ],
        initial="review",
    )
    category = forms.ChoiceField(label=gettext_lazy("Category"), required=False)
    amount = forms.FloatField(
        label=gettext_lazy("By, or at"),
        required=False,
        min_value=0.001,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "0.001", "inputmode": "decimal"}),
    )
    queue = forms.CharField(label=gettext_lazy("Queue"), required=False, max_length=50)
    mode = forms.ChoiceField(
        label=gettext_lazy("Mode"),
        choices=[
            ("shadow", gettext_lazy("shadow: counted, no effect")),
            ("live", gettext_lazy("live")),
        ],
        initial="shadow",
    )
    on_error = forms.ChoiceField(
        label=gettext_lazy("Without an answer"),
        choices=[("review", gettext_lazy("a person looks")), ("pass", gettext_lazy("pass it over"))],
        initial="review",
    )
    note = forms.CharField(label=gettext_lazy("Why"), required=False, max_length=500)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        codes = [("", "–"), *((code.value, code.label) for code in BY_SEVERITY)]
        self.fields["category"].choices = codes  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if not self.errors and self.has_changed():
            try:
                RuleSet.read([self.rule()])
            except RuleError as error:
                self.add_error(error.fault.part, told(error.fault))
        return cleaned

    def rule(self) -> Rule:
        said = self.cleaned_data
        used = {part: said[part] for part in PARTS[said["effect"]]}
        always = ("name", "when", "effect", "mode", "on_error", "note")
        return Rule(**{part: said[part] for part in always}, **used)


if TYPE_CHECKING:
    FormSet = forms.BaseFormSet[RuleForm]
else:
    FormSet = forms.BaseFormSet


class BaseRuleForms(FormSet):
    """All rules of a draft, in the order in which they stand. An empty form beyond the given ones is none."""

    def clean(self) -> None:
        kept = self.kept()
        if any(form.errors for form in kept):
            return
        try:
            RuleSet.read([form.rule() for form in kept])
        except RuleError as error:
            kept[error.rule or 0].add_error(error.fault.part, told(error.fault))
            raise forms.ValidationError(told(error.fault)) from error

    def kept(self) -> list[RuleForm]:
        """The forms that say something and are not to be removed."""
        return [form for form in self.forms if form.has_changed() and not form.cleaned_data.get("DELETE")]

    def rules(self) -> list[Rule]:
        """Only for valid forms."""
        return [form.rule() for form in self.kept()]


RuleForms: type[BaseRuleForms] = forms.formset_factory(  # type: ignore[assignment]
    RuleForm, formset=BaseRuleForms, extra=0, can_delete=True, max_num=MOST_RULES, validate_max=True
)


class DraftForm(PlainForm):
    """What goes with the rules: the version that the draft began from ("" none), and why."""

    based_on = forms.CharField(required=False, widget=forms.HiddenInput)
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Why these rules. Everyone who reads the history of plans will see it."),
    )

    def __init__(self, *args: Any, publishing: bool = False, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["note"].required = publishing


def fresh(rules: Sequence[Rule]) -> BaseRuleForms:
    """Forms that show these rules, and an empty one when there are none."""
    forms = RuleForms(prefix=PREFIX, initial=[initial_of(rule) for rule in rules])
    forms.extra = 0 if rules else 1
    return forms


def initial_of(rule: Rule) -> dict[str, Any]:
    return {part: getattr(rule, part) for part in Rule.__dataclass_fields__}


def with_one_more(data: QueryDict) -> QueryDict:
    """What was sent, with room for another rule."""
    more = data.copy()
    total = data.get(f"{PREFIX}-TOTAL_FORMS", "")
    more[f"{PREFIX}-TOTAL_FORMS"] = str(min(int(total[:4]) + 1, MOST_RULES)) if total.isdecimal() else "1"
    return more


def troubles(forms: BaseRuleForms) -> str:
    """How many rules need a look, in words."""
    wrong = sum(bool(form.errors) for form in forms)
    return _("%(count)d of the rules need a look; what is wrong stands beside them.") % {"count": wrong or 1}
