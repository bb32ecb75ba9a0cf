"""Run all benchmarks, or those named: `python -m bench [NAME…]`. Each runs in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.harness import PROJECT


def names() -> list[str]:
    """Every module here that has a `main` of its own."""
    here = Path(__file__).resolve().parent
    return sorted(path.stem for path in here.glob("[a-z]*.py") if "def main(" in path.read_text())


def main(wanted: list[str]) -> int:
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        print(f"bench: no such benchmark: {', '.join(unknown)}; there are: {', '.join(names())}", file=sys.stderr)
        return 2
    failed = [
        name
        for name in wanted or names()
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], cwd=PROJECT, check=False).returncode
    ]
    if failed:
        print(f"bench: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
