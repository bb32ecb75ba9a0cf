"""Where the file and its sender disagree, and what is only another way of saying the same."""

from __future__ import annotations

from typing import Any

import pytest

from classifiers.provenance import words
from tests.classifiers.provenance import files, signing
from tests.classifiers.provenance.conftest import Inspect

PNG = files.png({"parameters": files.A1111})


def kinds(shown: dict[str, Any]) -> list[str]:
    return [each["kind"] for each in shown.get("differences", [])]


@pytest.mark.parametrize(
    "declared",
    [
        "a lighthouse at dusk, oil painting",
        "A LIGHTHOUSE  at dusk,\n((oil painting:0.8)) <lora:other:1>",
        "a lighthouse at dusk::2 oil_painting",
        "oil painting of a lighthouse at dusk, with more words than the file has",
        "",
    ],
)
def test_weights_tags_case_and_order_are_no_contradiction(inspect: Inspect, declared: str) -> None:
    shown, probabilities = inspect(PNG, prompt=declared)
    assert (kinds(shown), shown.get("demands")) == ([], None)
    assert probabilities["IMPERSONATION_FRAUD"] == 0.0


def test_another_prompt_asks_for_a_person(inspect: Inspect) -> None:
    shown, probabilities = inspect(PNG, prompt="a bowl of fruit")
    assert shown["differences"] == [{"kind": "prompt", "found": "lighthouse, at, dusk, oil, painting", "grave": True}]
    assert shown["demands"] == [
        {"action": "review", "code": "contradiction", "category": "IMPERSONATION_FRAUD", "detail": "prompt"}
    ]
    assert probabilities["IMPERSONATION_FRAUD"] == pytest.approx(0.5)


def test_one_word_more_is_shown_and_asks_nobody(inspect: Inspect) -> None:
    shown, probabilities = inspect(PNG, prompt="a lighthouse at dusk, painting")
    assert shown["differences"] == [{"kind": "prompt", "found": "oil", "grave": False}]
    assert "demands" not in shown
    assert probabilities["IMPERSONATION_FRAUD"] == 0.0


@pytest.mark.parametrize(
    ("generator", "found"),
    [
        ({"name": "Midjourney", "version": "7"}, ["generator"]),
        ({"name": "DALL-E 3"}, ["generator"]),
        ({"name": "Stable Diffusion WebUI"}, []),
        ({"name": "SDXL"}, []),
        ({"seed": 1234567, "parameters": {"steps": "28", "cfg_scale": 7.0}}, []),
        ({"seed": 1, "parameters": {"steps": 30, "guidance_scale": 7.5}}, ["seed", "steps", "cfg_scale"]),
        ({"parameters": {"model": "models/sd_xl_base_1.0.safetensors", "sampler": "dpm++ 2m"}}, []),
        ({"parameters": {"model": "pony", "sampler": "Euler a"}}, ["model", "sampler"]),
        ({"parameters": ["no", "table"], "seed": {"odd": 1}}, ["seed"]),
    ],
)
def test_declared_settings_are_compared(inspect: Inspect, generator: dict[str, Any], found: list[str]) -> None:
    shown, _probabilities = inspect(PNG, generator=generator)
    assert kinds(shown) == found
    assert ("demands" in shown) == ("generator" in found)


def test_a_camera_behind_a_declared_generator_is_a_contradiction(inspect: Inspect) -> None:
    data = signing.signed(actions=[signing.action("digitalCapture", agent="Camera")])
    shown, probabilities = inspect(data, generator={"name": "SDXL"})
    assert [each["detail"] for each in shown["demands"]] == ["capture"]
    assert probabilities["IMPERSONATION_FRAUD"] == pytest.approx(0.5)
    undeclared, _probabilities = inspect(data)
    assert "differences" not in undeclared


def test_credentials_of_another_generator_are_a_contradiction(inspect: Inspect) -> None:
    data = signing.signed(actions=[signing.action("trainedAlgorithmicMedia", agent="Adobe Firefly")])
    shown, _probabilities = inspect(data, generator={"name": "Midjourney"})
    assert shown["differences"] == [{"kind": "generator", "found": "Adobe Firefly 3", "grave": True}]


def test_a_file_that_contradicts_itself_is_told(inspect: Inspect) -> None:
    packet = files.xmp(f"<Iptc4xmpExt:DigitalSourceType>{files.SOURCE}digitalCapture</Iptc4xmpExt:DigitalSourceType>")
    shown, _probabilities = inspect(signing.signed(image=files.saved("JPEG", xmp=packet)))
    assert shown["differences"] == [{"kind": "source_type", "found": "digitalCapture", "grave": True}]


@pytest.mark.parametrize(
    ("found", "declared", "missing"),
    [
        ("маяк, (сумерки:1.3)", "МАЯК сумерки", []),
        ("黄昏的灯塔", "灯塔，黄昏的", []),
        ("黄昏的灯塔", "黄昏的海", ["灯", "塔"]),
        ("夕暮れの灯台", "灯台の夕暮れ", []),
        ("ﬁne ｆｕｌｌ width", "fine full width", []),
        ("प्रकाशस्तंभ गोधूलि", "गोधूलि प्रकाशस्तंभ", []),
        ("Straße", "STRASSE", []),
    ],
)
def test_words_are_compared_in_their_own_script(found: str, declared: str, missing: list[str]) -> None:
    assert words.undeclared(found, declared)[1] == missing
