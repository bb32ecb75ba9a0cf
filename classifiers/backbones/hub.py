"""Models of the Hugging Face hub, pinned to a commit."""

import os
import re
from pathlib import Path

from classifiers.base import CardError
from classifiers.folders import SUFFIXES

_PINNED = re.compile(r"(?P<model>[\w.-]+/[\w.-]+)@(?P<revision>[0-9a-f]{40})")
EXTRA = "it needs an extra: pip install 'loupe[transformers]'"


def snapshot(stated: str, folder: Path) -> Path:
    """The files that count of ``owner/name@revision``, as a folder in ``folder``. No pickle and no code is fetched."""
    found = _PINNED.fullmatch(stated)
    if found is None:
        raise CardError(
            f"weights hub:{stated} must be hub:owner/name@revision with the 40 hex digits of a commit; a branch moves"
        )
    try:
        from huggingface_hub import HfApi
    except ImportError as error:
        raise CardError(f"hub:{stated}: {EXTRA}") from error
    model, revision = found["model"], found["revision"]
    target = folder / f"{model.replace('/', '--')}-{revision[:12]}"
    try:
        HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None).snapshot_download(
            model,
            revision=revision,
            local_dir=target,
            allow_patterns=[f"*{suffix}" for suffix in SUFFIXES],
            ignore_patterns=["*/*/*", "[!0-9]*/*"],
        )
    except Exception as error:  # the library raises as many kinds as HTTP has ways to fail
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise CardError(f"hub:{stated} cannot be fetched: {reason[0][:300]}") from error
    return target
