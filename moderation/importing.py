"""Files of guidelines taken in as drafts: nothing is published by a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from moderation import proposals
from moderation.guidelines import bodies, files
from moderation.guidelines.faults import UnfitFile
from moderation.models import Proposal, ProposalKind, User


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of one file: a draft, nothing (it says what is in force, or a draft says the same), or a trouble."""

    name: str
    subject: str = ""
    draft: Proposal | None = None
    trouble: str = ""

    @property
    def told(self) -> dict[str, Any]:
        """For programs."""
        key = str(self.draft.pk) if self.draft else None
        return {"file": self.name, "policy": self.subject, "proposal": key, "problem": self.trouble or None}


def take(person: User, texts: Mapping[str, str], *, title: str = "", ask: bool = False) -> list[Taken]:
    """Afterwards each file that says something new is a draft of this person, asked for approval with `ask`; one bad
    file does not sink the others.
    """
    return [take_one(person, name, text, title=title, ask=ask) for name, text in sorted(texts.items())]


def take_one(person: User, name: str, text: str, *, title: str, ask: bool) -> Taken:
    try:
        said = files.parsed(text)
    except UnfitFile as error:
        return Taken(name, trouble=str(error))
    subject, latest = str(said.subject), said.subject.latest()
    if latest is not None and bodies.body_of(latest) == said.body:
        return Taken(name, subject)
    if proposals.open_proposals(ProposalKind.POLICY, subject).filter(body=said.body).exists():
        return Taken(name, subject)
    number = latest.number if latest else 0
    if said.version and said.version != number:
        words = {"file": said.version, "now": number}
        return Taken(
            name,
            subject,
            trouble=_("It changes version %(file)d, but version %(now)d is in force: export again and merge.") % words,
        )
    try:
        draft = proposals.draft(
            person, ProposalKind.POLICY, subject, said.body, title=title or _("From a file"), based_on=number
        )
        if ask:
            draft = proposals.ask(draft.pk, person, revision=draft.revision)
    except proposals.UnfitProposal as error:
        return Taken(name, subject, trouble=str(error))
    return Taken(name, subject, draft)
