"""Arithmetic over class names, as cards write it: ``porn + hentai``, ``max(a, 0.5 * b)``. Nothing else is accepted."""

import ast
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.base import CardError

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos}
_CALLS: dict[str, Callable[[Any, Any], Any]] = {"max": np.maximum, "min": np.minimum}
_MAX_LENGTH = 500


class Expression:
    """A parsed card expression; ``names`` are the class names it reads."""

    def __init__(self, text: str) -> None:
        if len(text) > _MAX_LENGTH:
            raise CardError(f"expression is longer than {_MAX_LENGTH} characters: shorten it")
        try:
            tree = ast.parse(text, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            raise CardError(f"expression {text!r} is not arithmetic over class names: {error}") from error
        self.text = text
        self._names: set[str] = set()
        self._check(tree.body)
        self._body = tree.body
        self.names = frozenset(self._names)

    def __repr__(self) -> str:
        return f"Expression({self.text!r})"

    def __call__(self, values: Mapping[str, NDArray[np.float32]]) -> NDArray[np.float32]:
        """The value for each picture, [N]; ``values`` maps every name to an array [N]."""
        # A division by nothing gives NaN, which the caller reads as doubt: no reason to warn, let alone to fail.
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self._value(self._body, values), dtype=np.float32)

    def _check(self, node: ast.expr) -> None:
        match node:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float()):
                return
            case ast.Name(id=name):
                self._names.add(name)
                return
            case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
                self._check(left)
                self._check(right)
                return
            case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
                self._check(operand)
                return
            case ast.Call(func=ast.Name(id=name), args=[_, *_] as args, keywords=[]) if name in _CALLS:
                for argument in args:
                    self._check(argument)
                return
        raise CardError(
            f"expression {self.text!r}: {ast.unparse(node)!r} is not allowed; "
            "use class names, numbers, + - * / and max() min()"
        )

    def _value(self, node: ast.expr, values: Mapping[str, NDArray[np.float32]]) -> Any:
        match node:
            case ast.Constant(value=number):
                return number
            case ast.Name(id=name):
                return values[name]
            case ast.BinOp(left=left, op=op, right=right):
                return _BINARY[type(op)](self._value(left, values), self._value(right, values))
            case ast.UnaryOp(op=op, operand=operand):
                return _UNARY[type(op)](self._value(operand, values))
            case ast.Call(func=ast.Name(id=name), args=args):
                return reduce(_CALLS[name], [self._value(argument, values) for argument in args])
        raise AssertionError(f"unchecked node {node!r}")  # pragma: no cover
