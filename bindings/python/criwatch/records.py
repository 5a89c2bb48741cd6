"""Containers, pods and events as plain, frozen dataclasses: copies that outlive everything they came from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Mapping, Optional, Tuple

from criwatch._json import flags_of, named, nanoseconds
from criwatch.enums import (
    ANNOTATION_KEY_PREFIX,
    Changed,
    EventFlag,
    EventType,
    Kind,
    LogLevel,
    Missing,
    PodFlag,
    PodState,
    State,
    WatcherState,
)


@dataclass(frozen=True)
class Pod:
    """A pod, as its sandbox shows it. Texts that are "" are not known, or do not apply."""

    #: The sandbox's id.
    id: str
    #: The pod's name.
    name: str
    #: The pod's namespace.
    namespace: str
    #: The pod's uid, as Kubernetes gives it.
    uid: str
    #: How often the sandbox was made anew.
    attempt: int = 0
    #: Whether the sandbox is ready.
    state: PodState = PodState.UNKNOWN
    #: What is special about it.
    flags: PodFlag = PodFlag(0)
    #: The pod's addresses, the primary one first.
    ips: Tuple[str, ...] = ()
    #: The pod's labels.
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: The pod's annotations.
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: The pod's cgroup, as the file system shows it.
    cgroup_path: str = ""

    @property
    def host_network(self) -> bool:
        """Whether the pod shares the node's network."""
        return bool(self.flags & PodFlag.HOST_NETWORK)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Pod:
        """A pod as the library's JSON tells it."""
        return cls(
            id=value["id"],
            name=value["name"],
            namespace=value["namespace"],
            uid=value["uid"],
            attempt=value["attempt"],
            state=named(PodState, value["state"]),
            flags=_network(value.get("hostNetwork")),
            ips=tuple(value.get("ips", ())),
            labels=value["labels"],
            annotations=value["annotations"],
            cgroup_path=value.get("cgroupPath", ""),
        )


@dataclass(frozen=True)
class Container:
    """A container or a pod's sandbox, as it was at one moment. Texts that are "" are not known, or do not apply."""

    #: The engine's id.
    id: str
    #: The name inside the pod; of a sandbox, the pod's name.
    name: str
    #: What it is.
    kind: Kind = Kind.CONTAINER
    #: The engine's word on its state.
    state: State = State.UNKNOWN
    #: How often it was made anew under this name.
    attempt: int = 0
    #: The pod it is in; None while that is unknown.
    pod: Optional[Pod] = None
    #: The first process, in this process's pid namespace; None: none, or unknown.
    pid: Optional[int] = None
    #: When that process began, in clock ticks since boot: with it, a pid is unique; None: unknown.
    pid_start_ticks: Optional[int] = None
    #: The exit code; None: none, or unknown.
    exit_code: Optional[int] = None
    #: What is unknown and may yet be told.
    missing: Missing = Missing(0)
    #: The image, as the pod's author wrote it.
    image: str = ""
    #: What the engine resolved that to.
    image_ref: str = ""
    #: The engine's id of the image.
    image_id: str = ""
    #: How it ended, in one word: "Completed", "Error", "OOMKilled"; "gone" when it merely vanished.
    reason: str = ""
    #: How it ended, in more words.
    message: str = ""
    #: The cgroup, as the file system shows it.
    cgroup_path: str = ""
    #: When it was created, in nanoseconds since 1970; None: unknown.
    created_ns: Optional[int] = None
    #: When it was started, in nanoseconds since 1970; None: not yet, or unknown.
    started_ns: Optional[int] = None
    #: When it ended, in nanoseconds since 1970; None: not yet, or unknown.
    finished_ns: Optional[int] = None
    #: The container's own labels. Those of the pod stand at the pod.
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: The container's own annotations.
    annotations: Mapping[str, str] = field(default_factory=dict, hash=False)
    #: What the program itself has added (`Watcher.attach`), as JSON.
    rucksack: str = ""

    @property
    def is_sandbox(self) -> bool:
        """Whether it is the sandbox of a pod."""
        return self.kind == Kind.SANDBOX

    @property
    def path(self) -> str:
        """ "namespace/pod/container", of a sandbox "namespace/pod": a name by which the watcher finds it."""
        if self.pod is None:
            return self.name
        pod = f"{self.pod.namespace}/{self.pod.name}"
        return pod if self.is_sandbox else f"{pod}/{self.name}"

    @property
    def created_at(self) -> Optional[datetime]:
        """When it was created."""
        return _moment(self.created_ns)

    @property
    def started_at(self) -> Optional[datetime]:
        """When it was started."""
        return _moment(self.started_ns)

    @property
    def finished_at(self) -> Optional[datetime]:
        """When it ended."""
        return _moment(self.finished_ns)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], pod: Optional[Pod] = None) -> Container:
        """A container as the library's JSON tells it; of one with chosen fields, the others have their defaults.

        `pod` is the one it stands under, in a list of pods. Annotations are taken out of the merged view of labels.
        """
        image = value.get("image", {})
        merged: Mapping[str, str] = value.get("labels", {})
        prefix = len(ANNOTATION_KEY_PREFIX)
        annotations = {key[prefix:]: text for key, text in merged.items() if key.startswith(ANNOTATION_KEY_PREFIX)}
        return cls(
            id=value["id"],
            name=value.get("name", ""),
            kind=named(Kind, value.get("kind", "container")),
            state=named(State, value.get("state", "unknown")),
            attempt=value.get("attempt", 0),
            pod=Pod.from_json(value["pod"]) if "pod" in value else pod,
            pid=value.get("pid"),
            exit_code=value.get("exitCode"),
            missing=flags_of(Missing, value.get("missing", ()), {"exitCode": "EXIT"}),
            image=image.get("name", ""),
            image_ref=image.get("ref", ""),
            image_id=image.get("id", ""),
            reason=value.get("reason", ""),
            message=value.get("message", ""),
            cgroup_path=value.get("cgroupPath", ""),
            created_ns=nanoseconds(value.get("createdAt")),
            started_ns=nanoseconds(value.get("startedAt")),
            finished_ns=nanoseconds(value.get("finishedAt")),
            labels={key: text for key, text in merged.items() if not key.startswith(ANNOTATION_KEY_PREFIX)},
            annotations={**annotations, **value.get("annotations", {})},
            rucksack=json.dumps(value["rucksack"]) if "rucksack" in value else "",
        )


@dataclass(frozen=True)
class Event:
    """Something that happened."""

    #: What. Ignore types that you do not know.
    type: EventType
    #: How it is known, and what is special about it.
    flags: EventFlag
    #: Grows from event to event.
    seq: int
    #: The generation of the picture that shows this.
    generation: int
    #: Of an OVERFLOW: how many events this consumer lost.
    lost: int
    #: Of an UPDATED: what has changed.
    changed: Changed
    #: When it happened, as far as the engine says, in nanoseconds since 1970.
    time_ns: int
    #: When the watcher noticed, in nanoseconds since 1970.
    observed_ns: int
    #: The container or sandbox; None where the event is not about one.
    container: Optional[Container]
    #: What the watcher was doing when it told this.
    watcher_state: WatcherState
    #: Of a STATE: why, in words. Of a LOG: what it says.
    message: str
    #: Of a LOG: how much it matters; None otherwise.
    log_level: Optional[LogLevel]

    @property
    def time(self) -> datetime:
        """When it happened."""
        return _moment(self.time_ns) or datetime.fromtimestamp(0, timezone.utc)

    @property
    def observed(self) -> datetime:
        """When the watcher noticed."""
        return _moment(self.observed_ns) or datetime.fromtimestamp(0, timezone.utc)


def _network(is_hosts: Optional[bool]) -> PodFlag:
    if is_hosts is None:
        return PodFlag(0)
    return PodFlag.HOST_NETWORK if is_hosts else PodFlag.OWN_NETWORK


def _moment(unix_nano: Optional[int]) -> Optional[datetime]:
    if not unix_nano:
        return None
    # By integers: a float has no room for the microseconds of today.
    seconds, rest = divmod(unix_nano, 1_000_000_000)
    return datetime.fromtimestamp(seconds, timezone.utc).replace(microsecond=rest // 1000)
