"""AUTOMATIC1111's web UI and its kin (Forge, SD.Next, Civitai): the prompt, then lines of settings."""

from __future__ import annotations

import re
from typing import Final

from classifiers.provenance.generators.settings import Carried, Generated, made

NEGATIVE: Final = "Negative prompt:"
SETTING: Final = re.compile(r'([A-Za-z][\w \-/]{0,60}):\s*("(?:\\.|[^\\"]){0,1000}"|[^,\n]*)(?:,|$)')
MAX_SETTINGS: Final = 8_000  # characters


def read(carried: Carried) -> Generated | None:
    """The line of settings begins with `Steps:`; without it a text is only a text."""
    for text in carried.comments():
        prompt, negative, settings = parse(text)
        if "Steps" in settings and ("Sampler" in settings or "Seed" in settings):
            return made(
                tool(settings),
                {
                    "version": settings.get("Version"),
                    "prompt": prompt,
                    "negative_prompt": negative,
                    "model": settings.get("Model") or settings.get("Model hash"),
                    "seed": settings.get("Seed"),
                    "sampler": " ".join(filter(None, (settings.get("Sampler"), settings.get("Schedule type")))),
                    "steps": settings.get("Steps"),
                    "cfg_scale": settings.get("CFG scale"),
                    "size": settings.get("Size"),
                },
            )
    return None


def parse(text: str) -> tuple[str, str, dict[str, str]]:
    """Prompt, negative prompt, settings. Both prompts may have many lines; the settings are last."""
    head, mark, tail = text.strip().rpartition("\nSteps:")
    if not mark:
        if not text.startswith("Steps:"):
            return "", "", {}
        head, tail = "", text[len("Steps:") :]
    prompt, _mark, negative = head.partition(NEGATIVE)
    settings = {
        name.strip(): value.strip().strip('"') for name, value in SETTING.findall(("Steps:" + tail)[:MAX_SETTINGS])
    }
    return prompt.strip(), negative.strip(), settings


def tool(settings: dict[str, str]) -> str:
    version = settings.get("Version", "")
    if "Civitai resources" in settings or "Civitai metadata" in settings:
        return "Civitai"
    if version.startswith(("f0.", "f1.", "f2.")):
        return "Stable Diffusion WebUI Forge"
    if version.startswith("ComfyUI"):
        return "ComfyUI"
    return "SD.Next" if settings.get("App") == "SD.Next" else "AUTOMATIC1111"
