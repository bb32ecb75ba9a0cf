"""What a guideline is of: a category, a part of one, and either in another language."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from django.utils.translation import gettext as _

from moderation.guidelines.faults import UnknownSubject
from moderation.models import PolicyVersion
from moderation.models.policies import PolicyVersionQuerySet
from moderation.taxonomy import Category

SHAPE: Final = re.compile(
    r"(?P<category>[A-Z_]+)(?:\.(?P<part>[a-z0-9]+(?:-[a-z0-9]+)*))?(?:@(?P<locale>[a-z]{2,3}(?:-[a-z0-9]{2,8})*))?"
)
LONGEST_PART: Final = 40
LONGEST_LOCALE: Final = 20


@dataclass(frozen=True, slots=True)
class Subject:
    """Written HATE, HATE.dogwhistles (a part), HATE@de or HATE.dogwhistles@de (in German)."""

    category: Category
    part: str = ""
    locale: str = ""

    @classmethod
    def parse(cls, said: str) -> Subject:
        """Raises UnknownSubject."""
        match = SHAPE.fullmatch(said)
        if match is None or match["category"] not in Category.values:
            raise UnknownSubject(
                _(
                    "“%(said)s” names no guideline: it is a category (HATE), a part of it (HATE.memes), each with a "
                    "language (HATE@de)."
                )
                % {"said": said[:100]}
            )
        part, locale = match["part"] or "", match["locale"] or ""
        if len(part) > LONGEST_PART or len(locale) > LONGEST_LOCALE:
            raise UnknownSubject(_("The name of a part has at most %(most)d characters.") % {"most": LONGEST_PART})
        return cls(Category(match["category"]), part, locale)

    @classmethod
    def of(cls, policy: PolicyVersion) -> Subject:
        return cls(Category(policy.category), policy.part, policy.locale)

    def __str__(self) -> str:
        part = f".{self.part}" if self.part else ""
        return f"{self.category.value}{part}@{self.locale}" if self.locale else f"{self.category.value}{part}"

    @property
    def original(self) -> Subject:
        return replace(self, locale="")

    @property
    def is_category(self) -> bool:
        return not self.part and not self.locale

    @property
    def title(self) -> str:
        """For people: the category's name, the part's, the language."""
        words = str(self.category.label)
        if self.part:
            words = f"{words}: {self.part.replace('-', ' ')}"
        return f"{words} ({self.locale})" if self.locale else words

    def versions(self) -> PolicyVersionQuerySet:
        return PolicyVersion.objects.of(self.category, self.part, self.locale)

    def latest(self) -> PolicyVersion | None:
        """The version in force, or the archived last one."""
        return self.versions().select_related("published_by", "approved_by").order_by("-number").first()
