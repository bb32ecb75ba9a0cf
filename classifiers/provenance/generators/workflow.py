"""ComfyUI's two ways of writing a graph, brought into one: node key → {class_type, inputs}, links as [key, slot]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Graph: TypeAlias = dict[str, dict[str, Any]]
MAX_NODES: Final = 2_000
# The editor's form keeps widget values without their names; of these nodes their order is known.
WIDGETS: Final[Mapping[str, tuple[str, ...]]] = {
    "CLIPTextEncode": ("text",),
    "CheckpointLoaderSimple": ("ckpt_name",),
    "UNETLoader": ("unet_name",),
    "KSampler": ("seed", "", "steps", "cfg", "sampler_name", "scheduler", "denoise"),
    "KSamplerAdvanced": ("add_noise", "noise_seed", "", "steps", "cfg", "sampler_name", "scheduler"),
    "EmptyLatentImage": ("width", "height", "batch_size"),
    "EmptySD3LatentImage": ("width", "height", "batch_size"),
    "RandomNoise": ("noise_seed",),
    "KSamplerSelect": ("sampler_name",),
    "BasicScheduler": ("scheduler", "steps", "denoise"),
    "FluxGuidance": ("guidance",),
    "PrimitiveString": ("value",),
    "PrimitiveStringMultiline": ("value",),
}


def graph(written: Mapping[str, Any]) -> Graph:
    """The form that runs (`prompt`). What is no node is left out."""
    found: Graph = {}
    for key, node in list(written.items())[:MAX_NODES]:
        if isinstance(node, dict) and "class_type" in node and isinstance(node.get("inputs"), dict):
            found[str(key)] = node
    return found


def drawn(written: Mapping[str, Any]) -> Graph:
    """The editor's form (`workflow`), as far as the names of its widgets are known."""
    nodes, links = written.get("nodes"), written.get("links")
    if not isinstance(nodes, list) or not isinstance(links, list):
        return {}
    origins = {
        link[0]: [str(link[1]), link[2]]
        for link in links
        if isinstance(link, list) and len(link) >= 3 and isinstance(link[0], int)
    }
    found: Graph = {}
    for node in nodes[:MAX_NODES]:
        if not isinstance(node, dict):
            continue
        kind, values = str(node.get("type")), node.get("widgets_values")
        named = zip(WIDGETS.get(kind, ()), values, strict=False) if isinstance(values, list) else ()
        inputs: dict[str, Any] = {name: value for name, value in named if name}
        slots = node.get("inputs")
        for each in slots if isinstance(slots, list) else ():
            if isinstance(each, dict) and isinstance(link := each.get("link"), int) and link in origins:
                inputs[str(each.get("name"))] = origins[link]
        found[str(node.get("id"))] = {"class_type": kind, "inputs": inputs}
    return found


def target(graph: Graph, link: object) -> str | None:
    """The key of the node a link comes from."""
    if not isinstance(link, list) or len(link) != 2:
        return None
    return key if (key := str(link[0])) in graph else None


def source(graph: Graph, link: object) -> dict[str, Any] | None:
    key = target(graph, link)
    return None if key is None else graph[key]
