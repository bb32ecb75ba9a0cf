"""The text that Prometheus reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from moderation.metrics.catalogue import ALL
from moderation.metrics.counting import SEPARATOR, SUM, Counter, Histogram

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST


def text(counted: Mapping[str, float], gauges: Iterable[Metric]) -> bytes:
    """What was counted, and `gauges`, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(House([*families(counted), *gauges]))
    return generate_latest(registry)


class House(Collector):
    def __init__(self, metrics: list[Metric]) -> None:
        self.metrics = metrics

    def collect(self) -> list[Metric]:
        return self.metrics


def families(counted: Mapping[str, float]) -> Iterator[Metric]:
    """One a counter or histogram of the catalogue; fields that it does not know (an older version's) are left out."""
    by_name: dict[str, list[tuple[list[str], float]]] = defaultdict(list)
    for field, amount in sorted(counted.items()):
        name, *rest = field.split(SEPARATOR)
        by_name[name].append((rest, amount))
    for each in ALL:
        if isinstance(each, Counter):
            yield counter(each, by_name[each.name])
        else:
            yield histogram(each, by_name[each.name])


def counter(each: Counter, values: Iterable[tuple[list[str], float]]) -> Metric:
    family = CounterMetricFamily(each.name.removesuffix("_total"), each.words, labels=each.labels)
    for labels, amount in values:
        if len(labels) == len(each.labels):
            family.add_metric(labels, amount)
    return family


def histogram(each: Histogram, values: Iterable[tuple[list[str], float]]) -> Metric:
    family = HistogramMetricFamily(each.name, each.words, labels=each.labels)
    parts: dict[tuple[str, ...], dict[str, float]] = defaultdict(dict)
    for (*labels, part), amount in values:
        if len(labels) == len(each.labels):
            parts[tuple(labels)][part] = amount
    for labels_, amounts in parts.items():
        total, buckets = 0.0, []
        for index, bound in enumerate((*each.bounds, float("inf"))):
            total += amounts.get(str(index), 0.0)
            buckets.append(("+Inf" if index == len(each.bounds) else str(float(bound)), total))
        family.add_metric(labels_, buckets, sum_value=amounts.get(SUM, 0.0))
    return family
