"""ComfyUI: the graph that made the image. What it drew is read by following the links back from its sampler."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, Final

from classifiers.provenance.generators import workflow
from classifiers.provenance.generators.settings import Carried, Generated, made, size
from classifiers.provenance.generators.workflow import Graph

TEXTS: Final = ("text", "text_g", "text_l", "clip_l", "t5xxl", "prompt", "positive", "string", "value", "wildcard_text")
MODELS: Final = ("ckpt_name", "unet_name", "model_name", "gguf_name")
MAX_NODES: Final = 2_000


def read(carried: Carried) -> Generated | None:
    runs, shown = (carried.table(written(carried, name)) for name in ("prompt", "workflow"))
    graph = workflow.graph(runs) or workflow.drawn(shown)
    if not graph:
        return None
    sampler = next((node for node in graph.values() if is_sampler(node)), None)
    if sampler is None:
        return made("ComfyUI", {"model": first(graph, graph, MODELS)})
    inputs = sampler["inputs"]
    guider = workflow.source(graph, inputs.get("guider")) or sampler
    above = list(upstream(graph, sampler))
    return made(
        "ComfyUI",
        {
            "prompt": words(graph, guider, "positive") or words(graph, guider, "conditioning"),
            "negative_prompt": words(graph, guider, "negative"),
            "model": first(graph, above, MODELS),
            "seed": value(graph, above, ("seed", "noise_seed")),
            "sampler": " ".join(
                filter(None, (value(graph, above, ("sampler_name",)), value(graph, above, ("scheduler",))))
            ),
            "steps": value(graph, above, ("steps",)),
            "cfg_scale": value(graph, above, ("cfg", "guidance")),
            "size": next((found for key in above if (found := area(graph[key]["inputs"]))), ""),
        },
    )


def written(carried: Carried, name: str) -> str:
    """As a PNG text, or in EXIF's texts behind the name and a colon, as in a WebP."""
    if carried.texts.get(name):
        return carried.texts[name]
    mark = name + ":"
    return next((text[len(mark) :] for text in carried.exif.values() if text[: len(mark)].lower() == mark), "")


def is_sampler(node: Mapping[str, Any]) -> bool:
    kind, inputs = str(node.get("class_type")), node["inputs"]
    return "Sampler" in kind and ("positive" in inputs or "guider" in inputs)


def upstream(graph: Graph, node: Mapping[str, Any]) -> Iterator[str]:
    """The keys of this node and of all that feed it, the nearest first."""
    start = next(key for key, each in graph.items() if each is node)
    waiting, seen = deque([start]), {start}
    while waiting and len(seen) <= MAX_NODES:
        key = waiting.popleft()
        yield key
        for link in graph[key]["inputs"].values():
            if (other := workflow.target(graph, link)) and other not in seen:
                seen.add(other)
                waiting.append(other)


def words(graph: Graph, node: Mapping[str, Any], side: str) -> str:
    """The texts that feed this input, in the order they are met, joined."""
    found: dict[str, None] = {}
    waiting = deque([(node["inputs"].get(side), side)])
    seen: set[tuple[str, str]] = set()
    while waiting and len(seen) <= MAX_NODES:
        link, role = waiting.popleft()
        key = workflow.target(graph, link)
        if key is None or (key, role) in seen:
            continue
        seen.add((key, role))
        inputs = graph[key]["inputs"]
        if "ZeroOut" in str(graph[key].get("class_type")):
            continue
        found |= dict.fromkeys(text for name in TEXTS if isinstance(text := inputs.get(name), str) and text.strip())
        if {"positive", "negative"} <= inputs.keys():  # it handles both: the link's slot says which is ours
            role = "negative" if link[1] == 1 else "positive"
            waiting.append((inputs[role], role))
        else:
            waiting += [(each, role) for each in inputs.values() if isinstance(each, list)]
    return ", ".join(found)


def first(graph: Graph, keys: Any, names: tuple[str, ...]) -> str:
    """The first text among these inputs."""
    texts = (graph[key]["inputs"].get(name) for key in keys for name in names)
    return next((text for text in texts if isinstance(text, str) and text), "")


def value(graph: Graph, keys: list[str], names: tuple[str, ...]) -> str:
    """The nearest of these inputs that is a text or number; where it is linked, the node it comes from may hold it."""
    for key in keys:
        for name in names:
            found = graph[key]["inputs"].get(name)
            if isinstance(found, str | int | float) and not isinstance(found, bool):
                return str(found)
    return ""


def area(inputs: Mapping[str, Any]) -> str:
    return size(inputs.get("width"), inputs.get("height")) if "batch_size" in inputs else ""
