"""The card of a data set: what is in it, how far people agreed, what it lacks, under which licence it may be used."""

from __future__ import annotations

import json
from binascii import unhexlify
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from moderation.wording import category_name
from review.datasets import CARD, KEY, WORDS
from review.labels.queries import Refusal
from review.labels.reading import arrow, listed
from review.labels.wire import LENGTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Part = tuple[pa.RecordBatch, NDArray[Any] | None]

CELL: Final = ("category", "label", "severity", "split")
COUNTED: Final = ("source", "split", "licence", "consent_basis", "generator", "definition", "policy_version")
MOST: Final = 50  # of one column's values that the card lists
LISTED: Final = (
    ("Licences", "licence"),
    ("Bases of consent", "consent_basis"),
    ("Sources", "source"),
    ("Splits", "split"),
)
FEW: Final = 50  # affirmations under which a head hardly learns
AGREED: Final = 0.8


@dataclass(eq=False)
class Tally:
    """Counts of rows as they pass; memory goes with the categories."""

    cells: dict[tuple[str, int], list[float]] = field(default_factory=dict)
    values: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in COUNTED})
    graves: Counter[tuple[str, int]] = field(default_factory=Counter)
    images: int = 0
    tested: Counter[str] = field(default_factory=Counter)
    members: list[bytes] = field(default_factory=list)
    """The images' keys in ascending order, 16 bytes each."""

    def of(self, parts: Iterable[Part]) -> Iterator[Part]:
        for rows, vectors in parts:
            self.add(rows)
            yield rows, vectors

    def add(self, rows: pa.RecordBatch) -> None:
        if not rows.num_rows:
            return
        sums: Any = [([], "count_all"), ("weight", "sum"), ("agreement", "sum"), ("agreement", "count")]
        table = pa.Table.from_batches([rows.select([*CELL, "weight", "agreement"])])
        for one in table.group_by(list(CELL), use_threads=False).aggregate(sums).to_pylist():
            cell = self.cells.setdefault((one["category"], one["label"]), [0.0] * 4)
            for place, name in enumerate(("count_all", "weight_sum", "agreement_sum", "agreement_count")):
                cell[place] += one[name] or 0
            if one["label"] == 1:
                self.graves[one["category"], one["severity"]] += one["count_all"]
                self.tested[one["category"]] += one["count_all"] if one["split"] == "test" else 0
        for name in COUNTED:
            for each in listed(pc.value_counts(rows[name])):
                self.values[name][each["values"] or ""] += each["counts"]
        keys = members(rows["submission_id"])
        self.members.append(keys)
        self.images += len(keys) // KEY

    def categories(self) -> list[dict[str, Any]]:
        """The commonest affirmed first. `prevalence` weighs each label by the inverse of its chance (Hájek)."""
        told = []
        for code in sorted({code for code, _label in self.cells}):
            no, yes = (self.cells.get((code, label), [0.0] * 4) for label in (0, 1))
            weight, judged = no[1] + yes[1], no[3] + yes[3]
            told.append(
                {
                    "category": code,
                    "positive": int(yes[0]),
                    "negative": int(no[0]),
                    "prevalence": yes[1] / weight if weight else None,
                    "agreement": (no[2] + yes[2]) / judged if judged else None,
                    "severities": {f"S{grade}": n for (of, grade), n in sorted(self.graves.items()) if of == code},
                    "tested": self.tested[code],
                }
            )
        return sorted(told, key=lambda one: (-one["positive"], one["category"]))


def members(ids: Any) -> bytes:
    """Of ids in which equal ones lie side by side, each once, KEY bytes each."""
    new = np.ones(len(ids), np.bool_)
    new[1:] = pc.not_equal(ids[1:], ids[:-1]).to_numpy(zero_copy_only=False)
    told = ids.filter(arrow(new))
    text = told.buffers()[2].to_pybytes()[: LENGTH * len(told)]
    return unhexlify(text.replace(b"-", b""))


def card_of(tally: Tally, index: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON. `index` is what manifest.json says."""
    categories = tally.categories()
    card = {
        "fingerprint": index["fingerprint"],
        "labels": index["counts"]["rows"],
        "images": tally.images,
        "query": index["query"],
        "asof": index.get("asof"),
        "clusters": index.get("clusters"),
        "policies": index.get("policies", {}),
        "categories": categories,
        **{name: dict(counts.most_common(MOST)) for name, counts in tally.values.items()},
        "refused": dict(index.get("refused") or {}),
        "album": index.get("album"),
    }
    return {**card, "gaps": gaps(card)}


def gaps(card: Mapping[str, Any]) -> list[str]:
    """What whoever learns from it should know first, in sentences."""
    return [
        *(words for one in card["categories"] for words in gaps_of(one)),
        *gaps_of_rights(card),
        *gaps_of_origin(card),
    ]


def gaps_of(one: Mapping[str, Any]) -> Iterator[str]:
    name = f"{one['category']} ({category_name(one['category'])})"
    if not one["positive"]:
        yield f"{name}: nobody affirmed it, so nothing can be learnt of it."
    elif one["positive"] < FEW:
        yield f"{name}: affirmed only {one['positive']} times."
    if one["positive"] and not one["tested"]:
        yield f"{name}: no affirmed image lies in the test split, so no recall can be measured."
    if not one["negative"]:
        yield f"{name}: nobody denied it, so nothing tells it from other images."
    if one["agreement"] is not None and one["agreement"] < AGREED:
        yield f"{name}: people agree on {one['agreement']:.0%} of the labels."


def gaps_of_rights(card: Mapping[str, Any]) -> Iterator[str]:
    for name, words in (("licence", "a licence"), ("consent_basis", "a basis of consent")):
        if silent := card[name].get(""):
            yield f"{silent} labels say nothing of {words}: check before you use them."
    if card["album"] and card["album"]["missing"]:
        yield f"{card['album']['missing']} images are not in the album: gone from the storage, or withdrawn."


def gaps_of_origin(card: Mapping[str, Any]) -> Iterator[str]:
    if older := card["definition"].get("older", 0):
        yield f"{older} labels were made under a guideline that was replaced since; column “definition” marks them."
    if len([one for one in card["generator"] if one]) == 1:
        yield "All images come from one generator: of others nothing is known."
    if card["query"].get("sampling") == "active":
        yield "Images were chosen for what they teach: no shares of traffic can be read from them."
    if card["clusters"] == "as triage has them":
        yield "Near-duplicates are clustered as triage has them; an image between two clusters lies in one of them."


def in_words(card: Mapping[str, Any]) -> str:
    """As Markdown."""
    lines = [
        f"# Data set {card['fingerprint'][:12]}",
        "",
        f"{card['labels']} labels of {card['images']} images, from decisions of people up to {card['asof']}.",
        f"Fingerprint `{card['fingerprint']}`.",
        "",
        "## Categories",
        "",
        "| category | affirmed | denied | prevalence | agreement | severities |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for one in card["categories"]:
        grades = ", ".join(f"{grade} × {n}" for grade, n in one["severities"].items())
        shares = " | ".join("–" if one[name] is None else f"{one[name]:.1%}" for name in ("prevalence", "agreement"))
        lines.append(f"| {one['category']} | {one['positive']} | {one['negative']} | {shares} | {grades} |")
    lines += ["", "Prevalence weighs each label by the inverse of the chance that its image was looked at.", ""]
    lines += ["## Known gaps", "", *([f"- {one}" for one in card["gaps"]] or ["None that counting can find."]), ""]
    for title, name in LISTED:
        lines += [f"## {title}", "", "| | labels |", "|---|---:|"]
        lines += [f"| {safe(value) or '(nothing said)'} | {count} |" for value, count in card[name].items()] + [""]
    lines += ["## Left out", "", "| why | images |", "|---|---:|"]
    for reason, count in card["refused"].items():
        lines.append(f"| {Refusal(reason).label} | {count} |")
    lines += ["", "## Query", "", "```json", json.dumps(card["query"], indent=2, ensure_ascii=False), "```", ""]
    return "\n".join(lines)


def safe(text: str) -> str:
    """In a cell of a table: what integrators wrote must not end it, nor become markup."""
    return "".join(f"\\{sign}" if sign in "|`*_[]<>\\" else sign for sign in " ".join(text.split()))[:200]


def write(tally: Tally, index: Mapping[str, Any], folder: Path) -> list[str]:
    """Both files; their names."""
    card = card_of(tally, index)
    (folder / CARD).write_text(json.dumps(card, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (folder / WORDS).write_text(in_words(card), "utf-8")
    return [CARD, WORDS]
