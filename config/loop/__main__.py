"""`python -m config.loop RUN.json RESULT.json`: one run in a house of its own, in a process of its own."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
import threading
from pathlib import Path

from config.loop.house import opened
from config.processes import end_with_stdin


def main(spec: Path, result: Path) -> None:
    """Afterwards the result is there, and the house is gone. Ends with a line that says what went wrong, if so."""
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the house is closed
    threading.Thread(target=end_with_stdin, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="loupe-loop-") as name, opened(Path(name)) as house:
        from django.core.management import CommandError

        from config.demo.circle import Broken
        from config.demo.http import Refused
        from config.loop import pictures
        from config.loop.terms import Run
        from config.loop.walk import Stuck, Walk

        run = Run.read(spec)
        division = pictures.divide(pictures.read(Path(run.terms.images)), seed=run.seed, most=run.terms.most)
        try:
            found = Walk(run, house, division, lambda line: print(f"  {run.name}: {line}", flush=True)).walk()
        except (Broken, CommandError, Refused, Stuck) as problem:
            sys.exit(f"  {run.name}: {problem}")
        part = result.with_suffix(".part")
        part.write_text(json.dumps(found))
        part.replace(result)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
