"""Markdown of people is shown, and nothing that runs, loads or poses as the page comes through."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moderation.guidelines.markdown import ATTRIBUTES, TAGS, render
from tests.architecture import PROJECT

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/pixel.png)",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "<javascript:alert(1)>",
    '[x](https://a.example "onmouseover=alert(1)")',
    '[x](https://a.example"onmouseover="alert(1))',
    "<a href='https://a.example' style='position:fixed'>x</a>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<form action=/policies/HATE/roll-back/ method=post><button>x",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "# A heading of the page\n\nText\n====",
    "[ref]: javascript:alert(1)\n\n[ref]",
    "`<script>`\n\n```html\n<script>alert(1)</script>\n```",
    "|a|\n|-|\n|<script>x</script>|",
    "<style>body{display:none}</style><link rel=stylesheet href=//evil.example>",
    "\x00<scr\x00ipt>alert(1)</scr\x00ipt>",
]


class Seen(HTMLParser):
    """Every tag and attribute of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]


def only_what_is_allowed(text: str) -> bool:
    seen = Seen(render(text))
    assert seen.tags <= TAGS
    for tag, name, value in seen.attributes:
        assert name in ATTRIBUTES.get(tag, set()) | ({"rel"} if tag == "a" else set())
        scheme = re.match(r"\s*([a-zA-Z][\w+.-]*):", value)
        assert scheme is None or scheme[1].lower() in {"http", "https", "mailto"} or name == "rel"
    return True


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_becomes_harmless(text: str) -> None:
    assert only_what_is_allowed(text)


@given(
    st.lists(
        st.sampled_from([*HOSTILE, "**", "`", "[", "](", ")", "<", ">", "\n\n", "    ", "> ", "- ", "x", '"']),
        max_size=12,
    )
)
def test_no_mixture_of_it_gets_through(parts: list[str]) -> None:
    assert only_what_is_allowed("".join(parts))


def test_what_people_write_is_shown() -> None:
    html = render(
        "#### When\n\n**Bold**, *soft*, ~~gone~~, `code` and [law](https://a.example).\n\n- one\n- two\n\n> said"
    )
    for wanted in (
        "<h4>When</h4>",
        "<strong>Bold</strong>",
        "<em>soft</em>",
        "<s>gone</s>",
        "<li>one</li>",
        "<blockquote>",
    ):
        assert wanted in html
    assert '<a href="https://a.example" rel="noopener noreferrer nofollow">law</a>' in html


def test_text_is_marked_as_safe_in_one_place_only() -> None:
    marking = [
        path.relative_to(PROJECT).as_posix()
        for app in ("config", "review", "moderation", "classifiers")
        for path in (PROJECT / app).rglob("*.py")
        if re.search(r"\bmark_safe\(", path.read_text())
    ]
    assert marking == ["moderation/guidelines/markdown.py"]
    unsafe = [
        path
        for path in (PROJECT / "templates").rglob("*.html")
        if re.search(r"\|\s*safe\b|autoescape off", path.read_text())
    ]
    assert unsafe == []
