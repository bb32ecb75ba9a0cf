"""Where weights come from: files cut short, swapped, downloaded, and pickles that would run code."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import storages
from PIL import Image

from classifiers import cards, registry
from classifiers.backbones import published
from classifiers.backbones.exports import kept_export
from classifiers.backbones.pixels import tensor
from classifiers.base import CardError, ImageInput
from classifiers.downloads import fetch
from classifiers.weights import file_sha256
from tests.classifiers.graphs import colour_card, colour_table, mean_colour

RAMP = ImageInput(Image.linear_gradient("L").convert("RGB"))
PUBLISHED = "torchvision:ShuffleNet_V2_X0_5_Weights.IMAGENET1K_V1"


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """No line a request."""


@pytest.fixture
def mirror(tmp_path: Path) -> Iterator[str]:
    """The address of an HTTP server over `tmp_path / "mirror"`."""
    (tmp_path / "mirror").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "mirror")))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def shuffle(**options: Any) -> Any:
    import classifiers.backbones.torchvision_ops  # noqa: F401, I001
    import torch
    from torchvision.models import get_model

    torch.manual_seed(0)
    return get_model("shufflenet_v2_x0_5", weights=None, **options)


def state_card(folder: Path, weights: Path, /, **changes: Any) -> Path:
    table: dict[str, Any] = {
        "name": "shuffle",
        "version": "1",
        "kind": "torchvision",
        "architecture": "shufflenet_v2_x0_5",
        "weights": weights.name,
        "sha256": file_sha256(weights),
        "licence": "Apache-2.0",
        "input": {"size": 32},
        "outputs": [
            {"category": "OTHER", "index": 1, "activation": "softmax"},
            {"category": "HATE", "expression": "c0 + c2", "activation": "softmax"},
        ],
    }
    return cards.dump(
        {key: value for key, value in (table | changes).items() if value is not None}, folder / "net.toml"
    )


@pytest.mark.slow
def test_a_state_dict_of_tensors_is_read_without_running_anything(tmp_path: Path) -> None:
    import torch

    network = shuffle(num_classes=3)
    torch.save(network.state_dict(), tmp_path / "net.pth")
    card = cards.read(state_card(tmp_path, tmp_path / "net.pth"))

    scores = registry.load_card(tmp_path / "net.toml").score([RAMP])[0]

    assert card.input is not None
    with torch.inference_mode():
        expected = network.eval()(torch.from_numpy(tensor([RAMP], card.input))).softmax(1)[0]
    assert scores["OTHER"] == pytest.approx(float(expected[1]), abs=1e-4)
    assert scores["HATE"] == pytest.approx(float(expected[0] + expected[2]), abs=1e-4)


class Malicious:
    """Unpickled by a reader that runs what it is told, it leaves a file behind."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "legacy"])
def test_a_pickle_that_would_run_code_is_refused_unexecuted(tmp_path: Path, legacy: bool) -> None:
    import torch

    mark = tmp_path / "it-ran"
    torch.save({"weight": Malicious(mark)}, tmp_path / "net.pth", _use_new_zipfile_serialization=not legacy)

    with pytest.raises(CardError, match="no state dict"):
        registry.load_card(state_card(tmp_path, tmp_path / "net.pth"))
    assert not mark.exists()


def test_a_whole_pickled_network_is_refused(tmp_path: Path) -> None:
    import torch

    torch.save(shuffle(), tmp_path / "net.pt")

    with pytest.raises(CardError, match="no state dict of tensors only"):
        registry.load_card(state_card(tmp_path, tmp_path / "net.pt"))


def test_a_state_dict_with_more_in_it_is_refused(tmp_path: Path) -> None:
    import torch

    torch.save({"epoch": 3, "state_dict": {}}, tmp_path / "net.pth")

    with pytest.raises(CardError, match=r"save model\.state_dict"):
        registry.load_card(state_card(tmp_path, tmp_path / "net.pth"))


def test_safetensors_cut_short_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file(shuffle().state_dict(), tmp_path / "net.safetensors")
    weights = tmp_path / "net.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])

    with pytest.raises(CardError, match="was cut short"):
        registry.load_card(state_card(tmp_path, weights))


@pytest.fixture
def published_weights(tmp_path: Path, mirror: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A card's entries for weights of torchvision's list, which the mirror has: random ones, since there is no network
    in tests, under a file name that bears their hash as the real one does."""
    import torch

    torch.save(shuffle().state_dict(), tmp_path / "net.pth")
    data = (tmp_path / "net.pth").read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    url = f"{mirror}/shufflenetv2_x0.5-{sha256[:10]}.pth"
    (tmp_path / "mirror" / Path(url).name).write_bytes(data)
    weights = published._weights(PUBLISHED.removeprefix("torchvision:"))
    monkeypatch.setitem(weights.value.__dict__, "url", url)
    return {"weights": PUBLISHED, "sha256": sha256, "architecture": None, "input": None}


@pytest.mark.slow
def test_weights_of_torchvisions_list_are_fetched_once_and_fed_as_they_want(
    published_weights: dict[str, Any], tmp_path: Path
) -> None:
    import torch
    from torchvision.models import get_weight

    path = state_card(tmp_path, tmp_path / "net.pth", **published_weights)
    (tmp_path / "net.pth").unlink()

    classifier = registry.load_card(path)

    for served in (tmp_path / "mirror").iterdir():
        served.unlink()
    registry.load_card(path)
    photo = Image.linear_gradient("L").resize((400, 300)).convert("RGB")
    spec: Any = classifier.card.input  # type: ignore[attr-defined]
    wanted = get_weight(PUBLISHED.removeprefix("torchvision:")).transforms()(photo)
    assert (spec.size, spec.keep) == (224, 224 / 256)
    # Pillow resamples the cut once, torchvision resizes and then cuts: a few grey levels at the rim.
    assert float((torch.from_numpy(tensor([ImageInput(photo)], spec))[0] - wanted).abs().mean()) < 0.02
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sha256": "ab" * 32}, "the card says abab"),
        ({"weights": "torchvision:Dream_Weights.V1"}, "publishes no weights"),
        ({"weights": "torchvision:nonsense"}, "publishes no weights"),
    ],
)
def test_published_weights_must_be_the_ones_of_the_card(
    published_weights: dict[str, Any], tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(CardError, match=reason):
        registry.load_card(state_card(tmp_path, tmp_path / "net.pth", **(published_weights | changes)))


def test_a_download_that_is_something_else_leaves_nothing_behind(mirror: str, tmp_path: Path) -> None:
    (tmp_path / "mirror" / "net.onnx").write_bytes(b"swapped on the way")

    with pytest.raises(CardError, match="not the file the card means"):
        fetch(f"{mirror}/net.onnx", tmp_path / "here", sha256="0" * 64)
    with pytest.raises(CardError, match="status 404"):
        fetch(f"{mirror}/absent.onnx", tmp_path / "here", sha256="0" * 64)
    assert not list((tmp_path / "here").iterdir())


def test_nobody_to_fetch_from_is_said(tmp_path: Path) -> None:
    with pytest.raises(CardError, match=r"cannot be fetched: .* put the file beside the card"):
        fetch("http://127.0.0.1:9/net.onnx", tmp_path, sha256="0" * 64)


def test_a_card_may_give_an_address(mirror: str, tmp_path: Path) -> None:
    mean_colour(tmp_path / "mirror" / "mean.onnx")
    table = colour_table(tmp_path / "mirror" / "mean.onnx", weights=f"{mirror}/mean.onnx")

    classifier = registry.load_card(cards.dump(table, tmp_path / "card.toml"))

    assert classifier.score([RAMP])[0].keys() == {"VIOLENCE_GORE", "OTHER"}


def test_an_export_that_was_cut_short_is_made_again(tmp_path: Path) -> None:
    made: list[Path] = []

    def make(path: Path) -> None:
        made.append(path)
        path.write_bytes(b"a whole network")

    export = kept_export("net.onnx", tmp_path, make)
    assert kept_export("net.onnx", tmp_path, make) == export
    assert len(made) == 1

    export.write_bytes(b"a whole")

    assert kept_export("net.onnx", tmp_path, make).read_bytes() == b"a whole network"
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("content", [b"", b"swapped for something else"])
@pytest.mark.django_db
def test_weights_spoilt_in_the_store_name_the_version(tmp_path: Path, content: bytes) -> None:
    row = registry.register(colour_card(tmp_path))
    Path(storages["models"].path(row.weights)).write_bytes(content)

    with pytest.raises(CardError, match=r"mean-colour@1: .* has sha256"):
        registry.load(row)
