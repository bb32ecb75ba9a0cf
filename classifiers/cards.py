"""Classifier cards (``CARD.toml``): what a set of weights is, how to feed it, what its outputs mean, how good it
was."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import tomli_w

from classifiers.base import CardError, reference
from classifiers.calibration import METHODS, Calibration, CalibrationError
from classifiers.fields import Table
from classifiers.shapes import (
    CategorySpec,
    EmbeddingSpec,
    InputSpec,
    OutputSpec,
    read_embedding,
    read_input,
    read_outputs,
)
from classifiers.sources import find_encoder, find_weights

EXTERNAL = "loupe.classifiers"
"""The group of entry points by which other packages bring kinds of their own."""
_SLUG = re.compile(r"[-a-zA-Z0-9_]{1,100}")
NETWORKS = ("onnx", "torchvision", "transformers", "remote")
SIGNALS = ("hashes", "provenance", "terms", "prompts", "rules")
KINDS = (*NETWORKS, "heads", *SIGNALS)
WEIGHTLESS = ("hashes", "provenance", "rules", "remote")
"""What these go by is no file of weights here: it lies in the house's own tables, in code, in the card itself, or on
another machine."""
SELF_FED = ("torchvision", "transformers")
"""Kinds whose weights may say themselves how they want to be fed; then the card needs no [input]."""


@dataclass(frozen=True, slots=True, eq=False)
class Card:
    """A checked card. ``weights`` is a path that exists and whose sha256 and format have been checked; kinds that
    have none have an empty path. ``codes`` are the categories of a signal, which needs no network. ``encoder`` is the
    folder of the sentence encoder on which the heads of a card of kind ``prompts`` may sit, checked alike."""

    name: str
    version: str
    kind: str
    weights: Path
    sha256: str
    table: Mapping[str, Any]
    input: InputSpec | None = None
    outputs: tuple[OutputSpec, ...] = ()
    categories: tuple[CategorySpec, ...] = ()
    embedding: EmbeddingSpec | None = None
    architecture: str = ""
    backbone: str = ""
    calibrations: Mapping[str, Calibration] = field(default_factory=dict)
    codes: tuple[str, ...] = ()
    encoder: Path | None = None

    @property
    def reference(self) -> str:
        return reference(self.name, self.version)

    @property
    def metrics(self) -> Mapping[str, Any]:
        metrics: Mapping[str, Any] = self.table.get("metrics", {})
        return metrics


def read(path: Path) -> Card:
    """The card at ``path`` with its weights beside it, all checked; CardError says what to mend."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CardError(f"cannot read {path}: {error.strerror or error}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CardError(f"{path.name} is not TOML: {error}") from error
    try:
        return parse(table, folder=path.parent)
    except CardError as error:
        raise CardError(f"{path.name}: {error}") from error


def parse(table: Mapping[str, Any], *, folder: Path, weights: Path | None = None, encoder: Path | None = None) -> Card:
    """Check a card given as a table. ``weights`` and ``encoder`` override where the files are (a storage gives them
    other names)."""
    top = Table(table, "card")
    kind = top.string("kind", among=(*KINDS, *entry_points(group=EXTERNAL).names))
    external = kind not in KINDS
    weightless = kind in WEIGHTLESS or (external and "weights" not in table)
    path, sha256 = (Path(), "") if weightless else find_weights(top, kind=kind, folder=folder, given=weights)
    name, version = top.string("name"), top.string("version")
    if not _SLUG.fullmatch(name):
        raise CardError("name must be a slug: letters, digits, - and _, at most 100 of them")
    if "@" in version or len(version) > 50:
        raise CardError("version must have at most 50 characters and no @, which joins it to the name in references")
    top.string("licence")
    calibrations = _calibrations(top)
    if kind == "heads":
        backbone = top.string("backbone")
        if backbone.count("@") != 1:
            raise CardError(f"backbone must be name@version, not {backbone!r}")
        return Card(name, version, kind, path, sha256, table, backbone=backbone, calibrations=calibrations)
    if kind in SIGNALS or external:
        codes = tuple(spec.string("category") for spec in top.tables("outputs"))
        if (not codes and kind != "rules") or len(set(codes)) != len(codes):
            raise CardError("a signal lists each category it may speak of once: [[outputs]] category = …")
        spec = top.table("encoder") if kind == "prompts" else None
        reader = find_encoder(spec, folder=folder, given=encoder) if spec else None
        return Card(name, version, kind, path, sha256, table, calibrations=calibrations, codes=codes, encoder=reader)
    embedding, fed = read_embedding(top), read_input(top)
    if fed is None and kind not in SELF_FED:
        raise CardError("[input] is missing: give at least size")
    card = Card(
        name,
        version,
        kind,
        path,
        sha256,
        table,
        input=fed,
        embedding=embedding,
        architecture=top.string("architecture", default="") if kind == "torchvision" else "",
        calibrations=calibrations,
    )
    # What the classes of a transformers model are called stands in its own folder: whoever opens it reads the rest.
    return card if kind == "transformers" else with_outputs(card, *read_outputs(top, calibrations))


def with_outputs(card: Card, outputs: tuple[OutputSpec, ...], categories: tuple[CategorySpec, ...]) -> Card:
    """The card with what its network yields; CardError where that is nothing."""
    if card.embedding is None and not categories:
        raise CardError("the card gives neither [[categories]] nor an [embedding]: it would yield nothing")
    return replace(card, outputs=outputs, categories=categories)


def _calibrations(top: Table) -> dict[str, Calibration]:
    spec = top.table("calibration")
    if spec is None:
        return {}
    method = spec.string("method", among=("none", *METHODS))
    parameters = spec.table("parameters")
    if parameters is None:
        return {}
    found: dict[str, Calibration] = {}
    for code in parameters.names():
        one = parameters.table(code)
        assert one is not None
        scale = one.number("scale", default=1.0)
        if scale <= 0:
            raise CardError(f"[calibration.parameters.{code}] scale must be above 0")
        shift, named = one.number("shift", default=0.0), one.string("method", default=method)
        try:
            found[code] = Calibration(scale, shift, named, one.pairs("knots"))
        except CalibrationError as error:
            raise CardError(f"[calibration.parameters.{code}] {error}") from error
    return found


def describe_calibrations(categories: Sequence[str], calibrations: Sequence[Calibration]) -> dict[str, Any]:
    """The ``[calibration]`` table of a card."""
    return {
        "method": "platt",
        "parameters": {
            code: {
                "scale": c.scale,
                "shift": c.shift,
                "method": c.method,
                "knots": [list(knot) for knot in c.knots] or None,
            }
            for code, c in zip(categories, calibrations, strict=True)
        },
    }


def dump(table: Mapping[str, Any], path: Path) -> Path:
    """Write a card (``.part``, then renamed) and return its path. TOML knows no null, so entries that are None are left
    out."""
    part = path.with_name(path.name + ".part")
    part.write_text(tomli_w.dumps(_without_none(table)), "utf-8")
    part.replace(path)
    return path


def _without_none(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [_without_none(item) for item in value]
    return value
