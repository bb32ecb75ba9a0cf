"""What a rule may not do although CEL could: what its cost would hang on is refused before it is ever run.

With these, one run of a rule walks each list once, matches each pattern (RE2: linear) once a text, and builds no text.
"""

from __future__ import annotations

from typing import Final

from moderation.rules.faults import Fault, RuleError
from moderation.rules.wire import STRING_CONSTANT, Kind, Message, Tree, kind_of

LONGEST_PATTERN: Final = 300


def check(tree: Tree, text: str) -> list[str]:
    """The patterns that the expression matches against. Raises RuleError: loops in loops, patterns that are no literal
    text, additions whose kind is open.
    """
    patterns = []
    waiting: list[tuple[Message, str]] = [(tree.root, "")]
    while waiting:
        node, item = waiting.pop()
        match kind_of(node):
            case Kind.SELECT:
                waiting += [(one, item) for one in only(node, Kind.SELECT).messages(1)]
            case Kind.LIST:
                waiting += [(one, item) for one in only(node, Kind.LIST).messages(1)]
            case Kind.STRUCT:
                parts = only(node, Kind.STRUCT).messages(2)
                waiting += [(one, item) for part in parts for number in (3, 4) for one in part.messages(number)]
            case Kind.LOOP:
                if item:
                    raise fault("nested", node, tree, text)
                loop = only(node, Kind.LOOP)
                waiting += [(one, "") for number in (2, 4) for one in loop.messages(number)]
                waiting += [(one, loop.text(1)) for number in (5, 6, 7) for one in loop.messages(number)]
            case Kind.CALL:
                call = only(node, Kind.CALL)
                operands = [*call.messages(1), *call.messages(3)]
                waiting += [(one, item) for one in operands]
                if call.text(2) == "matches":
                    patterns.append(pattern(node, operands, item, tree, text))
                elif call.text(2) == "_+_" and len(tree.overloads.get(node.number(2), ())) > 1:
                    raise fault("open_sum", node, tree, text)
    return patterns


def pattern(node: Message, operands: list[Message], item: str, tree: Tree, text: str) -> str:
    """The literal pattern of a `matches`; inside a loop it may look only at the item, so that no text is read twice."""
    subject, literal = operands
    constant = literal.message(Kind.CONSTANT)
    if constant is None or not constant.has(STRING_CONSTANT):
        raise fault("open_pattern", node, tree, text)
    found = constant.text(STRING_CONSTANT)
    if len(found) > LONGEST_PATTERN:
        raise fault("long_pattern", node, tree, text, limit=LONGEST_PATTERN)
    if item and root_name(subject) != item:
        raise fault("loop_pattern", node, tree, text, item=item)
    return found


def root_name(node: Message) -> str:
    """The name that a chain of fields starts from."""
    while (selected := node.message(Kind.SELECT)) is not None:
        inner = selected.message(1)
        if inner is None:
            return ""
        node = inner
    name = node.message(Kind.NAME)
    return name.text(1) if name is not None else ""


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
