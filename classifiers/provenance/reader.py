"""The C2PA reader: a process of its own, because its library parses hostile bytes in native code.

Started by `classifiers.provenance.credentials` with the number of a socket, it sends one frame: ready. Then come frames
by threes, the library's settings, a media type and the image's bytes; for each three one goes out, what the credentials
say, as JSON. A frame is eight bytes of length and as many of content. It ends when the socket does.
"""

from __future__ import annotations

import io
import json
import resource
import socket
import struct
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import c2pa

LENGTH: Final = struct.Struct(">Q")
MEMORY: Final = 2**30
MAX_WORDS: Final = 200  # characters
MAX_LISTED: Final = 8
STATES: Final = {"Trusted": "trusted", "Valid": "valid"}


def main(number: int) -> None:
    confine()
    import c2pa

    with socket.socket(fileno=number) as channel:
        contexts: dict[bytes, c2pa.Context] = {}
        send(channel, b"{}")
        while settings := receive(channel):
            media_type, data = receive(channel) or b"", receive(channel) or b""
            if settings not in contexts:
                contexts[settings] = c2pa.Context.from_json(settings.decode())
            send(channel, json.dumps(read(media_type.decode(), data, contexts[settings])).encode())


def confine() -> None:
    """Memory that a bomb may take, and no dump of what it was. Not every system knows every limit."""
    for limit, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CORE, 0)):
        try:
            resource.setrlimit(limit, (most, most))
        except (OSError, ValueError):
            continue


def receive(channel: socket.socket) -> bytes | None:
    """One frame; None when there are no more."""
    head = exactly(channel, LENGTH.size)
    return None if head is None else exactly(channel, LENGTH.unpack(head)[0])


def exactly(channel: socket.socket, size: int) -> bytes | None:
    content = bytearray(size)
    view, got = memoryview(content), 0
    while got < size:
        more = channel.recv_into(view[got:])
        if not more:
            return None
        got += more
    return bytes(content)


def send(channel: socket.socket, content: bytes) -> None:
    channel.sendall(LENGTH.pack(len(content)))
    channel.sendall(content)


def read(media_type: str, data: bytes, context: c2pa.Context) -> dict[str, Any]:
    """The verdict and what the manifests say, each text and list cut short."""
    import c2pa

    try:
        with c2pa.Reader(media_type, io.BytesIO(data), context=context) as reader:
            return summary(json.loads(reader.json()))
    except c2pa.C2paError as error:
        words = str(error)
        if "ManifestNotFound" in words:
            return {"state": "absent"}
        if "Remote" in words.partition(":")[0]:
            return {"state": "remote"}
        return {"state": "invalid", "problems": ["manifest.unreadable"]}
    except (MemoryError, RecursionError, ValueError):
        return {"state": "unread", "problems": ["manifest.too_much"]}


def summary(store: Mapping[str, Any]) -> dict[str, Any]:
    """What people and routing need of a manifest store, the active manifest first."""
    manifests = dict(store.get("manifests") or {})
    active = manifests.pop(store.get("active_manifest"), {})
    signature = active.get("signature_info") or {}
    actions = [*listed_actions(active), *(action for each in manifests.values() for action in listed_actions(each))]
    found = {
        "state": STATES.get(str(store.get("validation_state")), "invalid"),
        "claim_generator": generator(active),
        "issuer": signature.get("issuer"),
        "signer": signature.get("common_name"),
        "signed_at": signature.get("time"),
        "made_by": next((name for each in actions if (name := agent(each.get("softwareAgent")))), ""),
        "digital_source_types": distinct(
            str(each.get("digitalSourceType") or "").rpartition("/")[2] for each in actions
        ),
        "actions": distinct(str(each.get("action") or "") for each in actions),
        "training": training(active),
        "problems": distinct(failures(store.get("validation_results") or {})),
        "ingredients": len(active.get("ingredients") or ()),
    }
    return {key: value[:MAX_WORDS] if isinstance(value, str) else value for key, value in found.items() if value}


def listed_actions(manifest: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        action
        for assertion in manifest.get("assertions") or ()
        if str(assertion.get("label")).startswith("c2pa.actions") and isinstance(assertion.get("data"), dict)
        for action in assertion["data"].get("actions") or ()
        if isinstance(action, dict)
    ]


def generator(manifest: Mapping[str, Any]) -> str:
    named = [agent(each) for each in manifest.get("claim_generator_info") or ()]
    return ", ".join(filter(None, named)) or str(manifest.get("claim_generator") or "")


def agent(said: object) -> str:
    """A name, or a table of name and version."""
    if isinstance(said, Mapping):
        return " ".join(str(said[key]) for key in ("name", "version") if said.get(key))
    return said if isinstance(said, str) else ""


def training(manifest: Mapping[str, Any]) -> dict[str, str]:
    """What the author allows others to learn from it: use → allowed, notAllowed, constrained."""
    entries: dict[str, str] = {}
    for assertion in manifest.get("assertions") or ():
        data = assertion.get("data")
        if str(assertion.get("label")).endswith("training-mining") and isinstance(data, dict):
            said = data.get("entries")
            for name, entry in list(said.items())[:MAX_LISTED] if isinstance(said, dict) else ():
                if isinstance(entry, dict):
                    entries[str(name).rpartition(".")[2][:MAX_WORDS]] = str(entry.get("use"))[:MAX_WORDS]
    return entries


def failures(results: Mapping[str, Any]) -> Iterator[str]:
    """The codes of what did not verify; a signer nobody vouches for is a state, not a failure."""
    deltas = [each.get("validationDeltas") or {} for each in results.get("ingredientDeltas") or ()]
    for part in (results.get("activeManifest") or {}, *deltas):
        for failure in part.get("failure") or ():
            if failure.get("code") != "signingCredential.untrusted":
                yield str(failure.get("code"))


def distinct(values: Iterator[str]) -> list[str]:
    found = dict.fromkeys(value[:MAX_WORDS] for value in values if value)
    return list(found)[:MAX_LISTED]


if __name__ == "__main__":
    main(int(sys.argv[1]))
