"""The shape of a network, as a card states it: what it is fed, what its outputs are, and which categories are read
off them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from classifiers.base import CardError
from classifiers.expressions import Expression
from classifiers.fields import Table
from classifiers.heads import Calibration

INTERPOLATIONS = ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming")
ACTIVATIONS = ("none", "softmax", "sigmoid")


@dataclass(frozen=True, slots=True)
class InputSpec:
    """How a picture becomes a tensor: resized to a square of ``size``, times ``scale``, minus ``mean``, over ``std``.
    ``crop`` keeps the middle square, of it the share ``keep`` of each side."""

    size: int
    name: str | None = None
    layout: str = "NCHW"
    resize: str = "stretch"
    interpolation: str = "bilinear"
    scale: float = 1 / 255
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    keep: float = 1.0


@dataclass(frozen=True, slots=True)
class OutputSpec:
    """One output of the network [N, len(classes)]; ``activation`` turns its logits into probabilities. Where the card
    names no classes, they are ``c0``, ``c1`` … as far as it asks for them, and the network may have more (``open``).
    An empty name means the network's first output that is not the embedding."""

    name: str
    classes: tuple[str, ...]
    activation: str = "none"
    open: bool = False


@dataclass(frozen=True, slots=True)
class CategorySpec:
    """A category code and how it is read off the classes."""

    code: str
    expression: Expression
    calibration: Calibration = field(default_factory=Calibration)


@dataclass(frozen=True, slots=True)
class EmbeddingSpec:
    output: str
    size: int


def read_input(top: Table) -> InputSpec | None:
    """``[input]``, or None where the card has none."""
    spec = top.table("input")
    if spec is None:
        return None
    layout = spec.string("layout", default="NCHW", among=("NCHW", "NHWC"))
    std = spec.triple("std", default=(1.0, 1.0, 1.0))
    if min(map(abs, std)) == 0:
        raise CardError("[input] std must not contain 0: it divides")
    keep = spec.number("keep", default=1.0)
    if not 0 < keep <= 1:
        raise CardError("[input] keep is the share of the middle square that is kept: above 0, at most 1")
    return InputSpec(
        size=spec.positive("size"),
        name=spec.string("name", default="") or None,
        layout=layout,
        resize=spec.string("resize", default="stretch", among=("stretch", "crop", "pad")),
        interpolation=spec.string("interpolation", default="bilinear", among=INTERPOLATIONS),
        scale=spec.number("scale", default=1 / 255),
        mean=spec.triple("mean", default=(0.0, 0.0, 0.0)),
        std=std,
        keep=keep,
    )


def read_embedding(top: Table) -> EmbeddingSpec | None:
    spec = top.table("embedding")
    return (
        EmbeddingSpec(spec.string("output", default="embedding"), spec.positive("size")) if spec is not None else None
    )


def read_outputs(
    top: Table, calibrations: Mapping[str, Calibration]
) -> tuple[tuple[OutputSpec, ...], tuple[CategorySpec, ...]]:
    """Long form: ``[[outputs]] name, classes`` and ``[[categories]] code, expression``. Short form: ``[[outputs]]
    category, index | expression``, over the classes ``c0``, ``c1`` …"""
    tables = top.tables("outputs")
    short = [spec for spec in tables if "category" in spec.names()]
    if short and len(short) < len(tables):
        raise CardError("[[outputs]] either all say category (the short form) or all say name and classes")
    if short:
        outputs, pairs = _short(short)
        if top.tables("categories"):
            raise CardError("[[outputs]] say category already: leave [[categories]] out")
    else:
        outputs = tuple(
            OutputSpec(
                spec.string("name"),
                spec.strings("classes"),
                spec.string("activation", default="none", among=ACTIVATIONS),
            )
            for spec in tables
        )
        pairs = _pairs(top)
    return outputs, _categories(pairs, [name for output in outputs for name in output.classes], calibrations)


def read_categories(
    top: Table, classes: Sequence[str], calibrations: Mapping[str, Calibration]
) -> tuple[CategorySpec, ...]:
    """``[[categories]] code, expression`` over classes that the card does not name itself."""
    return _categories(_pairs(top), classes, calibrations)


def _pairs(top: Table) -> list[tuple[str, Expression]]:
    return [(spec.string("code"), Expression(spec.string("expression"))) for spec in top.tables("categories")]


def _short(specs: Sequence[Table]) -> tuple[tuple[OutputSpec, ...], list[tuple[str, Expression]]]:
    pairs: list[tuple[str, Expression]] = []
    found: set[tuple[str, str]] = set()
    for spec in specs:
        if ("index" in spec.names()) == ("expression" in spec.names()):
            raise CardError(f"output {spec.string('category')}: give either index or expression")
        text = f"c{spec.whole('index')}" if "index" in spec.names() else spec.string("expression")
        pairs.append((spec.string("category"), Expression(text)))
        found.add((spec.string("name", default=""), spec.string("activation", default="none", among=ACTIVATIONS)))
    if len(found) > 1:
        raise CardError("the short form reads one output: for several, give each its name and classes")
    columns = {name for _code, expression in pairs for name in expression.names}
    if wrong := sorted(name for name in columns if not (name[:1] == "c" and name[1:].isdecimal())):
        raise CardError(f"{wrong[0]} is no column: without classes an expression names c0, c1 and so on")
    most = max((int(name[1:]) for name in columns), default=0)
    if most > 65535:
        raise CardError(f"index {most} is beyond any network's output")
    [(name, activation)] = found
    return (OutputSpec(name, tuple(f"c{i}" for i in range(most + 1)), activation, open=True),), pairs


def _categories(
    pairs: Sequence[tuple[str, Expression]], classes: Sequence[str], calibrations: Mapping[str, Calibration]
) -> tuple[CategorySpec, ...]:
    if len(set(classes)) != len(classes):
        raise CardError("two outputs have a class of the same name: rename one")
    for code, expression in pairs:
        if unknown := sorted(expression.names - set(classes)):
            raise CardError(
                f"category {code}: {', '.join(unknown)} is no class of the outputs "
                f"(there are: {', '.join(classes) or 'none'})"
            )
    codes = [code for code, _expression in pairs]
    if len(set(codes)) != len(codes):
        raise CardError("a category is given twice: join its expressions")
    if stray := sorted(set(calibrations) - set(codes)):
        raise CardError(f"[calibration] names {', '.join(stray)}, which the card does not score")
    return tuple(CategorySpec(code, text, calibrations.get(code, Calibration())) for code, text in pairs)
