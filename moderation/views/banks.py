"""Known images: the banks, one bank's entries and matches, and what people do with them. No picture is ever shown."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import messages
from django.db.models import OuterRef, Subquery
from django.forms import Form
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from moderation.actors import Actor
from moderation.banks import importing, keeping
from moderation.banks.lists import UnfitList
from moderation.models import Bank, BankEntry, BankMatch, Recheck, Scope
from moderation.tasks import nudge_recheck
from moderation.views.access import PersonRequest, requires
from moderation.views.bank_forms import BankForm, HashForm, ListForm, ReasonForm

PAGE: Final = 50
LATE: Final = 20
TOLD: Final = 50  # rows of no use that are named on the page


@require_safe
@requires(Scope.BANKS, Scope.AUDIT)
def index(request: PersonRequest) -> HttpResponse:
    latest = BankMatch.objects.filter(bank=OuterRef("pk")).order_by("-pk").values("at")[:1]
    banks = list(Bank.objects.annotate(latest=Subquery(latest)).order_by("name"))
    context = {
        "banks": [bank for bank in banks if bank.retired_at is None],
        "retired": [bank for bank in banks if bank.retired_at is not None],
    }
    return render(request, "moderation/banks.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.BANKS)
def create(request: PersonRequest) -> HttpResponse:
    form = BankForm(request.POST or None)
    if form.is_valid():
        try:
            bank = keeping.create(**form.cleaned_data, actor=Actor.person(request.user), person=request.user)
        except keeping.UnfitBank as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, _("The bank “%(name)s” is in service. Add hashes to it.") % {"name": bank.name})
            return redirect("bank", pk=bank.pk)
    return render(request, "moderation/bank_new.html", {"form": form}, status=422 if form.errors else 200)


@require_safe
@requires(Scope.BANKS, Scope.AUDIT)
def detail(request: PersonRequest, pk: int) -> HttpResponse:
    return shown(request, get_object_or_404(Bank, pk=pk))


def shown(request: PersonRequest, bank: Bank, *, status: int = 200, **more: Any) -> HttpResponse:
    entries = BankEntry.objects.filter(bank=bank).order_by("-pk")
    before = request.GET.get("before", "")
    if before.isascii() and before.isdigit() and len(before) < 19:
        entries = entries.filter(pk__lt=int(before))
    rows = list(entries.defer("submission")[: PAGE + 1])
    matches = BankMatch.objects.filter(bank=bank).order_by("-pk").select_related("submission")
    context = {
        "bank": bank,
        "entries": rows[:PAGE],
        "older": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "newest": not before,
        "matches": list(matches[:LATE]),
        "rechecks": list(Recheck.objects.filter(bank=bank).order_by("-asked_at")[:5]),
        "may_keep": request.user.has_scope(Scope.BANKS) and bank.retired_at is None,
        "hash_form": HashForm(),
        "list_form": ListForm(),
        "reason_form": ReasonForm(auto_id=False),
        **more,
    }
    return render(request, "moderation/bank.html", context, status=status)


@require_POST
@requires(Scope.BANKS)
def add(request: PersonRequest, pk: int) -> HttpResponse:
    bank = get_object_or_404(Bank, pk=pk)
    form = HashForm(request.POST)
    if not form.is_valid():
        return shown(request, bank, status=422, hash_form=form)
    try:
        added = keeping.add(bank, [form.cleaned_data["fingerprint"]], actor=Actor.person(request.user))
    except keeping.Retired as error:
        messages.error(request, str(error))
        return redirect("bank", pk=bank.pk)
    tell_added(request, added=len(added.ids), known=added.known)
    return redirect("bank", pk=bank.pk)


@require_POST
@requires(Scope.BANKS)
def take(request: PersonRequest, pk: int) -> HttpResponse:
    """A list as an uploaded file: what is of use is kept, what is not is named by line."""
    bank = get_object_or_404(Bank, pk=pk)
    form = ListForm(request.POST, request.FILES)
    if not form.is_valid():
        return shown(request, bank, status=422, list_form=form)
    file, refused = form.cleaned_data["list"], list[tuple[int, str]]()
    try:
        taken = importing.take(
            bank,
            file.file,
            actor=Actor.person(request.user),
            refused=lambda line, reason: refused.append((line, reason)) if len(refused) < TOLD else None,
            name=str(file.name),
        )
    except (UnfitList, keeping.Retired) as error:
        form.add_error("list", str(error))
        return shown(request, bank, status=422, list_form=form)
    tell_added(request, added=taken.added, known=taken.known)
    if not taken.refused:
        return redirect("bank", pk=bank.pk)
    bank.refresh_from_db()
    return shown(request, bank, taken=taken, refused=refused)


def tell_added(request: PersonRequest, *, added: int, known: int) -> None:
    if added:
        nudge_recheck()
        words = ngettext(
            "%(n)d hash added; the archive is searched for it.",
            "%(n)d hashes added; the archive is searched for them.",
            added,
        )
        messages.success(request, words % {"n": added})
    if known:
        words = ngettext("%(n)d was in the bank already.", "%(n)d were in the bank already.", known)
        messages.info(request, words % {"n": known})


@require_POST
@requires(Scope.BANKS)
def remove(request: PersonRequest, pk: int, entry: int) -> HttpResponse:
    row = get_object_or_404(BankEntry.objects.select_related("bank"), pk=entry, bank=pk)
    reason = reason_of(request)
    if reason and keeping.remove(row, reason=reason, actor=Actor.person(request.user)):
        messages.success(request, _("Entry %(entry)d matches no more. Its row stays on record.") % {"entry": row.pk})
    elif reason:
        messages.info(request, _("Entry %(entry)d had been removed already.") % {"entry": row.pk})
    return redirect("bank", pk=pk)


@require_POST
@requires(Scope.BANKS)
def retire(request: PersonRequest, pk: int) -> HttpResponse:
    bank = get_object_or_404(Bank, pk=pk)
    reason = reason_of(request)
    if reason and keeping.retire(bank, reason=reason, actor=Actor.person(request.user)):
        messages.success(request, _("“%(name)s” is retired and matches no more.") % {"name": bank.name})
    return redirect("bank", pk=pk)


def reason_of(request: PersonRequest) -> str:
    """The reason given, or "" and a message that one is needed."""
    form: Form = ReasonForm(request.POST)
    if form.is_valid():
        return str(form.cleaned_data["reason"])
    messages.error(request, _("Say why: the reason goes on record. Nothing was changed."))
    return ""
