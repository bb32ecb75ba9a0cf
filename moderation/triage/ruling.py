"""The rules' word, once every other signal has spoken: live on a batch, and in replay on what is stored."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from classifiers.models import ClassifierVersion
from moderation.rules.facts import NOBODY, Case, asks_history
from moderation.rules.history import of_authors
from moderation.rules.sets import RuleSet, Word, from_card
from moderation.triage.scoring import Spoken, stored

if TYPE_CHECKING:
    from classifiers.base import Shown
    from moderation.models import Submission
    from moderation.routing import Evidence

log = logging.getLogger(__name__)

KIND: Final = "rules"


def rule(rows: Sequence[Submission], spoken: Spoken) -> None:
    """Afterwards the pinned rules have spoken too. A set that cannot be read is an error on the batch: doubt."""
    for version in spoken.later:
        try:
            words = judged(rules_of(version), cases(rows, spoken))
        except Exception as error:  # as with any classifier, the images then go to people
            log.exception("rules %s failed on a batch of %d", version.ref, len(rows))
            spoken.errors[version.ref] = f"{version.ref}: {type(error).__name__}"
            continue
        table = [[word.probabilities.get(code, 0.0) for code in version.categories] for word in words]
        shape = (len(words), len(version.categories))
        spoken.probabilities[version] = stored(np.array(table, dtype=np.float32).reshape(shape))
        spoken.shown[version] = [word.shown for word in words]


def cases(rows: Sequence[Submission], spoken: Spoken) -> list[Case]:
    """What each image of the batch gives rules to go by; rules do not hear each other."""
    others = [version.ref for version in spoken.later]
    found = []
    for index, row in enumerate(rows):
        shown = [(version.kind, one) for version in spoken.shown if (one := spoken.shown_of(version, index))]
        found.append(Case(row, [one for one in spoken.of(index) if one.classifier not in others], shown))
    return found


def judged(rules: RuleSet, cases: Sequence[Case]) -> list[Word]:
    """One word a case. Looks up the authors' history in one query, and only when a rule asks for it."""
    names = rules.names
    authors = of_authors([case.submission for case in cases]) if asks_history(names) else {}
    return [rules.judge(replace(case, author=authors.get(case.submission.pk, NOBODY))) for case in cases]


def replayed(
    rules: RuleSet,
    rows: Sequence[Submission],
    said: Sequence[Sequence[Evidence]],
    showed: Sequence[Sequence[tuple[str, Shown]]],
) -> list[Word]:
    """What these rules say of stored images, given what the other signals had said and shown of them."""
    pairs = zip(rows, said, showed, strict=True)
    return judged(rules, [Case(row, evidence, shown) for row, evidence, shown in pairs])


@lru_cache(maxsize=16)
def rules_of(version: ClassifierVersion) -> RuleSet:
    """Read once a process: a version never changes."""
    return from_card(version.card)
