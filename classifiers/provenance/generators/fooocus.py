"""Fooocus and its kin: JSON where others write lines."""

from __future__ import annotations

from classifiers.provenance.generators.settings import Carried, Generated, made


def read(carried: Carried) -> Generated | None:
    for text in carried.comments():
        said = carried.table(text)
        if "base_model" in said or str(said.get("version", "")).startswith("Fooocus"):
            return made(
                "Fooocus",
                {
                    "version": str(said.get("version", "")).removeprefix("Fooocus").strip(),
                    "prompt": said.get("prompt"),
                    "negative_prompt": said.get("negative_prompt"),
                    "model": said.get("base_model"),
                    "seed": said.get("seed"),
                    "sampler": said.get("sampler"),
                    "steps": said.get("steps"),
                    "cfg_scale": said.get("guidance_scale"),
                    "size": str(said.get("resolution", "")).strip("()").replace(", ", "x"),
                },
            )
    return None
