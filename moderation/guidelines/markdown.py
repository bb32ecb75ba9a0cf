"""Markdown of people to HTML that is safe to show. The only place of the house that marks text as safe."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

# Headings of levels 1 to 3 belong to the page; an image would be fetched from wherever its author likes.
TAGS: Final = frozenset(
    {"p", "br", "hr", "ul", "ol", "li", "strong", "em", "s", "code", "pre", "blockquote", "a", "h4", "h5", "h6"}
    | {"table", "thead", "tbody", "tr", "th", "td"}
)
ATTRIBUTES: Final[dict[str, set[str]]] = {"*": set(), "a": {"href"}}
SCHEMES: Final = {"https", "http", "mailto"}
HIGH_HEADING: Final = re.compile(r"^ {0,3}#{1,3}(?=\s|$)", re.MULTILINE)

_reader: Final = (
    MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"]).disable(["image", "lheading"])
)


@lru_cache(maxsize=512)
def render(text: str) -> SafeString:
    """The text as HTML without script, style, image or foreign scheme; markup that was typed as HTML shows as typed."""
    clean = nh3.clean(
        _reader.render(text),
        tags=set(TAGS),
        attributes=ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(clean)  # noqa: S308 - nh3's output, by the list above


def has_high_heading(text: str) -> bool:
    """Whether it holds a heading that would break into the page's own, and into a file's sections."""
    return HIGH_HEADING.search(text) is not None
