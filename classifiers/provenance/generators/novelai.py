"""NovelAI: `Software`, `Description`, and a JSON `Comment`. Its hidden copy in the pixels is not looked for."""

from __future__ import annotations

from typing import Any

from classifiers.provenance.generators.settings import Carried, Generated, inner, made, size


def read(carried: Carried) -> Generated | None:
    comments = (carried.table(text) for text in carried.comments())
    said: dict[str, Any] = next((each for each in comments if "uc" in each and "scale" in each and "c" not in each), {})
    if not said and carried.texts.get("Software") != "NovelAI":
        return None
    return made(
        "NovelAI",
        {
            "prompt": said.get("prompt") or caption(said, "v4_prompt") or carried.texts.get("Description"),
            "negative_prompt": said.get("uc") or caption(said, "v4_negative_prompt"),
            "model": carried.texts.get("Source"),
            "seed": said.get("seed"),
            "sampler": said.get("sampler"),
            "steps": said.get("steps"),
            "cfg_scale": said.get("scale"),
            "size": size(said.get("width"), said.get("height")),
        },
    )


def caption(said: dict[str, Any], key: str) -> str:
    """The scene's words, then each character's."""
    whole = inner(inner(said, key), "caption")
    characters = whole.get("char_captions")
    parts = [whole.get("base_caption")]
    if isinstance(characters, list):
        parts += [each.get("char_caption") for each in characters if isinstance(each, dict)]
    return ", ".join(part for part in parts if isinstance(part, str) and part)
