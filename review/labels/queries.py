"""What a data set is asked for: a query that is checked when it is made, and travels as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, Final, Literal, cast, get_args

from django.db import models
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifiers.models import ClassifierVersion
from moderation.models import Client, Reason
from moderation.taxonomy import UNTRAINABLE, Category

Sampling = Literal["all", "balanced", "active"]
Splitting = Literal["cluster", "time"]
Older = Literal["keep", "exclude", "remap"]
Images = Literal["working", "original"]
Source = Literal["human", "consensus", "gold"]

TABLES: Final = ("parquet", "jsonl", "csv")  # as classifiers.labels has them, which would load pyarrow
ALBUMS: Final = ("imagefolder", "webdataset")
FORMATS: Final = (*TABLES, *ALBUMS)
SOURCES: Final[tuple[Source, ...]] = get_args(Source)
ACTIVE: Final = Reason.LEARNING.value  # of requests that the learning budget drew
GUIDELINE: Final = re.compile(r"([A-Z_]{2,40}) v([1-9]\d{0,5})")
MOST_NAMES: Final = 50
LONGEST: Final = 200


class Refusal(models.TextChoices):
    """Why an image does not leave, the first reason that holds; `REPLACED` counts labels, not images."""

    QUARANTINED = "quarantined", gettext_lazy("Under legal hold")
    UNTRAINABLE = "untrainable", gettext_lazy("Somebody named a category that nobody may train on")
    OPTED_OUT = "opted_out", gettext_lazy("Not to be trained on, says who sent it or the file itself")
    ERASED = "erased", gettext_lazy("Its image is gone")
    OPEN = "open", gettext_lazy("Not settled: people were asked again")
    OVERTURNED = "overturned", gettext_lazy("Its status is not what people decided")
    NO_LICENCE = "no_licence", gettext_lazy("Says nothing of a licence")
    NO_CONSENT = "no_consent", gettext_lazy("Says nothing of the basis of consent")
    REPLACED = "replaced", gettext_lazy("Made under a guideline that was replaced since")


class UnfitQuery(ValueError):
    """It cannot be asked like that. `pointer` names the part, the message says what to write instead."""

    def __init__(self, pointer: str, message: str) -> None:
        super().__init__(message)
        self.pointer = pointer


class NothingToExport(Exception):
    """Nothing that people decided fits the query, or may leave. Let people decide first, or ask for more."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which labels, and how they are told. What is empty asks for everything.

    `since` and `until` bound when an image was settled, as [since, until). `reasons`: only images that people were
    asked about for one of these. `older`: what becomes of labels made under a guideline that was replaced since;
    `remap` then says, by guideline ("HATE v1"), which category they belong to now, "" for none. `demand`: rows without
    a licence and a consent basis are refused. `soft`: the share of votes goes along. `gold`: so do gold items.
    `backbone`: whose embeddings go along, by name@version.
    """

    since: datetime | None = None
    until: datetime | None = None
    categories: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    generators: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    sampling: Sampling = "all"
    splitting: Splitting = "cluster"
    older: Older = "keep"
    remap: Mapping[str, str] = field(default_factory=dict)
    images: Images = "working"
    demand: bool = False
    soft: bool = False
    gold: bool = False
    backbone: str = ""

    def as_json(self) -> dict[str, Any]:
        told = asdict(self)
        for name in ("since", "until"):
            told[name] = told[name].isoformat() if told[name] else None
        return {name: list(value) if isinstance(value, tuple) else value for name, value in told.items()}

    @classmethod
    def read(cls, said: Mapping[str, Any]) -> Query:
        """From JSON, checked; what is not said is as by default. Raises UnfitQuery."""
        known = {one.name for one in fields(cls)}
        for name in said:
            if name not in known:
                raise UnfitQuery(name, _("There is no “%(name)s” in a query.") % {"name": str(name)[:60]})
        return cls(
            since=moment(said, "since"),
            until=moment(said, "until"),
            categories=among(said, "categories", [one for one in Category.values if one not in UNTRAINABLE]),
            sources=among(said, "sources", SOURCES),
            generators=texts(said, "generators"),
            clients=clients(said),
            reasons=texts(said, "reasons"),
            sampling=cast(Sampling, one_of(said, "sampling", get_args(Sampling))),
            splitting=cast(Splitting, one_of(said, "splitting", get_args(Splitting))),
            older=cast(Older, one_of(said, "older", get_args(Older))),
            remap=mapping(said),
            images=cast(Images, one_of(said, "images", get_args(Images))),
            **{name: flag(said, name) for name in ("demand", "soft", "gold")},
            backbone=backbone(said),
        )

    @property
    def asked(self) -> tuple[str, ...]:
        """The reasons that count: active sampling is a reason of its own."""
        return (*self.reasons, ACTIVE) if self.sampling == "active" else self.reasons


def moment(said: Mapping[str, Any], name: str) -> datetime | None:
    """An ISO 8601 date or time; without a zone it is UTC."""
    value = said.get(name)
    if value in {None, ""}:
        return None
    if isinstance(value, datetime):
        return value
    try:
        text = str(value)
        day = parse_date(text)
        at = datetime(day.year, day.month, day.day, tzinfo=UTC) if day else parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise UnfitQuery(name, _("A date or time as in 2026-01-31 or 2026-01-31T12:00:00Z."))
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def texts(said: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = said.get(name) or []
    fit = isinstance(value, list | tuple) and len(value) <= MOST_NAMES
    if not fit or not all(isinstance(one, str) and 0 < len(one) <= LONGEST and "\x00" not in one for one in value):
        raise UnfitQuery(name, _("A list of at most %(most)d names.") % {"most": MOST_NAMES})
    return tuple(sorted(set(value)))


def among(said: Mapping[str, Any], name: str, allowed: Sequence[str]) -> tuple[str, ...]:
    found = texts(said, name)
    for one in found:
        if one not in allowed:
            raise UnfitQuery(name, _("“%(name)s” is none of: %(all)s.") % {"name": one[:60], "all": ", ".join(allowed)})
    return found


def one_of(said: Mapping[str, Any], name: str, allowed: Sequence[str]) -> str:
    value = said.get(name, allowed[0])
    if value not in allowed:
        raise UnfitQuery(name, _("One of: %(all)s.") % {"all": ", ".join(allowed)})
    return str(value)


def flag(said: Mapping[str, Any], name: str) -> bool:
    value = said.get(name, False)
    if not isinstance(value, bool):
        raise UnfitQuery(name, _("true or false."))
    return value


def clients(said: Mapping[str, Any]) -> tuple[str, ...]:
    found = texts(said, "clients")
    known = set(Client.objects.filter(slug__in=found).values_list("slug", flat=True)) if found else set()
    for one in found:
        if one not in known:
            raise UnfitQuery("clients", _("There is no client “%(name)s”.") % {"name": one[:60]})
    return found


def mapping(said: Mapping[str, Any]) -> dict[str, str]:
    value = said.get("remap") or {}
    if not isinstance(value, Mapping) or len(value) > MOST_NAMES:
        raise UnfitQuery("remap", _("A table of guidelines, as “HATE v1”, and the category each stands for now."))
    for guideline, category in value.items():
        if not isinstance(guideline, str) or not GUIDELINE.fullmatch(guideline):
            raise UnfitQuery("remap", _("“%(name)s” is no guideline, as “HATE v1”.") % {"name": str(guideline)[:60]})
        if category not in {"", *Category.values} - UNTRAINABLE:
            raise UnfitQuery("remap", _("“%(name)s” is no category to learn.") % {"name": str(category)[:60]})
    if value and said.get("older") != "remap":
        raise UnfitQuery("remap", _("A table is only used where “older” is “remap”."))
    return dict(sorted(value.items()))


def backbone(said: Mapping[str, Any]) -> str:
    value = said.get("backbone") or ""
    if not isinstance(value, str) or (value and not ClassifierVersion.objects.with_refs([value]).exists()):
        raise UnfitQuery("backbone", _("There is no classifier version “%(name)s”.") % {"name": str(value)[:60]})
    return value
