"""Weight files: found, of a format that cannot run code, and byte for byte the ones the card means."""

import hashlib
from pathlib import Path

from classifiers.base import CardError

SAFE_SUFFIXES = (".onnx", ".safetensors", ".jsonl")
STATE_SUFFIXES = (".pt", ".pth")
_PICKLE_SUFFIXES = (".pt", ".pth", ".pkl", ".pickle", ".bin", ".ckpt", ".joblib")
_ZIP = b"PK\x03\x04"
_CHUNK = 1 << 20


def check_weights(path: Path, *, sha256: str, state_dict: bool = False) -> None:
    """CardError unless ``path`` is an ONNX, safetensors or JSON Lines file with this sha256 (hex). With ``state_dict``
    also what ``torch.save`` writes, which ``classifiers.backbones.states`` reads as tensors and nothing else."""
    suffix = path.suffix.lower()
    state_dict = state_dict and suffix in STATE_SUFFIXES
    if suffix in _PICKLE_SUFFIXES and not state_dict:
        raise CardError(
            f"{path.name} is a pickle format, which can run code when loaded: convert it to safetensors or ONNX"
        )
    if not path.is_file():
        raise CardError(f"weights {path} are not there: put the file beside the card")
    with path.open("rb") as file:
        head = file.read(9)
    # 0x80 and a protocol number open every pickle since 2003; torch.save writes a zip of them. The header length of a
    # safetensors file may start with the same two bytes, but its ninth byte opens a JSON object.
    pickled = head[:1] == b"\x80" and head[1:2] <= b"\x06" and head[8:9] != b"{"
    if state_dict and not head.startswith(_ZIP):
        raise CardError(f"{path.name} is no state dict as torch.save writes it since 2020: save it again")
    if (pickled or head.startswith(_ZIP)) and not state_dict:
        raise CardError(
            f"{path.name} holds a pickle or a zip, whatever its name says: convert it to safetensors or ONNX"
        )
    if suffix not in SAFE_SUFFIXES and not state_dict:
        raise CardError(f"{path.name}: weights must be one of {', '.join(SAFE_SUFFIXES)}")
    if len(sha256) != 64 or set(sha256.lower()) - set("0123456789abcdef"):
        raise CardError("sha256 must be 64 hex digits")
    found = file_sha256(path)
    if found != sha256.lower():
        raise CardError(f"{path.name} has sha256 {found}, the card says {sha256}: get the right file or mend the card")


def file_sha256(path: Path) -> str:
    """Hex digest, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            digest.update(piece)
    return digest.hexdigest()
