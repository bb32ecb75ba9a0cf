"""Cards: what they mean, and every way in which a wrong one is refused with a reason."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from classifiers import cards
from classifiers.base import CardError, ImageInput
from classifiers.heads import Calibration, Heads
from classifiers.registry import load_card
from tests.classifiers.graphs import colour_card, colour_table, mean_colour


def solid(red: int, green: int, blue: int) -> ImageInput:
    return ImageInput(Image.new("RGB", (20, 12), (red, green, blue)))


def test_a_card_says_how_classes_become_categories(tmp_path: Path) -> None:
    classifier = load_card(colour_card(tmp_path))

    scores = classifier.score([solid(255, 0, 0), solid(0, 51, 102)])

    assert scores[0] == {"VIOLENCE_GORE": pytest.approx(1.0), "OTHER": pytest.approx(0.0)}
    assert scores[1] == {"VIOLENCE_GORE": pytest.approx(0.0), "OTHER": pytest.approx(0.2)}


def test_one_pass_yields_probabilities_and_embeddings(tmp_path: Path) -> None:
    outputs = load_card(colour_card(tmp_path)).run([solid(255, 0, 51)])

    assert outputs.probabilities.shape == (1, 2)
    assert outputs.embeddings is not None
    np.testing.assert_allclose(outputs.embeddings, [[1.0, 0.0, 0.2]], atol=1e-6)


def test_no_pictures_yield_empty_arrays(tmp_path: Path) -> None:
    outputs = load_card(colour_card(tmp_path)).run([])

    assert outputs.probabilities.shape == (0, 2)
    assert outputs.embeddings is not None
    assert outputs.embeddings.shape == (0, 3)


def test_a_calibration_in_the_card_is_applied(tmp_path: Path) -> None:
    calibration = {"method": "platt", "parameters": {"VIOLENCE_GORE": {"scale": 2.0, "shift": -1.0}}}
    classifier = load_card(colour_card(tmp_path, calibration=calibration))

    score = classifier.score([solid(128, 0, 0)])[0]["VIOLENCE_GORE"]

    logit = np.log((128 / 255) / (127 / 255))
    assert score == pytest.approx(1 / (1 + np.exp(-(2 * logit - 1))), abs=1e-5)


def test_a_dumped_card_reads_back_the_same(tmp_path: Path) -> None:
    path = colour_card(
        tmp_path, metrics={"VIOLENCE_GORE": {"auc": 0.75, "ap": None, "notes": []}}, limits='"odd" \n text'
    )

    card = cards.read(path)

    assert card.metrics == {"VIOLENCE_GORE": {"auc": 0.75, "notes": []}}
    assert card.table["limits"] == '"odd" \n text'
    assert card.reference == "mean-colour@1"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "sorcery"}, "kind is 'sorcery'; it must be one of onnx, torchvision, transformers, remote, heads"),
        ({"name": None}, "name is missing"),
        ({"version": ""}, "version must be a text"),
        ({"name": "a@b"}, "name must be a slug"),
        ({"licence": None}, "licence is missing"),
        ({"sha256": "ab"}, "64 hex digits"),
        ({"sha256": "0" * 64}, "get the right file or mend the card"),
        ({"weights": "http://example.org/w.onnx"}, "over https only"),
        ({"weights": "torchvision:ResNet18_Weights.DEFAULT"}, "of kind torchvision"),
        ({"weights": f"hub:a/b@{'0' * 40}"}, "of kind transformers"),
        ({"weights": "absent.onnx"}, "put the file beside the card"),
        ({"input": None}, r"\[input\] is missing"),
        ({"input": {"size": 0}}, "size must be a whole number above 0"),
        ({"input": {"size": 9}}, "mend size or layout"),
        ({"input": {"size": 8, "layout": "NHWC"}}, "mend size or layout"),
        ({"input": {"size": 8, "std": [1.0, 0.0, 1.0]}}, "std must not contain 0"),
        ({"input": {"size": 8, "mean": [0.5]}}, "three numbers"),
        ({"input": {"size": 8, "scale": float("nan")}}, "finite number"),
        ({"input": {"size": 8, "name": "picture"}}, "not in the graph"),
        ({"outputs": [{"name": "logits", "classes": ["red"]}]}, "is no class of the outputs"),
        (
            {"outputs": [{"name": "probabilities", "classes": ["red", "green", "blue", "grey"]}]},
            "4 classes: mend the card",
        ),
        ({"outputs": [{"name": "absent", "classes": ["red", "green", "blue"]}]}, "output 'absent' is not in the graph"),
        ({"categories": [{"code": "OTHER", "expression": "purple"}]}, "purple is no class"),
        ({"categories": [{"code": "OTHER", "expression": "red"}] * 2}, "given twice"),
        ({"embedding": {"output": "embedding", "size": 4}}, "mend the card"),
        ({"categories": [], "embedding": None}, "would yield nothing"),
        ({"calibration": {"method": "platt", "parameters": {"HATE": {"scale": 1.0}}}}, "does not score"),
        ({"calibration": {"method": "platt", "parameters": {"OTHER": {"scale": -1.0}}}}, "scale must be above 0"),
    ],
)
def test_a_wrong_card_is_refused_with_the_reason(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    path = colour_card(tmp_path, **changes)

    with pytest.raises(CardError, match=reason):
        load_card(path)


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "card.toml"
    path.write_text("name = ")

    with pytest.raises(CardError, match="not TOML"):
        cards.read(path)


def test_a_graph_with_a_fixed_batch_is_refused(tmp_path: Path) -> None:
    weights = mean_colour(tmp_path / "fixed.onnx", batch=1)
    path = cards.dump(colour_table(weights), tmp_path / "fixed.toml")

    with pytest.raises(CardError, match="dynamic batch axis"):
        load_card(path)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    weights = tmp_path / "bad.onnx"
    weights.write_bytes(b"\x08\x09 this is no graph")
    path = cards.dump(colour_table(weights), tmp_path / "bad.toml")

    with pytest.raises(CardError, match="does not load in onnxruntime"):
        load_card(path)


@pytest.mark.parametrize("name", ["w.pt", "w.pth", "w.pkl", "w.bin", "w.ckpt"])
def test_pickle_formats_are_refused_by_name(tmp_path: Path, name: str) -> None:
    weights = tmp_path / name
    weights.write_bytes(b"anything")
    path = cards.dump(colour_table(weights), tmp_path / "card.toml")

    with pytest.raises(CardError, match="pickle format, which can run code"):
        cards.read(path)


@pytest.mark.parametrize("content", [pickle.dumps({"a": 1}), b"PK\x03\x04rest of a zip"])
def test_a_pickle_under_another_name_is_refused(tmp_path: Path, content: bytes) -> None:
    weights = tmp_path / "w.safetensors"
    weights.write_bytes(content)
    path = cards.dump(colour_table(weights), tmp_path / "card.toml")

    with pytest.raises(CardError, match="pickle or a zip"):
        cards.read(path)


def test_safetensors_whose_header_length_looks_like_a_pickle_is_taken(tmp_path: Path) -> None:
    weights = tmp_path / "heads.safetensors"
    header = b'{"__metadata__":{}}'.ljust(0x0280)
    weights.write_bytes(len(header).to_bytes(8, "little") + header)
    assert weights.read_bytes()[:2] == b"\x80\x02"
    table = colour_table(weights, kind="heads", backbone="mean-colour@1", calibration=None)

    card = cards.parse(table, folder=tmp_path)

    assert card.weights == weights


def heads_card(folder: Path, *, width: int = 3, stated: float = 1.5) -> Path:
    heads = Heads(
        ("OTHER",), np.ones((1, width), np.float32), np.zeros(1, np.float32), (Calibration(1.5, 0.0, "platt"),)
    )
    heads.save(folder / "heads.safetensors")
    table = colour_table(folder / "heads.safetensors", name="heads", kind="heads", backbone="mean-colour@1")
    table["calibration"] = cards.describe_calibrations(("OTHER",), (Calibration(stated, 0.0, "platt"),))
    return cards.dump(table, folder / "heads.toml")


def test_heads_find_their_backbone_beside_them(tmp_path: Path) -> None:
    colour_card(tmp_path)

    classifier = load_card(heads_card(tmp_path))

    assert classifier.categories == ("OTHER",)
    assert classifier.score([solid(255, 255, 255)])[0]["OTHER"] == pytest.approx(1 / (1 + np.exp(-4.5)), abs=1e-6)


def test_heads_without_their_backbone_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="no card of its backbone mean-colour@1 lies beside it"):
        load_card(heads_card(tmp_path))


def test_heads_of_another_width_are_refused(tmp_path: Path) -> None:
    colour_card(tmp_path)

    with pytest.raises(CardError, match="name the backbone it was trained on"):
        load_card(heads_card(tmp_path, width=4))


def test_a_calibration_edited_by_hand_is_noticed(tmp_path: Path) -> None:
    colour_card(tmp_path)

    with pytest.raises(CardError, match="one of the two was edited"):
        load_card(heads_card(tmp_path, stated=9.0))


def test_a_picture_that_yields_nan_is_an_error_of_its_own(tmp_path: Path) -> None:
    classifier = load_card(colour_card(tmp_path, categories=[{"code": "OTHER", "expression": "red / red"}]))

    outputs = classifier.run([solid(9, 9, 9), solid(0, 9, 9), solid(1, 9, 9)])

    assert outputs.errors == {1: "the network yields NaN or infinity for this picture"}
    assert outputs.probabilities[:, 0].tolist() == [1.0, 0.5, 1.0]
    assert outputs.embeddings is not None
    assert np.isnan(outputs.embeddings).all(axis=1).tolist() == [False, True, False]


def test_a_network_that_yields_nan_for_a_grey_picture_is_refused(tmp_path: Path) -> None:
    card = colour_card(tmp_path, categories=[{"code": "OTHER", "expression": "(red - red) / (red - red)"}])

    with pytest.raises(CardError, match="its weights are damaged"):
        load_card(card)
