"""Labelled prompts: reading them, naming their categories in our words, and parting them so that no copy leaks."""

import csv
import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from classifiers.prompts.grams import gist

if TYPE_CHECKING:
    from classifiers.manifests import Manifest

I2P: Final[Mapping[str, str]] = {
    "hate": "HATE",
    "harassment": "HARASSMENT",
    "violence": "VIOLENCE_GORE",
    "self-harm": "SELF_HARM",
    "sexual": "NUDITY",
    "shocking": "VIOLENCE_GORE",
    "illegal activity": "REGULATED",
}
"""The categories of Inappropriate Image Prompts (Schramowski et al. 2023, arXiv 2211.05105) in the house's taxonomy.
They name the search word under which a prompt was found, so many prompts of a category hold nothing of it."""
SHARES: Final = (("fit", 0.6), ("calibrate", 0.2), ("test", 0.2))
_SHINGLE: Final = 3
_COMMON: Final = 50
_ALIKE: Final = 0.5


class ExampleError(ValueError):
    """The file of labelled prompts cannot be used. The message names the line and what to mend."""


@dataclass(frozen=True, slots=True, eq=False)
class Examples:
    """Prompts, their categories, and the split of each: fit, calibrate or test."""

    prompts: Sequence[str]
    labels: Sequence[frozenset[str]]
    split: NDArray[np.str_]

    @property
    def categories(self) -> tuple[str, ...]:
        return tuple(sorted(set().union(*self.labels)))

    @property
    def fingerprint(self) -> str:
        """Hex name of prompts and labels, whatever file they came in."""
        rows = [[prompt, sorted(codes)] for prompt, codes in zip(self.prompts, self.labels, strict=True)]
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def read(path: Path, *, names: Mapping[str, str] | None = None) -> Examples:
    """The labelled prompts of a CSV or JSONL file with ``prompt`` and ``categories`` (parted by commas or semicolons;
    none means harmless). ``names``: what the file's words for categories mean."""
    known = {**I2P, **(names or {})}
    prompts, labels = [], []
    for line, row in _rows(path):
        prompt, said = row.get("prompt"), row.get("categories")
        if not isinstance(prompt, str):
            raise ExampleError(f"{path.name}, line {line}: prompt is missing")
        if not prompt.strip():
            continue  # nothing was asked for, so there is nothing to learn
        parts = said if isinstance(said, list) else (said or "").replace(";", ",").split(",")
        codes = {str(part).strip() for part in parts} - {""}
        if unknown := sorted(code for code in codes if code not in known and not code.isupper()):
            raise ExampleError(
                f"{path.name}, line {line}: {', '.join(unknown)} is no category code; "
                "say in the recipe's [names] what it means"
            )
        prompts.append(prompt)
        labels.append(frozenset(known.get(code, code) for code in codes))
    if not prompts:
        raise ExampleError(f"{path.name} holds no prompt")
    return Examples(prompts, labels, np.array([split_of(name) for name in clusters(prompts)]))


def of_manifest(manifest: "Manifest") -> Examples:
    """The prompts of a label manifest, each with the categories it was found to violate. Of a prompt that made several
    images, all of them count; one without any known label has no part."""
    found: dict[str, set[str]] = {}
    columns = (manifest.column(name) for name in ("prompt", "category", "label"))
    for prompt, category, label in zip(*columns, strict=True):
        if isinstance(prompt, str) and prompt.strip() and label == label:  # noqa: PLR0124 - NaN is no label
            codes = found.setdefault(prompt, set())
            if label == 1:
                codes.add(str(category))
    if not found:
        raise ExampleError("no label of the data set has a prompt")
    prompts = sorted(found)
    labels = [frozenset(found[prompt]) for prompt in prompts]
    return Examples(prompts, labels, np.array([split_of(name) for name in clusters(prompts)]))


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            if path.suffix.lower() == ".csv":
                reader = csv.DictReader(file)
                if not {"prompt", "categories"} <= set(reader.fieldnames or ()):
                    raise ExampleError(f"{path.name} needs the columns prompt and categories")
                for row in reader:
                    yield reader.line_num, row
                return
            for number, line in enumerate(file, 1):
                if line.strip():
                    said = json.loads(line)
                    if not isinstance(said, dict):
                        raise ExampleError(f"{path.name}, line {number}: not a JSON object")
                    yield number, said
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise ExampleError(f"{path.name} cannot be read: {error}") from error


def clusters(prompts: Sequence[str]) -> list[str]:
    """A name for each prompt, the same for near-duplicates: at least half of their groups of three words are shared."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    gists = [gist(prompt) for prompt in prompts]
    groups = [_shingles(text) for text in gists]
    holders: dict[str, list[int]] = defaultdict(list)
    for row, group in enumerate(groups):
        for shingle in group:
            holders[shingle].append(row)
    shared: dict[tuple[int, int], int] = defaultdict(int)
    for rows in holders.values():
        # What very many prompts share is a manner of speaking ("trending on artstation"), not a copy.
        for pair in combinations(rows, 2) if len(rows) <= _COMMON else ():
            shared[pair] += 1
    alike = [pair for pair, n in shared.items() if n >= _ALIKE * min(len(groups[pair[0]]), len(groups[pair[1]]))]
    rows_, columns = np.array(alike, dtype=np.int64).reshape(-1, 2).T
    graph = coo_array((np.ones(len(alike)), (rows_, columns)), shape=(len(prompts), len(prompts)))
    _count, label = connected_components(graph, directed=False)
    first: dict[int, str] = {}
    for row, one in enumerate(label):
        first[one] = min(first.get(one, gists[row]), gists[row])
    return [first[one] for one in label]


def _shingles(text: str) -> frozenset[str]:
    words = text.split()
    return frozenset(" ".join(words[i : i + _SHINGLE]) for i in range(max(1, len(words) - _SHINGLE + 1)))


def split_of(cluster: str) -> str:
    """Always the same for the same cluster."""
    draw, reached = int.from_bytes(hashlib.sha256(cluster.encode()).digest()[:8]) / 2**64, 0.0
    for name, share in SHARES[:-1]:
        reached += share
        if draw < reached:
            return name
    return SHARES[-1][0]
