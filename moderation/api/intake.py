"""From what a client sent to the rule that takes it in, and from the rule's refusals to problems."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final, NoReturn

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.request import Request

from moderation import images, ingest
from moderation.actors import Actor
from moderation.api.problems import Problem, invalid
from moderation.models import Client

OBJECTS: Final = ("generator", "context")
DRAINED: Final = 4  # times the limit
RETRY_SECONDS: Final = 30


def read(request: Request) -> tuple[Any, Mapping[str, Any]]:
    """The image part (a file, base64 text, or None) and the fields, from multipart or JSON."""
    if is_too_large(request):
        raise unacceptable_image(images.too_many_bytes(settings.MAX_IMAGE_BYTES))
    data = request.data
    if isinstance(data, QueryDict):
        return request.FILES.get("image"), from_form(data)
    return from_json(data)


def is_too_large(request: Request) -> bool:
    """By what the header says. A body not absurdly too large is read and dropped, so that its sender hears why."""
    length = int(request.META.get("CONTENT_LENGTH") or 0)
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if limit < length <= DRAINED * limit:
        while request.stream.read(2**20):
            pass
    return length > limit


def from_json(data: Any) -> tuple[Any, Mapping[str, Any]]:
    if not isinstance(data, dict):
        raise invalid([{"pointer": "#", "detail": _("Must be an object.")}])
    return data.get("image_base64"), data


def from_form(form: QueryDict) -> dict[str, Any]:
    """A form has only text: objects come as JSON, and territories as JSON or as a field each."""
    fields: dict[str, Any] = {name: form[name] for name in form if name not in {"territories", *OBJECTS}}
    for name in OBJECTS:
        if said := form.get(name):
            fields[name] = parsed(name, str(said))
    given = [str(code) for code in form.getlist("territories")]
    if given and given[0].startswith("["):
        fields["territories"] = parsed("territories", given[0])
    else:
        fields["territories"] = [code for code in given if code]
    return fields


def parsed(name: str, text: str) -> Any:
    def refuse(constant: str) -> NoReturn:
        raise ValueError(constant)

    try:
        return json.loads(text, parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise invalid([{"pointer": f"#/{name}", "detail": _("Must be JSON.")}]) from error


def check_room() -> None:
    """Raises Problem (503) when as many images wait for triage as may, where a limit is set."""
    if settings.BACKLOG_LIMIT and ingest.is_behind(settings.BACKLOG_LIMIT):
        raise Problem(
            503,
            _("Too many images wait"),
            _("Nothing was stored. Send it again in a while."),
            code="backlog",
            headers={"Retry-After": str(RETRY_SECONDS)},
        )


def take(
    client: Client, image: Any, fields: Mapping[str, Any], *, actor: Actor, awaited: bool = False
) -> ingest.Accepted:
    """Store it, or raise the Problem that says why not. The caller nudges triage."""
    try:
        declared = ingest.Declared.from_mapping(fields)
        return ingest.accept(client, bytes_of(image), fields=declared, actor=actor, awaited=awaited)
    except ingest.UnacceptableFields as error:
        raise invalid([asdict(one) for one in error.errors]) from error
    except images.UnacceptableImage as error:
        raise unacceptable_image(error) from error
    except ingest.Conflict as error:
        raise Problem(409, _("The external_id is taken"), str(error), code="conflict") from error


def bytes_of(image: Any) -> bytes:
    """The image's bytes, from an uploaded file or from base64 text. Raises UnacceptableImage or Problem."""
    if image is None:
        raise invalid([{"pointer": "#/image", "detail": _("Send image as a file, or image_base64 in JSON.")}])
    if isinstance(image, UploadedFile):
        if (image.size or 0) > settings.MAX_IMAGE_BYTES:
            raise images.too_many_bytes(settings.MAX_IMAGE_BYTES)
        return bytes(image.read())
    try:
        return base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError, TypeError) as error:
        raise invalid([{"pointer": "#/image_base64", "detail": _("Must be base64.")}]) from error


def unacceptable_image(error: images.UnacceptableImage) -> Problem:
    errors = [{"pointer": "#/image", "detail": str(error)}]
    return Problem(422, _("The image cannot be taken"), str(error), errors=errors, code=error.code)
