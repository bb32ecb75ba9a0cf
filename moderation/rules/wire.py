"""Reading CEL's checked syntax tree, as the library serialises it (`cel.expr.CheckedExpr`, protocol buffers).

Field numbers are those of cel-spec, proto/cel/expr/{syntax,checked}.proto; they never change meaning.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
WIDTH: Final = {FIXED64: 8, FIXED32: 4}
STRING_CONSTANT: Final = 6


class Kind(IntEnum):
    """Which field of an Expr is set."""

    CONSTANT = 3
    NAME = 4
    SELECT = 5
    CALL = 6
    LIST = 7
    STRUCT = 8
    LOOP = 9


class Message:
    """A serialised message: its fields by number, each as often as it occurs."""

    def __init__(self, data: bytes) -> None:
        self._fields: dict[int, list[int | bytes]] = defaultdict(list)
        for number, value in entries(data):
            self._fields[number].append(value)

    def numbers(self, number: int) -> list[int]:
        return [value for value in self._fields.get(number, ()) if isinstance(value, int)]

    def number(self, number: int) -> int:
        return next(iter(self.numbers(number)), 0)

    def messages(self, number: int) -> list[Message]:
        return [Message(value) for value in self._fields.get(number, ()) if isinstance(value, bytes)]

    def message(self, number: int) -> Message | None:
        return next(iter(self.messages(number)), None)

    def texts(self, number: int) -> list[str]:
        return [value.decode() for value in self._fields.get(number, ()) if isinstance(value, bytes)]

    def text(self, number: int) -> str:
        return next(iter(self.texts(number)), "")

    def has(self, number: int) -> bool:
        return number in self._fields


@dataclass(frozen=True, slots=True)
class Tree:
    """`names` are the variables that the expression reads; `overloads` the functions it may call, by node;
    `offsets` where a node stands in the text.
    """

    root: Message
    names: frozenset[str]
    overloads: dict[int, list[str]] = field(default_factory=dict)
    offsets: dict[int, int] = field(default_factory=dict)


def read(serialised: bytes) -> Tree:
    """The tree of a checked expression, which comes wrapped in an `Any`."""
    checked = Message(serialised).message(2)
    assert checked is not None
    root, source = checked.message(4), checked.message(5)
    assert root is not None
    assert source is not None
    names, overloads = set(), {}
    for entry in checked.messages(2):
        reference = entry.message(2)
        assert reference is not None
        if reference.has(3):
            overloads[entry.number(1)] = reference.texts(3)
        else:
            names.add(reference.text(1))
    offsets = {entry.number(1): entry.number(2) for entry in source.messages(4)}
    return Tree(root, frozenset(names), overloads, offsets)


def kind_of(node: Message) -> Kind | None:
    return next((kind for kind in Kind if node.has(kind)), None)


def entries(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, at = varint(data, at)
            yield number, value
        elif wire == BYTES:
            length, at = varint(data, at)
            yield number, data[at : at + length]
            at += length
        elif wire in WIDTH:
            at += WIDTH[wire]
            yield number, data[at - WIDTH[wire] : at]
        else:
            raise ValueError(f"wire type {wire}")


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at
