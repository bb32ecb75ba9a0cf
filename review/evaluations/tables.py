"""An evaluation's figures as tables, for files. Images under legal hold are for the caller to leave out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from classifiers.fairness import GAPS, RATES

Row = Sequence[Any]
Figures = Mapping[str, Any]
LIMITS: Final = ("value", "low", "high")


def figures(said: Figures) -> Iterator[Row]:
    yield ["category", "figure", "side", *LIMITS, "verdict", "n", "positives", "clusters"]
    for code, one in said["categories"].items():
        found = one["compared"]
        counts = [found["n"], found["positives"], found["clusters"]]
        for side, values in found["sides"].items():
            for name, value in values.items():
                yield [code, name, side, *(value[part] for part in LIMITS), "", *counts]
        for name, less in found["differences"].items():
            yield [code, name, "difference", *(less[part] for part in LIMITS), less["verdict"], *counts]
        for side, load in one["load"].items():
            yield [code, "load", side, load["load"], load["low"], load["high"], "", *counts]
            certificate = load["certificate"]
            yield [code, "certified_threshold", side, certificate["threshold"], "", "", "", *counts]
        if less := one["load_difference"]:
            yield [code, "load", "difference", *(less[part] for part in LIMITS), less["verdict"], *counts]


def slices(said: Figures) -> Iterator[Row]:
    yield ["category", "by", "value", "n", "positives", "figure", "side", *LIMITS, "verdict"]
    for code, one in said["categories"].items():
        for part in one["slices"]:
            head = [code, part["by"], part["value"], part["n"], part["positives"]]
            if part["compared"] is None:
                yield [*head, "", "", "", "", "", "too few"]
                continue
            for side, values in part["compared"]["sides"].items():
                for name, value in values.items():
                    yield [*head, name, side, *(value[limit] for limit in LIMITS), ""]
            for name, less in part["compared"]["differences"].items():
                yield [*head, name, "difference", *(less[limit] for limit in LIMITS), less["verdict"]]


def fairness(said: Figures) -> Iterator[Row]:
    yield ["category", "side", "cut", "by", "group", "figure", *LIMITS, "n"]
    for code, one in said["categories"].items():
        for side, report in one["fairness"].items():
            for attribute in [*report["attributes"], *report["intersections"]]:
                head = [code, side, report["cut"], attribute["by"]]
                for group in attribute["groups"]:
                    for name in RATES:
                        rate = group["rates"][name]
                        yield [*head, group["value"], name, *(rate[limit] for limit in LIMITS), rate["n"]]
                    for name in ("calibration_error", "ratio", "difference", "opportunity", "odds"):
                        yield [*head, group["value"], name, group[name], "", "", group["n"]]
                for name in GAPS:
                    gap = attribute["gaps"][name]
                    yield [*head, "", name, *(gap[limit] for limit in LIMITS), ""]
            yield [code, side, report["cut"], "", "", "theil", report["theil"], "", "", report["n"]]


def live(said: Figures) -> Iterator[Row]:
    """What machines settled, audited by lot: overturned or not."""
    yield ["side", "since", "until", "by", "group", "n", "overturned", *LIMITS]
    for side, found in (said.get("live") or {}).items():
        for one in found["groups"] if found else ():
            counts = [one[name] for name in ("by", "group", "n", "overturned", *LIMITS)]
            yield [side, found["since"], found["until"], *counts]


def curves(said: Figures) -> Iterator[Row]:
    """ROC, precision-recall, scores by bin, reliability: `x` and `y` as their axes are named."""
    yield ["category", "curve", "side", "x", "y", "low", "high", "n"]
    for code, one in said["categories"].items():
        for side, found in one["curves"].items():
            for name in ("roc", "pr"):
                yield from ([code, name, side, x, y, "", "", ""] for x, y in found[name])
            for name, shares in found["scores"].items():
                for at, share in enumerate(shares):
                    yield [code, f"scores_{name}", side, (at + 0.5) / len(shares), share, "", "", ""]
        for side, bins in one["reliability"].items():
            for b in bins:
                limits = [b["share_low"], b["share_high"], b["count"]]
                yield [code, "reliability", side, b["mean_probability"], b["share_violating"], *limits]


def moved(said: Figures, shown: Collection[str]) -> Iterator[Row]:
    """Only of the submissions `shown`."""
    names = ("submission", "label", "before", "after", "from", "to", "right")
    yield ["category", *names]
    for code, one in said["categories"].items():
        yield from ([code, *(row[name] for name in names)] for row in one["moved"] if row["submission"] in shown)


TABLES: Final = {"figures": figures, "slices": slices, "fairness": fairness, "live": live, "curves": curves}
