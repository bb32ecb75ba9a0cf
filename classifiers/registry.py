"""Versions in service: from a card to a classifier, from a card to a row, from a row to a classifier.

``load_card`` needs no Django. onnxruntime and torch are imported only when a classifier is first opened.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from uuid import UUID

from classifiers import cards, vault
from classifiers.base import CardError, Classifier
from classifiers.cards import Card
from classifiers.externals import check_external, opener
from classifiers.folders import folder_sha256
from classifiers.heads import Heads
from classifiers.weights import file_sha256

if TYPE_CHECKING:
    from classifiers.models import ClassifierVersion

OPENERS: Final[Mapping[str, str]] = {
    "onnx": "classifiers.backbones.onnx:open_card",
    "torchvision": "classifiers.backbones.torchvision:open_card",
    "transformers": "classifiers.backbones.transformers:open_card",
    "remote": "classifiers.backbones.remote:open_card",
    "terms": "classifiers.prompts.listed:open_card",
    "prompts": "classifiers.prompts.learnt:open_card",
    "provenance": "classifiers.provenance.classifier:open_card",
}
"""Kind -> what opens a card of it, ``(card, cache=…) -> Classifier``; imported when first needed."""
KEPT_ABOVE: Final = ("hashes", "rules")
"""Signals whose contents lie in tables of the floors above, which open them themselves."""

_open: dict[UUID, Classifier] = {}
_heads: dict[UUID, Heads] = {}
_lock = threading.RLock()
_opening: dict[UUID, threading.RLock] = {}
"""One lock a version: one that takes long to open, or hangs, keeps nobody from the others."""


def load_card(path: Path | str, *, backbone: Classifier | None = None) -> Classifier:
    """The classifier a card describes, checked down to its weights; CardError says what to mend.

    A card of kind ``heads`` finds its backbone among the cards beside it unless one is given.
    """
    card = cards.read(Path(path))
    if card.kind == "heads":
        return _headed(card, backbone or _beside(card, Path(path)))
    return _checked(card)


def digest(path: Path) -> str:
    """sha256 of a weight file, or of a folder of them, in hex, as cards state it."""
    return folder_sha256(path) if path.is_dir() else file_sha256(path)


def register(card_path: Path | str) -> ClassifierVersion:
    """Check the card, copy its weights into the storage ``models`` and add the row; the same version twice is the same
    row.

    Raises CardError when the card is wrong, when ``name@version`` is taken by something else (raise the version), or
    when the backbone of heads is not registered.
    """
    from django.db import IntegrityError, transaction

    from classifiers.models import ClassifierVersion

    card = cards.read(Path(card_path))
    table = json.loads(json.dumps(card.table, default=str))
    existing = ClassifierVersion.objects.filter(name=card.name, version=card.version).first()
    if existing is not None:
        return _same(existing, card, table)
    backbone: ClassifierVersion | None = None
    classifier: Classifier | Heads | None = None
    if card.kind == "heads":
        backbone = ClassifierVersion.objects.with_refs([card.backbone]).first()
        if backbone is None:
            raise CardError(f"backbone {card.backbone} is not registered: add its card first")
        classifier = _heads_for(card, backbone.embedding_size)
    elif card.kind not in KEPT_ABOVE:
        classifier = _checked(card)
    vault.store_twin(card.table, Path(card_path).parent)
    row = ClassifierVersion(
        name=card.name,
        version=card.version,
        kind=card.kind,
        card=table,
        weights=vault.store(card) if card.sha256 else "",
        sha256=card.sha256,
        categories=list(classifier.categories if classifier else card.codes),
        embedding_size=classifier.embedding_size if classifier else None,
        backbone=backbone,
        manifest_fingerprint=table.get("manifest_fingerprint", ""),
        recipe_digest=table.get("recipe_digest", ""),
        metrics=table.get("metrics", {}),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return _same(ClassifierVersion.objects.get(name=card.name, version=card.version), card, table)
    return row


def versions(refs: Sequence[str]) -> list[ClassifierVersion]:
    """The rows named by ``refs`` (``name@version``) in that order; CardError names what is missing."""
    from classifiers.models import ClassifierVersion

    found = {row.ref: row for row in ClassifierVersion.objects.with_refs(list(refs)).select_related("backbone")}
    if missing := [ref for ref in refs if ref not in found]:
        raise CardError(f"not registered: {', '.join(missing)}; add the card with add_classifier")
    return [found[ref] for ref in refs]


def load(version: ClassifierVersion) -> Classifier:
    """The classifier of a row, opened once a process. Its weights are checked against the row's sha256 again."""
    if version.pk in _open:
        return _open[version.pk]
    with _lock:
        opening = _opening.setdefault(version.pk, threading.RLock())
    with opening:
        if version.pk not in _open:
            card = _card(version)
            if version.kind == "heads":
                assert version.backbone is not None
                _open[version.pk] = _headed(card, load(version.backbone))
            else:
                _open[version.pk] = cast(Classifier, _opened(card, cache=vault.cache()))
        return _open[version.pk]


def is_open(version: ClassifierVersion) -> bool:
    """Whether `load` would return at once."""
    return version.pk in _open


def keep(versions: Collection[ClassifierVersion]) -> None:
    """Afterwards this process holds no classifier but these and their backbones: what no plan pins gives back its
    memory."""
    wanted = {version.pk for version in versions} | {version.backbone_id for version in versions}
    with _lock:
        for held in (_open, _heads):
            for key in [key for key in held if key not in wanted]:
                held.pop(key, None)


def load_heads(version: ClassifierVersion) -> Heads:
    """The heads of a row of kind ``heads``, without opening their backbone: enough for embeddings that are stored."""
    from classifiers.backbones.headed import read_heads

    with _lock:
        if version.pk not in _heads:
            if version.kind != "heads":
                raise CardError(f"{version.ref} is of kind {version.kind}: it has no heads of its own")
            _heads[version.pk] = read_heads(_card(version))
        return _heads[version.pk]


def _same(row: ClassifierVersion, card: Card, table: dict[str, Any]) -> ClassifierVersion:
    if row.sha256 != card.sha256 or row.card != table:
        raise CardError(
            f"{card.reference} is registered with other content: versions never change, so raise the version"
        )
    return row


def _opened(card: Card, *, cache: Path | None) -> Any:
    dotted = OPENERS.get(card.kind)
    if card.kind not in cards.KINDS:
        return opener(card.kind)(card, cache=cache)
    if dotted is None:
        raise CardError(f"{card.reference} is of kind {card.kind}, which is not opened by itself")
    module, _, name = dotted.partition(":")
    return getattr(import_module(module), name)(card, cache=cache)


def _checked(card: Card) -> Classifier:
    opened = _opened(card, cache=None)
    if card.kind in cards.KINDS:
        opened.check()
    else:
        check_external(opened, card)
    return cast(Classifier, opened)


def _headed(card: Card, backbone: Classifier) -> Classifier:
    from classifiers.backbones.headed import HeadedClassifier, read_heads

    return HeadedClassifier(card, backbone, read_heads(card))


def _heads_for(card: Card, size: int | None) -> Heads:
    """The heads of a card, which fit a backbone of this size. The backbone was run when it was registered."""
    from classifiers.backbones.headed import check_fit, read_heads

    heads = read_heads(card)
    check_fit(card, heads, size)
    return heads


def _beside(card: Card, path: Path) -> Classifier:
    import tomllib

    for other in sorted(path.parent.glob("*.toml")):
        try:
            table = tomllib.loads(other.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if f"{table.get('name')}@{table.get('version')}" == card.backbone and table.get("kind") != "heads":
            return load_card(other)
    raise CardError(f"{path.name}: no card of its backbone {card.backbone} lies beside it: put it there")


def _card(version: ClassifierVersion) -> Card:
    """The row's card with its weights checked again. A copy kept here that was spoilt is fetched anew, once."""
    try:
        try:
            return _parsed(version)
        except CardError:
            names = [name for name in (version.weights, vault.encoder_name(version.card)) if name]
            if not [name for name in names if vault.forget(name)]:
                raise
            return _parsed(version)
    except CardError as error:
        raise CardError(f"{version.ref}: {error}") from error


def _parsed(version: ClassifierVersion) -> Card:
    path = vault.local(version.weights) if version.weights else None
    name = vault.encoder_name(version.card)
    encoder = vault.local(name) if name else None
    return cards.parse(version.card, folder=path.parent if path else Path(), weights=path, encoder=encoder)
