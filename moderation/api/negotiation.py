"""Which form an answer takes: JSON, unless somebody asks for what there is not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

CONTENT: Final = frozenset({"*/*", "application/json"})


class Negotiation(DefaultContentNegotiation):
    """As DRF's, which takes the accepted types apart for every request: most callers take what they get."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        asks = format_suffix or request.META.get("QUERY_STRING")
        if not asks and request.META.get("HTTP_ACCEPT", "*/*") in CONTENT and first.media_type == "application/json":
            return first, first.media_type
        chosen: Any = super().select_renderer(request, renderers, format_suffix)
        return chosen[0], chosen[1]
