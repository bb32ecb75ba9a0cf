"""Serving images to reviewers."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from moderation.models import Submission, User
from review import images

POLICY = "default-src 'none'; sandbox"


class VariantConverter:
    """In a path: the name of a variant; anything else is no address of ours."""

    regex = "|".join(variant for variant in images.Variant if variant.is_linked)

    def to_python(self, value: str) -> images.Variant:
        return images.Variant(value)

    def to_url(self, value: str) -> str:
        return str(value)


@require_safe
def image(request: HttpRequest, submission: UUID, variant: images.Variant) -> HttpResponse:
    """JPEG; 401 for strangers, 403 for those it is not meant for, 404 when it is gone, 410 when the link is too old."""
    if not isinstance(request.user, User):
        return refusal(_("Sign in to look at images."), status=401)
    try:
        opened = images.open_link(submission, request.user, variant, request.GET.get("key", ""))
    except images.NotAllowed as error:
        return refusal(str(error), status=403)
    except images.LinkExpired as error:
        return refusal(str(error), status=410)
    except (Submission.DoesNotExist, FileNotFoundError):
        return refusal(_("There is no such image."), status=404)
    response = HttpResponse(opened.jpeg, content_type="image/jpeg")
    response["Content-Disposition"] = "inline"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = POLICY
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    # Fetched ahead of its turn, shown later; never kept by anyone but this browser, nor for longer than the link holds.
    response["Cache-Control"] = f"private, max-age={opened.seconds_left}, immutable"
    return response


def refusal(message: str, *, status: int) -> HttpResponse:
    response = HttpResponse(message, status=status, content_type="text/plain; charset=utf-8")
    response["Cache-Control"] = "no-store"
    return response
