"""Guidelines travel as files: what is written is read back the same, and a file publishes nothing."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client as Browser
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moderation import policies
from moderation.guidelines import bodies, files
from moderation.guidelines.faults import UnfitFile, UnfitWording
from moderation.guidelines.subjects import Subject
from moderation.models import PolicyVersion, Proposal, ProposalState, User
from moderation.taxonomy import Category
from tests.moderation.drafting import reworded

PAGE = "/policies/files/"
WORDS = st.text(max_size=60).map(str.strip)
LINE = WORDS.filter(lambda said: bool(said.replace("\x00", "").split()))
SUBJECT = Subject(Category.HATE)


def saying(**said: Any) -> PolicyVersion:
    body = bodies.checked(SUBJECT, said)
    return PolicyVersion(category="HATE", number=3, **bodies.columns(body))


@settings(max_examples=200, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(
    headline=LINE,
    definition=LINE,
    exceptions=WORDS,
    allowed=st.lists(LINE, max_size=4),
    not_allowed=st.lists(LINE, max_size=4),
    exempt=st.dictionaries(st.sampled_from(["art", "news"]), WORDS),
    ladder=st.dictionaries(st.sampled_from("01234"), WORDS),
    owner=WORDS,
    severity=st.integers(0, 4),
)
def test_what_is_written_is_read_back_the_same(**said: Any) -> None:
    try:
        policy = saying(**said)
    except UnfitWording:
        return  # nobody could have published it
    again = files.parsed(files.written(policy))
    assert (again.subject, again.version) == (SUBJECT, 3)
    assert again.body == bodies.body_of(policy)


WHOLE = """---
policy: HATE
version: {version}
headline: no
severity: 3
owner: "null"
review_by: 2027-01-31
actions: {{teen: block}}
---

## Definition

Contempt, **plainly**.

## Allowed

- a museum that
  explains
* satire

## Not allowed
- a slur

## Exception: art

When it condemns.
"""


def test_a_file_written_by_hand_means_what_it_says() -> None:
    said = files.parsed(WHOLE.format(version=1).replace("\n", "\r\n"))
    assert (said.body["headline"], said.body["owner"]) == ("no", "null")
    assert (said.body["allowed"], said.body["review_by"]) == (["a museum that explains", "satire"], "2027-01-31")
    assert (said.body["exempt"], said.body["actions"]) == ({"art": "When it condemns."}, {"teen": "block"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "begins with facts"),
        ("---\nheadline: x\n---\n", "which policy"),
        ("---\npolicy: NOTHING\nseverity: 1\n---\n", "names no guideline"),
        ("---\npolicy: HATE\nseverity: one\n---\n", "is a number"),
        ("---\npolicy: HATE\ncolour: red\n---\n", "colour"),
        ("---\npolicy: [HATE\n---\n", "cannot be read"),
        ("---\na: &a [x]\npolicy: *a\n---\n", "alias"),
        ("---\npolicy: !!python/object/apply:os.system [id]\n---\n", "which policy"),
        ("---\npolicy: HATE\nseverity: 1\nheadline: x\n---\nLoose\n", "before the first heading"),
        ("---\npolicy: HATE\nseverity: 1\nheadline: x\n---\n## Mine\n", "not understood"),
        ("---\npolicy: HATE\nseverity: 1\nheadline: x\n---\n## Allowed\nno list\n", "one “- ” a line"),
        ("---\npolicy: HATE\nseverity: 1\nheadline: x\n---\n## Definition\n\n# Big\n", "####"),
        ("---\npolicy: HATE\nseverity: 9\nheadline: x\n---\n## Definition\n\nx\n", "from 0 to 4"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str, words: str) -> None:
    with pytest.raises(UnfitFile, match=words):
        files.parsed(text)


@pytest.mark.django_db
def test_an_export_is_taken_in_again_without_a_draft(guidelines: None, paula: User, tmp_path: Path) -> None:
    reworded("HATE.memes", headline="Memes.")
    call_command("policies", "export", str(tmp_path), verbosity=0, stdout=io.StringIO())
    assert len(list(tmp_path.glob("*.md"))) == len(Category) + 1
    call_command("policies", "import", str(tmp_path), person="paula", stdout=io.StringIO())
    assert not Proposal.objects.exists()

    changed = tmp_path / "HATE.md"
    changed.write_text(changed.read_text().replace("## Definition\n\n", "## Definition\n\nIn git now. "))
    (tmp_path / "bad.md").write_text("nothing")
    out = io.StringIO()
    with pytest.raises(CommandError) as stopped:
        call_command("policies", "import", str(tmp_path), person="paula", ask=True, json=True, stdout=out)
    assert stopped.value.returncode == 1
    told = {one["file"]: one for one in map(json.loads, out.getvalue().splitlines())}
    draft = Proposal.objects.get()
    assert (draft.subject, draft.state, draft.made_by) == ("HATE", ProposalState.ASKED, paula)
    assert told["HATE.md"]["proposal"] == str(draft.pk)
    assert "begins with facts" in told["bad.md"]["problem"]
    assert policies.in_force()[Category.HATE].number == 1


@pytest.mark.django_db
def test_only_a_policy_lead_s_name_stands_under_a_draft(guidelines: None, eve: User, tmp_path: Path) -> None:
    for name in ("eve", "nobody"):
        with pytest.raises(CommandError) as stopped:
            call_command("policies", "import", str(tmp_path), person=name)
        assert stopped.value.returncode == 2


@pytest.mark.django_db
def test_a_file_over_an_old_version_is_refused(client: Browser, guidelines: None, paula: User) -> None:
    reworded(Category.HATE, headline="Theirs.")
    client.force_login(paula)
    answer = client.post(PAGE, {"files": SimpleUploadedFile("HATE.md", WHOLE.format(version=1).encode())})
    assert "version 2 is in force: export again and merge" in answer.content.decode()
    assert not Proposal.objects.exists()


@pytest.mark.django_db
def test_the_archive_of_the_page_comes_back_as_drafts(client: Browser, guidelines: None, paula: User) -> None:
    client.force_login(paula)
    packed = zipfile.ZipFile(io.BytesIO(client.get(f"{PAGE}policies.zip").content))
    assert len(packed.namelist()) == len(Category)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as changed:
        changed.writestr("ours/HATE.md", WHOLE.format(version=1))
        changed.writestr("../../PRIVACY.md", packed.read("PRIVACY.md"))
    answer = client.post(PAGE, {"files": SimpleUploadedFile("p.zip", buffer.getvalue()), "title": "From git"})
    assert [bool(one.draft) for one in answer.context["taken"]] == [False, True]
    assert Proposal.objects.get().title == "From git"
    assert "not taken" in client.post(PAGE, {"files": SimpleUploadedFile("p.zip", b"PK no")}).content.decode()
    assert client.post(PAGE).status_code == 422


@pytest.mark.django_db
def test_files_are_for_those_who_may(client: Browser, guidelines: None, eve: User, rita: User) -> None:
    client.force_login(eve)
    assert {client.get(path).status_code for path in (PAGE, f"{PAGE}policies.zip", "/policies/HATE/1.md")} == {403}
    client.force_login(rita)
    assert client.post(PAGE).status_code == 403
    assert client.get("/policies/HATE/1.md").content.decode().startswith("---\npolicy: HATE\nversion: 1\n")
    assert client.get("/policies/HATE/9.md").status_code == 404
