"""What ML engineers fill in on the monitoring pages."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.forms import PlainForm
from review.monitoring.settings import BOUNDS, PAIRS, Lines

PER_CENT: Final = frozenset(
    {
        *(f"{name}_{line}" for name in ("accuracy", "unseen") for line in ("watch", "act")),
        *("doubt", "overturn_doubt", "miss_rate", "precision", "recall"),
    }
)


def line(name: str, label: Any, words: Any = "") -> forms.FloatField:
    scale = 100 if name in PER_CENT else 1
    low, high = (round(scale * bound, 6) for bound in BOUNDS[name])
    number = forms.NumberInput(attrs={"step": "any"})
    return forms.FloatField(min_value=low, max_value=high, label=label, help_text=words, widget=number)


class LinesForm(PlainForm):
    """One edition of the lines; shares and chances in per cent."""

    psi_watch = line("psi_watch", gettext_lazy("Stability index: worth a look from"))
    psi_act = line(
        "psi_act",
        gettext_lazy("Stability index: alarm from"),
        gettext_lazy(
            "Of scores and of the generators’ shares. By convention 0.1 is worth a look, 0.25 another population."
        ),
    )
    ks_watch = line("ks_watch", gettext_lazy("Kolmogorov–Smirnov distance: worth a look from"))
    ks_act = line(
        "ks_act",
        gettext_lazy("Kolmogorov–Smirnov distance: alarm from"),
        gettext_lazy("The greatest gap between the distributions of scores; what chance explains never counts."),
    )
    accuracy_watch = line("accuracy_watch", gettext_lazy("Images told apart: worth a look from, in %"))
    accuracy_act = line(
        "accuracy_act",
        gettext_lazy("Images told apart: alarm from, in %"),
        gettext_lazy("How often a classifier tells new images from those of the reference; 50 % is guessing."),
    )
    doubt = line(
        "doubt",
        gettext_lazy("Chance of a false alarm of a day’s test of the images, in %"),
        gettext_lazy("One test a day and backbone."),
    )
    prior_watch = line("prior_watch", gettext_lazy("A generator’s mean score: worth a look from"))
    prior_act = line(
        "prior_act",
        gettext_lazy("A generator’s mean score: alarm from"),
        gettext_lazy("How far it moved, as a score; four standard errors at least."),
    )
    unseen_watch = line("unseen_watch", gettext_lazy("A generator not seen before: worth a look from, in %"))
    unseen_act = line(
        "unseen_act",
        gettext_lazy("A generator not seen before: alarm from, in %"),
        gettext_lazy("Its share of the newest images."),
    )
    overturn_doubt = line(
        "overturn_doubt",
        gettext_lazy("Chance of a false alarm of overturned decisions, in %"),
        gettext_lazy("In a whole half year, however often it is looked at."),
    )
    miss_rate = line(
        "miss_rate",
        gettext_lazy("Miss rate of approvals: at most, in %"),
        gettext_lazy("0: no line. An alarm needs the whole interval of the last four weeks above it."),
    )
    precision = line(
        "precision",
        gettext_lazy("Precision of blocks: at least, in %"),
        gettext_lazy("0: no line. An alarm needs the whole interval below it."),
    )
    recall = line(
        "recall",
        gettext_lazy("Recall: at least, in %"),
        gettext_lazy("0: no line. An alarm needs the whole interval below it."),
    )

    def __init__(self, *args: Any, lines: Lines, **options: Any) -> None:
        initial = {name: round(100 * value, 6) if name in PER_CENT else value for name, value in lines.dump().items()}
        super().__init__(*args, initial=initial, **options)

    def clean(self) -> dict[str, Any] | None:
        said = super().clean() or self.cleaned_data
        for name in PAIRS:
            watch, act = said.get(f"{name}_watch"), said.get(f"{name}_act")
            if watch is not None and act is not None and watch >= act:
                self.add_error(f"{name}_act", _("The alarm lies beyond what is worth a look."))
        return said

    def edition(self) -> Lines:
        """Raises UnfitLines."""
        said = {name: value / 100 if name in PER_CENT else value for name, value in self.cleaned_data.items()}
        return Lines.load(said)
