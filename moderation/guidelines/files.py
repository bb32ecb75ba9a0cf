"""Guidelines as files, one Markdown file each with its facts in front, so that a team can keep them in git.

What is written is read back the same, word for word (held by a property test).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from django.utils.translation import gettext as _

from moderation.guidelines import bodies
from moderation.guidelines.faults import UnfitFile, UnfitWording, UnknownSubject
from moderation.guidelines.subjects import Subject
from moderation.models import ExceptionKind, PolicyVersion

FACTS: Final = ("headline", "severity", "owner", "review_by", "archived", "translates", "actions", "examples")
SECTIONS: Final[Mapping[str, str]] = {
    "definition": "Definition",
    "allowed": "Allowed",
    "not_allowed": "Not allowed",
    "exceptions": "Exceptions",
    "report_duty": "Report duty",
    **{f"exempt.{kind}": f"Exception: {kind}" for kind in ExceptionKind.values},
    **{f"ladder.{level}": f"Severity {level}" for level in range(5)},
}
NAMED: Final = {title: name for name, title in SECTIONS.items()}
FRONT: Final = re.compile(r"\A---\n(?P<facts>.*?\n)---\n(?P<text>.*)\Z", re.DOTALL)
HEADING: Final = re.compile(r"^## (?P<title>.+?)[ \t]*$", re.MULTILINE)
LONGEST: Final = 400_000  # characters of one file
MOST: Final = 500  # files in one go
LONGEST_ALL: Final = 10_000_000  # bytes of an archive, unpacked


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file as a draft: of what, over which version (0: it names none), and what it says."""

    subject: Subject
    version: int
    body: dict[str, Any]


def name_of(policy: PolicyVersion) -> str:
    return f"{policy.subject}.md"


def written(policy: PolicyVersion) -> str:
    """One version as a file."""
    body = bodies.body_of(policy)
    facts = {"policy": policy.subject, "version": policy.number}
    facts |= {name: body[name] for name in FACTS if name == "severity" or body[name]}
    front = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=100)
    parts = [f"## {title}\n\n{said}\n" for name, title in SECTIONS.items() if (said := section(body, name))]
    return f"---\n{front}---\n\n" + "\n".join(parts)


def section(body: Mapping[str, Any], name: str) -> str:
    field, _dot, key = name.partition(".")
    if key:
        return str(body[field].get(key, ""))
    return "\n".join(f"- {one}" for one in body[field]) if field in bodies.LISTS else str(body[field])


class PlainLoader(yaml.BaseLoader):
    """Everything is text, nothing is built, and nothing refers to anything: small files stay small."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("an alias (*name) is not understood here")
        return super().compose_node(parent, index)


def parsed(text: str) -> Parsed:
    """A file as a checked draft. Raises UnfitFile."""
    try:
        return read(text)
    except (UnknownSubject, UnfitWording) as error:
        raise UnfitFile(str(error)) from error


def read(text: str) -> Parsed:
    if len(text) > LONGEST:
        raise UnfitFile(_("A guideline’s file has at most %(most)d characters.") % {"most": LONGEST})
    match = FRONT.match(text.removeprefix("\ufeff").replace("\r\n", "\n"))
    if match is None:
        raise UnfitFile(_("The file begins with facts between two lines of “---”; see one that was exported."))
    try:
        facts = yaml.load(match["facts"], Loader=PlainLoader)  # noqa: S506 - a BaseLoader builds only text
    except (yaml.YAMLError, RecursionError) as error:
        raise UnfitFile(
            _("The facts in front cannot be read: %(why)s") % {"why": " ".join(str(error).split())[:300]}
        ) from error
    if not isinstance(facts, dict) or not isinstance(facts.get("policy"), str):
        raise UnfitFile(_("The facts in front say which policy it is, as in “policy: HATE”."))
    unknown = [str(name) for name in facts if name not in {"policy", "version", *FACTS}]
    if unknown:
        raise UnfitFile(_("Not understood in front: %(names)s.") % {"names": ", ".join(unknown)[:300]})
    subject = Subject.parse(facts["policy"])
    body = typed(facts) | texts(match["text"])
    return Parsed(subject, number("version", facts.get("version", "0")), bodies.checked(subject, body))


def typed(facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a BaseLoader left as text, as a body has it."""
    said = {name: facts[name] for name in FACTS if name in facts}
    said.setdefault("headline", "")
    said["severity"] = number("severity", facts.get("severity", ""))
    if "translates" in said:
        said["translates"] = number("translates", said["translates"])
    if "archived" in said:
        said["archived"] = flag("archived", said["archived"])
    if isinstance(said.get("examples"), list):
        said["examples"] = [
            one | {"allowed": flag("examples", one.get("allowed", "false"))} if isinstance(one, dict) else one
            for one in said["examples"]
        ]
    return said


def number(name: str, said: Any) -> int:
    if not isinstance(said, str) or not (said.isascii() and said.isdigit()) or len(said) > 9:
        raise UnfitFile(_("“%(name)s” is a number.") % {"name": name})
    return int(said)


def flag(name: str, said: Any) -> bool:
    if said not in {"true", "false"}:
        raise UnfitFile(_("In “%(name)s”, say true or false.") % {"name": name})
    return bool(said == "true")


def texts(text: str) -> dict[str, Any]:
    """The sections by field."""
    said: dict[str, Any] = {
        **dict.fromkeys(("definition", "exceptions", "report_duty"), ""),
        "allowed": [],
        "not_allowed": [],
        "exempt": {},
        "ladder": {},
    }
    pieces = HEADING.split(text)
    if pieces[0].strip():
        raise UnfitFile(_("Text stands before the first heading; it belongs under “## Definition”."))
    seen = set()
    for title, words in zip(pieces[1::2], pieces[2::2], strict=True):
        name = NAMED.get(title)
        if name is None or name in seen:
            raise UnfitFile(
                _("“## %(title)s” is not understood here, or stands twice. The headings are: %(all)s.")
                % {"title": title[:60], "all": ", ".join(NAMED)}
            )
        seen.add(name)
        field, _dot, key = name.partition(".")
        if key:
            said[field][key] = words
        else:
            said[field] = items(title, words) if field in bodies.LISTS else words
    return said


def items(title: str, words: str) -> list[str]:
    """A list of one line each; what follows an item on the next line belongs to it."""
    found: list[str] = []
    for line in filter(None, (line.strip() for line in words.splitlines())):
        if line.startswith(("- ", "* ")):
            found.append(line[2:])
        elif found:
            found[-1] += f" {line}"
        else:
            raise UnfitFile(_("Under “%(title)s” stands a list: one “- ” a line.") % {"title": title})
    return found


def archive(policies: Iterable[PolicyVersion]) -> bytes:
    """All of them as a ZIP."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for policy in policies:
            packed.writestr(zipfile.ZipInfo(name_of(policy)), written(policy))
    return buffer.getvalue()


def unpacked(name: str, data: bytes) -> dict[str, str]:
    """The Markdown files in an upload, by name: of an archive, or the file itself. Raises UnfitFile."""
    if not name.lower().endswith(".zip"):
        return {name: decoded(name, data)}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as packed:
            inside = [one for one in packed.infolist() if one.filename.lower().endswith(".md") and not one.is_dir()]
            if len(inside) > MOST or sum(one.file_size for one in inside) > LONGEST_ALL:
                raise UnfitFile(_("%(name)s: at most %(most)d files and 10 MB.") % {"name": name, "most": MOST})
            found = {}
            for one in inside:
                with packed.open(one) as file:  # what its size claims is not believed
                    found[one.filename] = decoded(one.filename, file.read(LONGEST * 4 + 1))
            return found
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise UnfitFile(_("%(name)s is no archive that can be read.") % {"name": name}) from error


def decoded(name: str, data: bytes) -> str:
    if len(data) > LONGEST * 4:
        raise UnfitFile(_("%(name)s is too large for a guideline.") % {"name": name})
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise UnfitFile(_("%(name)s is not text in UTF-8.") % {"name": name}) from error
