"""What a recipe may ask for: hidden units, focal loss, groups that are parted from the label, privacy."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from fairlearn.metrics import demographic_parity_difference, equalized_odds_difference

from classifiers import cards, manifests
from classifiers.backbones.headed import read_heads
from classifiers.calibration import Calibration
from classifiers.fitting import Labels
from classifiers.heads import Heads, Hidden, Stack, joined
from classifiers.manifests import Manifest
from classifiers.progress import Cancelled, Point, Watch, thinned
from classifiers.training import Candidate, Recipe, TrainingError, train_heads
from classifiers.training.exports import write_onnx
from classifiers.training.groups import Groups, read, reweighing
from tests.classifiers import planted


def trained(manifest: Manifest, **recipe: object) -> Candidate:
    return train_heads(manifest, backbone="eyes@1", recipe=Recipe.parse(recipe))


class Notebook(Watch):
    """Keeps all it is told; raises Cancelled after so many points."""

    def __init__(self, folder: Path | None = None, *, most: int = 10_000) -> None:
        self.folder, self.most = folder, most
        self.points: list[Point] = []
        self.shares: list[float] = []

    def reach(self, stage: str, share: float) -> None:
        self.shares.append(share)

    def point(self, point: Point) -> None:
        self.points.append(point)
        if len(self.points) >= self.most:
            raise Cancelled


def accuracy(candidate: Candidate, manifest: Manifest) -> float:
    apart = manifest.split("test")
    said = candidate.heads.apply(apart.vectors())[:, 0] >= 0.5
    return float((said == (apart.column("label") == 1)).mean())


def test_hidden_units_learn_what_no_line_parts(tmp_path: Path) -> None:
    manifest = planted.ring(tmp_path)

    assert trained(manifest).metrics["HATE"]["auc"] < 0.65
    assert trained(manifest, kind="mlp").metrics["HATE"]["auc"] > 0.95


@pytest.mark.parametrize("recipe", [{}, {"kind": "mlp", "epochs": 3}, {"focal": 2.0}])
def test_every_recipe_gives_the_same_heads_twice(tmp_path: Path, recipe: dict[str, object]) -> None:
    manifest = planted.linear(tmp_path, 600)

    one, two = trained(manifest, **recipe), trained(manifest, **recipe)

    assert same(one.heads, two.heads)
    assert one.metrics == two.metrics


def same(one: Heads, two: Heads) -> bool:
    a, b = one.parts(), two.parts()
    return a[0].keys() == b[0].keys() and all(np.array_equal(a[0][name], b[0][name]) for name in a[0])


def test_another_seed_gives_other_units(tmp_path: Path) -> None:
    manifest = planted.linear(tmp_path, 600)

    assert not same(
        trained(manifest, kind="mlp", epochs=2).heads, trained(manifest, kind="mlp", epochs=2, seed=1).heads
    )


def test_a_network_stops_when_validation_falls_no_more_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    notes = Notebook()
    recipe = Recipe(kind="mlp", epochs=200, patience=3, learning_rate=0.02)

    train_heads(planted.linear(tmp_path, 1500), backbone="eyes@1", recipe=recipe, watch=notes)

    seen = [point.validation or 0.0 for point in notes.points]
    assert len(seen) < 200
    assert int(np.argmin(seen)) == len(seen) - 1 - 3
    assert notes.shares == sorted(notes.shares)


def test_focal_loss_counts_what_is_easy_less(tmp_path: Path) -> None:
    """With most labels easy, plain loss grows the weights for them; focal loss stops caring."""
    manifest = planted.linear(tmp_path, 1500)

    plain, focal = (trained(manifest, focal=gamma).heads.weight for gamma in (0.0, 3.0))

    assert np.linalg.norm(focal) < 0.7 * np.linalg.norm(plain)


def test_propensity_0_counts_all_labels_alike(tmp_path: Path) -> None:
    manifest = planted.linear(tmp_path / "a", 600)
    rows = [dict(row, weight=float(1 + row["embedding_ref"] % 7)) for row in manifest.table.to_pylist()]
    assert manifest.embeddings is not None
    vectors = manifest.embeddings.rows(np.arange(600)).astype(np.float16)
    weighed = manifests.write(rows, tmp_path / "b", embeddings=vectors)  # type: ignore[arg-type]

    assert same(trained(weighed, propensity=0.0).heads, trained(manifest).heads)
    assert not same(trained(weighed).heads, trained(manifest).heads)


def test_a_killed_network_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    manifest, recipe = planted.ring(tmp_path / "m", 800), Recipe(kind="mlp", epochs=8)
    whole = train_heads(manifest, backbone="eyes@1", recipe=recipe)
    with pytest.raises(Cancelled):
        train_heads(manifest, backbone="eyes@1", recipe=recipe, watch=Notebook(tmp_path / "kept", most=4))

    rest = Notebook(tmp_path / "kept")
    resumed = train_heads(manifest, backbone="eyes@1", recipe=recipe, watch=rest)

    assert rest.points[0].step == 5
    assert same(resumed.heads, whole.heads)
    assert resumed.metrics == whole.metrics


def test_checkpoints_of_other_labels_are_not_gone_on_from(tmp_path: Path) -> None:
    recipe = Recipe(kind="mlp", epochs=3)
    notes = Notebook(tmp_path / "kept")
    train_heads(planted.ring(tmp_path / "a", 600), backbone="eyes@1", recipe=recipe, watch=notes)

    other = planted.ring(tmp_path / "b", 600, seed=1)

    fresh = train_heads(other, backbone="eyes@1", recipe=recipe)
    assert same(train_heads(other, backbone="eyes@1", recipe=recipe, watch=notes).heads, fresh.heads)


# --- serving ----------------------------------------------------------------------------------------------------------


def some_heads(*, hidden: bool = True, normalised: bool = False, seed: int = 0) -> Heads:
    rng = np.random.default_rng(seed)
    k, size, units = 3, 10, 5
    knots = ((-2.0, 0.1), (0.0, 0.4), (1.5, 0.9))
    layer = [rng.normal(size=shape).astype(np.float32) for shape in ((units, size), (units,), (k, units))]
    layer[2][0] = 0
    curves = (Calibration(1.5, -0.5, "platt"), Calibration(1.0, 0.0, "isotonic", knots), Calibration())
    weight, bias = rng.normal(size=(k, size)).astype(np.float32), rng.normal(size=k).astype(np.float32)
    made = Hidden(*layer) if hidden else None
    return Heads(("A", "B", "C"), weight, bias, curves, normalised, made)


def test_heads_with_hidden_units_say_the_same_alone_together_and_read_back(tmp_path: Path) -> None:
    heads, other = some_heads(), some_heads(hidden=False, seed=1)
    seen = np.random.default_rng(2).normal(size=(50, 10)).astype(np.float16)
    heads.save(tmp_path / "heads.safetensors")

    said = heads.apply(seen)

    np.testing.assert_array_equal(Heads.load(tmp_path / "heads.safetensors").apply(seen), said)
    np.testing.assert_array_equal(Stack((other, heads)).apply(seen)[1], said)
    np.testing.assert_array_equal(heads.apply(seen[:1]), said[:1])
    picked = [heads.pick(code) for code in heads.categories]
    assert picked[0] is not None
    assert picked[0].hidden is None
    np.testing.assert_allclose(np.hstack([one.apply(seen) for one in picked if one]), said, atol=1e-7)
    np.testing.assert_allclose(joined([one for one in picked if one]).apply(seen), said, atol=1e-7)


def test_a_category_with_few_labels_keeps_its_units_beside_the_new_ones(tmp_path: Path) -> None:
    before = trained(planted.ring(tmp_path / "a"), kind="mlp", epochs=15).heads
    renamed = Heads(("PRIVACY",), before.weight, before.bias, before.calibrations, hidden=before.hidden)
    manifest = planted.ring(tmp_path / "b", 1000, seed=1)

    both = train_heads(manifest, backbone="eyes@1", previous=renamed, recipe=Recipe(kind="mlp", hidden=8)).heads

    assert both.categories == ("PRIVACY", "HATE")
    assert both.hidden is not None
    assert len(both.hidden.bias) == 64 + 8
    seen = manifest.split("test").vectors()
    np.testing.assert_allclose(both.apply(seen)[:, 0], before.apply(seen)[:, 0], atol=1e-7)


@pytest.mark.parametrize(("hidden", "normalised"), [(True, False), (False, False), (False, True)])
def test_the_onnx_twin_says_what_the_heads_say(tmp_path: Path, hidden: bool, normalised: bool) -> None:
    heads = some_heads(hidden=hidden, normalised=normalised)
    seen = np.random.default_rng(3).normal(0, 4, size=(200, 10)).astype(np.float32)
    write_onnx(heads, tmp_path / "one.onnx")
    write_onnx(heads, tmp_path / "two.onnx")

    session = onnxruntime.InferenceSession(tmp_path / "one.onnx", providers=["CPUExecutionProvider"])

    np.testing.assert_allclose(session.run(None, {"embedding": seen})[0], heads.apply(seen), atol=1e-7)
    assert json.loads(session.get_modelmeta().custom_metadata_map["categories"]) == ["A", "B", "C"]
    assert (tmp_path / "one.onnx").read_bytes() == (tmp_path / "two.onnx").read_bytes()


def test_a_candidate_with_units_is_a_card_weights_and_onnx(tmp_path: Path) -> None:
    candidate = trained(planted.ring(tmp_path / "m", 600), kind="mlp", epochs=4)

    path = candidate.write(tmp_path / "out", name="heads", version="2", licence="Apache-2.0")

    card = cards.read(path)
    assert same(read_heads(card), candidate.heads)
    assert (tmp_path / "out" / card.table["onnx"]["file"]).is_file()
    assert Recipe.parse(tomllib.loads(path.read_text())["recipe"]) == candidate.recipe


# --- groups -----------------------------------------------------------------------------------------------------------


def fresh_gap(candidate: Candidate, folder: Path) -> tuple[float, float]:
    """Demographic parity and equalised odds by fairlearn, on twenty thousand new images at the picked threshold."""
    more = planted.unfair(folder, 20_000, seed=99)
    picked = candidate.metrics["HATE"]["picked"]["threshold"]
    said = candidate.heads.apply(more.vectors())[:, 0] >= picked
    label, group = more.column("label") == 1, more.column("generator")
    return (
        float(demographic_parity_difference(label, said, sensitive_features=group)),
        float(equalized_odds_difference(label, said, sensitive_features=group)),
    )


def test_reweighing_makes_group_and_label_independent() -> None:
    rng = np.random.default_rng(0)
    group, label = rng.integers(-1, 3, 900), rng.integers(0, 2, 900).astype(float)
    label[group == 1] = rng.random((group == 1).sum()) < 0.9
    labels = Labels(np.arange(900), label, rng.random(900) + 0.5, np.zeros(900, np.int64))

    weight = labels.weight * reweighing(labels, Groups("generator", ("a", "b", "c"), group))

    known = group >= 0
    share = np.average(label[known], weights=weight[known])
    for one in range(3):
        assert np.average(label[group == one], weights=weight[group == one]) == pytest.approx(share)
    assert weight[known].sum() == pytest.approx(labels.weight[known].sum())
    np.testing.assert_array_equal(weight[~known], labels.weight[~known])


@pytest.mark.parametrize("recipe", [{"reweigh": True}, {"adversarial": 3.0, "epochs": 25}])
def test_a_planted_gap_between_groups_is_cut_by_half_and_more(tmp_path: Path, recipe: dict[str, object]) -> None:
    manifest = planted.unfair(tmp_path / "m")
    plain = fresh_gap(trained(manifest), tmp_path / "before")

    fair = trained(manifest, **recipe)

    after = fresh_gap(fair, tmp_path / "after")
    assert plain[0] > 0.2
    assert after[0] < plain[0] / 2
    assert fair.metrics["HATE"]["auc"] > 0.85


def test_the_card_states_the_gaps_that_fairlearn_finds(tmp_path: Path) -> None:
    manifest = planted.unfair(tmp_path / "m")

    candidate = trained(manifest, reweigh=True)

    found = candidate.metrics["HATE"]["groups"]
    apart = manifest.split("test")
    said = candidate.heads.apply(apart.vectors())[:, 0] >= found["threshold"]
    label, group = apart.column("label") == 1, apart.column("generator")
    theirs = demographic_parity_difference(label, said, sensitive_features=group)
    assert found["demographic_parity"] == pytest.approx(theirs, abs=1e-6)
    odds = equalized_odds_difference(label, said, sensitive_features=group)
    assert found["equalized_odds"] == pytest.approx(odds, abs=1e-6)
    assert found["by_group"]["neon"]["n"] + found["by_group"]["chalk"]["n"] == 600


def test_groups_come_from_a_file_too_and_from_no_column_the_house_derived(tmp_path: Path) -> None:
    manifest = planted.unfair(tmp_path / "m", 1000)
    rows = zip(manifest.column("submission_id"), manifest.column("generator"), strict=True)
    file = tmp_path / "groups.csv"
    file.write_text("submission_id,style\n" + "".join(f"{key},{name}\n" for key, name in rows))

    by_file = train_heads(
        manifest, backbone="eyes@1", recipe=Recipe(reweigh=True, group="style"), declared=read(file, "style")
    )

    assert same(by_file.heads, trained(manifest, reweigh=True).heads)
    with pytest.raises(TrainingError, match="cluster_id is no declared column"):
        trained(manifest, reweigh=True, group="cluster_id")
    with pytest.raises(TrainingError, match="declares 0 group"):
        trained(manifest, reweigh=True, group="licence")
    with pytest.raises(TrainingError, match="no column region"):
        read(file, "region")


# --- privacy ----------------------------------------------------------------------------------------------------------


QUICK = {"target_epsilon": 8.0, "batch": 32, "epochs": 10}


def test_private_heads_keep_to_their_budget_and_cost_little(tmp_path: Path) -> None:
    manifest = planted.linear(tmp_path)

    private = trained(manifest, target_epsilon=8.0)

    spent = private.privacy
    assert spent is not None
    assert 7.9 < spent.epsilon <= 8.0
    assert (spent.pictures, spent.delta, spent.accountant) == (3500, 1e-5, "prv")
    assert accuracy(private, manifest) > accuracy(trained(manifest), manifest) - 0.03


def test_private_heads_know_no_earlier_ones_and_differ_each_time(tmp_path: Path) -> None:
    manifest = planted.linear(tmp_path, 800)
    before = trained(manifest).heads
    other = Heads(("PRIVACY",), before.weight, before.bias, before.calibrations)

    one, two = (train_heads(manifest, backbone="eyes@1", previous=other, recipe=Recipe.parse(QUICK)) for _ in range(2))

    assert one.heads.categories == ("HATE",)
    assert one.heads.normalised
    assert not same(one.heads, two.heads)


def test_a_killed_private_training_goes_on_with_its_own_noise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest, recipe = planted.linear(tmp_path / "m", 800), Recipe.parse(QUICK)
    monkeypatch.setattr("secrets.randbits", lambda _bits: 7)
    whole = train_heads(manifest, backbone="eyes@1", recipe=recipe)
    with pytest.raises(Cancelled):
        train_heads(manifest, backbone="eyes@1", recipe=recipe, watch=Notebook(tmp_path / "kept", most=5))
    monkeypatch.setattr("secrets.randbits", lambda _bits: 8)

    resumed = train_heads(manifest, backbone="eyes@1", recipe=recipe, watch=Notebook(tmp_path / "kept"))

    assert same(resumed.heads, whole.heads)
    assert all((path.stat().st_mode & 0o077) == 0 for path in (tmp_path / "kept").iterdir())


def test_the_card_says_what_privacy_covers_and_what_not(tmp_path: Path) -> None:
    candidate = trained(planted.linear(tmp_path / "m", 800), **QUICK)

    path = candidate.write(tmp_path / "out", name="heads", version="2", licence="Apache-2.0")

    said = tomllib.loads(path.read_text())["privacy"]
    assert said["epsilon"] == pytest.approx(8.0, abs=0.1)
    assert {"delta", "accountant", "noise_multiplier", "sample_rate", "steps", "max_grad_norm"} <= said.keys()
    assert "training split" in said["covered"]
    assert "calibration" in said["not_covered"]
    assert "epsilon" in said["statement"]


def test_the_loss_on_private_labels_is_not_shown(tmp_path: Path) -> None:
    notes = Notebook()

    train_heads(planted.linear(tmp_path, 800), backbone="eyes@1", recipe=Recipe.parse(QUICK), watch=notes)

    assert notes.points
    assert all(point.loss is None and point.validation is not None for point in notes.points)


def test_privacy_without_opacus_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opacus", None)

    with pytest.raises(TrainingError, match=r"pip install 'loupe\[privacy\]'"):
        trained(planted.linear(tmp_path, 300), target_epsilon=8.0)


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ({"kind": "forest"}, "linear, mlp"),
        ({"hidden": 0}, "above 0"),
        ({"reweigh": 1}, "true or false"),
        ({"kind": 1}, "a text"),
        ({"target_epsilon": 8.0, "kind": "mlp"}, "differential privacy trains linear heads"),
        ({"target_epsilon": 8.0, "reweigh": True}, "differential privacy trains linear heads"),
        ({"delta": 1.0}, "below 1"),
        ({"ridge": float("inf")}, "not negative"),
    ],
)
def test_a_recipe_that_cannot_be_is_refused(table: dict[str, object], reason: str) -> None:
    with pytest.raises(TrainingError, match=reason):
        Recipe.parse(table)


def test_a_delta_that_could_give_a_picture_away_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="may give one away"):
        trained(planted.linear(tmp_path, 300), target_epsilon=8.0, delta=0.01)


def test_what_was_trained_before_is_still_known_by_its_digest() -> None:
    assert Recipe().digest == "7c4baa8199f9f49b" + Recipe().digest[16:]
    assert Recipe(kind="mlp").digest != Recipe().digest


def test_a_long_curve_keeps_its_ends() -> None:
    points = [{"step": step} for step in range(1, 1001)]

    kept = thinned(points, most=200)

    assert len(kept) <= 200
    assert (kept[0]["step"], kept[-1]["step"]) == (1, 1000)
