from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

import pytest
from django.apps import apps
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests import architecture
from tests.architecture import APPS, PROJECT, Source, sources

Check = Callable[[Iterable[Source]], Iterator[str]]

PRODUCT = sources(*APPS)
FRONT = {
    PurePosixPath(path.relative_to(PROJECT).as_posix()): path.read_text()
    for folder in ("static", "templates")
    for path in (PROJECT / folder).rglob("*")
    if path.suffix in {".css", ".js", ".mjs", ".html"}
}


def source(path: str, text: str) -> Source:
    return Source(PurePosixPath(path), text)


@pytest.mark.parametrize(
    "check",
    [
        architecture.status_writers,
        architecture.audit_writers,
        architecture.loose_enqueues,
        architecture.drawers,
        architecture.eager_heavy,
    ],
)
def test_the_product_keeps_the_rules_of_the_house(check: Check) -> None:
    assert list(check(PRODUCT)) == []


def test_every_foreign_key_points_to_its_own_app_or_a_lower_one() -> None:
    relations = [
        (model._meta.app_label, field.name, field.related_model._meta.app_label)
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.get_fields()
        if field.concrete and isinstance(field.related_model, type)
    ]
    assert list(architecture.upward_keys(relations)) == []


def test_files_stay_short() -> None:
    faults = [
        *architecture.long_files([*PRODUCT, *sources("bench")], most=400),
        *architecture.long_files(sources("tests"), most=500),
    ]
    assert faults == []


def test_the_median_file_has_at_most_ninety_lines() -> None:
    assert architecture.median_length(PRODUCT) <= 90


def test_no_third_party_source_is_in_the_tree() -> None:
    assert list(architecture.foreign_source(FRONT)) == []


def test_the_web_process_loads_no_learning_library() -> None:
    program = (
        "import config.wsgi, sys\n"
        "from django.urls import get_resolver\n"
        "get_resolver().url_patterns  # imports every view\n"
        f"print(*sorted({architecture.HEAVY!r} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", program], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def test_every_dependency_is_pinned_within_its_bounds() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    wanted = [Requirement(line) for line in project["project"]["dependencies"] + project["dependency-groups"]["dev"]]
    lines = [line for line in (PROJECT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pins = dict(line.split("==") for line in lines)
    missing = [str(each) for each in wanted if not each.specifier.contains(pins.get(canonicalize_name(each.name), "0"))]
    assert missing == []


BAD: list[tuple[Check, str, str]] = [
    (architecture.status_writers, "review/decisions.py", "submission.status = 'approved'"),
    (architecture.status_writers, "review/decisions.py", "a, submission.status = 1, 'approved'"),
    (architecture.status_writers, "moderation/ingest.py", "Submission.objects.filter(pk=1).update(status=to)"),
    (architecture.status_writers, "moderation/ingest.py", "Submission.objects.bulk_update(rows, ['status'])"),
    (
        architecture.status_writers,
        "moderation/ingest.py",
        "rows.update_or_create(defaults={'status': to})",
    ),
    (architecture.status_writers, "moderation/ingest.py", "Submission(status=to).save()"),
    (architecture.status_writers, "moderation/ingest.py", "setattr(row, 'status', to)"),
    (architecture.status_writers, "moderation/ingest.py", "run('UPDATE moderation_submission SET status = %s')"),
    (architecture.audit_writers, "moderation/lifecycle.py", "AuditEvent(actor='x')"),
    (architecture.audit_writers, "review/decisions.py", "models.AuditEvent.objects.create(actor='x')"),
    (architecture.audit_writers, "review/decisions.py", "AuditEvent.objects.filter(pk=1).update(actor='x')"),
    (architecture.audit_writers, "review/decisions.py", "run('DELETE FROM moderation_auditevent')"),
    (architecture.loose_enqueues, "moderation/ingest.py", "transaction.on_commit(tasks.triage.delay)"),
    (architecture.loose_enqueues, "moderation/api/submissions.py", "tasks.triage.delay()"),
    (architecture.loose_enqueues, "review/views/desk.py", "tasks.triage.apply_async(countdown=1)"),
    (architecture.drawers, "moderation/helpers.py", ""),
    (architecture.drawers, "review/utils/text.py", ""),
    (architecture.eager_heavy, "review/queue.py", "import torch"),
    (
        architecture.eager_heavy,
        "config/urls.py",
        "try:\n    from onnxruntime import get_device\nexcept OSError: ...",
    ),
    (architecture.eager_heavy, "moderation/views/desk.py", "class View:\n    import torch.nn as nn"),
]


@pytest.mark.parametrize(("check", "path", "text"), BAD)
def test_a_check_finds_what_it_is_there_to_find(check: Check, path: str, text: str) -> None:
    assert len(list(check([source(path, text)]))) == 1


GOOD: list[tuple[Check, str, str]] = [
    (architecture.status_writers, "review/queue.py", "Submission.objects.filter(status='approved').update(lease=None)"),
    (architecture.status_writers, "moderation/api/problems.py", "Response(body, status=404)"),
    (architecture.status_writers, "moderation/lifecycle.py", "submission.status = to"),
    (
        architecture.status_writers,
        "moderation/triage.py",
        "'UPDATE moderation_submission SET pdq = 1 WHERE status = 2'",
    ),
    (architecture.audit_writers, "moderation/api/history.py", "AuditEvent.objects.filter(subject=x)"),
    (architecture.loose_enqueues, "moderation/api/submissions.py", "transaction.on_commit(lambda: triage.delay())"),
    (architecture.loose_enqueues, "moderation/tasks.py", "triage.delay()"),
    (architecture.eager_heavy, "review/queue.py", "def late():\n    import torch"),
    (architecture.eager_heavy, "review/queue.py", "if TYPE_CHECKING:\n    import torch"),
]


@pytest.mark.parametrize(("check", "path", "text"), GOOD)
def test_a_check_leaves_alone_what_is_allowed(check: Check, path: str, text: str) -> None:
    assert list(check([source(path, text)])) == []


def test_a_heavy_library_is_found_through_a_chain_of_modules() -> None:
    chain = [
        source("review/queue.py", "from moderation import triage"),
        source("moderation/triage.py", "from classifiers.registry import load"),
        source("classifiers/registry.py", "import torch"),
    ]
    assert "review/queue.py: importing it loads moderation.triage → classifiers.registry → torch" in list(
        architecture.eager_heavy(chain)
    )


def test_an_upward_key_is_found() -> None:
    found = list(architecture.upward_keys([("moderation", "claim", "review"), ("review", "submission", "moderation")]))
    assert found == ["moderation: claim points up to review"]


def test_a_long_file_is_found() -> None:
    assert list(architecture.long_files([source("review/queue.py", "\n" * 401)], most=400))


def test_a_high_median_is_measured() -> None:
    assert architecture.median_length([source("a/b.py", "x\n" * lines) for lines in (10, 95, 200)]) == 95


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("static/js/htmx.min.js", ""),
        ("static/vendor/chart.js", ""),
        ("static/js/chart.js", "/*! Chart.js v4 */"),
        ("templates/base.html", '<script src="https://cdn.example/x.js"></script>'),
        ("static/css/desk.css", '@import url("//fonts.example/x.css");'),
    ],
)
def test_foreign_source_is_found(path: str, text: str) -> None:
    assert len(list(architecture.foreign_source({PurePosixPath(path): text}))) == 1
