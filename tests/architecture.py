"""Checks of the house that import-linter cannot make. Each takes sources and yields what is wrong, one line a fault."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from statistics import median
from typing import Final

PROJECT: Final = Path(__file__).resolve().parent.parent
APPS: Final = ("classifiers", "moderation", "review", "config")  # lowest first
DOORS: Final = {"api", "views", "admin", "management", "tasks"}
REQUEST_DOORS: Final = {"api", "views", "admin"}
DRAWERS: Final = {"utils", "util", "helpers", "helper", "common", "misc", "services", "service", "managers", "manager"}
HEAVY: Final = {
    "torch",
    "torchvision",
    "onnx",
    "onnxruntime",
    "onnxscript",
    "transformers",
    "sentence_transformers",
    "faiss",
    "sklearn",
    "scipy",
    "c2pa",
}
EDITS: Final = {"create", "update", "get_or_create", "update_or_create", "bulk_create", "bulk_update", "delete", "save"}


@dataclass(frozen=True)
class Source:
    """One Python file; `path` is relative to the project, as `moderation/api/submissions.py`."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def module(self) -> str:
        parts = self.path.with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def is_migration(self) -> bool:
        return "migrations" in self.path.parts

    def room(self) -> str:
        """The module directly under the app: `api` for moderation/api/submissions.py."""
        return PurePosixPath(self.path.parts[1]).stem if len(self.path.parts) > 1 else ""

    def at(self, node: ast.AST, fault: str) -> str:
        return f"{self.path}:{getattr(node, 'lineno', 0)}: {fault}"


def sources(*roots: str) -> list[Source]:
    paths = [path for root in roots for path in (PROJECT / root).rglob("*.py")]
    return [Source(PurePosixPath(path.relative_to(PROJECT).as_posix()), path.read_text()) for path in sorted(paths)]


def status_writers(files: Iterable[Source]) -> Iterator[str]:
    """Only `moderation.lifecycle` writes a status: assignments, ORM calls, setattr and SQL anywhere else."""
    for file in files:
        if file.module == "moderation.lifecycle" or file.is_migration:
            continue
        for node in ast.walk(file.tree):
            if (
                _assigns(node, "status")
                or _edits_by_call(node, "status")
                or _edits_by_sql(node, "moderation_submission", column="status")
            ):
                yield file.at(node, "writes a status; call moderation.lifecycle.move")


def audit_writers(files: Iterable[Source]) -> Iterator[str]:
    """Only `moderation.audit` makes or changes audit rows."""
    rows = {"AuditEvent", "AuditRoot", "AuditChain"}
    for file in files:
        if file.module == "moderation.audit" or file.is_migration:
            continue
        for node in ast.walk(file.tree):
            made = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in rows
            edited = isinstance(node, ast.Call) and _method(node) in EDITS and bool(_names(node.func) & rows)
            if made or edited or _edits_by_sql(node, "moderation_audit"):
                yield file.at(node, "writes an audit row; call moderation.audit.record")


def loose_enqueues(files: Iterable[Source]) -> Iterator[str]:
    """Tasks are enqueued by doors only, and inside a request only when the transaction has committed."""
    for file in files:
        committed = {
            id(inner)
            for node in ast.walk(file.tree)
            if isinstance(node, ast.Call) and "on_commit" in _names(node.func)
            for inner in ast.walk(node)
        }
        for node in ast.walk(file.tree):
            if not (isinstance(node, ast.Attribute) and node.attr in {"delay", "delay_on_commit", "apply_async"}):
                continue
            if file.room() not in DOORS:
                yield file.at(node, "enqueues a task, and is no door")
            elif file.room() in REQUEST_DOORS and node.attr != "delay_on_commit" and id(node) not in committed:
                yield file.at(node, "enqueues before the commit; use transaction.on_commit")


def upward_keys(relations: Iterable[tuple[str, str, str]]) -> Iterator[str]:
    """`relations` are (app of the model, name of the field, app it points to); a key points sideways or down."""
    for owner, name, target in relations:
        if owner in APPS and target in APPS and APPS.index(target) > APPS.index(owner):
            yield f"{owner}: {name} points up to {target}"


def long_files(files: Iterable[Source], *, most: int) -> Iterator[str]:
    for file in files:
        lines = len(file.text.splitlines())
        if lines > most and not file.is_migration:
            yield f"{file.path}: {lines} lines, {most} at most; split it by noun"


def median_length(files: Iterable[Source]) -> float:
    """Of files that hold anything; migrations and empty package markers say nothing."""
    return median(len(file.text.splitlines()) for file in files if file.text.strip() and not file.is_migration)


def drawers(files: Iterable[Source]) -> Iterator[str]:
    for file in files:
        found = DRAWERS & {PurePosixPath(part).stem for part in file.path.parts}
        if found:
            yield f"{file.path}: {found.pop()} is a drawer; name the noun"


def eager_heavy(files: Iterable[Source]) -> Iterator[str]:
    """Modules above the classifiers that load a heavy library by being imported, through whatever chain."""
    known = {file.module: file for file in files}
    eager = {name: set(_eager_imports(file, known)) for name, file in known.items()}
    for name, file in known.items():
        if file.path.parts[0] in {"config", "review", "moderation"}:
            chain = _chain_to_heavy(name, eager)
            if chain:
                yield f"{file.path}: importing it loads {' → '.join(chain)}"


def foreign_source(texts: Mapping[PurePosixPath, str]) -> Iterator[str]:
    """Front-end source that is not ours, or that a page would fetch from somebody else's machine."""
    for path, text in texts.items():
        if {"vendor", "node_modules", "third_party"} & set(path.parts) or ".min." in path.name:
            yield f"{path}: looks like somebody else's source; serve it from an installed package"
        elif re.search(r"@license|@preserve|^/\*!|copyright \(c\)", text, re.IGNORECASE | re.MULTILINE):
            yield f"{path}: bears somebody else's notice; serve it from an installed package"
        elif re.search(r"""(<script|<link|@import|import )[^>;]*["'(]\s*(https?:)?//""", text):
            yield f"{path}: fetches from another host"


def _assigns(node: ast.AST, attribute: str) -> bool:
    targets: list[ast.expr] = []
    if isinstance(node, ast.Assign):
        targets = node.targets
    elif isinstance(node, ast.AugAssign | ast.AnnAssign):
        targets = [node.target]
    inner = [part for target in targets for part in ([*target.elts] if isinstance(target, ast.Tuple) else [target])]
    return any(isinstance(target, ast.Attribute) and target.attr == attribute for target in inner)


def _edits_by_call(node: ast.AST, column: str) -> bool:
    if not isinstance(node, ast.Call):
        return False
    if isinstance(node.func, ast.Name):
        constants = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        if node.func.id == "setattr":
            return column in constants
        return node.func.id == "Submission" and any(keyword.arg == column for keyword in node.keywords)
    if _method(node) not in EDITS:
        return False
    named = any(keyword.arg == column for keyword in node.keywords)
    listed = any(isinstance(part, ast.Constant) and part.value == column for part in _listed(node))
    return named or listed


def _listed(call: ast.Call) -> Iterator[ast.AST]:
    """Column names in lists and in the keys of `defaults`, but not the values compared or stored."""
    for argument in [*call.args, *(keyword.value for keyword in call.keywords)]:
        if isinstance(argument, ast.List | ast.Tuple | ast.Set):
            yield from argument.elts
        elif isinstance(argument, ast.Dict):
            yield from (key for key in argument.keys if key)


def _edits_by_sql(node: ast.AST, table: str, *, column: str = "") -> bool:
    text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
    if column:
        pattern = rf"UPDATE\s+\"?{table}\b.*?\bSET\b((?!\b(FROM|WHERE)\b).)*\b{column}\"?\s*="
    else:
        pattern = rf"\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM|COPY)\s+\"?{table}"
    return bool(re.search(pattern, text, re.IGNORECASE | re.DOTALL))


def _method(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else ""


def _names(node: ast.AST) -> set[str]:
    return {
        part.id if isinstance(part, ast.Name) else part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Name | ast.Attribute)
    }


def _eager_imports(file: Source, known: Mapping[str, Source]) -> Iterator[str]:
    """What importing this module imports: its statements outside functions and outside `if TYPE_CHECKING`."""
    waiting: list[ast.AST] = [file.tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _with_parents(alias.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from _with_parents(node.module)
            yield from (full for alias in node.names if (full := f"{node.module}.{alias.name}") in known)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in _names(node.test):
            waiting.extend(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _with_parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    yield from (".".join(parts[: count + 1]) for count in range(len(parts)))


def _chain_to_heavy(start: str, eager: Mapping[str, set[str]]) -> list[str]:
    """The modules from `start` to a heavy library, or nothing."""
    came_from: dict[str, str] = {start: ""}
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in HEAVY:
            chain = [name]
            while came_from[chain[-1]]:
                chain.append(came_from[chain[-1]])
            return chain[-2::-1]
        for imported in eager.get(name, set()) - came_from.keys():
            came_from[imported] = name
            waiting.append(imported)
    return []
