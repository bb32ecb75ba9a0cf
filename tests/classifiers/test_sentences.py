"""Prompts read by a sentence encoder: a tiny one with random weights, made from its configuration."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from PIL import Image

from classifiers import cards, registry
from classifiers.base import CardError, ImageInput
from classifiers.folders import folder_sha256, pack, unpack
from classifiers.heads import Calibration, Heads
from classifiers.models import ClassifierVersion
from classifiers.prompt_training import train_prompts
from classifiers.prompts import examples
from classifiers.prompts.grams import gist
from classifiers.prompts.sentences import Encoder
from classifiers.weights import file_sha256
from moderation.models import Client
from tests import world
from tests.classifiers.test_prompt_model import drawn

PICTURE = Image.new("RGB", (4, 4))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the library itself saves it: BERT of one layer, the mean of its tokens."""
    import classifiers.backbones.torchvision_ops  # noqa: F401, I001  must come before torchvision
    import torch

    sentences = pytest.importorskip("sentence_transformers", reason="the extra `sentences` is not installed")
    parts = pytest.importorskip("sentence_transformers.sentence_transformer.modules")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *sorted({word for text, _ in drawn() for word in gist(text).split()})]
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
    )
    BertModel(config).save_pretrained(folder / "bert")
    pieces = Tokenizer(models.WordPiece({word: place for place, word in enumerate(words)}, unk_token="[UNK]"))
    pieces.pre_tokenizer = pre_tokenizers.Whitespace()
    pieces.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    PreTrainedTokenizerFast(
        tokenizer_object=pieces, pad_token="[PAD]", unk_token="[UNK]", model_max_length=32
    ).save_pretrained(folder / "bert")
    transformer = parts.Transformer(str(folder / "bert"), max_seq_length=32)
    sentences.SentenceTransformer(modules=[transformer, parts.Pooling(32)], device="cpu").save(str(folder / "tiny"))
    return folder / "tiny"


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labelled.csv"
    path.write_text("prompt,categories\n" + "".join(f"{prompt},{label}\n" for prompt, label in drawn()))
    return path


def card(folder: Path, **changes: Any) -> Path:
    """Heads of 32 numbers on an encoder that is said to lie in ``tiny``."""
    weights = folder / "prompts-1.safetensors"
    Heads(("HATE",), np.ones((1, 32), np.float32), np.zeros(1, np.float32), (Calibration(1.0, 0.0),)).save(weights)
    table: dict[str, Any] = {
        "name": "prompts",
        "version": "1",
        "kind": "prompts",
        "weights": weights.name,
        "sha256": file_sha256(weights),
        "licence": "none",
        "outputs": [{"category": "HATE"}],
        "encoder": {"folder": "tiny", "sha256": "0" * 64},
    }
    return cards.dump(table | changes, folder / "prompts-1.toml")


def made_up(folder: Path, kind: str = "sentence_transformers.models.Transformer") -> Path:
    """A folder that looks like an encoder's from outside."""
    (folder / "1_Pooling").mkdir(parents=True)
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode": "mean"}')
    (folder / "modules.json").write_text(json.dumps([{"idx": 0, "name": "0", "path": "", "type": kind}]))
    (folder / "model.safetensors").write_bytes(b"weights")
    (folder / "modeling.py").write_text("raise SystemExit")
    return folder


def test_how_an_encoder_pools_counts_and_travels_with_it(tmp_path: Path) -> None:
    folder = made_up(tmp_path / "tiny")
    before = folder_sha256(folder)
    copy = unpack(pack(folder, tmp_path / "tiny.tar"), tmp_path / "copy")
    assert folder_sha256(copy) == before
    assert not (copy / "modeling.py").exists()
    (folder / "1_Pooling" / "config.json").write_text('{"pooling_mode": "cls"}')
    assert folder_sha256(folder) != before


def test_a_card_names_its_encoder_by_sha256(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="put the folder beside the card"):
        cards.read(card(tmp_path))
    folder = made_up(tmp_path / "tiny")
    with pytest.raises(CardError, match="get the right files or mend the card"):
        cards.read(card(tmp_path))
    spec = {"folder": "tiny", "sha256": folder_sha256(folder)}
    assert cards.read(card(tmp_path, encoder=spec)).encoder == folder
    with pytest.raises(CardError, match="40 hex digits of a commit"):
        cards.read(card(tmp_path, encoder=spec | {"folder": "hub:house/encoder@main"}))


def test_without_the_extra_a_card_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = {"folder": "tiny", "sha256": folder_sha256(made_up(tmp_path / "tiny"))}
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(CardError, match=r"pip install 'loupe\[sentences\]'"):
        registry.load_card(card(tmp_path, encoder=spec))


@pytest.mark.parametrize("kind", ["modeling.Encoder", "sentence_transformers.models.Dense"])
def test_a_module_that_could_run_code_is_refused_unopened(tmp_path: Path, encoder: Path, kind: str) -> None:
    with pytest.raises(CardError, match="read are Transformer, Pooling, Normalize"):
        Encoder(made_up(tmp_path / "tiny", kind))


def test_an_encoder_that_lacks_weights_is_refused(tmp_path: Path, encoder: Path) -> None:
    from safetensors.numpy import load_file, save_file

    copy = shutil.copytree(encoder, tmp_path / "tiny")
    tensors = load_file(copy / "model.safetensors")
    kept = {name: value for name, value in tensors.items() if "word_embeddings" not in name}
    assert len(kept) < len(tensors)
    save_file(kept, copy / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(CardError, match="lacks weights"):
        Encoder(copy).check()


def test_the_end_of_a_long_prompt_is_read(encoder: Path) -> None:
    vectors, rows = Encoder(encoder).embed(["bloody wound", "", "quiet lake " * 50 + "bloody wound"])
    assert rows[:2].tolist() == [0, 1]
    assert set(rows[2:]) == {2}
    assert len(rows) > 4
    assert np.isfinite(vectors).all()


def test_train_on_an_encoder_registers_a_version_that_says_the_same(
    labelled: Path, encoder: Path, db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    candidate = train_prompts(examples.read(labelled), encoder=encoder)
    call_command("train", kind="prompts", manifest=labelled, encoder=str(encoder), json=True)
    assert json.loads(capsys.readouterr().out)["version"] == "prompts@1"
    call_command("train", kind="prompts", manifest=labelled, encoder=str(encoder))
    assert "Nothing changed" in capsys.readouterr().out

    row = ClassifierVersion.objects.get()
    assert row.card["encoder"] == {"folder": "tiny", "sha256": folder_sha256(encoder)}
    assert storages["models"].exists(f"{folder_sha256(encoder)}.tar")
    assert row.metrics["VIOLENCE_GORE"]["auc"] > 0.9
    prompts = ["bloody wound at dawn", "paper lantern in winter", "severed hand in oil", ""]
    said = registry.load(row).run([ImageInput(PICTURE, prompt=prompt) for prompt in prompts]).probabilities
    assert np.abs(said[:3] - candidate.model.apply(prompts[:3])).max() < 1e-5
    assert said[3] == 0
    assert said[0] > said[1]


def test_in_triage_it_sends_an_image_to_a_person(
    labelled: Path, encoder: Path, tmp_path: Path, platform: Client, guidelines: None
) -> None:
    call_command("train", kind="prompts", manifest=labelled, encoder=str(encoder))
    bands = {**world.BANDS, "VIOLENCE_GORE": {"approve": 0.5}}
    world.publish(world.colour_eyes(tmp_path).ref, "prompts@1", bands=bands)

    shown = world.triaged(platform, world.png(), prompt="bloody wound, gory corpse, severed hand")
    plain = world.triaged(platform, world.png(seed=1), prompt="paper lantern, glass teapot")

    assert (shown.status, shown.reasons[0]["category"]) == ("in_review", "VIOLENCE_GORE")
    assert (plain.status, plain.heard) == ("approved", ["colour-eyes@1", "prompts@1"])


def test_without_an_encoder_it_learns_anew(labelled: Path, encoder: Path, db: None) -> None:
    call_command("train", kind="prompts", manifest=labelled, encoder=str(encoder))
    call_command("train", kind="prompts", manifest=labelled)
    assert [("encoder" in row.card) for row in ClassifierVersion.objects.order_by("version")] == [True, False]


def test_an_encoder_that_is_not_there_is_refused(labelled: Path, db: None) -> None:
    with pytest.raises(CommandError, match="is no folder") as refused:
        call_command("train", kind="prompts", manifest=labelled, encoder="/nowhere/at/all")
    assert refused.value.returncode == 1
