"""Lists of hashes as they are handed around: CSV, JSON and JSON lines, in the field's own words.

Column and field names are those of ThreatExchange (``indicator``, ``type``), of StopNCII.org (``hashValue``,
``signalType``, ``hashStatus``), of NCMEC's hash sharing (``fingerprints``, ``deleted``) and plain ones (``pdq``,
``sha256``, ``md5``, ``hash``, ``quality``, ``label``).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any, BinaryIO, Final, TypeAlias

from django.utils.translation import gettext as _

from moderation.banks.fingerprints import Fingerprint, UnfitHash, kind_of

Row: TypeAlias = tuple[int, Fingerprint | UnfitHash]
"""Its line, or its place in a JSON document, from 1; and what stands there, or why it is no use."""

LARGEST_DOCUMENT: Final = 64 * 2**20  # bytes; a JSON document is read whole, lines are not
LONGEST_LINE: Final = 65_536

HASH: Final = ("hash", "indicator", "hashvalue", "hash_value", "value", "signal")
TYPE: Final = ("type", "hash_type", "signaltype", "signal_type", "indicator_type", "kind")
LABEL: Final = ("label", "labels", "tags", "description", "classification")
STATUS: Final = ("status", "hashstatus", "hash_status")
LISTS: Final = ("hashrecords", "data", "entries", "images", "results")
KINDS: Final[Mapping[str, str]] = {
    "pdq": "pdq",
    "hash_pdq": "pdq",
    "imagepdq": "pdq",
    "md5": "md5",
    "hash_md5": "md5",
    "imagemd5": "md5",
    "sha256": "sha256",
    "sha-256": "sha256",
    "hash_sha256": "sha256",
}
GONE: Final = frozenset({"withdrawn", "deleted", "removed"})


class UnfitList(Exception):
    """The file is no list of hashes at all. The message says what to send instead."""


def read(file: BinaryIO) -> Iterator[Row]:
    """The rows of a list, one after the other. CSV and JSON lines take no memory to speak of. Raises UnfitList."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="")
    try:
        yield from rows_of(text)
    finally:
        text.detach()  # the file is the caller's to close


def rows_of(text: io.TextIOWrapper) -> Iterator[Row]:
    start = text.readline(LONGEST_LINE)
    while start and not start.strip():
        start = text.readline(LONGEST_LINE)
    if not start:
        raise UnfitList(_("The file is empty."))
    if start.lstrip()[:1] not in "[{":
        yield from rows_of_csv(start, text)
    elif is_object(start):
        yield from rows_of_lines(start, text)
    else:
        yield from rows_of_document(start + text.read(LARGEST_DOCUMENT), more=bool(text.read(1)))


def is_object(line: str) -> bool:
    """Whether the first line is a record by itself, and so the file JSON lines."""
    try:
        found = json.loads(line)
    except ValueError:
        return False
    return isinstance(found, dict) and listed(found) is None


def rows_of_csv(start: str, text: io.TextIOWrapper) -> Iterator[Row]:
    header = [name.strip().lower() for name in next(csv.reader([start]))]
    known = {"pdq", "sha256", "md5", *HASH}
    reader = csv.reader(short(text))
    if not known & set(header):
        header = ["hash", "label"]
        yield 1, fingerprint(dict(zip(header, next(csv.reader([start])), strict=False)))
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield reader.line_num + 1, UnfitHash(str(error))
            continue
        if any(value.strip() for value in values):
            yield reader.line_num + 1, fingerprint(dict(zip(header, values, strict=False)))


def rows_of_lines(start: str, text: io.TextIOWrapper) -> Iterator[Row]:
    for number, line in enumerate(chain([start], short(text)), start=1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError:
            yield number, UnfitHash(_("This is no JSON."))
        else:
            yield number, fingerprint(found)


def rows_of_document(text: str, *, more: bool) -> Iterator[Row]:
    if more:
        raise UnfitList(_("A JSON document may hold 64 MiB. Send JSON lines, one record a line, or CSV."))
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UnfitList(_("This is neither CSV nor JSON: %(error)s") % {"error": error}) from error
    records = found if isinstance(found, list) else listed(found)
    if records is None:
        raise UnfitList(_("There is no list of hashes in this JSON (hashRecords, data or entries)."))
    for number, record in enumerate(records, start=1):
        yield number, fingerprint(record)


def listed(found: Mapping[str, Any]) -> list[Any] | None:
    """The records of a page of an exchange's answer."""
    by_name = {name.lower(): value for name, value in found.items()}
    return next((by_name[name] for name in LISTS if isinstance(by_name.get(name), list)), None)


def fingerprint(record: Any) -> Fingerprint | UnfitHash:
    """What one record says, or why it is no use."""
    if isinstance(record, str):
        record = {"hash": record}
    if not isinstance(record, Mapping):
        return UnfitHash(_("A record is an object with its hashes."))
    fields = {str(name).strip().lower(): value for name, value in record.items()}
    if isinstance(prints := fields.get("fingerprints"), Mapping):
        fields |= {str(name).lower(): value for name, value in prints.items()}
    try:
        if gone(fields):
            raise UnfitHash(_("Its source has withdrawn it."))
        return Fingerprint.of(**hashes_of(fields), quality=fields.get("quality"), label=words(first(fields, LABEL)))
    except UnfitHash as error:
        return error


def gone(fields: Mapping[str, Any]) -> bool:
    return str(first(fields, STATUS)).lower() in GONE or str(fields.get("deleted", "")).lower() in {"true", "1"}


def hashes_of(fields: Mapping[str, Any]) -> dict[str, str]:
    found = {kind: words(fields.get(kind)) for kind in ("pdq", "sha256", "md5") if fields.get(kind)}
    bare = words(first(fields, HASH))
    if bare:
        stated = str(first(fields, TYPE)).strip().lower()
        kind = KINDS.get(stated, "") if stated else kind_of(bare)
        if not kind:
            raise UnfitHash(
                _("Hashes of type %(type)s are not matched here; PDQ, SHA-256 and MD5 of images are.")
                % {"type": stated[:40] or _("unknown")}
            )
        found.setdefault(kind, bare)
    return found


def first(fields: Mapping[str, Any], names: Iterable[str]) -> Any:
    return next((fields[name] for name in names if fields.get(name)), "")


def words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def short(text: io.TextIOWrapper) -> Iterator[str]:
    """Line by line; one that never ends is cut into pieces, which then are no hashes."""
    while line := text.readline(LONGEST_LINE):
        yield line
