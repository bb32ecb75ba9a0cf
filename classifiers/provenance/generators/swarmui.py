"""SwarmUI: one JSON object under `sui_image_params`."""

from __future__ import annotations

from classifiers.provenance.generators.settings import Carried, Generated, inner, made, size


def read(carried: Carried) -> Generated | None:
    for text in carried.comments():
        said = inner(carried.table(text), "sui_image_params")
        if said:
            return made(
                "SwarmUI",
                {
                    "version": said.get("swarm_version"),
                    "prompt": said.get("prompt"),
                    "negative_prompt": said.get("negativeprompt"),
                    "model": said.get("model"),
                    "seed": said.get("seed"),
                    "sampler": said.get("sampler"),
                    "steps": said.get("steps"),
                    "cfg_scale": said.get("cfgscale"),
                    "size": size(said.get("width"), said.get("height")),
                },
            )
    return None
