"""Guidelines as Markdown files: down as an archive, up as drafts."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from moderation import importing
from moderation.guidelines import files
from moderation.guidelines.faults import UnfitFile
from moderation.models import PolicyVersion, Scope
from moderation.views.access import PersonRequest, requires
from moderation.views.policy_drafts import subject_or_404

LARGEST_UPLOAD = 10_000_000


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Scope.POLICY)
def index(request: PersonRequest) -> HttpResponse:
    """What to do, and after an upload what came of each file."""
    taken, trouble = [], ""
    if request.method == "POST":
        uploads = request.FILES.getlist("files")
        if not uploads:
            trouble = _("Choose the files first.")
        elif len(uploads) > files.MOST or sum(one.size or 0 for one in uploads) > LARGEST_UPLOAD:
            trouble = _("At most %(most)d files and 10 MB in one go; nothing was taken.") % {"most": files.MOST}
        else:
            texts: dict[str, str] = {}
            for upload in uploads:
                try:
                    texts |= files.unpacked(upload.name or "", upload.read())
                except UnfitFile as error:
                    taken.append(importing.Taken(upload.name or "", trouble=str(error)))
            title, ask = request.POST.get("title", "").strip()[:200], request.POST.get("ask") == "on"
            taken += importing.take(request.user, texts, title=title, ask=ask)
    context = {"taken": taken, "trouble": trouble}
    return render(request, "moderation/policy_files.html", context, status=422 if trouble else 200)


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def archive(_request: PersonRequest) -> HttpResponse:
    """Every guideline, part and translation that is in force, as a ZIP."""
    rows = [one for one in PolicyVersion.objects.latest_of_each() if not one.archived]
    response = HttpResponse(files.archive(rows), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="policies.zip"'
    return response


@require_safe
@requires(Scope.POLICY_READ, Scope.POLICY)
def one(_request: PersonRequest, category: str, number: int) -> HttpResponse:
    """One version as its file."""
    row = get_object_or_404(subject_or_404(category).versions(), number=number)
    response = HttpResponse(files.written(row), content_type="text/markdown; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{files.name_of(row)}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
