"""The form into which every generator's own writing is brought."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

MAX_PROMPT: Final = 20_000
MAX_SETTING: Final = 200


@dataclass(frozen=True, slots=True)
class Carried:
    """The texts of a file: by keyword, by EXIF tag, by XMP property."""

    texts: Mapping[str, str] = field(default_factory=dict)
    exif: Mapping[str, str] = field(default_factory=dict)
    xmp: Mapping[str, str] = field(default_factory=dict)

    def comments(self) -> list[str]:
        """Where generators write when the format has no keyed texts, and `parameters`, where most of them do."""
        places = (self.texts.get("parameters"), self.exif.get("UserComment"), self.texts.get("Comment"))
        return [place for place in (*places, self.xmp.get("exif:UserComment")) if place]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generated:
    """Empty texts: not said. Numbers are kept as they were written."""

    tool: str
    version: str = ""
    prompt: str = ""
    negative_prompt: str = ""
    model: str = ""
    seed: str = ""
    sampler: str = ""
    steps: str = ""
    cfg_scale: str = ""
    size: str = ""

    def said(self) -> dict[str, str]:
        return {one.name: text for one in fields(self) if (text := getattr(self, one.name))}


def made(tool: str, said: Mapping[str, Any]) -> Generated:
    """From values of any kind; lists and tables, which no setting is, count as unsaid."""
    texts = {name: setting(name, value) for name, value in said.items()}
    return Generated(tool=tool, **texts)


def setting(name: str, value: object) -> str:
    if value is None or isinstance(value, bool | list | tuple | Mapping):
        return ""
    return str(value).strip()[: MAX_PROMPT if name.endswith("prompt") else MAX_SETTING]


def size(width: object, height: object) -> str:
    return f"{width}x{height}" if isinstance(width, int) and isinstance(height, int) else ""


def table(text: str | None) -> dict[str, Any]:
    """A JSON object; an empty one for anything else, however deep or long."""
    if not text or not text.lstrip().startswith("{"):
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def inner(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A table within a table; empty where there is none."""
    value = values.get(key)
    return value if isinstance(value, dict) else {}
