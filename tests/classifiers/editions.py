"""Small term editions and the cards they stand on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from classifiers import cards
from classifiers.prompts.editions import Benign, Combination, ListedCategory, Row, Term, written
from classifiers.weights import file_sha256

ROWS: tuple[Row, ...] = (
    ListedCategory("WEAPONS_DANGEROUS", "review", 0.7, 2, ("gun", "rifle")),
    ListedCategory("NUDITY", "transform", 0.1, 2, ("nudity", "bare skin")),
    ListedCategory("CSAE", "block", 1.0, 4),
    Term("WEAPONS_DANGEROUS", "gun"),
    Term("WEAPONS_DANGEROUS", "pipe bomb", "block", 0.99),
    Benign("WEAPONS_DANGEROUS", "water gun"),
    Term("NUDITY", "nude"),
    Term("minor", "child"),
    Combination("minor and nudity", ("minor", "NUDITY"), "CSAE", "block", 1.0),
)


def term_card(folder: Path, rows: Iterable[Row] = ROWS, *, version: str = "1", blockable: Sequence[str] = ()) -> Path:
    """A card of kind terms with its edition beside it."""
    rows = list(rows)
    weights = folder / f"terms-{version}.jsonl"
    weights.write_text("".join(written(rows)), "utf-8")
    codes = {row.name for row in rows if isinstance(row, ListedCategory)}
    table = {
        "name": "terms",
        "version": version,
        "kind": "terms",
        "weights": weights.name,
        "sha256": file_sha256(weights),
        "licence": "Apache-2.0",
        "outputs": [{"category": code, "demand": "block" if code in blockable else "review"} for code in sorted(codes)],
    }
    return cards.dump(table, folder / f"terms-{version}.toml")
