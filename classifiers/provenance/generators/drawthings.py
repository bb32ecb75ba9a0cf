"""Draw Things: JSON in XMP's exif:UserComment."""

from __future__ import annotations

from classifiers.provenance.generators.settings import Carried, Generated, made


def read(carried: Carried) -> Generated | None:
    for text in carried.comments():
        said = carried.table(text)
        if "c" in said and "uc" in said:
            return made(
                "Draw Things",
                {
                    "prompt": said.get("c"),
                    "negative_prompt": said.get("uc"),
                    "model": said.get("model"),
                    "seed": said.get("seed"),
                    "sampler": said.get("sampler"),
                    "steps": said.get("steps"),
                    "cfg_scale": said.get("scale"),
                    "size": said.get("size"),
                },
            )
    return None
