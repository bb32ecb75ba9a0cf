"""Files made to hurt: whatever the bytes, there is an answer, it is small, and it can be stored and shown."""

from __future__ import annotations

import json
import tomllib
import tracemalloc
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from classifiers import cards
from classifiers.base import ImageInput
from classifiers.provenance import containers, exif, generators, xmp
from classifiers.provenance.classifier import Provenance, open_card
from classifiers.provenance.generators.settings import Carried
from tests.classifiers.provenance import files, signing
from tests.classifiers.provenance.conftest import CARD, Inspect
from tests.classifiers.provenance.test_generators import COMFY, DRAWN, WRITTEN

MOST = 32_768  # bytes of evidence


def test_a_text_that_inflates_to_fifty_megabytes_is_passed_over(inspect: Inspect) -> None:
    data = files.bomb(50)
    tracemalloc.start()
    shown, probabilities = inspect(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert shown == {"notes": ["text_too_large"]}
    assert peak < 8 * 2**20
    assert set(probabilities.values()) == {0.0}


@pytest.mark.parametrize("kind", [b"tEXt", b"iTXt"])
def test_a_text_of_fifty_megabytes_is_not_even_copied(inspect: Inspect, kind: bytes) -> None:
    data = files.with_chunk(kind, b"parameters\0\0\0\0\0" + b"x" * (50 * 2**20))
    tracemalloc.start()
    shown, _probabilities = inspect(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert shown == {"notes": ["text_too_large"]}
    assert peak < 2**20


def test_many_texts_are_read_up_to_a_bound(inspect: Inspect) -> None:
    shown, _probabilities = inspect(
        files.png({f"key {number}": "x" * 100_000 for number in range(100)}, compressed=True)
    )
    assert shown["notes"] == ["text_too_large"]


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    ("packet", "note"),
    [
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "xmp_dtd"),
        (b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>', "xmp_dtd"),
        (f'<!DOCTYPE x [<!ENTITY l0 "lol">{LAUGHS}]><x>&l9;</x>'.encode(), "xmp_dtd"),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [<!ENTITY e "a">]><x>&e;</x>'.encode("utf-16"), "xmp_dtd"),
        (b"<x><y></x>", "xmp_broken"),
        (b'<?xml version="1.0" encoding="rot13"?><x/>', "xmp_broken"),
        (b"<x>" + b" " * 300_000 + b"</x>", "xmp_too_large"),
    ],
)
def test_xmp_with_entities_is_refused_unread(inspect: Inspect, packet: bytes, note: str) -> None:
    shown, _probabilities = inspect(files.saved("WEBP", xmp=packet))
    assert shown == {"notes": [note]}


def test_xmp_nested_very_deep_is_read_or_refused(inspect: Inspect) -> None:
    space = b'<dc:description xmlns:dc="http://purl.org/dc/elements/1.1/">'
    depth = 12_000
    inspect(files.saved("WEBP", xmp=space + b"<a>" * depth + b"</a>" * depth + b"</dc:description>"))


def test_directories_that_name_each_other_end() -> None:
    # Every entry of the first directory points back at that directory.
    entry = b"\x69\x87\x04\x00\x01\x00\x00\x00\x08\x00\x00\x00"
    found = exif.read(b"II*\0\x08\0\0\0" + b"\xff\xff" + entry * 5000)
    assert not found.gps


@pytest.mark.parametrize(
    "text",
    [
        '{"prompt": ' * 50_000,
        '{"nodes": 3, "links": {}}',
        '{"nodes": [{"id": [], "inputs": 3, "widgets_values": 7}, 4], "links": [[[]], [1], 5]}',
        '{"1": {"class_type": "KSampler", "inputs": {"positive": ["1", 0], "seed": 1e999}}}',
        '{"1": {"class_type": ["KSampler"], "inputs": {"positive": [["1"], 0], "guider": {"a": 1}}}}',
        '{"uc": {}, "scale": [], "prompt": 5, "v4_prompt": []}',
        '{"sui_image_params": {"prompt": "\\ud800 half", "width": true}}',
        '{"base_model": NaN, "resolution": 3, "version": null}',
        '{"c": "' + "x" * 100_000 + '", "uc": "\\u0000\\u202e"}',
        "a" * 200_000,
        "Steps: 1, Sampler: " + 'a:"' * 50_000,
        "a\nSteps: 1, " + "a " * 50_000 + "Seed: 2",
        '"' + "\\" * 20_000,
    ],
)
def test_odd_texts_in_every_place_are_survived(inspect: Inspect, text: str) -> None:
    for key in ("parameters", "prompt", "workflow", "Comment", "Dream", "sd-metadata", "invokeai_metadata"):
        shown, _probabilities = inspect(files.png({key: text}, compressed=True), prompt="a prompt")
        check(shown)


def test_a_batch_that_takes_too_long_says_which_images_have_no_word() -> None:
    table = tomllib.loads(CARD.read_text()) | {"batch_seconds": 1e-9}
    hasty = open_card(cards.parse(table, folder=CARD.parent))
    outputs = hasty.run([ImageInput(Image.new("RGB", (8, 8)), original=files.png) for _image in range(3)])
    assert outputs.errors == dict.fromkeys(range(3), "provenance@1: TimeoutError")
    assert outputs.shown == [{}, {}, {}]


def check(shown: Any) -> None:
    """JSON that PostgreSQL takes, of a bounded size, with nothing in it that could not be shown."""
    written = json.dumps(shown, allow_nan=False)
    assert len(written.encode()) < MOST
    assert "\\u0000" not in written
    json.dumps(shown, ensure_ascii=False).encode("utf-8")


def test_the_longest_prompts_are_shown_cut_short(inspect: Inspect) -> None:
    text = "ж " * 100_000 + "\nNegative prompt: " + "字" * 100_000 + "\nSteps: 1, Sampler: Euler"
    shown, _probabilities = inspect(files.png({"parameters": text}, compressed=True), prompt="a", negative_prompt="b")
    check(shown)
    assert len(shown["generator"]["prompt"]) == len(shown["generator"]["negative_prompt"]) == 2000


SAMPLES = [data for _name, data, _said in WRITTEN] + [
    files.saved(kind, exif=files.exif(comment=files.A1111, gps=True, Artist="x"), xmp=files.xmp("<dc:creator/>"))
    for kind in ("JPEG", "WEBP", "AVIF")
] + [files.saved("GIF", comment=b"a comment"), signing.signed("JPEG"), signing.signed("AVIF")]  # fmt: skip


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    data=st.sampled_from(SAMPLES),
    cut=st.floats(0, 1),
    changes=st.lists(st.tuples(st.floats(0, 0.3), st.binary(min_size=1, max_size=6)), max_size=12),
)
def test_mutilated_files_always_have_an_answer(
    provenance: Provenance, data: bytes, cut: float, changes: list[tuple[float, bytes]]
) -> None:
    altered = bytearray(data)
    for place, replacement in changes:
        start = int(place * len(altered))
        altered[start : start + len(replacement)] = replacement
    broken = bytes(altered[: int(len(altered) * (0.3 + 0.7 * cut))])
    seen = ImageInput(Image.new("RGB", (8, 8)), prompt="a prompt", original=lambda: broken)
    outputs = provenance.run([seen])
    assert outputs.shown is not None
    assert not outputs.errors
    check(outputs.shown[0])


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP", b"\0\0\0 ftypavif", b"GIF89a"]),
    st.binary(),
)
def test_any_bytes_can_be_scanned(head: bytes, rest: bytes) -> None:
    containers.scan(head + rest)
    exif.read(b"II*\0" + rest)
    exif.read(b"MM\0*" + rest)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(
        ["inputs", "class_type", "positive", "1", "2", "nodes", "links", "id", "uc", "scale", "image", "prompt"]
    ), inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(VALUES, st.sampled_from([COMFY, DRAWN]), st.sampled_from(["3", "4", "6", "10", "20", "nodes", "links"]))
def test_any_json_is_a_graph_or_none(value: Any, base: dict[str, Any], key: str) -> None:
    for said in (value, {**base, key: value}, {**base, key: {"class_type": "KSampler", "inputs": value}}):
        text = json.dumps(said)
        for name in ("prompt", "workflow", "parameters", "Comment", "sd-metadata", "invokeai_metadata"):
            generators.read(Carried({name: text}))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300) | st.text(max_size=300).map(files.xmp))
def test_any_packet_is_read_or_refused(packet: bytes) -> None:
    try:
        xmp.read(packet)
    except xmp.BadPacket:
        return
