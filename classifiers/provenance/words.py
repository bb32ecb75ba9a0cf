"""Comparing prompts and names as people mean them: case, spacing, weights and LoRA tags do not count."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

TAG: Final = re.compile(r"<(?:lora|lyco|hypernet)[:][^<>]{0,200}>", re.IGNORECASE)
WEIGHT: Final = re.compile(r":\s*-?\d+(?:\.\d+)?\s*(?=[)\]])")  # (word:1.2)
DOUBLE_WEIGHT: Final = re.compile(r"::\s*-?\d+(?:\.\d+)?")  # Midjourney's word::2
WORD: Final = re.compile(r"\w+")
# Written without spaces between words: each character is compared by itself.
UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u0f00-\u0fff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
UNSHOWN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
# Families of generators: names that may stand for one another on the two sides. A model's name (SDXL, Flux) is none.
FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "open": (
        "automatic1111", "a1111", "webui", "forge", "sd.next", "comfy", "invoke", "fooocus", "swarm", "draw things",
        "easy diffusion", "civitai", "diffusers", "stable diffusion", "stability",
    ),
    "midjourney": ("midjourney", "niji"),
    "openai": ("openai", "dall", "chatgpt", "gpt-4o", "gpt-image", "sora"),
    "microsoft": ("microsoft", "bing", "copilot"),
    "adobe": ("firefly", "adobe"),
    "google": ("google", "imagen", "gemini", "nano banana"),
    "novelai": ("novelai", "novel ai", "nai diffusion"),
    "ideogram": ("ideogram",),
    "leonardo": ("leonardo",),
}  # fmt: skip


def tokens(prompt: str) -> list[str]:
    """The words of a prompt in any script, each once, in the order they stand."""
    plain = unicodedata.normalize("NFKC", DOUBLE_WEIGHT.sub(" ", WEIGHT.sub(" ", TAG.sub(" ", prompt)))).casefold()
    return list(dict.fromkeys(WORD.findall(UNSPACED.sub(r" \g<0> ", plain.replace("_", " ")))))


def undeclared(found: str, declared: str) -> tuple[float, list[str]]:
    """The share of the words of `found` that `declared` lacks, in [0, 1], and these words."""
    theirs, ours = tokens(found), set(tokens(declared))
    missing = [word for word in theirs if word not in ours]
    return (len(missing) / len(theirs) if theirs else 0.0), missing


def family(name: str) -> str:
    """Whose generator this is; empty for what is none of those that are known, such as a model's name."""
    lower = name.casefold()
    found = {family for family, parts in FAMILIES.items() if any(part in lower for part in parts)}
    return found.pop() if len(found) == 1 else ""


def same(found: object, declared: object) -> bool:
    """Whether two settings say the same: 7 is 7.0, and `DPM++ 2M` is `dpm++_2m`."""
    one, other = (re.sub(r"[\s_\-]+", " ", str(each)).strip().casefold() for each in (found, declared))
    try:
        return one == other or float(one) == float(other)
    except ValueError:
        return False


def shown(text: str, most: int) -> str:
    """Safe to store as JSON and to put on a page: no controls, no half characters, nothing that turns a line round."""
    clean = UNSHOWN.sub("", text[: most + 1])
    return clean if len(clean) <= most else clean[: most - 1] + "…"
