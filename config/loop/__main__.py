"""Houses of one seed, each in a process of its own.

`python -m config.loop RUN.json HOUSE`: a new house in the folder HOUSE goes the first round.
`python -m config.loop RUN.json HOUSE RESULT.json`: that house, or a copy of it, goes the others and is measured.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from pathlib import Path
from typing import Any, Final

from config.loop.house import opened
from config.processes import end_with_stdin

BEGUN: Final = "begun.json"
"""In the house's folder: what its first round came to."""


def main(spec: Path, folder: Path, result: Path | None = None) -> None:
    """Afterwards what was asked for is written, and the house is closed. Ends with a line that says what went wrong, if
    so.
    """
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # so that the house is closed
    threading.Thread(target=end_with_stdin, daemon=True).start()
    with opened(folder) as house:
        from django.core.management import CommandError

        from config.demo.circle import Broken
        from config.demo.http import Refused
        from config.loop import pictures
        from config.loop.terms import Run
        from config.loop.walk import Start, Stuck, Walk

        run, begun = Run.read(spec), folder / BEGUN
        division = pictures.divide(pictures.read(Path(run.terms.images)), seed=run.seed, most=run.terms.most)
        name = run.name if result else f"seed {run.seed}"
        walk = Walk(run, house, division, lambda line: print(f"  {name}: {line}", flush=True))
        try:
            if result is None:
                put(begun, walk.begin().as_json())
            else:
                put(result, walk.go_on(Start.from_json(json.loads(begun.read_text()))))
        except (Broken, CommandError, Refused, Stuck) as problem:
            sys.exit(f"  {name}: {problem}")


def put(path: Path, found: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    part.write_text(json.dumps(found))
    part.replace(path)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
