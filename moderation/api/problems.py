"""Errors as RFC 9457 problem details, whoever raised them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from math import ceil
from typing import Any, Final

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as FieldsInvalid
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views import defaults
from rest_framework import exceptions
from rest_framework.request import Request
from rest_framework.response import Response

CONTENT_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 5


class Problem(exceptions.APIException):
    """Raise it in an API module to answer with these words. `code` makes the problem's type, for programs."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str = "",
        *,
        errors: Sequence[Mapping[str, str]] = (),
        code: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or title)
        self.status_code = status
        self.title = title
        self.said = detail
        self.errors = list(errors)
        self.type = f"urn:loupe:problem:{code.replace('_', '-')}" if code else "about:blank"
        self.headers = dict(headers or {})

    def body(self, request_id: str = "") -> dict[str, Any]:
        body: dict[str, Any] = {"type": self.type, "title": self.title, "status": self.status_code, "detail": self.said}
        body["errors"] = self.errors
        return {**body, "request_id": request_id} if request_id else body


def problem_response(exception: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler. None for what nobody foresaw: that goes to the log, and to `server_error`."""
    problem = as_problem(exception)
    if problem is None:
        return None
    from rest_framework.views import set_rollback  # which loads the parsers, and they this module

    set_rollback()
    request: Request = context["request"]
    body = problem.body(getattr(request, "request_id", ""))
    return Response(body, status=problem.status_code, headers=problem.headers, content_type=CONTENT_TYPE)


def as_problem(exception: Exception) -> Problem | None:
    match exception:
        case Problem():
            return exception
        case exceptions.ValidationError():
            return invalid(list(errors_of(exception.detail)))
        case FieldsInvalid():
            return invalid([{"pointer": "#", "detail": str(message)} for message in exception.messages])
        case exceptions.APIException():
            return titled(exception.status_code, str(exception.detail), headers=headers_of(exception))
        case Http404():
            return titled(404, _("There is no such thing here, or it is not yours."))
        case PermissionDenied():
            return titled(403, str(exception) or _("You may not do this."))
        case RequestDataTooBig():
            return titled(413, _("The request is too large."))
        case SuspiciousOperation():
            return titled(400, _("The request cannot be understood."))
        case OperationalError() | InterfaceError():
            headers = {"Retry-After": str(RETRY_SECONDS)}
            return titled(503, _("The database cannot be reached; try again shortly."), headers=headers)
        case _:
            return None


def titled(status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> Problem:
    return Problem(status, HTTPStatus(status).phrase, detail, headers=headers)


def invalid(errors: Sequence[Mapping[str, str]]) -> Problem:
    """422: the request was understood, and cannot be taken as it is."""
    return Problem(422, _("The request is not valid"), _("See errors for each field."), errors=errors, code="invalid")


def errors_of(detail: Any, pointer: str = "#") -> Iterator[dict[str, str]]:
    """DRF's nested details as JSON pointers."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            step = "" if name in {"non_field_errors", "__all__"} else f"/{name}"
            yield from errors_of(inner, pointer + step)
    elif isinstance(detail, list | tuple):
        nested = any(isinstance(inner, Mapping | list | tuple) for inner in detail)
        for index, inner in enumerate(detail):
            yield from errors_of(inner, f"{pointer}/{index}" if nested else pointer)
    else:
        yield {"pointer": pointer, "detail": str(detail)}


def headers_of(exception: exceptions.APIException) -> dict[str, str]:
    headers = {}
    if challenge := getattr(exception, "auth_header", None):
        headers["WWW-Authenticate"] = str(challenge)
    if wait := getattr(exception, "wait", None):
        headers["Retry-After"] = str(ceil(wait))
    return headers


# --- for Django's own handlers (config.urls): what never reached a view of the API ---


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not request.path.startswith("/api/"):
        return defaults.page_not_found(request, exception)
    return plain(request, titled(404, _("There is no such address in this API; see /api/docs/.")))


def server_error(request: HttpRequest) -> HttpResponse:
    if not request.path.startswith("/api/"):
        return defaults.server_error(request)
    return plain(request, titled(500, _("Something broke on our side. Tell us the request_id if it stays so.")))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if not request.path.startswith("/api/"):
        return defaults.bad_request(request, exception)
    return plain(request, titled(400, _("The request cannot be understood.")))


def plain(request: HttpRequest, problem: Problem) -> HttpResponse:
    body = problem.body(getattr(request, "request_id", ""))
    return JsonResponse(body, status=problem.status_code, content_type=CONTENT_TYPE)
