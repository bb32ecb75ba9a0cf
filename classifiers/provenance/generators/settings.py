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
    _tables: dict[str, dict[str, Any]] = field(default_factory=dict)

    def table(self, text: str | None) -> dict[str, Any]:
        """The JSON object a text is, parsed once; an empty one for any other text, however deep or long."""
        if not text or not text.lstrip().startswith("{"):
            return {}
        if text not in self._tables:
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                value = None
            self._tables[text] = value if isinstance(value, dict) else {}
        return self._tables[text]

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


def inner(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A table within a table; empty where there is none."""
    value = values.get(key)
    return value if isinstance(value, dict) else {}
