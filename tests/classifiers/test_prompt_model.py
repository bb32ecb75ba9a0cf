"""The learnt prompt screening: three sets that share nothing, no pickle, and the same numbers without scikit-learn."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from classifiers import registry
from classifiers.base import CardError, ImageInput
from classifiers.evaluation import auc
from classifiers.models import ClassifierVersion
from classifiers.prompt_training import PromptRecipe, train_prompts
from classifiers.prompts import examples
from classifiers.prompts.examples import Examples, clusters
from classifiers.prompts.grams import gist, letters, words
from classifiers.prompts.learnt import PromptModel
from classifiers.prompts.sentences import SentenceModel

BAD = ["knife fight", "bloody wound", "severed hand", "gory corpse", "violent stabbing", "battlefield carnage"]
GOOD = ["quiet lake", "sleepy kitten", "bowl of soup", "spring meadow", "paper lantern", "glass teapot"]
STYLES = ["in oil", "as a sketch", "at dawn", "by candle light", "in winter", "on a hill", "in a town", "under rain"]


def drawn(count: int = 600, seed: int = 1) -> list[tuple[str, str]]:
    draw = random.Random(seed)
    rows = []
    for number in range(count):
        bad = draw.random() < 0.4
        subject = draw.choice(BAD if bad else GOOD)
        rows.append((f"{subject} {draw.choice(STYLES)} {draw.choice(STYLES)} no {number}", "violence" if bad else ""))
    return rows


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labelled.csv"
    path.write_text("prompt,categories\n" + "".join(f"{prompt},{label}\n" for prompt, label in drawn()))
    return path


def test_copies_of_a_prompt_never_part() -> None:
    prompts = [
        "a knight in the old castle, oil painting, by rembrandt",
        "A knight in the old castle; oil painting -- by Rembrandt!",
        "a knight in the old castle, oil painting, by rembrandt, 8k, sharp",
        "a teapot on a table in the morning",
    ]
    found = clusters(prompts)
    assert found[0] == found[1] == found[2] != found[3]


def test_the_numbers_are_those_of_scikit_learn(labelled: Path, tmp_path: Path) -> None:
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    data = examples.read(labelled)
    candidate = train_prompts(data)
    candidate.model.save(tmp_path / "model.safetensors")
    model = PromptModel.load(tmp_path / "model.safetensors")
    gists = [gist(prompt) for prompt in data.prompts]
    parts = []
    for vocabulary, count in ((model.words, words), (model.letters, letters)):
        vectorizer = TfidfVectorizer(
            analyzer=lambda text, count=count: list(count(text)), sublinear_tf=True, vocabulary=dict(vocabulary.grams)
        )
        vectorizer.idf_ = vocabulary.idf.astype(np.float64)
        parts.append(vectorizer.transform(gists))
    theirs = hstack(parts) @ model.heads.weight.T + model.heads.bias
    assert np.abs(model.logits(data.prompts) - theirs).max() < 1e-4
    assert np.isfinite(model.apply(["", "🔞", "少女", "x" * 20_000])).all()


def test_the_same_labels_and_recipe_give_the_same_model(labelled: Path) -> None:
    data = examples.read(labelled)
    one, two = train_prompts(data), train_prompts(data)
    assert np.array_equal(one.model.heads.weight, two.model.heads.weight)
    assert one.metrics == two.metrics
    counts = one.metrics["VIOLENCE_GORE"]["labels"]
    assert sum(counts[name]["n"] for name in ("fit", "calibrate", "test")) == len(data.prompts)
    assert one.metrics["VIOLENCE_GORE"]["auc"] > 0.95


def test_train_registers_the_next_version_and_skips_what_was_trained(
    labelled: Path, db: None, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("train", kind="prompts", manifest=labelled, json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["version"] == "prompts@1"
    call_command("train", kind="prompts", manifest=labelled)
    assert "Nothing changed" in capsys.readouterr().out
    row = ClassifierVersion.objects.get()
    assert row.kind == "prompts"
    assert {"auc", "ap", "ece", "brier"} <= row.metrics["VIOLENCE_GORE"].keys()
    signal = registry.load(row)
    picture = Image.new("RGB", (4, 4))
    said_of = signal.score([ImageInput(picture, prompt=text) for text in ("bloody wound", "paper lantern", "")])
    violent, calm, silent = (each["VIOLENCE_GORE"] for each in said_of)
    assert violent > 0.7
    assert calm < 0.3
    assert silent == 0


@pytest.mark.parametrize(
    ("text", "words_", "code"),
    [
        ("prompt\nx\n", "needs the columns", 2),
        ("prompt,categories\nx,naughty\n", "naughty is no category code", 2),
        ("prompt,categories\n,\n", "holds no prompt", 2),
        ("prompt,categories\na red house,HATE\na blue house,\n", "label more", 1),
    ],
)
def test_labels_that_cannot_be_used_are_refused(tmp_path: Path, text: str, words_: str, code: int, db: None) -> None:
    path = tmp_path / "labelled.csv"
    path.write_text(text)
    with pytest.raises(CommandError, match=words_) as refused:
        call_command("train", kind="prompts", manifest=path)
    assert refused.value.returncode == code
    assert not ClassifierVersion.objects.exists()


def test_a_recipe_names_categories_and_refuses_what_it_does_not_know(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('seed = 3\n[names]\nnaughty = "NUDITY"\n')
    assert PromptRecipe.read(recipe).names == {"naughty": "NUDITY"}
    path = tmp_path / "labelled.jsonl"
    path.write_text('{"prompt": "x", "categories": ["naughty", "HATE"]}\n')
    assert examples.read(path, names={"naughty": "NUDITY"}).labels == [frozenset({"NUDITY", "HATE"})]
    recipe.write_text("sede = 3\n")
    with pytest.raises(ValueError, match="sede is unknown"):
        PromptRecipe.read(recipe)


def test_weights_that_hold_no_prompt_model_are_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "other.safetensors"
    save_file({"weight": np.zeros((1, 2), np.float32)}, path)
    with pytest.raises(CardError):
        PromptModel.load(path)


def test_screening_loads_no_learning_library() -> None:
    program = (
        "import sys; import classifiers.prompts.learnt, classifiers.prompts.listed, classifiers.prompt_training;"
        "print(*sorted({'sklearn', 'scipy', 'torch'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == ""


def held_back(data: Examples, model: PromptModel | SentenceModel) -> tuple[float, dict[str, tuple[float, float]]]:
    """AUC of any category against harmless prompts; then by category: among all, and among the labelled ones alone."""
    here = np.flatnonzero(data.split == "test")
    found = model.apply([data.prompts[row] for row in here.tolist()])
    truth = [data.labels[row] for row in here.tolist()]
    any_ = np.array([float(bool(codes)) for codes in truth])
    by_category = {}
    for k, code in enumerate(model.heads.categories):
        label = np.array([float(code in codes) for codes in truth])
        by_category[code] = (auc(found[:, k], label) or 0.0, auc(found[any_ == 1, k], label[any_ == 1]) or 0.0)
    return auc(found.max(axis=1), any_) or 0.0, by_category


def test_real_prompts_are_told_apart_on_a_held_back_fifth(shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """I2P's labels are search words, PartiPrompts differ in style as well: so the figures are also given within I2P."""
    data = examples.read(shared / "data" / "prompts" / "prompts.csv")
    share = (data.split == "test").mean()
    assert 0.15 < share < 0.25
    overall, by_category = held_back(data, train_prompts(data).model)
    with capsys.disabled():
        print(f"\nprompts held back ({share:.0%}): AUC {overall:.3f} any against none")
        for code, (among_all, within) in by_category.items():
            print(f"  {code:<16} AUC {among_all:.3f}, within I2P {within:.3f}")
    assert overall > 0.9
    assert np.mean([among_all for among_all, _within in by_category.values()]) > 0.75
    assert min(within for _all, within in by_category.values()) > 0.6
