"""InvokeAI: `invokeai_metadata`, before that `sd-metadata`, before that a command line under `Dream`."""

from __future__ import annotations

import re
from typing import Any, Final

from classifiers.provenance.generators.settings import Carried, Generated, inner, made, size

TOOL: Final = "InvokeAI"
DREAM: Final = re.compile(r'^"(?P<prompt>(?:[^"\\]|\\.)*)"(?P<flags>.*)$', re.DOTALL)
FLAG: Final = re.compile(r"\s-([A-Za-z])\s?([^\s-][^\s]*)")
AVOIDED: Final = re.compile(r"\[([^\[\]]*)\]")


def read(carried: Carried) -> Generated | None:
    if said := carried.table(carried.texts.get("invokeai_metadata")):
        return made(TOOL, modern(said))
    if said := carried.table(carried.texts.get("sd-metadata")):
        return made(TOOL, earlier(said))
    match = DREAM.match(carried.texts.get("Dream", "")[:40_000])
    if match is None:
        return None
    flags = dict(FLAG.findall(match["flags"]))
    return made(
        TOOL,
        {
            **split(match["prompt"]),
            "seed": flags.get("S"),
            "steps": flags.get("s"),
            "cfg_scale": flags.get("C"),
            "sampler": flags.get("A"),
            "size": f"{flags['W']}x{flags['H']}" if {"W", "H"} <= flags.keys() else "",
        },
    )


def modern(said: dict[str, Any]) -> dict[str, Any]:
    model = inner(said, "model")
    return {
        "version": said.get("app_version"),
        "prompt": said.get("positive_prompt"),
        "negative_prompt": said.get("negative_prompt"),
        "model": model.get("name") or model.get("model_name"),
        "seed": said.get("seed"),
        "sampler": said.get("scheduler"),
        "steps": said.get("steps"),
        "cfg_scale": said.get("cfg_scale"),
        "size": size(said.get("width"), said.get("height")),
    }


def earlier(said: dict[str, Any]) -> dict[str, Any]:
    image = inner(said, "image")
    prompt = image.get("prompt")
    if isinstance(prompt, list):
        prompt = ", ".join(str(each.get("prompt", "")) for each in prompt if isinstance(each, dict))
    return {
        **split(str(prompt or "")),
        "version": said.get("app_version"),
        "model": said.get("model_weights"),
        "seed": image.get("seed"),
        "sampler": image.get("sampler"),
        "steps": image.get("steps"),
        "cfg_scale": image.get("cfg_scale"),
        "size": size(image.get("width"), image.get("height")),
    }


def split(prompt: str) -> dict[str, str]:
    """What stands in [brackets] was to be avoided."""
    return {
        "prompt": AVOIDED.sub("", prompt).strip(),
        "negative_prompt": ", ".join(avoided.strip() for avoided in AVOIDED.findall(prompt)),
    }
