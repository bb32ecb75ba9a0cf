"""Kinds that other packages bring: the example of the docs, built and installed, and packages that are broken."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from classifiers import cards, registry
from classifiers.base import CardError, ImageInput
from tests.architecture import PROJECT

EXAMPLE = PROJECT / "docs" / "examples" / "loupe-nudenet"
# NudeNet itself is AGPL and stays out of our dependencies; this has the shape of its answers.
DETECTOR = """
class NudeDetector:
    def detect(self, image):
        blue, green, red = (float(x) for x in image.reshape(-1, 3).mean(0) / 255)
        found = [("FEMALE_BREAST_EXPOSED", red), ("ANUS_EXPOSED", blue), ("FACE_FEMALE", 0.99)]
        return [{"class": name, "score": score, "box": [0, 0, 9, 9]} for name, score in found if score > 0.2]
"""


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on sys.path in which to install."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "/").is_relative_to(folder):
            del sys.modules[name]


@pytest.fixture
def declare(packages: Path) -> Callable[[str, str], None]:
    """Install a package as pip leaves it: a module, and the metadata that names its entry point."""

    def install(name: str, source: str) -> None:
        (packages / f"{name}.py").write_text(source)
        info = packages / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[loupe.classifiers]\noracle = {name}:open_card\n")

    return install


def oracle(folder: Path) -> Path:
    table = {
        "name": "oracle",
        "version": "1",
        "kind": "oracle",
        "licence": "MIT",
        "outputs": [{"category": "HATE"}, {"category": "OTHER"}],
    }
    return cards.dump(table, folder / "oracle.toml")


SOUND = """
import numpy as np
from classifiers.base import Outputs, scores
class Oracle:
    categories, embedding_size = ("HATE", "OTHER"), None
    def __init__(self, card): self.name, self.version = card.name, card.version
    def run(self, images): return Outputs(np.full((len(images), 2), 0.25, np.float32))
    def score(self, images): return scores(self.run(images), self.categories)
def open_card(card, *, cache=None): return Oracle(card)
"""


def test_the_example_package_installs_and_classifies(packages: Path, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "example")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run(
        [*pip, "--disable-pip-version-check", "--target", str(packages), str(tmp_path / "example")], check=True
    )
    (packages / "nudenet.py").write_text(DETECTOR)

    classifier = registry.load_card(EXAMPLE / "nudenet.toml")
    outputs = classifier.run([ImageInput(Image.new("RGB", (9, 9), colour)) for colour in ("red", "blue", "black")])

    assert classifier.categories == ("NUDITY", "SEX_EXPLICIT")
    np.testing.assert_allclose(outputs.probabilities, [[1, 0], [0, 1], [0, 0]])
    assert outputs.shown is not None
    assert [each["class"] for each in outputs.shown[0]["boxes"]] == ["FEMALE_BREAST_EXPOSED", "FACE_FEMALE"]


def test_the_example_is_about_thirty_lines() -> None:
    assert len((EXAMPLE / "loupe_nudenet.py").read_text().splitlines()) <= 36


@pytest.mark.django_db
def test_an_external_kind_is_registered_and_loaded_like_any_other(
    declare: Callable[[str, str], None], tmp_path: Path
) -> None:
    declare("oracle_package", SOUND)

    row = registry.register(oracle(tmp_path))

    assert (row.kind, row.categories, row.weights) == ("oracle", ["HATE", "OTHER"], "")
    assert registry.load(row).score([ImageInput(Image.new("RGB", (5, 5)))]) == [{"HATE": 0.25, "OTHER": 0.25}]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("1 / 0", "cannot be imported: ZeroDivisionError"),
        ("", "cannot be imported: AttributeError"),
        ("def open_card(card, *, cache=None): return 5", "yields no classifier"),
        (SOUND.replace('("HATE", "OTHER")', '("HATE", "PRIVACY")'), "scores HATE, PRIVACY, the card lists HATE, OTHER"),
        (SOUND.replace("0.25", "np.nan"), "within 0–1"),
        (SOUND.replace("len(images), 2", "len(images), 3"), r"yields \[2, 3\], not \[2, 2\]"),
        (SOUND.replace("Outputs(", "missing("), "fails on a plain grey picture: NameError"),
    ],
)
def test_a_package_that_does_not_keep_its_word_is_refused(
    declare: Callable[[str, str], None], tmp_path: Path, source: str, reason: str
) -> None:
    declare("oracle_package", source)

    with pytest.raises(CardError, match=reason):
        registry.load_card(oracle(tmp_path))


def test_two_packages_of_one_kind_are_refused(declare: Callable[[str, str], None], tmp_path: Path) -> None:
    declare("first_oracle", SOUND)
    declare("second_oracle", SOUND)

    with pytest.raises(CardError, match=r"several packages \(first_oracle, second_oracle\)"):
        registry.load_card(oracle(tmp_path))


def test_a_kind_nobody_brings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CardError, match="kind is 'oracle'; it must be one of"):
        registry.load_card(oracle(tmp_path))
