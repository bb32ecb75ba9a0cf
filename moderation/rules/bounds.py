"""What a rule may not do although CEL could: what its cost would hang on is refused before it is ever run.

With these, one run of a rule walks each list once, reads no long text or map once for each item of a list, matches by
RE2 (linear) patterns that are known, and builds no text.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from moderation.rules.faults import Fault, RuleError
from moderation.rules.wire import STRING_CONSTANT, Kind, Message, Tree, kind_of

LONGEST_PATTERN: Final = 300


def check(tree: Tree, text: str, *, long: Collection[str]) -> list[str]:
    """The patterns that the expression matches against. Raises RuleError: loops in loops, `long` fields read in loops,
    patterns that are no literal text, additions whose kind is open.
    """
    patterns = []
    waiting: list[tuple[Message, str]] = [(tree.root, "")]
    while waiting:
        node, item = waiting.pop()
        waiting += parts(node, item)
        match kind_of(node):
            case Kind.LOOP if item:
                raise fault("nested", node, tree, text)
            case Kind.NAME if item and (name := only(node, Kind.NAME).text(1)) != item and name in long:
                raise fault("loop_text", node, tree, text, name=name)
            case Kind.CALL:
                call = only(node, Kind.CALL)
                if call.text(2) == "matches":
                    patterns.append(pattern(node, call.messages(3)[-1], tree, text))
                elif call.text(2) == "_+_" and len(tree.overloads.get(node.number(2), ())) > 1:
                    raise fault("open_sum", node, tree, text)
    return patterns


def parts(node: Message, item: str) -> Iterator[tuple[Message, str]]:
    """What a node is made of, each with the name of the item where it is worked out once for each item of a list."""
    match kind_of(node):
        case Kind.SELECT | Kind.LIST as kind:
            yield from ((one, item) for one in only(node, kind).messages(1))
        case Kind.CALL:
            call = only(node, Kind.CALL)
            yield from ((one, item) for one in (*call.messages(1), *call.messages(3)))
        case Kind.STRUCT:
            entries = only(node, Kind.STRUCT).messages(2)
            yield from ((one, item) for entry in entries for number in (3, 4) for one in entry.messages(number))
        case Kind.LOOP:
            loop = only(node, Kind.LOOP)
            yield from ((one, item) for number in (2, 4) for one in loop.messages(number))
            yield from ((one, loop.text(1)) for number in (5, 6, 7) for one in loop.messages(number))


def pattern(node: Message, literal: Message, tree: Tree, text: str) -> str:
    """The literal pattern of a `matches`."""
    constant = literal.message(Kind.CONSTANT)
    if constant is None or not constant.has(STRING_CONSTANT):
        raise fault("open_pattern", node, tree, text)
    found = constant.text(STRING_CONSTANT)
    if len(found) > LONGEST_PATTERN:
        raise fault("long_pattern", node, tree, text, limit=LONGEST_PATTERN)
    return found


def only(node: Message, kind: Kind) -> Message:
    found = node.message(kind)
    assert found is not None
    return found


def fault(code: str, node: Message, tree: Tree, text: str, **values: object) -> RuleError:
    line, column = place(text, tree.offsets.get(node.number(2), 0))
    return RuleError(Fault(code, line, column, dict(values)))


def place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of a character."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
