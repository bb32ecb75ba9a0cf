"""Pages of a search: keyset, bounded in time, counted no further than a person cares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.utils.translation import gettext as _
from psycopg.errors import QueryCanceled

from moderation.models import Submission
from moderation.models.submissions import SubmissionQuerySet

PAGE: Final = 48
LIMIT_MS: Final = 3000  # a page of search may take the database this long
COUNT_MS: Final = 1000
COUNTED: Final = 10_000  # counting on would cost with the archive


class TooSlow(Exception):
    """No page within the time limit: too little of the archive fits. The message says which filters help."""


@dataclass(frozen=True, slots=True)
class Page:
    """`older` is the key to go on after; None on the last page."""

    rows: Sequence[Submission]
    older: UUID | None


@dataclass(frozen=True, slots=True)
class Count:
    """`capped`: there are more. None where counting took too long."""

    number: int | None
    capped: bool = False

    @property
    def words(self) -> str:
        if self.number is None:
            return _("many: counting them took too long")
        if self.capped:
            return _("more than %(n)s") % {"n": f"{self.number:,}".replace(",", "\u202f")}
        return str(self.number)


def page_of(found: SubmissionQuerySet, *, before: UUID | None = None, size: int = PAGE) -> Page:
    """One page, with clients and plans. Raises TooSlow."""
    wanted = found.filter(pk__lt=before) if before else found
    with within(LIMIT_MS):
        rows = list(wanted.select_related("client", "plan", "policy")[: size + 1])
    return Page(rows[:size], rows[size - 1].pk if len(rows) > size else None)


def count_of(found: SubmissionQuerySet, *, most: int = COUNTED) -> Count:
    try:
        with within(COUNT_MS):
            number = found.order_by().values("pk")[: most + 1].count()
    except TooSlow:
        return Count(None)
    return Count(min(number, most), number > most)


@contextmanager
def within(milliseconds: int) -> Iterator[None]:
    """Statements inside are given up on after this long: TooSlow."""
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(milliseconds)])
            yield
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout TO DEFAULT")
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        raise TooSlow(
            _(
                "Too much of the archive would have to be read for this. Add what narrows it most: words of the prompt,"
                " an author, an image, a category, a platform, or the days on which it came in."
            )
        ) from error
