"""What a watcher answers from memory, as dataclasses; the library's JSON with its keys is described in docs/json.md."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from criwatch._json import named, nanoseconds
from criwatch.enums import WatcherState
from criwatch.records import Container, Pod


@dataclass(frozen=True)
class Query:
    """What to show. All that is given has to hold; nothing given: everything that runs."""

    #: Those in one of these states: "created", "running", "exited", "unknown".
    states: Optional[Sequence[str]] = None
    #: What the engine has in any state; stands in for `states`.
    all: Optional[bool] = None
    #: Besides, the remembered dead, which the engine no longer has.
    gone: Optional[bool] = None
    #: "container" or "sandbox".
    kind: Optional[str] = None
    #: Those of this namespace.
    namespace: Optional[str] = None
    #: Those of this pod: its name or id.
    pod: Optional[str] = None
    #: Those of the pod with this uid.
    uid: Optional[str] = None
    #: Those with this name.
    name: Optional[str] = None
    #: A Kubernetes label selector: app=web, tier!=db, env in (a, b), !app.
    selector: Optional[str] = None
    #: Only these keys of each container, and "id".
    fields: Optional[Sequence[str]] = None

    def to_json(self) -> str:
        """The query as the library takes it."""
        given = {key: value for key, value in vars(self).items() if value is not None}
        return json.dumps({key: value if isinstance(value, (str, bool)) else list(value) for key, value in given.items()})


@dataclass(frozen=True)
class EngineInfo:
    """Which engine this is. What is not known yet is ""."""

    #: Who it is, e.g. "containerd".
    runtime_name: str = ""
    #: Its version, e.g. "2.1.9".
    runtime_version: str = ""
    #: The CRI version it speaks.
    runtime_api_version: str = ""
    #: All three in one line.
    version: str = ""
    #: The kind of engine: "k8s.io/cri-api".
    type: str = ""
    #: Where it is reached.
    api: str = ""
    #: Who it is on this machine: the host name of its UTS namespace, or the option engine.id.
    id: str = ""
    #: Its process, in this process's pid namespace; None: unknown.
    pid: Optional[int] = None
    #: How changes are noticed: "stream" or "poll"; "" while nothing is watched.
    events: str = ""
    #: Why so.
    events_reason: str = ""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> EngineInfo:
        """An engine as the library's JSON tells it."""
        return cls(
            runtime_name=value.get("runtimeName", ""),
            runtime_version=value.get("runtimeVersion", ""),
            runtime_api_version=value.get("runtimeApiVersion", ""),
            version=value.get("version", ""),
            type=value["type"],
            api=value["api"],
            id=value.get("id", ""),
            pid=value.get("pid"),
            events=value.get("events", ""),
            events_reason=value.get("eventsReason", ""),
        )


@dataclass(frozen=True)
class Freshness:
    """What every answer begins with: whose word it is, and how fresh."""

    #: Grows with every change of the picture.
    generation: int
    #: What the watcher is doing.
    state: WatcherState
    #: When the newest full list began, in nanoseconds since 1970: older news is in it for sure; None: never yet.
    as_of_ns: Optional[int]
    #: Whose word it is.
    engine: EngineInfo

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Freshness:
        """How fresh an answer in the library's JSON is."""
        return cls(
            generation=value["generation"],
            state=named(WatcherState, value["state"]),
            as_of_ns=nanoseconds(value.get("asOf")),
            engine=EngineInfo.from_json(value["engine"]),
        )


@dataclass(frozen=True)
class ContainerList:
    """Containers and sandboxes that a query selects."""

    #: How fresh it is.
    freshness: Freshness
    #: What was selected.
    containers: Tuple[Container, ...]

    @classmethod
    def from_json(cls, text: str) -> ContainerList:
        """A list from "criwatch.containers/1"."""
        value = json.loads(text)
        return cls(Freshness.from_json(value), tuple(Container.from_json(each) for each in value["containers"]))


@dataclass(frozen=True)
class PodEntry:
    """A pod with those of its containers that a query selects, the sandbox among them."""

    #: The pod.
    pod: Pod
    #: Its containers.
    containers: Tuple[Container, ...]


@dataclass(frozen=True)
class PodList:
    """Pods in which a query selects something."""

    #: How fresh it is.
    freshness: Freshness
    #: What was selected.
    pods: Tuple[PodEntry, ...]

    @classmethod
    def from_json(cls, text: str) -> PodList:
        """A list from "criwatch.pods/1"."""
        value = json.loads(text)
        entries = []
        for each in value["pods"]:
            pod = Pod.from_json(each)
            entries.append(PodEntry(pod, tuple(Container.from_json(one, pod) for one in each["containers"])))
        return cls(Freshness.from_json(value), tuple(entries))


@dataclass(frozen=True)
class RequestStats:
    """Of one RPC: how often it was called, and how long that took."""

    #: How often.
    count: int
    #: How many of these ended with an error; that something does not exist is one, too.
    failures: int
    #: How long all took together, in microseconds.
    total_micros: int
    #: How long the longest took, in microseconds.
    max_micros: int


@dataclass(frozen=True)
class Stats:
    """What the watcher did so far, in numbers."""

    #: How fresh it is.
    freshness: Freshness
    #: Counts by their names in JSON: "connects", "lists", "overflows" and so on.
    counts: Mapping[str, int] = field(hash=False)
    #: Each RPC by its name.
    requests: Mapping[str, RequestStats] = field(hash=False)
    #: How late the last event came, in microseconds; None: there was none yet.
    event_lag_last_micros: Optional[int] = None
    #: How late the latest came, in microseconds.
    event_lag_max_micros: Optional[int] = None

    @classmethod
    def from_json(cls, text: str) -> Stats:
        """Numbers from "criwatch.stats/1"."""
        value = json.loads(text)
        requests: Dict[str, RequestStats] = {
            name: RequestStats(one["count"], one["failures"], one["totalMicros"], one["maxMicros"])
            for name, one in value["requests"].items()
        }
        lag = value.get("eventLag", {})
        return cls(
            Freshness.from_json(value), value["stats"], requests, lag.get("lastMicros"), lag.get("maxMicros")
        )
