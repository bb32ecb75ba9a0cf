"""The report in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

METHOD: Final = """\
## How it was measured

- Violating: {violating}, as {category}. Of all pictures {pool} are the pool and {held} are held back, by a lot
  ({positive} of the latter violate at seed {seed}). Five seeds in a row share one shuffle and hold back a fifth each.
- Every seed has a house of its own: embedded PostgreSQL and Redis, web server, Celery worker and beat. Pictures come in
  by `POST /submissions`; the worker embeds them with {backbone}. After the first round the house is closed and copied,
  and every strategy goes on in a copy.
- Cold start: the plan pins a head that says one half of everything, and sends every image to people.
- A round: `select_learning` asks about {decisions} images; an oracle claims and decides over HTTP, wrong with a chance
  of {error:.0%}; then `export_labels`, `train`, `adopt`. The first round draws at random whatever the strategy, for no
  head is there whose doubt could be asked about.
- At the end the pictures held back come in like any others; people who are never wrong decide them, and each round's
  heads are measured on their stored embeddings. No head learnt from them, and none was chosen by them.
- Load: `certify` (exact binomial tests along a ladder, δ = {delta:g}) on the pictures held back, which are a sample of
  all, drawn before anything was learnt; the same for all rounds of a seed. Each round's certificate holds by itself.
- Intervals: 2,000 draws of the seeds and, within a seed, of the pictures held back, with replacement, pairs kept
  between rounds and strategies. For the load the seeds alone are drawn: audits drawn twice certify nothing.
- Seeds fix division, oracle and draws. Which labels are for training and which for testing goes by keys that the house
  makes anew, so figures of a second run differ a little.
"""


def markdown(report: Mapping[str, Any], *, charts: tuple[str, str], table: str) -> str:
    """From the same figures as `report.json`, so that the two cannot differ."""
    auc_chart, load_chart = charts
    terms = report["terms"]
    return "\n".join(
        [
            "# Does the loop learn?",
            "",
            f"**{'Yes' if report['holds'] else 'No'}.** Measured {report['made_at']} by `{report['command']}`.",
            "",
            *(f"- {'✓' if one['holds'] else '✕'} {one['words']}: {one['found']}." for one in report["claims"]),
            "",
            f"![AUC by round]({auc_chart})",
            "",
            f"![Reviewer load by round]({load_chart})",
            "",
            f"Every figure by seed and round: [{table}]({table}); all of this as JSON: [report.json](report.json).",
            "",
            "## AUC on the pictures held back",
            "",
            "Mean over the seeds [95 % interval] and, in brackets, the standard deviation between seeds.",
            "",
            *rows(head(report), [auc_row(name, one) for name, one in report["strategies"].items()]),
            "",
            "## Reviewer load at equal certified risk",
            "",
            f"What people must see so that, with confidence {1 - terms['delta']:.0%}, at most α of the rest violates.",
            "Share of all images, mean over the seeds; 100 % where nothing can be certified.",
            "",
            *rows(["α", *head(report), "fall"], load_rows(report)),
            "",
            *how(report),
        ]
    )


def head(report: Mapping[str, Any]) -> list[str]:
    decisions = next(iter(report["strategies"].values()))["decisions"]
    return ["strategy", *(f"round {number}: {count}" for number, count in enumerate(decisions, start=1))]


def auc_row(name: str, one: Mapping[str, Any]) -> list[str]:
    cells = []
    for r, (mean, (low, high)) in enumerate(zip(one["auc"]["mean"], one["auc"]["interval"], strict=True)):
        cells.append(f"{mean:.3f} [{low:.3f}, {high:.3f}]{deviation([seed[r] for seed in one['auc']['by_seed']])}")
    return [name, *cells]


def deviation(values: Sequence[float]) -> str:
    if len(values) < 2:
        return ""
    mean = sum(values) / len(values)
    return f" ({(sum((one - mean) ** 2 for one in values) / (len(values) - 1)) ** 0.5:.3f})"


def load_rows(report: Mapping[str, Any]) -> list[list[str]]:
    found = []
    for alpha in sorted({float(alpha) for one in report["strategies"].values() for alpha in one["load"]}, reverse=True):
        for name, one in report["strategies"].items():
            load = one["load"][f"{alpha:g}"]
            found.append([f"{alpha:.0%}", name, *(f"{mean:.1%}" for mean in load["mean"]), f"{load['fall']:.0%}"])
    return found


def how(report: Mapping[str, Any]) -> list[str]:
    terms, held, runs = report["terms"], report["held_back"][0], report["runs"]
    method = METHOD.format(
        violating=" and ".join(terms["violating"]),
        category=terms["category"],
        pool=runs[0]["pool"],
        held=held["pictures"],
        positive=held["violating"],
        seed=held["seed"],
        backbone=runs[0]["backbone"],
        decisions=terms["decisions"],
        error=terms["error"],
        delta=terms["delta"],
    )
    return [
        method,
        *rows(["run", "versions", "fingerprints of their labels", "seconds"], [run_row(run) for run in runs]),
        "",
        *rows(
            ["what", "sha256 or version"],
            [
                *([name, f"`{digest}`"] for name, digest in report["files"].items()),
                *([name, number] for name, number in report["versions"].items()),
            ],
        ),
        "",
        f"Recipe: `{report['recipe']}`",
        "",
    ]


def run_row(run: Mapping[str, Any]) -> list[str]:
    versions = ", ".join(one["version"] for one in run["rounds"])
    fingerprints = ", ".join(f"`{one['fingerprint'][:12]}`" for one in run["rounds"])
    return [f"{run['strategy']} {run['seed']}", versions, fingerprints, f"{run['seconds']:.0f}"]


def rows(heading: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(one)} |" for one in (heading, ["---"] * len(heading), *body)]
