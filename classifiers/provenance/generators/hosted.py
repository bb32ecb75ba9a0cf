"""Hosted generators, which name themselves in XMP, EXIF or a description; most say more in their C2PA credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from classifiers.provenance.generators.settings import Carried, Generated, made

JOB: Final = re.compile(r"\bJob ID: [0-9a-f]{8}-[0-9a-f-]{27}")
FLAGS: Final = re.compile(r"\s--[a-z].*$", re.DOTALL)
VERSION: Final = re.compile(r"--(?:v|version|niji)\s+([\w.]{1,10})")
SEED: Final = re.compile(r"--seed\s+(\d{1,12})")
NAMES: Final[Mapping[str, str]] = {
    "midjourney": "Midjourney",
    "dall-e": "DALL·E",
    "dall·e": "DALL·E",
    "openai": "OpenAI",
    "chatgpt": "OpenAI",
    "firefly": "Adobe Firefly",
    "google ai": "Google AI",
    "imagen": "Google AI",
    "gemini": "Google AI",
    "stability ai": "Stability AI",
    "ideogram": "Ideogram",
    "leonardo": "Leonardo.Ai",
    "novelai": "NovelAI",
    "bing image creator": "Microsoft",
    "microsoft designer": "Microsoft",
    "draw things": "Draw Things",
    "invokeai": "InvokeAI",
    "comfyui": "ComfyUI",
}


def read(carried: Carried) -> Generated | None:
    said = carried.texts.get("Description") or carried.exif.get("ImageDescription") or carried.xmp.get("dc:description")
    if said and JOB.search(said[:40_000]):
        return midjourney(said[:40_000])
    xmp, texts = carried.xmp, carried.texts
    places = (
        xmp.get("iptc:AISystemUsed"), xmp.get("xmp:CreatorTool"), xmp.get("photoshop:Credit"),
        texts.get("Software"), carried.exif.get("Software"), xmp.get("tiff:Software"),
    )  # fmt: skip
    for place in filter(None, places):
        if name := known(place):
            version, prompt = xmp.get("iptc:AISystemVersionUsed"), xmp.get("iptc:AIPromptInformation")
            return made(name, {"version": version, "prompt": prompt})
    if system := xmp.get("iptc:AISystemUsed"):
        return made(system[:100], {"prompt": xmp.get("iptc:AIPromptInformation")})
    return None


def midjourney(said: str) -> Generated:
    words = JOB.sub("", said)
    version, seed = VERSION.search(words), SEED.search(words)
    return made(
        "Midjourney",
        {
            "prompt": FLAGS.sub("", words),
            "version": version[1] if version else "",
            "seed": seed[1] if seed else "",
        },
    )


def known(words: str) -> str:
    """The generator that these words name, if they name one."""
    lower = words[:500].lower()
    return next((name for part, name in NAMES.items() if part in lower), "")
