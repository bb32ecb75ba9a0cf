"""Callers of the API, as they come in from outside."""

from __future__ import annotations

import base64
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from rest_framework.test import APIClient

from moderation.models import User

SUBMISSIONS = "/api/v1/submissions"
PROMPTS = "/api/v1/prompts/check"


def with_key(secret: str) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    return client


def with_session(user: User) -> APIClient:
    client = APIClient(raise_request_exception=False)
    client.force_login(user)
    return client


def at_page(user: User) -> Browser:
    """With a browser, whose forms are sent as forms."""
    client = Browser()
    client.force_login(user)
    return client


def stranger() -> APIClient:
    return APIClient(raise_request_exception=False)


def upload(
    caller: APIClient, image: bytes, *, content_type: str = "image/png", headers: Any = None, **fields: Any
) -> Any:
    file = SimpleUploadedFile("image", image, content_type=content_type)
    return caller.post(SUBMISSIONS, {"image": file, **fields}, format="multipart", headers=headers)


def send(caller: APIClient, image: bytes, *, headers: Any = None, **fields: Any) -> Any:
    return caller.post(SUBMISSIONS, {"image_base64": encoded(image), **fields}, headers=headers)


def encoded(image: bytes) -> str:
    return base64.b64encode(image).decode()
