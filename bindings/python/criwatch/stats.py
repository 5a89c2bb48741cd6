"""A watcher's statistics, and the table of its metrics."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Tuple

from criwatch._json import ToJson
from criwatch.answers import Answer, Freshness
from criwatch.details import from_camel, to_camel

#: The content type for the text of `Watcher.metrics`.
METRICS_CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True)
class Metric:
    """A row of the table of metrics, `METRICS`. A newer library may have more."""

    key: str
    """Its name in JSON, e.g. "eventsPublished": for a counter or gauge without labels, the key in `Stats.counts`."""
    family: str
    """Its name in OpenMetrics, e.g. "criwatch_events_published". The samples of a counter have the suffix "_total"."""
    kind: str
    """"counter" (it only grows), "gauge" or "histogram"."""
    unit: str
    """"seconds", or the thing that is counted."""
    labels: Tuple[str, ...]
    """The labels by which its samples differ."""
    help: str
    """Its meaning, in whole sentences."""


@dataclass(frozen=True)
class RequestStats(ToJson):
    """How often one RPC was called, and how long the calls took."""

    count: int
    """The number of calls."""
    failures: int
    """How many of these ended with an error, without those in `not_found`."""
    not_found: int
    """How many of these the engine answered with "not found"."""
    total_micros: int
    """How long all took together, in microseconds."""
    max_micros: int
    """How long the longest took, in microseconds."""
    buckets: Tuple[int, ...]
    """The numbers of calls by duration, with the bounds of `Stats.bucket_micros`; the last has all longer ones."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> RequestStats:
        """The numbers of an RPC as the library's JSON has them."""
        return cls(**from_camel(cls, {**value, "buckets": tuple(value["buckets"])}))

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        return {**to_camel(self), "buckets": list(self.buckets)}


@dataclass(frozen=True)
class EventLag(ToJson):
    """The delay between the time in an engine's event, by the engine's clock, and its arrival here."""

    last_micros: int
    """The delay of the last event, in microseconds."""
    max_micros: int
    """The longest delay, in microseconds."""
    count: int
    """How many delays were measured."""
    total_micros: int
    """All delays together, in microseconds."""
    buckets: Tuple[int, ...]
    """The numbers of events by delay, with the bounds of `Stats.bucket_micros`; the last bucket has all longer ones."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> EventLag:
        """The numbers as the library's JSON has them."""
        return cls(**from_camel(cls, {**value, "buckets": tuple(value["buckets"])}))

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        return {**to_camel(self), "buckets": list(self.buckets)}


@dataclass(frozen=True, repr=False)
class Stats(Answer):
    """The watcher's counters."""

    counts: Mapping[str, int] = field(hash=False)
    """Counts by their names in JSON: "connects", "lists", "overflows" and so on."""
    bucket_micros: Tuple[int, ...]
    """The upper bounds of all buckets, in microseconds; the last bucket has none."""
    requests: Mapping[str, RequestStats] = field(hash=False)
    """Each RPC by its name."""
    event_lag: Optional[EventLag] = None
    """How late events come; None before the first one."""

    @classmethod
    def from_json(cls, text: str) -> Stats:
        """Numbers from "criwatch.stats/1"."""
        value = json.loads(text)
        requests = {name: RequestStats.from_json(one) for name, one in value["requests"].items()}
        lag = EventLag.from_json(value["eventLag"]) if "eventLag" in value else None
        return cls(Freshness.from_json(value), value["stats"], tuple(value["bucketMicros"]), requests, lag)

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON, "criwatch.stats/1"."""
        requests = {name: one.to_dict() for name, one in self.requests.items()}
        lag = {"eventLag": self.event_lag.to_dict()} if self.event_lag else {}
        counts, bounds = dict(self.counts), list(self.bucket_micros)
        return self._answered("stats", stats=counts, bucketMicros=bounds, requests=requests, **lag)

    def __repr__(self) -> str:
        told = " ".join(f"{key}={self.counts[key]}" for key in ("lists", "engineEvents", "eventsLost") if key in self.counts)
        return f"<Stats {told} requests={sum(one.count for one in self.requests.values())}>"
