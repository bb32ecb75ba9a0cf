"""Prompt terms: the edition in force, trying prompts on it, and drafting the next."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from classifiers.models import ClassifierVersion
from classifiers.prompts import editions
from classifiers.prompts.editions import ACTIONS, BadRow, Edition, ListedCategory
from classifiers.prompts.terms import EditionError, Match, TermIndex, index
from moderation import prompt_terms, proposals, screening
from moderation.actors import Actor
from moderation.forms import BY_SEVERITY
from moderation.models import Scope, TriagePlan
from moderation.policies import Outdated
from moderation.prompt_terms import Summary, UnacceptableEdition
from moderation.routing import PlanError
from moderation.taxonomy import Category
from moderation.term_forms import ASKS, MOST_EDITED, TermsForm, UploadForm, draft_of, lines_of
from moderation.views.access import PersonRequest, requires
from moderation.views.forwarding import forwarded

HISTORY: Final = 25
MOST_TRIED: Final = 20
MOST_MARKED: Final = 200
SHOWN_CHANGES: Final = 40
SHOWN_BAD: Final = 20


@dataclass(frozen=True, slots=True)
class Line:
    """One category of the edition, for the list."""

    category: Category
    listed: ListedCategory | None
    terms: int
    benign: int

    @property
    def asks(self) -> str:
        return str(ASKS[self.listed.action]) if self.listed else ""


@dataclass(frozen=True, slots=True)
class Tried:
    """A prompt in pieces, each with the lists that have a term there, and what becomes of it."""

    pieces: Sequence[tuple[str, str]]
    action: str


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY_READ, Scope.POLICY)
def overview(request: PersonRequest) -> HttpResponse:
    """The edition in force. A POST tries prompts on the plan in force; nothing is changed or kept by it."""
    version = prompt_terms.in_force()
    listed = prompt_terms.summary(version)
    prompts = request.POST.get("prompts", "")[:20_000]
    context = {
        "version": version,
        "plan": TriagePlan.objects.in_force(),
        "lines": lines(listed),
        "listed": listed,
        "prompts": prompts,
        "tried": [try_on_plan(prompt) for prompt in lines_of(prompts)[:MOST_TRIED]],
        "history": ClassifierVersion.objects.filter(kind=prompt_terms.KIND)
        .order_by("-created_at")
        .defer("card")[:HISTORY],
        "may_edit": request.user.has_scope(Scope.POLICY),
    }
    return render(request, "moderation/terms.html", context)


def lines(listed: Summary) -> list[Line]:
    return [Line(code, listed.categories.get(code), listed.terms[code], listed.benign[code]) for code in BY_SEVERITY]


def try_on_plan(prompt: str) -> Tried:
    judged = screening.judge(prompt)
    return Tried(pieces(prompt, judged.matches), judged.action)


def try_on_draft(prompt: str, terms: TermIndex) -> Tried:
    said = terms.screen(prompt)
    action = max((action for _probability, action in said.found.values()), key=ACTIONS.index, default="allow")
    return Tried(pieces(prompt, said.matches), action)


def pieces(prompt: str, matches: Sequence[Match]) -> list[tuple[str, str]]:
    """The prompt cut where matches begin and end, each piece with the lists that match it, "" for none."""
    matches = matches[:MOST_MARKED]
    cuts = sorted({0, len(prompt), *(match.start for match in matches), *(match.end for match in matches)})
    found = []
    for start, end in pairwise(cuts):
        names = dict.fromkeys(match.name for match in matches if match.start <= start and end <= match.end)
        found.append((prompt[start:end], ", ".join(names)))
    return found


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def download(request: PersonRequest, pk: UUID) -> HttpResponseBase:  # noqa: ARG001 - as every page
    """An edition as CSV, row by row: it may be long."""
    row = get_object_or_404(ClassifierVersion, kind=prompt_terms.KIND, pk=pk)
    rows = (one for one in editions.read(prompt_terms.lines(row)) if not isinstance(one, BadRow))
    response = StreamingHttpResponse(editions.as_csv(rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{row.name}-{row.version}.csv"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def draft(request: PersonRequest) -> HttpResponseBase:
    """A draft over the edition in force: compare and try it, then publish."""
    version = prompt_terms.in_force()
    if request.method == "POST" and "file" in request.FILES:
        return uploaded(request, version, prompt_terms.edition(version))
    if request.method == "POST" and request.POST.get("action") in {"compare", "publish"} and "groups" in request.POST:
        return edited(request, version, prompt_terms.edition(version))
    if request.method == "POST":
        messages.error(request, _("Choose a file first."))
    too_long = prompt_terms.summary(version).size > MOST_EDITED
    form = None if too_long else form_over(prompt_terms.edition(version), version)
    return show(request, version, Edition(), form)


def form_over(edition: Edition, version: ClassifierVersion | None) -> TermsForm | None:
    """None for an edition too long to be edited on a page."""
    if len(edition.terms) > MOST_EDITED:
        return None
    initial = draft_of(edition, based_on=version.ref if version else "")
    return TermsForm(initial=initial, groups=edition.groups(), rules=len(edition.combinations))


def edited(request: PersonRequest, version: ClassifierVersion | None, before: Edition) -> HttpResponseBase:
    publishing = request.POST["action"] == "publish"
    groups = [name for name in dict.fromkeys(request.POST["groups"].split()[:50]) if not editions.is_code(name)]
    rules = sum(name.startswith("rule_name_") and bool(value) for name, value in request.POST.items())
    form = TermsForm(request.POST, groups=groups, rules=min(rules, 100), publishing=publishing)
    if not form.is_valid():
        return show(request, version, before, form, status=422)
    after = form.edition()
    if form.errors:
        return show(request, version, before, form, status=422)
    try:
        terms = index(after.rows())
        if publishing:
            return published(request, after, form.cleaned_data["note"], form.cleaned_data["based_on"])
    except (EditionError, UnacceptableEdition, PlanError, proposals.UnfitProposal) as error:
        form.add_error(None, str(error))
        return show(request, version, before, form, status=422)
    except Outdated as error:
        form = rebased(form, version, after, prompt=request.POST.get("prompts", ""))
        return show(request, version, before, form, after=after, trouble=str(error), status=409)
    fresh = rebased(form, None, after, prompt=form.cleaned_data["prompts"])
    return show(request, version, before, fresh, after=after, terms=terms)


def rebased(form: TermsForm, version: ClassifierVersion | None, after: Edition, *, prompt: str) -> TermsForm:
    """The draft as it was understood, with a part for the new group and a line for one more rule."""
    said = form.cleaned_data
    groups = [*form.group_names, *([said["new_group"]] if said["new_group"] else [])]
    initial = draft_of(after, based_on=version.ref if version else said["based_on"])
    initial |= {"groups": " ".join(dict.fromkeys(groups)), "prompts": prompt, "note": said["note"]}
    return TermsForm(initial=initial, groups=list(dict.fromkeys(groups)), rules=len(after.combinations))


def published(request: PersonRequest, after: Edition, note: str, based_on: str | None) -> HttpResponse:
    with transaction.atomic():
        actor = Actor.person(request.user)
        planned = prompt_terms.prepare(after.rows(), note=note, actor=actor, based_on=based_on)
        proposal = proposals.put_forward(
            request.user, planned.body, note=note or planned.words, based_on=planned.based_on
        )
    done = _("The edition is in force: plan %(number)d pins it.")
    return forwarded(request, proposal, done=done, back="prompt_terms")


def uploaded(request: PersonRequest, version: ClassifierVersion | None, before: Edition) -> HttpResponseBase:
    """A file becomes the draft; a long one, which no page can hold, is compared and published as it is."""
    upload = UploadForm(request.POST, request.FILES)
    if not upload.is_valid():
        return show(request, version, before, form_over(before, version), upload=upload, status=422)
    after, bad = read(upload.cleaned_data["file"])
    try:
        terms = index(after.rows())
        if request.POST.get("action") == "publish" and not bad:
            return published(request, after, upload.cleaned_data["note"], None)
    except (EditionError, UnacceptableEdition, PlanError, Outdated, proposals.UnfitProposal) as error:
        upload.add_error("file", str(error))
        form = form_over(after, version)
        return show(request, version, before, form, after=after, upload=upload, bad=bad, status=422)
    form = form_over(after, version)
    return show(
        request, version, before, form, after=after, terms=terms, upload=upload, bad=bad, status=422 if bad else 200
    )


def read(file: UploadedFile[bytes]) -> tuple[Edition, list[BadRow]]:
    form = "csv" if (file.name or "").lower().endswith(".csv") else "jsonl"
    text = io.TextIOWrapper(file.file or io.BytesIO(), encoding="utf-8-sig", errors="replace", newline="")
    return editions.gather(editions.read(text, form=form))


def show(
    request: PersonRequest,
    version: ClassifierVersion | None,
    before: Edition,
    form: TermsForm | None,
    *,
    after: Edition | None = None,
    terms: TermIndex | None = None,
    upload: UploadForm | None = None,
    bad: Sequence[BadRow] = (),
    trouble: str = "",
    status: int = 200,
) -> HttpResponse:
    changes = prompt_terms.compare(before, after) if after else []
    prompts = lines_of(form["prompts"].value())[:MOST_TRIED] if form and terms else []
    context: dict[str, Any] = {
        "version": version,
        "plan": TriagePlan.objects.in_force(),
        "form": form,
        "upload": upload or UploadForm(),
        "compared": after is not None,
        "changes": list(clipped(changes)),
        "size": len(after.terms) if after else prompt_terms.summary(version).size,
        "tried": [try_on_draft(prompt, terms) for prompt in prompts if terms],
        "bad": bad[:SHOWN_BAD],
        "more_bad": max(0, len(bad) - SHOWN_BAD),
        "trouble": trouble,
        "most": MOST_EDITED,
        "needs_second": proposals.needs_second(),
    }
    return render(request, "moderation/terms_draft.html", context, status=status)


def clipped(changes: Sequence[prompt_terms.ListChange]) -> Iterator[dict[str, Any]]:
    """As many lines of each list as a page can bear, and how many more there are."""
    for one in changes:
        yield {
            "name": one.name,
            "added": one.added[:SHOWN_CHANGES],
            "removed": one.removed[:SHOWN_CHANGES],
            "more": max(0, len(one.added) - SHOWN_CHANGES) + max(0, len(one.removed) - SHOWN_CHANGES),
        }
