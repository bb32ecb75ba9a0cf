"""Lists of hashes: every format the field uses, bad rows told by line, good ones kept."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from moderation import audit
from moderation.banks import importing, keeping, lists
from moderation.banks.fingerprints import Fingerprint, UnfitHash
from moderation.models import Bank, BankEntry, Polarity, Recheck
from tests.moderation.knowing import COMMAND, bank

PDQ, OTHER = "f0" * 32, "0f" * 32
MD5, SHA = "ab" * 16, "cd" * 32


def read(text: str | bytes) -> list[Any]:
    return list(lists.read(io.BytesIO(text.encode() if isinstance(text, str) else text)))


def good(text: str) -> list[Fingerprint]:
    return [found for _line, found in read(text) if isinstance(found, Fingerprint)]


def bad(text: str) -> dict[int, str]:
    return {line: str(found) for line, found in read(text) if isinstance(found, UnfitHash)}


@pytest.mark.parametrize(
    "text",
    [
        f"pdq\n{PDQ}\n",
        f"\ufeffhash,type,label\n{PDQ.upper()},pdq,a\n",
        f"{PDQ}\n",
        f"indicator,type,tags\n{PDQ},HASH_PDQ,media_type_photo\n",
        f"hashValue,signalType,hashStatus\r\n{PDQ},ImagePDQ,Active\r\n",
        json.dumps([PDQ]),
        json.dumps([{"pdq": PDQ}]),
        json.dumps({"data": [{"indicator": PDQ, "type": "HASH_PDQ", "id": "1"}]}),
        json.dumps(
            {"count": 1, "hashRecords": [{"signalType": "ImagePDQ", "hashValue": PDQ, "hashStatus": "Active"}]},
            indent=1,
        ),
        json.dumps({"entries": [{"id": "x", "deleted": False, "fingerprints": {"pdq": PDQ, "sha1": "00"}}]}),
        json.dumps({"pdq": PDQ}) + "\n\n",
        "\n" + json.dumps({"hash": PDQ, "type": "pdq"}) + "\n",
    ],
)
def test_a_list_in_any_of_the_field_s_words_is_read(text: str) -> None:
    assert [one.pdq.hex() for one in good(text)] == [PDQ]
    assert bad(text) == {}


def test_one_row_may_hold_several_hashes_with_their_quality_and_label() -> None:
    (one,) = good(f"pdq,sha256,md5,quality,label\n{PDQ},{SHA},{MD5},88,third report\n")

    assert one == Fingerprint(bytes.fromhex(PDQ), 88, SHA, MD5, "third report")


def test_rows_of_no_use_are_named_by_line_and_the_others_kept() -> None:
    text = f"hash,type\n{PDQ},pdq\nzz,pdq\n\n{OTHER},HASH_PHOTODNA\n{MD5},VideoMD5\n{MD5},\n,pdq\n{SHA},sha256\n"

    assert len(good(text)) == 3
    assert list(bad(text)) == [3, 5, 6, 8]
    assert "64 hexadecimal digits" in bad(text)[3]
    assert "HASH_PHOTODNA" in bad(text)[5].upper()


def test_what_its_source_has_withdrawn_is_not_taken() -> None:
    records = [
        {"signalType": "ImagePDQ", "hashValue": PDQ, "hashStatus": "Withdrawn"},
        {"deleted": True, "fingerprints": {"md5": MD5}},
    ]

    assert list(bad(json.dumps({"hashRecords": records}))) == [1, 2]


@pytest.mark.parametrize("text", [b"", b"\n\n", b'{"x": 1, "y"', b'{"nothing": {}}\x00[', b"[1, 2", b'{"a": {}}}'])
def test_what_is_no_list_is_refused_whole(text: bytes) -> None:
    with pytest.raises(lists.UnfitList):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        b"\xff\xfe\x00binary\x00\n\xff\xff\n",
        b"pdq\n" + b"f" * 200_000 + b"\n",
        b'pdq\n"never closed\n' + b"ab\n" * 50,
        b"[1, null, {}, [[]]]",
        b'{"hash": 1}\nnot json\n[]\n',
        b"hash\n\x00\n",
    ],
)
def test_rubbish_is_refused_row_by_row_and_never_breaks_the_reading(text: bytes) -> None:
    found = read(text)

    assert found
    assert all(isinstance(one, UnfitHash) for _line, one in found)


@pytest.mark.django_db
def test_a_list_is_taken_in_parts_and_the_same_again_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "PART", 10)
    one = bank()
    text = "pdq\n" + "".join(f"{number:064x}\n" for number in range(1, 26)) + "bad\n" + f"{1:064x}\n"
    told: list[tuple[int, str]] = []

    def take() -> importing.Taken:
        return importing.take(
            one, io.BytesIO(text.encode()), actor=COMMAND, refused=lambda *row: told.append(row), name="list.csv"
        )

    assert take() == importing.Taken(25, 1, 1)
    assert take() == importing.Taken(0, 26, 1)
    assert [line for line, _reason in told] == [27, 27]
    assert BankEntry.objects.count() == 25
    events = [event for event in audit.events_of(keeping.subject(one)) if event.action == "bank.added"]
    assert [event.data["added"] for event in events] == [10, 10, 5]
    assert events[0].data["list"] == "list.csv"
    assert Recheck.objects.count() == 1


def run(*words: str) -> tuple[int, str]:
    out = io.StringIO()
    try:
        call_command("hash_bank", *words, stdout=out, stderr=out)
    except SystemExit as stopped:
        return int(stopped.code or 0), out.getvalue()
    except CommandError as error:
        return error.returncode, str(error)
    return 0, out.getvalue()


@pytest.mark.django_db
def test_the_command_imports_adds_and_searches(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(f"pdq,label\n{PDQ},one\nnonsense,two\n")

    imported = run("import", "Partners", str(path), "--category", "HATE", "--json")
    added = run("add", "Partners", "--md5", MD5, "--label", "two", "--json")
    near = run("search", f"{int(PDQ, 16) ^ 0b111:064x}", "--json")
    far = run("search", OTHER)
    exact = run("search", MD5, "--json")

    assert imported[0] == 1
    refused, counts = map(json.loads, imported[1].splitlines())
    assert (refused["line"], counts) == (3, {"added": 1, "known": 0, "refused": 1})
    assert added[0] == 0
    assert json.loads(added[1])["added"] == 1
    assert near[0] == 0
    assert json.loads(near[1])["distance"] == 3
    assert far == (1, "Nothing was found.\n")
    assert json.loads(exact[1])["label"] == "two"
    assert Bank.objects.get().action == "review"


@pytest.mark.django_db
def test_a_known_good_bank_is_made_by_the_command_too() -> None:
    assert run("add", "Ours", "--sha256", SHA, "--category", "HATE", "--known-good")[0] == 0
    assert Bank.objects.get().polarity == Polarity.KNOWN_GOOD


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "Nowhere", "--md5", MD5], "No bank Nowhere"),
        (["add", "Here"], "There is no hash"),
        (["add", "Here", "--pdq", "12"], "64 hexadecimal digits"),
        (["add", "There", "--md5", MD5, "--category", "CSAE", "--action", "block"], "Only people block"),
        (["import", "Here", "/nowhere.csv"], "No such file"),
        (["search", "12"], "64 hexadecimal digits"),
        (["search", PDQ, "--radius", "300"], "from 0 to 256"),
    ],
)
def test_bad_use_is_told_and_exits_with_two(words: list[str], said: str) -> None:
    bank("Here")
    status, output = run(*words)

    assert status == 2
    assert said in output
    assert not BankEntry.objects.exists()


@pytest.mark.parametrize("words", [["--help"], ["import", "--help"], ["add", "--help"], ["search", "--help"]])
def test_the_command_explains_itself(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "hash_bank", *words],
        cwd=settings.BASE_DIR,
        capture_output=True,
        check=False,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert "usage" in done.stdout
