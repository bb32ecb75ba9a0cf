"""The report: what was claimed, what was measured, and under which terms; for people, for programs and for a chart."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from config.loop.claims import Claim
from config.loop.curves import Frame, Line, drawn
from config.loop.outcomes import Outcome
from config.loop.terms import Terms
from config.loop.words import markdown

PACKAGES: Final = ("loupe", "django", "numpy", "onnxruntime", "torch", "psycopg", "celery")
AUC, LOAD, TABLE = "auc.svg", "load.svg", "curves.csv"


@dataclass(frozen=True, slots=True)
class Report:
    """`files` maps what was read to its sha256; `made_at` is ISO 8601 and `command` what was typed."""

    terms: Terms
    outcomes: Mapping[str, Outcome]
    claims: Sequence[Claim]
    runs: Sequence[Mapping[str, Any]]
    files: Mapping[str, str]
    recipe: str
    made_at: str
    command: str

    @property
    def holds(self) -> bool:
        return all(one.holds for one in self.claims)

    def write(self, folder: Path) -> None:
        """`report.md`, `report.json`, `curves.csv` and two charts."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / AUC).write_text(self.auc_chart())
        (folder / LOAD).write_text(self.load_chart())
        (folder / TABLE).write_text(self.table())
        (folder / "report.json").write_text(json.dumps(self.as_json(), indent=2) + "\n")
        (folder / "report.md").write_text(markdown(self.as_json(), charts=(AUC, LOAD), table=TABLE))

    @property
    def seeds(self) -> set[int]:
        return {seed for one in self.outcomes.values() for seed in one.seeds}

    @property
    def across(self) -> list[float]:
        return [float(self.terms.decisions * (r + 1)) for r in range(self.terms.rounds)]

    def auc_chart(self) -> str:
        ends = [end for one in self.outcomes.values() for pair in one.intervals() for end in pair]
        low, high = (int(min(ends) * 20) / 20, min(1.0, int(max(ends) * 20 + 1) / 20))
        frame = Frame(
            "AUC on pictures held back", "decisions so far; shaded: 95 % interval", self.across, low, high, 0.05
        )
        return drawn(
            frame, [Line(name, one.auc.mean(axis=0).tolist(), one.intervals()) for name, one in self.outcomes.items()]
        )

    def load_chart(self) -> str:
        title = f"Reviewer load at certified FOR ≤ {self.terms.alpha:.0%}"
        below = "decisions so far" + (
            "; shaded: from the least to the most of the seeds" if len(self.seeds) > 1 else ""
        )
        frame = Frame(title, below, self.across, 0.0, 1.0, 0.2, percent=True)
        lines = [
            Line(name, one.loads[self.terms.alpha].mean(axis=0).tolist(), spread(one.loads[self.terms.alpha]))
            for name, one in self.outcomes.items()
        ]
        return drawn(frame, lines)

    def table(self) -> str:
        out = io.StringIO()
        rows = csv.writer(out, lineterminator="\n")
        loaded = [f"load_{one:g}" for one in self.terms.alphas]
        rows.writerow(["strategy", "seed", "round", "decisions", "auc", *loaded])
        for name, one in self.outcomes.items():
            for s, seed in enumerate(one.seeds):
                for r, decisions in enumerate(self.across):
                    loads = [f"{one.loads[alpha][s, r]:.6f}" for alpha in self.terms.alphas]
                    rows.writerow([name, seed, r + 1, int(decisions), f"{one.auc[s, r]:.6f}", *loads])
        return out.getvalue()

    def as_json(self) -> dict[str, Any]:
        return {
            "made_at": self.made_at,
            "command": self.command,
            "holds": self.holds,
            "claims": [asdict(one) for one in self.claims],
            "terms": asdict(self.terms),
            "recipe": self.recipe,
            "files": dict(self.files),
            "versions": versions(),
            "strategies": {name: self.told(one) for name, one in self.outcomes.items()},
            "runs": [{key: value for key, value in run.items() if key != "held_back"} for run in self.runs],
            "held_back": [
                {"strategy": run["strategy"], "seed": run["seed"], **counted(run["held_back"])} for run in self.runs
            ],
        }

    def told(self, one: Outcome) -> dict[str, Any]:
        return {
            "seeds": list(one.seeds),
            "decisions": [int(decisions) for decisions in self.across],
            "auc": {
                "mean": one.auc.mean(axis=0).tolist(),
                "interval": [list(pair) for pair in one.intervals()],
                "by_seed": one.auc.tolist(),
            },
            "load": {
                f"{alpha:g}": {
                    "mean": loads.mean(axis=0).tolist(),
                    "fall": one.fall(alpha),
                    "by_seed": loads.tolist(),
                }
                for alpha, loads in one.loads.items()
            },
        }


def spread(loads: Any) -> list[tuple[float, float]]:
    """From the least to the greatest of the seeds, a round; nothing to show of one seed."""
    return list(zip(loads.min(axis=0).tolist(), loads.max(axis=0).tolist(), strict=True)) if len(loads) > 1 else []


def counted(held: Mapping[str, Any]) -> dict[str, int]:
    return {"pictures": len(held["violating"]), "violating": int(sum(held["violating"]))}


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a checkout that was not installed
            continue
    return found
