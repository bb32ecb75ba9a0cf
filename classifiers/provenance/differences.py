"""Where the file and what was declared about it disagree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from classifiers.base import ImageInput
from classifiers.provenance import words
from classifiers.provenance.generators.settings import Generated

CAPTURES: Final = frozenset({"digitalCapture", "computationalCapture", "negativeFilm", "positiveFilm", "print"})
GENERATED: Final = frozenset({"trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia", "algorithmicMedia"})
# Names under which senders declare a setting, beside the file's own name for it.
ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "model": ("model", "model_name", "checkpoint", "ckpt_name", "sd_model_name", "base_model"),
    "sampler": ("sampler", "sampler_name", "scheduler"),
    "steps": ("steps", "num_inference_steps"),
    "cfg_scale": ("cfg_scale", "cfg", "guidance_scale", "scale"),
}


@dataclass(frozen=True, slots=True)
class Difference:
    """`kind` is what a card's settings name; `found` is the file's word. `grave`: more than another wording."""

    kind: str
    found: str
    grave: bool = False


def differences(
    seen: ImageInput,
    generated: Generated | None,
    *,
    credentials: Mapping[str, Any],
    source_type: str,
    undeclared_share: float,
) -> list[Difference]:
    """The gravest first. `undeclared_share`: above this share of unsaid words a prompt counts as another prompt."""
    found = [*of_origin(seen, generated, credentials, source_type)]
    if generated is not None:
        found += of_prompts(seen, generated, undeclared_share)
        found += of_settings(seen, generated)
    return sorted(found, key=lambda one: not one.grave)


def of_origin(
    seen: ImageInput, generated: Generated | None, credentials: Mapping[str, Any], source_type: str
) -> Iterator[Difference]:
    """A camera where a generator was declared; another generator; credentials and XMP that contradict each other."""
    declared = str(seen.generator.get("name") or "")
    signed = credentials.get("digital_source_types", ())
    vouched = credentials.get("state") in {"valid", "trusted"}
    captured = sorted(CAPTURES.intersection(signed)) if vouched and GENERATED.isdisjoint(signed) else []
    if captured and (declared or seen.prompt):
        yield Difference("capture", captured[0], grave=True)
    if vouched and (
        (source_type in CAPTURES and not GENERATED.isdisjoint(signed)) or (source_type in GENERATED and captured)
    ):
        yield Difference("source_type", source_type, grave=True)
    makers = [credentials.get("made_by", "") or credentials.get("claim_generator", "")] if vouched else []
    for maker in (*([generated.tool] if generated else []), *makers):
        theirs, ours = words.family(maker), words.family(declared)
        if theirs and ours and theirs != ours:
            yield Difference("generator", maker, grave=True)
            return


def of_prompts(seen: ImageInput, generated: Generated, undeclared_share: float) -> Iterator[Difference]:
    """`found` names the words that were not declared. Nothing declared is nothing to contradict."""
    for kind, found, declared in (
        ("prompt", generated.prompt, seen.prompt),
        ("negative_prompt", generated.negative_prompt, seen.negative_prompt),
    ):
        share, missing = words.undeclared(found, declared)
        if missing and declared.strip():
            yield Difference(kind, ", ".join(missing), grave=kind == "prompt" and share > undeclared_share)


def of_settings(seen: ImageInput, generated: Generated) -> Iterator[Difference]:
    parameters = seen.generator.get("parameters")
    given: Mapping[str, Any] = parameters if isinstance(parameters, Mapping) else {}
    seed = seen.generator.get("seed", given.get("seed"))
    if generated.seed and seed is not None and seed != "" and not words.same(generated.seed, seed):
        yield Difference("seed", generated.seed)
    for kind, names in ALIASES.items():
        found = getattr(generated, kind)
        declared = next((given[name] for name in names if isinstance(given.get(name), str | int | float)), None)
        if found and declared is not None and declared != "" and not alike(kind, found, declared):
            yield Difference(kind, found)


def alike(kind: str, found: str, declared: object) -> bool:
    """A model's file may stand with its folder and suffix, or without."""
    if kind != "model":
        return words.same(found, declared) or (kind == "sampler" and str(declared).casefold() in found.casefold())
    one, other = (
        str(each).replace("\\", "/").rpartition("/")[2].partition(".safetensors")[0] for each in (found, declared)
    )
    return words.same(one, other)
