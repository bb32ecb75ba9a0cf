"""Models of the transformers library: tiny ones with random weights, made from their configurations."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from classifiers import cards, registry
from classifiers.backbones.concepts import ConceptClassifier
from classifiers.backbones.pixels import tensor
from classifiers.backbones.processors import processor_input
from classifiers.backbones.transformers import class_name
from classifiers.base import CardError, ImageInput
from classifiers.folders import folder_sha256, pack, unpack
from classifiers.models import ClassifierVersion

SCENE = [ImageInput(Image.new("RGB", (40, 30), colour)) for colour in ("red", "navy")]
SMALL: dict[str, Any] = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
SEEING = SMALL | {"image_size": 32, "patch_size": 16}
WORDS = ["<s>", "</s>", "a", "naked", "person", "gun", "photo", "of", "tree"]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`vit` and `clip`, each a folder as the hub has them."""
    import classifiers.backbones.torchvision_ops  # noqa: F401, I001
    import torch
    from tokenizers import Tokenizer, models as kinds, pre_tokenizers
    from transformers import CLIPConfig, CLIPModel, PreTrainedTokenizerFast, ViTConfig, ViTForImageClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models")
    labels = {0: "safe", 1: "not safe", 2: "3d drawing"}
    ViTForImageClassification(ViTConfig(**SEEING, id2label=labels)).save_pretrained(folder / "vit")
    text = SMALL | {"vocab_size": len(WORDS), "max_position_embeddings": 8}
    text |= {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    CLIPModel(CLIPConfig(text_config=text, vision_config=SEEING, projection_dim=8)).save_pretrained(folder / "clip")
    words = Tokenizer(kinds.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="<s>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="</s>", eos_token="</s>", unk_token="<s>", model_max_length=8
    ).save_pretrained(folder / "clip")
    feeding = {"image_mean": [0.5, 0.4, 0.3], "image_std": [0.5, 0.5, 0.5], "resample": 2}
    square = {"height": 32, "width": 32}
    (folder / "vit" / "preprocessor_config.json").write_text(json.dumps(feeding | {"size": square}))
    cropping = feeding | {"size": {"shortest_edge": 40}, "do_center_crop": True, "crop_size": square}
    (folder / "clip" / "preprocessor_config.json").write_text(json.dumps(cropping))
    return folder


def vit(folder: Path, **changes: Any) -> Path:
    table: dict[str, Any] = {
        "name": "tiny-vit",
        "version": "1",
        "kind": "transformers",
        "weights": "vit",
        "sha256": folder_sha256(folder / "vit"),
        "licence": "Apache-2.0",
        "embedding": {"size": 16},
        "categories": [{"code": "NUDITY", "expression": "not_safe"}, {"code": "OTHER", "expression": "_3d_drawing"}],
    }
    return cards.dump(table | changes, folder / "vit.toml")


def clip(folder: Path, **changes: Any) -> Path:
    table: dict[str, Any] = {
        "name": "tiny-clip",
        "version": "1",
        "kind": "transformers",
        "task": "zero-shot",
        "weights": "clip",
        "sha256": folder_sha256(folder / "clip"),
        "licence": "Apache-2.0",
        "neutral": ["a photo", "a photo of a tree"],
        "embedding": {"size": 8},
        "categories": [
            {"code": "NUDITY", "prompts": ["a naked person", "a photo of a naked person"]},
            {"code": "WEAPONS_DANGEROUS", "prompts": ["a gun"]},
        ],
    }
    return cards.dump(table | changes, folder / "clip.toml")


def fed(folder: Path) -> Any:
    import torch

    return torch.from_numpy(tensor(SCENE, processor_input(folder)))


def test_a_classification_model_scores_as_the_library_itself(models: Path) -> None:
    import torch
    from transformers import AutoModelForImageClassification

    outputs = registry.load_card(vit(models)).run(SCENE)

    with torch.inference_mode():
        model = AutoModelForImageClassification.from_pretrained(models / "vit").eval()
        found = model(pixel_values=fed(models / "vit"), output_hidden_states=True)
        embedding = model.vit.layernorm(found.hidden_states[-1])[:, 0]
    np.testing.assert_allclose(outputs.probabilities, found.logits.softmax(1)[:, 1:], atol=1e-5)
    assert outputs.embeddings is not None
    np.testing.assert_allclose(outputs.embeddings, embedding, atol=1e-4)


def test_categories_in_words_score_as_the_library_itself(models: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    classifier = registry.load_card(clip(models))
    outputs = classifier.run(SCENE)

    texts = ["a naked person", "a photo of a naked person", "a gun", "a photo", "a photo of a tree"]
    with torch.inference_mode():
        tokens = AutoTokenizer.from_pretrained(models / "clip")(texts, padding=True, return_tensors="pt")
        model = AutoModel.from_pretrained(models / "clip").eval()
        near = model(
            pixel_values=fed(models / "clip"), input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
        )
    odds = near.logits_per_image.exp().numpy()
    rest = odds[:, 3] + odds[:, 4]
    naked, gun = odds[:, 0] + odds[:, 1], odds[:, 2]
    expected = np.stack([naked / (naked + rest), gun / (gun + rest)], axis=1)
    np.testing.assert_allclose(outputs.probabilities, expected, atol=1e-4)
    assert outputs.embeddings is not None
    np.testing.assert_allclose(outputs.embeddings, near.image_embeds, atol=1e-4)
    assert isinstance(classifier, ConceptClassifier)
    np.testing.assert_allclose(classifier.embed_texts(texts), near.text_embeds, atol=1e-4)
    assert classifier.embed_texts([]).shape == (0, 8)


@pytest.mark.slow
def test_a_folder_is_registered_as_one_file_and_unpacked_where_it_is_needed(
    db: None, models: Path, tmp_path: Path, settings: Any
) -> None:
    settings.DATA_DIR = tmp_path / "data"
    row = registry.register(vit(models))
    assert (row.weights, row.categories, row.embedding_size) == (f"{row.sha256}.tar", ["NUDITY", "OTHER"], 16)
    here = registry.load_card(models / "vit.toml").run(SCENE)

    there = registry.load(row).run(SCENE)

    np.testing.assert_allclose(there.probabilities, here.probabilities, atol=1e-6)
    unpacked = tmp_path / "data" / "cache" / "models" / row.sha256
    (unpacked / "model.safetensors").write_bytes(b"cut short")
    assert registry._card(ClassifierVersion.objects.get()).weights == unpacked
    assert folder_sha256(unpacked) == row.sha256


def test_only_plain_files_come_out_of_a_store(models: Path, tmp_path: Path) -> None:
    import tarfile

    packed = pack(models / "vit", tmp_path / "good.tar")
    again = pack(models / "vit", tmp_path / "again.tar")
    assert packed.read_bytes() == again.read_bytes()
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        tar.add(models / "vit" / "config.json", arcname="../outside.json")

    with pytest.raises(CardError, match="it was swapped"):
        unpack(tmp_path / "evil.tar", tmp_path / "out" / "evil")
    packed.write_bytes(packed.read_bytes()[:2000])
    with pytest.raises(CardError, match=r"cut short|no \.safetensors"):
        folder_sha256(unpack(packed, tmp_path / "out" / "cut"))
    assert not (tmp_path / "out" / "outside.json").exists()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "0" * 64}, "get the right files or mend the card"),
        ({"weights": "absent"}, "put the folder beside the card"),
        ({"weights": "https://example.org/vit"}, "are a folder, or hub:"),
        ({"weights": "hub:google/vit@main"}, "a branch moves"),
        ({"weights": "hub:google/vit"}, "a branch moves"),
        ({"task": "poetry"}, "task is 'poetry'"),
        ({"categories": [{"code": "NUDITY", "expression": "porn"}]}, "porn is no class"),
        ({"categories": [], "embedding": None}, "would yield nothing"),
        ({"embedding": {"size": 17}}, "17 numbers in the embedding: mend the card"),
        ({"outputs": [{"name": "logits", "classes": ["safe", "porn"]}]}, "not those of config.json"),
        ({"input": {"size": 32, "layout": "NHWC"}}, "NCHW"),
        ({"task": "zero-shot", "categories": []}, "does not load|lacks weights|no text-image model"),
    ],
)
def test_a_card_that_does_not_fit_its_folder_is_refused(models: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(CardError, match=reason):
        registry.load_card(vit(models, **changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"neutral": None}, "neutral is missing"),
        ({"categories": [{"code": "NUDITY", "prompts": []}]}, "prompts must be a list"),
        ({"categories": [{"code": "NUDITY", "prompts": ["a"]}] * 2}, "given twice"),
    ],
)
def test_a_card_without_words_is_refused(models: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(CardError, match=reason):
        registry.load_card(clip(models, **changes))


@pytest.fixture
def spoilt(models: Path, tmp_path: Path) -> Path:
    """A copy of `vit` to be spoilt."""
    shutil.copytree(models / "vit", tmp_path / "vit")
    return tmp_path


def test_weights_that_are_missing_are_never_made_up(spoilt: Path) -> None:
    from safetensors.numpy import load_file, save_file

    state = load_file(spoilt / "vit" / "model.safetensors")
    del state["classifier.bias"]
    save_file(state, spoilt / "vit" / "model.safetensors", metadata={"format": "pt"})

    with pytest.raises(CardError, match=r"lacks weights .* classifier\.bias"):
        registry.load_card(vit(spoilt))


def test_weights_cut_short_are_refused(spoilt: Path) -> None:
    weights = spoilt / "vit" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])

    with pytest.raises(CardError, match="does not load in transformers"):
        registry.load_card(vit(spoilt))


def test_pickled_weights_are_not_read(spoilt: Path) -> None:
    weights = spoilt / "vit" / "model.safetensors"
    weights.rename(weights.with_name("pytorch_model.bin"))

    with pytest.raises(CardError, match=r"holds no \.safetensors"):
        folder_sha256(spoilt / "vit")


def test_without_its_preprocessing_the_card_must_say_it(spoilt: Path) -> None:
    (spoilt / "vit" / "preprocessor_config.json").unlink()

    with pytest.raises(CardError, match=r"give \[input\]"):
        registry.load_card(vit(spoilt))


def test_without_the_extra_the_card_says_what_to_install(spoilt: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)

    with pytest.raises(CardError, match=r"pip install 'loupe\[transformers\]'"):
        registry.load_card(vit(spoilt))


@pytest.mark.parametrize(
    ("label", "name"), [("NSFW", "NSFW"), ("not safe", "not_safe"), ("3d", "_3d"), ("if", "_if"), ("—", "_")]
)
def test_labels_become_names(label: str, name: str) -> None:
    assert class_name(label) == name
