"""Where a card's weights come from: a file or folder beside it, an address, torchvision's own list, the Hugging Face
hub."""

from pathlib import Path

from classifiers.base import CardError
from classifiers.downloads import fetch
from classifiers.fields import Table
from classifiers.folders import folder_sha256
from classifiers.weights import check_weights

TORCHVISION = "torchvision:"
HUB = "hub:"


def find_weights(top: Table, *, kind: str, folder: Path, given: Path | None) -> tuple[Path, str]:
    """Path and sha256 of the weights, both checked; what has to be fetched is fetched into ``folder`` first. ``given``
    is where they lie already."""
    stated, sha256 = top.string("weights"), _sha256(top)
    path = given or _found(stated, top, kind=kind, folder=folder, sha256=sha256)
    if kind == "transformers":
        _check_folder(path, sha256=sha256)
    else:
        check_weights(path, sha256=sha256, state_dict=kind == "torchvision")
    return path, sha256


def find_encoder(spec: Table, *, folder: Path, given: Path | None) -> Path:
    """The sentence encoder of the table ``[encoder]``, checked; ``given`` is where it lies already."""
    path = given or find_folder(spec.string("folder"), folder)
    _check_folder(path, sha256=_sha256(spec))
    return path


def find_folder(stated: str, folder: Path) -> Path:
    """A folder named from ``folder``, or a model of the hub fetched into it. Not checked."""
    if not stated.startswith(HUB):
        return folder / stated
    from classifiers.backbones.hub import snapshot

    return snapshot(stated.removeprefix(HUB), folder)


def _sha256(table: Table) -> str:
    sha256 = table.string("sha256").lower()
    if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise CardError("sha256 must be 64 hex digits")
    return sha256


def _found(stated: str, top: Table, *, kind: str, folder: Path, sha256: str) -> Path:
    if stated.startswith(TORCHVISION):
        if kind != "torchvision":
            raise CardError(f"weights {stated!r} are for cards of kind torchvision")
        from classifiers.backbones.published import address

        url = address(stated.removeprefix(TORCHVISION), sha256=sha256)
        return fetch(top.string("weights_url", default=url), folder, sha256=sha256)
    if stated.startswith(HUB):
        if kind != "transformers":
            raise CardError(f"weights {stated!r} are for cards of kind transformers")
        return find_folder(stated, folder)
    if "://" in stated:
        if kind == "transformers":
            raise CardError("weights of kind transformers are a folder, or hub:owner/name@revision")
        return fetch(stated, folder, sha256=sha256)
    return folder / stated


def _check_folder(path: Path, *, sha256: str) -> None:
    if not path.is_dir():
        raise CardError(f"weights {path} are not there: put the folder beside the card")
    found = folder_sha256(path)
    if found != sha256:
        raise CardError(f"{path.name} has sha256 {found}, the card says {sha256}: get the right files or mend the card")
