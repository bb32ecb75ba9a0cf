"""Preference pairs: of one prompt and generator, an image that people approved beside one that they blocked.

What aligns a generator (direct preference optimisation and its kin) learns from: this rather than that. Only images
whose labels passed the door are paired, and a prompt lies in one split whole.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from classifiers.labels import SCHEMA
from classifiers.splits import splits_of
from review.labels.reading import arrow

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Part = tuple[pa.RecordBatch, NDArray[Any] | None]

FILE: Final = "pairs.jsonl"
EACH: Final = 4  # pairs that one blocked image is in
OF_SIDE: Final = ("image", "sha256", "agreement", "licence", "consent_basis")
OF_IMAGE: Final = (*OF_SIDE, "split", "prompt", "generator")
APART: Final = re.compile(r"[\W_]+")


def normalised(prompt: str) -> str:
    """The same for what differs in case, width, accents' writing, punctuation and spaces only."""
    return APART.sub(" ", unicodedata.normalize("NFKC", prompt).casefold()).strip()


def key_of(prompt: str, generator: str) -> str:
    """Of a prompt and generator, hex; "" of an empty prompt, which pairs with nothing."""
    words = normalised(prompt)
    return hashlib.sha256(f"{generator.casefold()}\x00{words}".encode()).hexdigest()[:32] if words else ""


@dataclass(frozen=True, eq=False)
class Sides:
    """The keys that have an image on both sides, as numbers in ascending order."""

    keys: NDArray[np.uint64]


def sides(parts: Iterable[Part]) -> Sides:
    """A first pass: 8 bytes an image."""
    found: tuple[list[int], list[int]] = ([], [])
    for rows, _vectors in parts:
        for key, blocked in zip(*images(rows), strict=True):
            if key:
                found[blocked].append(int(key[:16], 16))
    approved, blocked_ = (np.unique(np.array(side, np.uint64)) for side in found)
    return Sides(np.intersect1d(approved, blocked_))


def images(rows: pa.RecordBatch) -> tuple[list[str], list[bool]]:
    """Of each image of the batch, its key and whether people blocked it."""
    grouped = pa.Table.from_batches([rows]).group_by("submission_id", use_threads=False)
    told = grouped.aggregate([("prompt", "first"), ("generator", "first"), ("label", "max")])
    prompts, generators = told["prompt_first"].to_pylist(), told["generator_first"].to_pylist()
    keys = [key_of(prompt or "", name or "") for prompt, name in zip(prompts, generators, strict=True)]
    return keys, [label == 1 for label in told["label_max"].to_pylist()]


def paired(parts: Iterable[Part], both: Sides) -> Iterator[Part]:
    """A second pass: the rows of images that have a counterpart, each prompt in one split."""
    for rows, vectors in parts:
        prompts = zip(rows["prompt"].to_pylist(), rows["generator"].to_pylist(), strict=True)
        keys = [key_of(prompt or "", name or "") for prompt, name in prompts]
        numbers = np.array([int(key[:16] or "0", 16) for key in keys], np.uint64)
        kept = np.isin(numbers, both.keys) & np.array([bool(key) for key in keys], np.bool_)
        split = pa.array(splits_of(keys), pa.string())
        placed = rows.set_column(SCHEMA.get_field_index("split"), SCHEMA.field("split"), split)
        yield placed.filter(arrow(kept)), vectors


@dataclass(eq=False)
class Pairing:
    """Collects the images of both sides as their rows pass, to write the pairs at the end."""

    def __post_init__(self) -> None:
        self.sides: dict[str, tuple[list[dict[str, Any]], list[dict[str, Any]]]] = defaultdict(lambda: ([], []))
        self.count = 0

    def of(self, parts: Iterable[Part]) -> Iterator[Part]:
        for rows, vectors in parts:
            self.add(rows)
            yield rows, vectors

    def add(self, rows: pa.RecordBatch) -> None:
        told: dict[str, dict[str, Any]] = {}
        for row in rows.to_pylist():
            one = told.setdefault(row["submission_id"], {name: row[name] for name in OF_IMAGE} | {"violates": []})
            one["agreement"] = min(one["agreement"], row["agreement"])
            if row["label"] == 1:
                one["violates"].append({"category": row["category"], "severity": row["severity"]})
        for key, one in told.items():
            of = self.sides[key_of(one["prompt"] or "", one["generator"] or "")]
            of[bool(one["violates"])].append({"submission_id": key, **one})

    def write(self, folder: Path) -> list[str]:
        """One line a pair: prompt, generator, split, chosen and rejected. A blocked image meets up to EACH approved
        ones, taken in turns, so that no approved image stands in for all.
        """
        with (folder / FILE).open("w", encoding="utf-8") as file:
            for _key, (approved, blocked) in sorted(self.sides.items()):
                for at, rejected in enumerate(blocked):
                    for turn in range(min(EACH, len(approved))):
                        chosen = approved[(at + turn) % len(approved)]
                        file.write(json.dumps(pair(chosen, rejected), ensure_ascii=False) + "\n")
                        self.count += 1
        return [FILE]


def pair(chosen: dict[str, Any], rejected: dict[str, Any]) -> dict[str, Any]:
    sides_ = {"chosen": chosen, "rejected": rejected}
    told = {side: {name: one[name] for name in ("submission_id", *OF_SIDE)} for side, one in sides_.items()}
    return {
        "prompt": rejected["prompt"],
        "generator": rejected["generator"],
        "split": rejected["split"],
        **told,
        "violates": rejected["violates"],
    }
