"""Where files live: three Django storages under one root, a folder or an S3-compatible bucket."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

ROOMS = ("originals", "derivatives", "models", "exports")


def storages_from_url(url: str) -> dict[str, dict[str, Any]]:
    """Django's STORAGES for `file:///folder` or `s3://bucket/prefix?endpoint_url=…`; raises ValueError for anything
    else.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and parts.path:
        root = unquote(parts.path).rstrip("/")
        return {
            room: {
                "BACKEND": "django.core.files.storage.FileSystemStorage",
                # 0600/0700: the files are for this account's eyes only.
                "OPTIONS": {
                    "location": f"{root}/{room}",
                    "base_url": None,
                    "file_permissions_mode": 0o600,
                    "directory_permissions_mode": 0o700,
                },
            }
            for room in ROOMS
        }
    if parts.scheme == "s3" and parts.netloc:
        prefix = parts.path.strip("/")
        return {
            room: {
                "BACKEND": "storages.backends.s3.S3Storage",
                "OPTIONS": {
                    "bucket_name": parts.netloc,
                    "location": f"{prefix}/{room}".lstrip("/"),
                    "file_overwrite": False,
                    "default_acl": None,
                    **dict(parse_qsl(parts.query)),
                },
            }
            for room in ROOMS
        }
    raise ValueError(f"{url!r} is neither file:///path nor s3://bucket/prefix")
