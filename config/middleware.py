"""What every answer carries: the request's name, and the content security policy."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

from csp.utils import build_policy
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from uuid_utils.compat import uuid7

HEADER = "X-Request-ID"
ACCEPTABLE = re.compile(r"[\w.-]{8,64}")


class RequestIdMiddleware:
    """A name by which an error that a person reports is found in the log: the proxy's X-Request-ID when it is
    well-formed, else a new one.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get(HEADER, "")
        request.request_id = offered if ACCEPTABLE.fullmatch(offered) else uuid7().hex  # type: ignore[attr-defined]
        response = self.get_response(request)
        response[HEADER] = request.request_id  # type: ignore[attr-defined]
        return response


class ContentSecurityPolicyMiddleware:
    """The same policy for every answer, put together once: no page has exceptions or nonces, and django-csp's own
    middleware would look for them each time.
    """

    header = "Content-Security-Policy"
    # Where DEBUG=1 Django answers these with pages of its own, which have styles inside.
    debug_pages = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.INTERNAL_SERVER_ERROR})

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.policy: str = build_policy()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not (settings.DEBUG and response.status_code in self.debug_pages):
            response.headers.setdefault(self.header, self.policy)
        return response
