"""The language of rules: CEL over typed fields. No Django; the library is loaded when a rule is first read."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Final

from moderation.rules import bounds, wire
from moderation.rules.faults import Fault, RuleError, Unanswered

LONGEST: Final = 1000
# Without these nothing that a rule does can grow: no text is joined, no list is built.
CONFIG: Final = """
name: rules
stdlib:
  exclude_macros: [map, filter]
  exclude_functions:
    - name: "_+_"
      overloads: [{id: add_string}, {id: add_bytes}, {id: add_list}]
"""
PLACED: Final = re.compile(r"<input>:(-?\d+):(-?\d+): (.*)")
UNKNOWN: Final = re.compile(r"undeclared reference to '([^']*)'")
MISFIT: Final = re.compile(r"found no matching overload for '([^']*)' applied to '\((.*)\)'")
UNANSWERED: Final = {
    "NOT_FOUND": "missing",
    "UNKNOWN": "mismatch",
    "INVALID_ARGUMENT": "invalid",
    "OUT_OF_RANGE": "invalid",
    "INTERNAL": "limit",
}


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition that has been checked. `names` are the fields it reads."""

    text: str
    names: frozenset[str]
    program: Any

    def holds(self, facts: Any) -> bool:
        """Whether it holds for these facts (`Language.facts`). Raises Unanswered; what is in it names no fact's
        value.
        """
        try:
            found = self.program.eval(activation=facts).plain_value()
        except RuntimeError as error:
            raise Unanswered(reason(str(error))) from None
        if not isinstance(found, bool):
            raise Unanswered(reason(str(found)))
        return found


class Language:
    """CEL over these fields, name -> type, as in ``list<string>``. `long` ones are not read inside loops."""

    def __init__(self, fields: Mapping[str, str], *, long: Collection[str] = ()) -> None:
        from cel_expr_python import cel

        types = {name: cel.Type(kind) for name, kind in fields.items()}
        self._fields, self._long = fields, frozenset(long)
        self._boolean = cel.Type.BOOL
        self._environment = cel.NewEnv(config=cel.NewEnvConfigFromYaml(CONFIG), variables=types)
        self._pattern = cel.NewEnv(variables={"pattern": cel.Type.STRING}).compile("''.matches(pattern)")

    def read(self, text: str) -> Expression:
        """Check a condition. Raises RuleError with the place: it does not parse, names what is unknown, compares what
        cannot be compared, is not a condition, or would cost more than a rule may.
        """
        if not text.strip():
            raise RuleError(Fault("empty"))
        if len(text) > LONGEST:
            raise RuleError(Fault("long", values={"limit": LONGEST, "length": len(text)}))
        try:
            program = self._environment.compile(text)
        except (RuntimeError, UnicodeEncodeError) as error:
            raise RuleError(self.fault(str(error))) from None
        if program.return_type() != self._boolean:
            raise RuleError(Fault("not_condition", 1, 1, {"kind": program.return_type().name()}))
        tree = wire.read(program.serialize())
        for pattern in bounds.check(tree, text, long=self._long):
            self.check_pattern(pattern, text)
        return Expression(text, frozenset(tree.names & self._fields.keys()), program)

    def facts(self, values: Mapping[str, Any]) -> Any:
        """Values of fields, as `Expression.holds` takes them."""
        return self._environment.Activation(values)

    def check_pattern(self, pattern: str, text: str) -> None:
        found = self._pattern.eval(data={"pattern": pattern}).plain_value()
        if not isinstance(found, bool):
            offset = max(text.find(pattern), 0)
            line, column = bounds.place(text, offset)
            detail = str(found).rpartition("regular expression: ")[2]
            raise RuleError(Fault("bad_pattern", line, column, {"detail": detail}))

    def fault(self, message: str) -> Fault:
        """The first thing that the compiler complained about."""
        placed = PLACED.search(message)
        if "recursion" in message:
            return Fault("deep")
        if placed is None:
            return Fault("syntax", values={"detail": message.split("\n", maxsplit=1)[0][:200]})
        line, column, detail = int(placed[1]), int(placed[2]), placed[3]
        if unknown := UNKNOWN.search(detail):
            close = get_close_matches(unknown[1], self._fields, n=1)
            return Fault("unknown", line, column, {"name": unknown[1], "close": close[0] if close else ""})
        if misfit := MISFIT.search(detail):
            return Fault("types", line, column, {"operator": misfit[1].strip("_@"), "kinds": misfit[2]})
        return Fault("syntax", line, column, {"detail": detail.removeprefix("Syntax error: ")[:200]})


def reason(message: str) -> str:
    """Why there is no answer, as a code: the library's own message might quote what the image says."""
    return UNANSWERED.get(message.split(":", maxsplit=1)[0], "failed")


@lru_cache(maxsize=1)
def language() -> Language:
    """The one that rules are written in."""
    from moderation.rules.facts import FIELDS

    kinds = {name: field.kind for name, field in FIELDS.items()}
    return Language(kinds, long=[name for name, field in FIELDS.items() if field.long])
