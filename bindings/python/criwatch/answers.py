"""A watcher's answers as dataclasses. docs/json.md describes the library's JSON and its keys."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Sequence, Tuple, TypedDict, Union

from criwatch._html import Tabular
from criwatch._json import ToJson, known, nanoseconds, rfc3339
from criwatch.details import from_camel, to_camel
from criwatch.enums import Kind, State, WatcherState
from criwatch.records import Container, Pod

#: One state or several: members, or their names in the library's JSON.
AnyStates = Union[State, str, Sequence[Union[State, str]]]


class Selection(TypedDict, total=False):
    """The fields of `Query` as keywords of a call: `watcher.list(namespace="shop")`."""

    states: Optional[AnyStates]
    """As in `Query`."""
    all: Optional[bool]
    """As in `Query`."""
    gone: Optional[bool]
    """As in `Query`."""
    kind: Optional[Union[Kind, str]]
    """As in `Query`."""
    namespace: Optional[str]
    """As in `Query`."""
    pod: Optional[str]
    """As in `Query`."""
    uid: Optional[str]
    """As in `Query`."""
    name: Optional[str]
    """As in `Query`."""
    selector: Optional[str]
    """As in `Query`."""
    fields: Optional[Union[str, Sequence[str]]]
    """As in `Query`."""
    attributes: Optional[str]
    """As in `Query`."""


@dataclass(frozen=True)
class Query(ToJson):
    """What to show. All given conditions have to hold; without any, everything that runs is shown."""

    states: Optional[AnyStates] = None
    """Only these states: `State.RUNNING`, "exited", or several."""
    all: Optional[bool] = None
    """Everything that the engine has, in any state; replaces `states`."""
    gone: Optional[bool] = None
    """Whether to show remembered containers, too, that the engine no longer has."""
    kind: Optional[Union[Kind, str]] = None
    """`Kind.CONTAINER` or `Kind.SANDBOX`, or its name: "container", "sandbox"."""
    namespace: Optional[str] = None
    """Only this namespace."""
    pod: Optional[str] = None
    """Only this pod: its name, "namespace/name", its id, or at least the first 6 hex digits of the id."""
    uid: Optional[str] = None
    """Only the pod with this uid."""
    name: Optional[str] = None
    """Only containers with this name."""
    selector: Optional[str] = None
    """A Kubernetes label selector: app=web, tier!=db, env in (a, b), !app."""
    fields: Optional[Union[str, Sequence[str]]] = None
    """Only these keys of each container, and "id"."""

    attributes: Optional[str] = None
    """Fills `Container.attributes` with the names of "otel", "falco" or "ecs"; "none" leaves it empty.
    It overrides the option attributes."""

    def to_dict(self) -> Dict[str, Any]:
        """The query with the keys and values that the library takes."""
        given = {key: _word(value) for key, value in vars(self).items() if value is not None}
        for key in ("states", "fields"):
            if key in given:
                given[key] = [given[key]] if isinstance(given[key], str) else [_word(one) for one in given[key]]
        return given


def _word(value: Any) -> Any:
    return value.word if isinstance(value, (State, Kind)) else value


@dataclass(frozen=True, repr=False)
class EngineInfo(ToJson):
    """Which engine this is. What is not known yet is ""."""

    runtime_name: str = ""
    """The engine's name, e.g. "containerd"."""
    runtime_version: str = ""
    """Its version, e.g. "2.1.9"."""
    runtime_api_version: str = ""
    """The CRI version it speaks."""
    version: str = ""
    """All three in one line."""
    type: str = ""
    """The kind of engine: "k8s.io/cri-api"."""
    api: str = ""
    """The endpoint at which it is reached."""
    id: str = ""
    """Its id on this machine: the host name of its UTS namespace, or the option engine.id."""
    pid: Optional[int] = None
    """Its process, in this process's pid namespace; None: unknown."""
    events: str = ""
    """How changes are noticed: "stream" or "poll"; "" while nothing is watched."""
    events_reason: str = ""
    """Why changes are noticed in this way."""
    not_told: Mapping[str, int] = field(default_factory=dict, hash=False)
    """Keys that this engine does not give, although it was asked several times, and for how many containers."""
    witness: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """How the watcher learns from the host ("means"), and what it cannot use and why ("lacks")."""
    candidates: Tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    """The other engines that were found when this one was chosen, best first; only from `Watcher.engine_info`."""
    ready: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Whether the cache is complete, and how many requests are open; only from `Watcher.engine_info`."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> EngineInfo:
        """An engine as the library's JSON has it."""
        return cls(**{**from_camel(cls, value), "candidates": tuple(value.get("candidates", ()))})

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        return known(to_camel(self), "type", "api")

    def __repr__(self) -> str:
        told = (self.version, self.api and f"at {self.api}", self.events and f"events={self.events}")
        return f"<EngineInfo {' '.join(one for one in told if one) or 'of none yet'}>"


@dataclass(frozen=True)
class Freshness(ToJson):
    """The first keys of every answer: the engine that it comes from, and how fresh it is."""

    generation: int
    """Grows with every change of the cache."""
    state: WatcherState
    """What the watcher is doing."""
    as_of_ns: Optional[int]
    """When the newest full list began, in nanoseconds since 1970. It shows everything that happened before.
    None before the first list."""
    engine: EngineInfo
    """The engine that it comes from."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Freshness:
        """How fresh an answer in the library's JSON is."""
        return cls(
            generation=value["generation"],
            state=WatcherState.of_word(value["state"]),
            as_of_ns=nanoseconds(value.get("asOf")),
            engine=EngineInfo.from_json(value["engine"]),
        )

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        values = {
            "generation": self.generation,
            "state": self.state.word,
            "asOf": rfc3339(self.as_of_ns),
            "engine": self.engine.to_dict(),
        }
        return known(values)


@dataclass(frozen=True)
class Answer(ToJson):
    """An answer of the library: how fresh it is, and its content."""

    freshness: Freshness
    """How fresh it is."""

    def _answered(self, kind: str, **more: Any) -> Dict[str, Any]:
        return {"schema": f"criwatch.{kind}/1", **self.freshness.to_dict(), **more}


@dataclass(frozen=True, repr=False)
class ContainerList(Answer, Tabular):
    """Containers and sandboxes that a query selects: iterate over it, index it, or show it as a table in a notebook."""

    containers: Tuple[Container, ...]
    """The selected ones."""

    @classmethod
    def from_json(cls, text: str) -> ContainerList:
        """A list from "criwatch.containers/1"."""
        value = json.loads(text)
        return cls(Freshness.from_json(value), tuple(Container.from_json(each) for each in value["containers"]))

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON, "criwatch.containers/1"."""
        return self._answered("containers", containers=[one.to_dict() for one in self.containers])

    def rows(self) -> List[Dict[str, Any]]:
        """A flat dictionary for each container, as `pandas.DataFrame(watcher.list().rows())` takes them."""
        return rows(self.containers)

    def __getitem__(self, index: int) -> Container:
        return self.containers[index]

    def __iter__(self) -> Iterator[Container]:
        return iter(self.containers)

    def __len__(self) -> int:
        return len(self.containers)

    def __repr__(self) -> str:
        return f"<ContainerList {len(self)} of generation {self.freshness.generation}>"


@dataclass(frozen=True, repr=False)
class PodEntry(ToJson):
    """A pod with those of its containers that a query selects, the sandbox among them."""

    pod: Pod
    """The pod."""
    containers: Tuple[Container, ...]
    """Its containers."""

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        inner = [{key: value for key, value in one.to_dict().items() if key != "pod"} for one in self.containers]
        return {**self.pod.to_dict(), "containers": inner}

    def __repr__(self) -> str:
        return f"<PodEntry {self.pod.path} {self.pod.state} containers={len(self.containers)}>"


@dataclass(frozen=True, repr=False)
class PodList(Answer, Tabular):
    """Pods in which a query selects something: iterate over it, index it, or show it as a table in a notebook."""

    pods: Tuple[PodEntry, ...]
    """The selected ones."""

    @classmethod
    def from_json(cls, text: str) -> PodList:
        """A list from "criwatch.pods/1"."""
        value = json.loads(text)
        entries = []
        for each in value["pods"]:
            pod = Pod.from_json(each)
            entries.append(PodEntry(pod, tuple(Container.from_json(one, pod) for one in each["containers"])))
        return cls(Freshness.from_json(value), tuple(entries))

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON, "criwatch.pods/1"."""
        return self._answered("pods", pods=[one.to_dict() for one in self.pods])

    def rows(self) -> List[Dict[str, Any]]:
        """A flat dictionary for each pod, as `pandas.DataFrame(watcher.pods().rows())` takes them."""
        return [
            {
                "namespace": entry.pod.namespace,
                "pod": entry.pod.name,
                "state": entry.pod.state.word,
                "containers": sum(not one.is_sandbox for one in entry.containers),
                "ip": next(iter(entry.pod.ips), ""),
                "created_at": entry.pod.created_at,
                "uid": entry.pod.uid,
                "id": entry.pod.id,
            }
            for entry in self.pods
        ]

    def __getitem__(self, index: int) -> PodEntry:
        return self.pods[index]

    def __iter__(self) -> Iterator[PodEntry]:
        return iter(self.pods)

    def __len__(self) -> int:
        return len(self.pods)

    def __repr__(self) -> str:
        return f"<PodList {len(self)} of generation {self.freshness.generation}>"


@dataclass(frozen=True, repr=False)
class Inspection(Answer):
    """Everything that the engine gives for one container or sandbox."""

    container: Container
    """The container or sandbox, as the engine's answer shows it."""
    status: Mapping[str, Any] = field(hash=False)
    """The engine's status in CRI's JSON: "logPath", "mounts", "resources" and so on; {} in a library without `call`."""
    info: Mapping[str, Any] = field(hash=False)
    """The engine's verbose information, whose keys are the engine's own: "pid", "runtimeSpec" and so on."""

    @classmethod
    def from_json(cls, text: str) -> Inspection:
        """An inspection from "criwatch.inspect/1"."""
        value = json.loads(text)
        container = Container.from_json(value["container"])
        return cls(Freshness.from_json(value), container, value.get("status", {}), value["info"])

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON, "criwatch.inspect/1"."""
        status = {"status": dict(self.status)} if self.status else {}
        return self._answered("inspect", container=self.container.to_dict(), **status, info=dict(self.info))

    def __repr__(self) -> str:
        return f"<Inspection of {self.container!r}>"


def rows(containers: Iterable[Container]) -> List[Dict[str, Any]]:
    """A flat dictionary for each container, as `pandas.DataFrame(criwatch.rows(watcher.containers()))` takes them."""
    return [
        {
            "namespace": one.pod.namespace if one.pod else "",
            "pod": one.pod.name if one.pod else "",
            "name": one.name,
            "kind": one.kind.word,
            "state": one.state.word,
            "pid": one.pid,
            "attempt": one.attempt,
            "exit_code": one.exit_code,
            "reason": one.reason,
            "image": one.image,
            "created_at": one.created_at,
            "started_at": one.started_at,
            "finished_at": one.finished_at,
            "id": one.id,
        }
        for one in containers
    ]
