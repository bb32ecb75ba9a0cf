"""A name for every request, so that an error a person reports can be found in the log."""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from uuid_utils.compat import uuid7

HEADER = "X-Request-ID"
ACCEPTABLE = re.compile(r"[\w.-]{8,64}")


class RequestIdMiddleware:
    """Takes the proxy's X-Request-ID when it is well-formed, else makes one; answers with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        offered = request.headers.get(HEADER, "")
        request.request_id = offered if ACCEPTABLE.fullmatch(offered) else uuid7().hex  # type: ignore[attr-defined]
        response = self.get_response(request)
        response[HEADER] = request.request_id  # type: ignore[attr-defined]
        return response
