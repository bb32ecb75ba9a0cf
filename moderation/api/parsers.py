"""Reading bodies without being hurt by them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework import parsers
from rest_framework.exceptions import ParseError

from moderation.api.problems import Problem

DRAINED: Final = 4  # times the limit


class BodyTooLarge(Problem):
    def __init__(self) -> None:
        limit = f"{settings.DATA_UPLOAD_MAX_MEMORY_SIZE / 2**20:g}"
        detail = _("The request has more than %(limit)s MiB.") % {"limit": limit}
        super().__init__(413, _("The request is too large"), detail, code="too_many_bytes")


def check_length(stream: Any, context: Mapping[str, Any] | None) -> None:
    """Raises BodyTooLarge by what the header says. One not much larger is read first, so that its sender hears why."""
    request = (context or {})["request"]
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if length <= limit:
        return
    if length <= DRAINED * limit:
        while stream.read(2**20):
            pass
    raise BodyTooLarge


class JSONParser(parsers.JSONParser):
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        check_length(stream, parser_context)
        try:
            return super().parse(stream, media_type, dict(parser_context or {}))
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deeply.")) from error


class MultiPartParser(parsers.MultiPartParser):
    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        check_length(stream, parser_context)
        return super().parse(stream, media_type, dict(parser_context or {}))
