"""Where an image says it comes from, for people and for integrators: the provenance signal's evidence in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from classifiers.provenance.differences import ALIASES
from moderation.models import Submission

KIND: Final = "provenance"
NAMES: Final = {
    "prompt": gettext_lazy("Prompt"),
    "negative_prompt": gettext_lazy("Negative prompt"),
    "tool": gettext_lazy("Made with"),
    "model": gettext_lazy("Model"),
    "seed": gettext_lazy("Seed"),
    "sampler": gettext_lazy("Sampler"),
    "steps": gettext_lazy("Steps"),
    "cfg_scale": gettext_lazy("Guidance"),
    "size": gettext_lazy("Size"),
}
DISAGREEMENTS: Final = {
    "prompt": gettext_lazy("words in the file’s prompt were not declared"),
    "negative_prompt": gettext_lazy("words in the file’s negative prompt were not declared"),
    "generator": gettext_lazy("another generator"),
    "capture": gettext_lazy("the credentials say a camera took it"),
    "source_type": gettext_lazy("its metadata contradicts its credentials"),
    "seed": gettext_lazy("another seed"),
    "model": gettext_lazy("another model"),
    "sampler": gettext_lazy("another sampler"),
    "steps": gettext_lazy("another number of steps"),
    "cfg_scale": gettext_lazy("another guidance"),
}
SOURCES: Final = {
    "trainedAlgorithmicMedia": gettext_lazy("made by a trained model"),
    "compositeWithTrainedAlgorithmicMedia": gettext_lazy("partly made by a trained model"),
    "algorithmicMedia": gettext_lazy("made by a program"),
    "compositeSynthetic": gettext_lazy("composed, with synthetic parts"),
    "digitalCapture": gettext_lazy("taken by a camera"),
    "computationalCapture": gettext_lazy("taken by a camera that computes"),
}
PRIVACY: Final = {
    "gps": gettext_lazy("GPS position present"),
    "contact": gettext_lazy("contact details present"),
    "owner": gettext_lazy("camera owner’s name present"),
    "serial": gettext_lazy("serial number present"),
    "artist": gettext_lazy("author’s name present"),
    "thumbnail": gettext_lazy("embedded thumbnail, which may show an earlier state"),
}
NOTES: Final = {
    "text_too_large": gettext_lazy("A text in the file is too large to be read."),
    "text_broken": gettext_lazy("A text in the file is broken."),
    "xmp_dtd": gettext_lazy("Its XMP defines entities, as no honest one does; it was not read."),
    "xmp_broken": gettext_lazy("Its XMP is broken."),
    "xmp_too_large": gettext_lazy("Its XMP is too large to be read."),
    "exif_broken": gettext_lazy("Its EXIF is broken."),
    "exif_too_large": gettext_lazy("Its EXIF is too large to be read."),
    "too_many_parts": gettext_lazy("It has too many parts to be read to the end."),
    "broken": gettext_lazy("Its structure is broken."),
}
UNREAD: Final = {
    "credentials_too_large": gettext_lazy("Not read: they are too large."),
    "credentials_slow": gettext_lazy("Not read: checking them took too long."),
    "credentials_crash": gettext_lazy("Not read: the reader broke on them."),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One thing the file says; `declared` is what its sender said, where that differs."""

    name: str
    found: str
    declared: str = ""
    differs: bool = False
    unsaid: str = ""
    """Of a prompt: the words that were not declared."""


@dataclass(frozen=True, slots=True)
class Provenance:
    """`tone` is ok, warn or plain; `others`, what disagrees and belongs to no line."""

    verdict: str
    tone: str
    lines: tuple[Line, ...] = ()
    others: tuple[str, ...] = ()
    privacy: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def differing(self) -> list[Line]:
        return [line for line in self.lines if line.differs]

    @property
    def agreeing(self) -> list[Line]:
        return [line for line in self.lines if not line.differs]

    @property
    def differences(self) -> int:
        return len(self.differing) + len(self.others)


def in_words(evidence: Mapping[str, Any], submission: Submission) -> Provenance:
    """What a reviewer reads; `evidence` may be empty: nothing was found."""
    said = evidence.get("c2pa", {})
    apart = {each["kind"]: each["found"] for each in evidence.get("differences", ())}
    lines = (*signed(said), *written(evidence, submission, apart))
    placed = {"prompt", "negative_prompt", *ALIASES, "seed"} | ({"generator"} if evidence.get("generator") else set())
    return Provenance(
        verdict(said),
        {"trusted": "ok", "valid": "plain", "remote": "plain"}.get(said.get("state", ""), "warn" if said else "plain"),
        lines,
        tuple(sentence(disagreement(kind)) for kind in apart if kind not in placed),
        tuple(str(PRIVACY.get(each, each)) for each in evidence.get("privacy", ())),
        tuple(str(NOTES.get(each, each)) for each in evidence.get("notes", ())),
    )


def verdict(said: Mapping[str, Any]) -> str:
    """The state of the content credentials. Absence is told as what it is: no evidence."""
    state, problems = said.get("state"), said.get("problems") or [""]
    if state == "unread":
        return str(UNREAD.get(problems[0], _("Not read.")))
    if state == "remote":
        return _("Kept elsewhere (%(at)s). Never fetched, so unchecked.") % {"at": said.get("at", "")}
    words = {
        None: _("None. That proves nothing."),
        "trusted": _("Valid, signer on the trust list."),
        "valid": _("Valid, signer not on the trust list."),
        "invalid": _("Invalid: altered after signing, or broken."),
    }
    return words.get(state, str(state))


def signed(said: Mapping[str, Any]) -> Iterator[Line]:
    """What the credentials say."""
    signer = [said[key] for key in ("issuer", "signer") if said.get(key)]
    sources = [str(SOURCES.get(each, each)) for each in said.get("digital_source_types", ())]
    training = [f"{spaced(use)}: {spaced(allowed)}" for use, allowed in said.get("training", {}).items()]
    rows = {
        _("Signed by"): ", ".join(dict.fromkeys(signer)),
        _("Signed at"): said.get("signed_at", ""),
        _("Written by"): said.get("claim_generator", ""),
        _("Made by"): said.get("made_by", ""),
        _("Says it was"): ", ".join(sources),
        _("Steps told"): ", ".join(each.removeprefix("c2pa.") for each in said.get("actions", ())),
        _("Use for training"): ", ".join(training),
        _("Found wrong"): ", ".join(said.get("problems", ())) if said.get("state") == "invalid" else "",
    }
    yield from (Line(name, found) for name, found in rows.items() if found)


def written(evidence: Mapping[str, Any], submission: Submission, apart: Mapping[str, str]) -> Iterator[Line]:
    """What the generator wrote into the file, beside what was declared."""
    source, camera = evidence.get("digital_source_type"), evidence.get("camera")
    if source:
        yield Line(_("Metadata says it was"), str(SOURCES.get(source, source)))
    if camera:
        yield Line(_("Camera"), camera)
    found = evidence.get("generator") or {}
    for key, name in NAMES.items():
        if not found.get(key):
            continue
        text = " ".join(filter(None, (found[key], found.get("version")))) if key == "tool" else found[key]
        kind = "generator" if key == "tool" else key
        if key.endswith("prompt"):
            same = getattr(submission, key).strip() and kind not in apart
            if not same:
                yield Line(str(name), text, differs=kind in apart, unsaid=apart.get(kind, ""))
        else:
            declared = given(submission, key) if kind in apart else ""
            yield Line(str(name), text, declared, differs=kind in apart)


def given(submission: Submission, key: str) -> str:
    """What the sender declared under this name, or under another one for the same."""
    generator = submission.generator
    parameters = generator.get("parameters")
    table = parameters if isinstance(parameters, Mapping) else {}
    if key == "tool":
        return str(generator.get("name", ""))
    if key == "seed":
        return str(generator.get("seed", table.get("seed", "")))
    return str(next((table[name] for name in ALIASES.get(key, ()) if name in table), ""))


def disagreement(kind: str) -> str:
    return str(DISAGREEMENTS.get(kind, kind))


def spaced(code: str) -> str:
    """notAllowed as “not allowed”."""
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in code.replace("_", " "))


def sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def disclosure(evidence: Mapping[str, Any]) -> dict[str, Any]:
    """What the API tells beside an image; empty when the file says nothing of where it comes from.

    Of credentials that verify, their own word on the source and the maker goes before unsigned metadata.
    """
    said, written_by = evidence.get("c2pa", {}), evidence.get("generator", {})
    vouched = said if said.get("state") in {"trusted", "valid"} else {}
    source = next(iter(vouched.get("digital_source_types", ())), "") or evidence.get("digital_source_type", "")
    generator = {
        key: written_by[of]
        for key, of in (("name", "tool"), ("version", "version"), ("model", "model"))
        if of in written_by
    }
    if not generator and vouched.get("made_by"):
        generator = {"name": vouched["made_by"]}
    if not (said or source or generator):
        return {}
    kept = ("state", "issuer", "signer", "signed_at", "claim_generator")
    return {
        "c2pa": {key: said[key] for key in kept if key in said} or {"state": "absent"},
        "digital_source_type": source or None,
        "generator": generator or None,
    }
