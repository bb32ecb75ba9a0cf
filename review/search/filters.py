"""Everything a search may be narrowed by, and through which index each is found.

Pages go by the time-ordered key, newest first. What is common (a status, a platform, most images of a surface) is met
soon on a walk along the key; what is rare (an author, a word of a prompt, one image and its copies) has an index of its
own. What is neither runs into the time limit of `pages`, which says what to add.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

import django_filters as filters
from django import forms
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from moderation.api.filters import first_id_of
from moderation.models import Audience, Client, PolicyVersion, Reason, ReviewRequest, Status, Submission, User
from moderation.models.submissions import SubmissionQuerySet
from moderation.taxonomy import Category
from review.models import Decision

# Nothing under legal hold is ever found.
FOUND: Final = [(status.value, status.label) for status in Status if status != Status.QUARANTINED]
ROUTES: Final = [
    ("approve", gettext_lazy("Approve")),
    ("review", gettext_lazy("To people")),
    ("block", gettext_lazy("Block")),
]
DECIDERS: Final = [("person", gettext_lazy("A person")), ("automation", gettext_lazy("The machine"))]
POLICY: Final = re.compile(r"([A-Z_]{2,40}) v(\d{1,6})")
HASH: Final = re.compile(r"[0-9a-f]{64}")
PLACE: Final = re.compile(r"[A-Za-z]{2}")
KIN: Final = 20  # clusters that one hash leads to


class DayInput(forms.DateInput):
    input_type = "date"


def text(label: Any, **options: Any) -> filters.CharFilter:
    return filters.CharFilter(label=label, **{"max_length": 200, **options})


def choice(label: Any, choices: Any, **options: Any) -> filters.ChoiceFilter:
    return filters.ChoiceFilter(label=label, choices=choices, empty_label=gettext_lazy("Any"), **options)


def day(label: Any, method: str) -> filters.DateFilter:
    return filters.DateFilter(label=label, method=method, widget=DayInput(format="%Y-%m-%d"))


class SearchFilter(filters.FilterSet):  # type: ignore[misc]
    prompt = text(
        gettext_lazy("Prompt"),
        method="saying",
        help_text=gettext_lazy("Words; “quotes” keep them together, -word leaves out."),
    )
    image = text(
        gettext_lazy("Image"),
        method="showing",
        help_text=gettext_lazy("An id, a SHA-256 or a PDQ: the image and its near-duplicates."),
    )
    status = filters.MultipleChoiceFilter(
        label=gettext_lazy("Status"), choices=FOUND, widget=forms.CheckboxSelectMultiple, distinct=False
    )
    route = choice(gettext_lazy("Triage advised"), ROUTES)
    decided_by = choice(gettext_lazy("Decided by"), DECIDERS)
    category = choice(gettext_lazy("Flagged as"), Category.choices, method="flagged_as")
    reason = choice(gettext_lazy("A person was asked because"), Reason.choices, method="asked")
    client = filters.ModelChoiceFilter(
        label=gettext_lazy("Platform"),
        queryset=Client.objects.order_by("name"),
        to_field_name="slug",
        empty_label=gettext_lazy("Any"),
    )
    author_ref = text(gettext_lazy("Author"), method="of_a_client")
    external_id = text(gettext_lazy("Their id"), method="of_a_client")
    surface = text(gettext_lazy("Surface"), max_length=100)
    audience = choice(gettext_lazy("Audience"), Audience.choices)
    territory = text(gettext_lazy("Shown in"), method="shown_in", max_length=2)
    generator = text(gettext_lazy("Generator"), field_name="generator__name")
    created_after = day(gettext_lazy("Came in from"), "created_from")
    created_before = day(gettext_lazy("Came in until"), "created_until")
    settled_after = day(gettext_lazy("Settled from"), "settled_from")
    settled_before = day(gettext_lazy("Settled until"), "settled_until")
    plan = filters.NumberFilter(
        label=gettext_lazy("Plan"), field_name="plan__number", min_value=1, max_value=10**6, decimal_places=0
    )
    policy = text(gettext_lazy("Guideline"), method="under_policy", max_length=50, help_text="HATE v2")
    reviewer = text(gettext_lazy("Decided on by"), method="judged_by", help_text=gettext_lazy("A user name."))
    label = choice(gettext_lazy("Decided to be"), Category.choices, method="labelled")

    class Meta:
        model = Submission
        fields: tuple[str, ...] = ()

    def saying(self, found: SubmissionQuerySet, _name: str, words: str) -> SubmissionQuerySet:
        """By the index submission_prompt_words."""
        query = SearchQuery(words, config="simple", search_type="websearch")
        return found.alias(words=SearchVector("prompt", config="simple")).filter(words=query)

    def showing(self, found: SubmissionQuerySet, _name: str, wanted: str) -> SubmissionQuerySet:
        """The images themselves by key or hash; their near-duplicates by cluster."""
        match = matching(wanted.strip().lower())
        if match is None:
            return found.none()
        known = Submission.objects.filter(match).exclude(status=Status.QUARANTINED)
        rows = list(known.values_list("pk", "cluster")[:KIN])
        return found.filter(Q(pk__in=[key for key, _ in rows]) | Q(cluster__in=[kin for _, kin in rows if kin]))

    def flagged_as(self, found: SubmissionQuerySet, _name: str, category: str) -> SubmissionQuerySet:
        return found.filter(flagged__contains=[category])

    def asked(self, found: SubmissionQuerySet, _name: str, reason: str) -> SubmissionQuerySet:
        return found.filter(Exists(ReviewRequest.objects.filter(submission=OuterRef("pk"), reason=reason)))

    def of_a_client(self, found: SubmissionQuerySet, name: str, value: str) -> SubmissionQuerySet:
        """The indexes of authors and of their ids begin with the platform: there are few, so all are named."""
        return found.filter(**{name: value}, client__in=list(Client.objects.values_list("pk", flat=True)))

    def shown_in(self, found: SubmissionQuerySet, _name: str, place: str) -> SubmissionQuerySet:
        return found.filter(territories__contains=[place.upper()])

    # A key was made at the moment it tells: the bounds of the walk follow from it.
    def created_from(self, found: SubmissionQuerySet, _name: str, day: date) -> SubmissionQuerySet:
        return found.filter(created_at__gte=begin(day), pk__gte=first_id_of(begin(day)))

    def created_until(self, found: SubmissionQuerySet, _name: str, day: date) -> SubmissionQuerySet:
        return found.filter(created_at__lt=end(day), pk__lt=beyond(end(day)))

    def settled_from(self, found: SubmissionQuerySet, _name: str, day: date) -> SubmissionQuerySet:
        return found.filter(settled_at__gte=begin(day))

    def settled_until(self, found: SubmissionQuerySet, _name: str, day: date) -> SubmissionQuerySet:
        """What was settled by then came in before."""
        return found.filter(settled_at__lt=end(day), pk__lt=beyond(end(day)))

    def under_policy(self, found: SubmissionQuerySet, _name: str, words: str) -> SubmissionQuerySet:
        match = POLICY.fullmatch(words.strip())
        if match is None:
            return found.none()
        known = PolicyVersion.objects.of_categories().filter(category=match[1], number=int(match[2]))
        return found.filter(policy__in=list(known.values_list("pk", flat=True)))

    def judged_by(self, found: SubmissionQuerySet, _name: str, username: str) -> SubmissionQuerySet:
        who = User.objects.filter(username=username).first()
        if who is None:
            return found.none()
        return found.filter(Exists(Decision.objects.filter(submission=OuterRef("pk"), reviewer=who)))

    def labelled(self, found: SubmissionQuerySet, _name: str, category: str) -> SubmissionQuerySet:
        """By the index decision_labels."""
        named = Decision.objects.filter(submission=OuterRef("pk"), labels__contains=[{"category": category}])
        return found.filter(Exists(named))


def matching(wanted: str) -> Q | None:
    """What an id or a hash names; None when it is neither."""
    if HASH.fullmatch(wanted):
        return Q(sha256=wanted) | Q(pdq=bytes.fromhex(wanted))
    try:
        return Q(pk=UUID(wanted))
    except ValueError:
        return None


def begin(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def end(day: date) -> datetime:
    return begin(day) + timedelta(days=1) if day < date.max else begin(day)


def beyond(moment: datetime) -> UUID:
    """Every key made before `moment` lies below this, give or take a second of clock."""
    return first_id_of(min(moment, datetime(9000, 1, 1, tzinfo=UTC)) + timedelta(seconds=2))


class UnfitSearch(Exception):
    """The search cannot be read; `form` says which field and why."""

    def __init__(self, form: forms.Form) -> None:
        super().__init__(_("Mend the filters that are marked."))
        self.form = form


def found_by(query: str | QueryDict) -> SubmissionQuerySet:
    """What a search finds, newest first; nothing under legal hold. `query` is that of the page's address. Raises
    UnfitSearch.
    """
    given = QueryDict(query) if isinstance(query, str) else query
    filtered = SearchFilter(given, queryset=Submission.objects.exclude(status=Status.QUARANTINED).order_by("-pk"))
    if not filtered.form.is_valid():
        raise UnfitSearch(filtered.form)
    found: SubmissionQuerySet = filtered.qs
    return found


def canonical(given: QueryDict) -> str:
    """Only what narrows the search, in a fixed order: the same search has the same address."""
    kept = QueryDict(mutable=True)
    for name in SearchFilter.base_filters:
        values = sorted({value.strip() for value in given.getlist(name) if value.strip()})
        if values:
            kept.setlist(name, values)
    return kept.urlencode()
