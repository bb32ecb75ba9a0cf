"""The label manifest: three formats, one content, one fingerprint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifiers import manifests
from classifiers.embeddings import EmbeddingError
from classifiers.manifests import SCHEMA, ManifestError, Row

FORMATS: tuple[Literal["parquet", "jsonl", "csv"], ...] = ("parquet", "jsonl", "csv")
MOMENT = datetime(2026, 11, 21, 9, 30, 0, 123456, tzinfo=UTC)


def row(i: int, **changes: Any) -> Row:
    made = Row(
        submission_id=f"s{i}",
        image=f"originals/{i}.png",
        sha256=f"{i:064x}",
        pdq=None,
        width=640,
        height=480,
        prompt='a "quoted", prompt\nwith a line',
        generator="",
        category="PRIVACY",
        severity=None if i % 2 else 2,
        label=i % 2,
        source="human",
        reviewers=["rita", "sam, too", ""] if i % 3 else [],
        agreement=0.1 + i / 7,
        decided_at=MOMENT,
        policy_version="1",
        plan_version="2",
        classifier_versions=["demo-heads@1"],
        probability_at_triage=1 / 3,
        inclusion_probability=1.0,
        weight=1.0,
        cluster_id=f"c{i}",
        split=("train", "validation", "test")[i % 3],
        embedding_ref=i,
        licence='"',
        consent_basis="contract",
    )
    made.update(changes)  # type: ignore[typeddict-item]
    return made


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_reads_back_what_was_written(tmp_path: Path, format: Literal["parquet", "jsonl", "csv"]) -> None:
    rows = [row(i) for i in range(7)]

    manifests.write(rows, tmp_path, format=format)

    assert manifests.read(tmp_path).table.to_pylist() == pa.Table.from_pylist(rows, schema=SCHEMA).to_pylist()


def test_the_fingerprint_names_the_content_not_the_format_path_or_time(tmp_path: Path) -> None:
    vectors = np.arange(14, dtype=np.float32).reshape(7, 2)
    prints = {
        manifests.write([row(i) for i in range(7)], tmp_path / kind, format=kind, embeddings=vectors).fingerprint
        for kind in FORMATS
    }
    moved = manifests.write(
        [row(i, image=f"elsewhere/{i}") for i in range(7)], tmp_path / "moved", embeddings=vectors, query={"since": "x"}
    )

    assert prints == {moved.fingerprint}


@pytest.mark.parametrize(
    "change",
    [{"label": 1}, {"label": None}, {"prompt": ""}, {"reviewers": ["ritasam, too", ""]}, {"weight": 2.0}, {"pdq": ""}],
)
def test_a_changed_label_changes_the_fingerprint(tmp_path: Path, change: dict[str, Any]) -> None:
    rows = [row(i) for i in range(4)]
    before = manifests.write(rows, tmp_path / "a").fingerprint

    after = manifests.write([row(0), row(1), row(2, **change), row(3)], tmp_path / "b").fingerprint

    assert before != after


def test_changed_embeddings_change_the_fingerprint(tmp_path: Path) -> None:
    a = manifests.write([row(0)], tmp_path / "a", embeddings=np.zeros((1, 3), np.float16))
    b = manifests.write([row(0)], tmp_path / "b", embeddings=np.ones((1, 3), np.float16))

    assert a.fingerprint != b.fingerprint


def test_rows_and_embeddings_may_be_streams_of_any_batching(tmp_path: Path) -> None:
    rows = [row(i) for i in range(20)]
    vectors = np.random.default_rng(0).normal(size=(20, 4)).astype(np.float16)

    def batches() -> Iterator[pa.RecordBatch]:
        for start in (0, 3, 10):
            yield pa.RecordBatch.from_pylist(rows[start : {0: 3, 3: 10, 10: 20}[start]], schema=SCHEMA)

    whole = manifests.write(rows, tmp_path / "a", embeddings=vectors)
    pieces = manifests.write(batches(), tmp_path / "b", embeddings=iter([vectors[:7], vectors[7:]]))

    assert whole.fingerprint == pieces.fingerprint
    np.testing.assert_array_equal(pieces.vectors(), vectors.astype(np.float32))


def test_a_split_has_its_rows_and_their_embeddings(tmp_path: Path) -> None:
    vectors = np.arange(12, dtype=np.float32).reshape(6, 2)
    manifests.write([row(i) for i in range(6)], tmp_path, embeddings=vectors)

    test = manifests.read(tmp_path).split("test")

    assert test.column("submission_id").tolist() == ["s2", "s5"]
    np.testing.assert_array_equal(test.vectors(), vectors[[2, 5]])


def test_the_index_counts_labels_and_names_every_file(tmp_path: Path) -> None:
    manifests.write(
        [row(i) for i in range(5)], tmp_path, embeddings=np.zeros((5, 2), np.float32), query={"since": None}
    )

    index = json.loads((tmp_path / "manifest.json").read_text())

    assert index["counts"]["rows"] == 5
    assert index["counts"]["categories"] == {"PRIVACY": {"positive": 2, "negative": 3, "unknown": 0}}
    assert index["counts"]["splits"] == {"test": 1, "train": 2, "validation": 2}
    assert set(index["files"]) == {"labels.parquet", "embeddings.safetensors"}
    assert index["query"] == {"since": None}


def test_the_embeddings_are_plain_safetensors(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    vectors = np.random.default_rng(0).normal(size=(3, 5)).astype(np.float16)
    manifests.write([row(0)], tmp_path, embeddings=vectors)

    np.testing.assert_array_equal(load_file(tmp_path / "embeddings.safetensors")["embeddings"], vectors)


def test_an_empty_manifest_can_be_written_and_read(tmp_path: Path) -> None:
    manifests.write([], tmp_path)

    assert len(manifests.read(tmp_path)) == 0


def test_a_changed_file_is_noticed(tmp_path: Path) -> None:
    manifests.write([row(0)], tmp_path, format="jsonl")
    labels = tmp_path / "labels.jsonl"
    labels.write_text(labels.read_text().replace('"label": 0', '"label": 1'))

    with pytest.raises(ManifestError, match="changed after its export"):
        manifests.read(tmp_path)


def test_a_forged_fingerprint_is_noticed(tmp_path: Path) -> None:
    manifests.write([row(0)], tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"fingerprint": "0" * 64}))

    with pytest.raises(ManifestError, match="does not belong to its labels"):
        manifests.read(tmp_path)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"files": 3, "schema_version": 1, "format": "csv"}'])
def test_a_damaged_index_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "manifest.json").write_text(content)

    with pytest.raises(ManifestError, match="export it again"):
        manifests.read(tmp_path)


def test_a_later_schema_is_refused(tmp_path: Path) -> None:
    manifests.write([row(0)], tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 99}))

    with pytest.raises(ManifestError, match="schema version 99"):
        manifests.read(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    manifests.write([row(0)], tmp_path)
    (tmp_path / "labels.parquet").unlink()

    with pytest.raises(ManifestError, match=r"labels\.parquet is missing"):
        manifests.read(tmp_path)


def test_a_cut_short_export_is_no_manifest(tmp_path: Path) -> None:
    manifests.write([row(0)], tmp_path)

    def rows() -> Iterator[Row]:
        yield row(0)
        raise ConnectionError("the database went away")

    with pytest.raises(ConnectionError):
        manifests.write(rows(), tmp_path)
    with pytest.raises(ManifestError, match="cut short"):
        manifests.read(tmp_path)


@pytest.mark.parametrize("bad", [{"label": "maybe"}, {"colour": "red"}, {"width": "wide"}])
def test_rows_that_do_not_fit_are_refused(tmp_path: Path, bad: dict[str, Any]) -> None:
    with pytest.raises(ManifestError, match="does not fit"):
        manifests.write([row(0, **bad)], tmp_path)


def test_unknown_names_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no format"):
        manifests.write([], tmp_path, format="xlsx")  # type: ignore[arg-type]
    with pytest.raises(ManifestError, match="no split"):
        manifests.write([], tmp_path).split("holdout")


def test_vectors_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="export it again with embeddings"):
        manifests.write([row(0)], tmp_path / "a").vectors()
    with pytest.raises(ManifestError, match="no embedding_ref"):
        manifests.write([row(0, embedding_ref=None)], tmp_path / "b", embeddings=np.zeros((1, 2))).vectors()
    with pytest.raises(EmbeddingError, match="outside the 1 rows"):
        manifests.write([row(5)], tmp_path / "c", embeddings=np.zeros((1, 2))).vectors()


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [
        ([np.zeros((2, 3)), np.zeros((2, 4))], "cannot share"),
        ([np.zeros(3)], "must come as"),
        ([np.full((1, 3), np.nan)], "finite"),
    ],
)
def test_embeddings_that_do_not_fit_are_refused(tmp_path: Path, pieces: list[Any], reason: str) -> None:
    with pytest.raises(EmbeddingError, match=reason):
        manifests.write([row(0)], tmp_path, embeddings=pieces)


text = st.text(max_size=12)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "prompt": st.none() | text,
                "reviewers": st.none() | st.lists(text, max_size=3),
                "agreement": st.none() | st.floats(allow_nan=False, allow_infinity=False),
                "label": st.none() | st.integers(0, 1),
                "decided_at": st.none()
                | st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)).map(lambda d: d.replace(tzinfo=UTC)),
            }
        ),
        max_size=5,
    )
)
def test_any_row_survives_every_format(tmp_path: Path, rows: list[Any]) -> None:
    written = [manifests.write(rows, tmp_path / kind, format=kind) for kind in FORMATS]

    expected = pa.Table.from_pylist(rows, schema=SCHEMA).to_pylist()
    for one in written:
        assert manifests.read(one.folder).table.to_pylist() == expected
    assert len({one.fingerprint for one in written}) == 1
