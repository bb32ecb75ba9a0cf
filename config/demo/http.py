"""The demo speaks to Loupe as outsiders do: over HTTP, with a key or with a person's session."""

from __future__ import annotations

import json
import re
import secrets
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any, Final

TIMEOUT: Final = 60.0  # seconds
CSRF: Final = re.compile(r'name="csrfmiddlewaretoken" value="(\w+)"')


class Refused(Exception):
    """The desk answered with an error; the message carries its status and its words."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: Any


@dataclass(slots=True)
class Door:
    """One caller's way in. `base_url` without a trailing slash."""

    base_url: str
    headers: dict[str, str] = field(default_factory=dict)
    opener: urllib.request.OpenerDirector = field(default_factory=urllib.request.build_opener)

    @classmethod
    def with_key(cls, base_url: str, key: str) -> Door:
        return cls(base_url, {"Authorization": f"Bearer {key}"})

    @classmethod
    def with_login(cls, base_url: str, username: str, password: str) -> Door:
        """A person's session, through the login page. Raises Refused when the login is not taken."""
        jar = CookieJar()
        door = cls(base_url, {}, urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar)))
        page = str(door.call("GET", "/accounts/login/").body)
        token = CSRF.search(page)
        form = {"csrfmiddlewaretoken": token[1] if token else "", "login": username, "password": password}
        door.call(
            "POST", "/accounts/login/", urllib.parse.urlencode(form).encode(), "application/x-www-form-urlencoded"
        )
        cookies = {cookie.name: cookie.value or "" for cookie in jar}
        if "sessionid" not in cookies:
            raise Refused(f"{username} could not log in")
        door.headers["X-CSRFToken"] = cookies["csrftoken"]
        return door

    def call(self, method: str, path: str, body: bytes | None = None, content_type: str = "", **headers: str) -> Answer:
        """One request. Raises Refused for an answer of 400 or above."""
        offered = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if content_type:
            offered["Content-Type"] = content_type
        request = urllib.request.Request(self.base_url + path, body, offered, method=method)  # noqa: S310 - our own desk
        try:
            with self.opener.open(request, timeout=TIMEOUT) as response:
                raw = response.read()
                is_json = "json" in response.headers.get("Content-Type", "")
                return Answer(response.status, json.loads(raw) if is_json else raw.decode())
        except urllib.error.HTTPError as error:
            raise Refused(f"{method} {path}: {error.code} {error.read().decode(errors='replace')[:500]}") from error

    def get(self, path: str) -> Any:
        return self.call("GET", path).body

    def post(self, path: str, body: Mapping[str, Any], **headers: str) -> Any:
        return self.call("POST", path, json.dumps(body).encode(), "application/json", **headers).body

    def upload(self, path: str, image: bytes, fields: Mapping[str, str]) -> Any:
        """A multipart POST of one image with its fields."""
        boundary = secrets.token_hex(16)
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
            for name, value in fields.items()
        ]
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="image"; filename="image"\r\n\r\n'.encode()
        body = b"".join(parts) + head + image + f"\r\n--{boundary}--\r\n".encode()
        return self.call("POST", path, body, f"multipart/form-data; boundary={boundary}").body
