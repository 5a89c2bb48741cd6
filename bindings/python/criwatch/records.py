"""Containers, pods and events as plain, frozen dataclasses: copies that outlive everything they came from."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Dict, Mapping, Optional, Type, TypeVar

from criwatch._docs import DOCS
from criwatch._fields import ContainerFields, EventFields, PodFields
from criwatch._json import ToJson, known, nanoseconds, rfc3339
from criwatch.enums import (
    ANNOTATION_KEY_PREFIX,
    LABEL_CONTAINER_NAME,
    LABEL_POD_NAME,
    LABEL_POD_NAMESPACE,
    LABEL_POD_UID,
    LABEL_SANDBOX,
    EventType,
    Kind,
    LogLevel,
    Missing,
    PodFlag,
    PodState,
    State,
    WatcherState,
)

T = TypeVar("T")


def _documented(record: Type[T]) -> Type[T]:
    """Adds to a docstring what the fields are, as the header says it."""
    fields = "\n".join(f"        {name}: {text}" for name, text in DOCS[record.__name__].items())
    record.__doc__ = f"{record.__doc__}\n\n    Attributes:\n{fields}\n    "
    return record


@_documented
@dataclass(frozen=True, repr=False)
class Pod(ToJson, PodFields):
    """A pod, as its sandbox shows it. Texts that are "" are not known, or do not apply."""

    runtime_handler: str = field(default="", compare=False)
    """The runtime class's handler; "" for the default one, and where only a record (a snapshot, an event) was read."""
    created_ns: Optional[int] = field(default=None, compare=False)
    """When the sandbox was created, in nanoseconds since 1970; None: unknown, or only a record was read."""

    @property
    def path(self) -> str:
        """ "namespace/pod": a name by which the watcher finds its sandbox."""
        return f"{self.namespace}/{self.name}"

    @property
    def host_network(self) -> bool:
        """Whether the pod shares the node's network."""
        return bool(self.flags & PodFlag.HOST_NETWORK)

    @property
    def created_at(self) -> Optional[datetime]:
        """When the sandbox was created."""
        return _moment(self.created_ns)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Pod:
        """A pod as the library's JSON tells it."""
        return cls(
            id=value["id"],
            name=value["name"],
            namespace=value["namespace"],
            uid=value["uid"],
            attempt=value["attempt"],
            state=PodState.of_word(value["state"]),
            flags=_network(value.get("hostNetwork")),
            ips=tuple(value.get("ips", ())),
            labels=value["labels"],
            annotations=value["annotations"],
            cgroup_path=value.get("cgroupPath", ""),
            runtime_handler=value.get("runtimeHandler", ""),
            created_ns=nanoseconds(value.get("createdAt")),
        )

    def to_dict(self) -> Dict[str, Any]:
        """Itself with the keys of the library's JSON; "hostNetwork" is there where it holds."""
        values = {
            "id": self.id,
            "name": self.name,
            "namespace": self.namespace,
            "uid": self.uid,
            "attempt": self.attempt,
            "state": self.state.word,
            "labels": dict(self.labels),
            "annotations": dict(self.annotations),
            "ips": list(self.ips),
            "hostNetwork": self.host_network or None,
            "runtimeHandler": self.runtime_handler,
            "createdAt": rfc3339(self.created_ns),
        }
        return known(values, "name", "namespace", "uid", "labels", "annotations")

    def __repr__(self) -> str:
        return f"<Pod {self.path} {self.state}>"


@_documented
@dataclass(frozen=True, repr=False)
class Container(ToJson, ContainerFields):
    """A container or a pod's sandbox, as it was at one moment. Texts that are "" are not known, or do not apply."""

    pod: Optional[Pod] = None
    """The pod; None while it is unknown."""
    engine_pid: Optional[int] = field(default=None, compare=False)
    """The pid in the engine's words, where that differs; None, too, where only a record (a snapshot, an event) was read."""

    @property
    def is_sandbox(self) -> bool:
        """Whether it is the sandbox of a pod."""
        return self.kind == Kind.SANDBOX

    @property
    def path(self) -> str:
        """ "namespace/pod/container", of a sandbox "namespace/pod": a name by which the watcher finds it."""
        if self.pod is None:
            return self.name
        return self.pod.path if self.is_sandbox else f"{self.pod.path}/{self.name}"

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
            kind=Kind.of_word(value.get("kind", "container")),
            state=State.of_word(value.get("state", "unknown")),
            attempt=value.get("attempt", 0),
            pod=Pod.from_json(value["pod"]) if "pod" in value else pod,
            pid=value.get("pid"),
            engine_pid=value.get("enginePid"),
            exit_code=value.get("exitCode"),
            missing=Missing.of_words(value.get("missing", ())),
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

    def to_dict(self) -> Dict[str, Any]:
        """Itself with the keys of the library's JSON, labels in the merged view, which is the library's default."""
        image = known({"name": self.image, "ref": self.image_ref, "id": self.image_id})
        values = {
            "id": self.id,
            "name": self.name,
            "kind": self.kind.word,
            "state": self.state.word,
            "pid": self.pid,
            "enginePid": self.engine_pid,
            "attempt": self.attempt,
            "pod": None if self.pod is None else self.pod.to_dict(),
            "labels": self._merged(),
            "image": None if self.is_sandbox else image,
            "createdAt": rfc3339(self.created_ns),
            "startedAt": rfc3339(self.started_ns),
            "finishedAt": rfc3339(self.finished_ns),
            "exitCode": self.exit_code,
            "reason": self.reason,
            "message": self.message,
            "cgroupPath": self.cgroup_path,
        }
        result = known(values, "name", "labels", *(() if self.is_sandbox else ("image",)))
        if self.rucksack:
            # Any JSON: null and "" are something here.
            result["rucksack"] = json.loads(self.rucksack)
        if self.missing:
            result["missing"] = self.missing.words
        return result

    def _merged(self) -> Dict[str, str]:
        """Labels, names and annotations in one, as the library shows them."""
        merged = {ANNOTATION_KEY_PREFIX + key: text for key, text in self.annotations.items()}
        merged.update(self.labels)
        if self.pod is not None:
            merged[LABEL_POD_NAME] = self.pod.name
            merged[LABEL_POD_NAMESPACE] = self.pod.namespace
            merged[LABEL_POD_UID] = self.pod.uid
        merged.update({LABEL_SANDBOX: ""} if self.is_sandbox else {LABEL_CONTAINER_NAME: self.name})
        return dict(sorted(merged.items()))

    def __repr__(self) -> str:
        kind = "Sandbox" if self.is_sandbox else "Container"
        # After the end, the pid may be another process's.
        told = {"pid": self.pid if self.state == State.RUNNING else None, "exit": self.exit_code}
        more = "".join(f" {key}={value}" for key, value in told.items() if value is not None)
        return f"<{kind} {self.path or self.id} {self.state}{more}>"


@_documented
@dataclass(frozen=True, repr=False)
class Event(ToJson, EventFields):
    """Something that happened. Ignore types that you do not know."""

    container: Optional[Container]
    """The container or sandbox; None where the event is not about one."""

    @property
    def state(self) -> WatcherState:
        """The same as `watcher_state`, under its name in JSON and in Go."""
        return self.watcher_state

    @property
    def level(self) -> Optional[LogLevel]:
        """The same as `log_level`, under its name in JSON and in Go."""
        return self.log_level

    @property
    def time(self) -> datetime:
        """When it happened."""
        return _moment(self.time_ns) or datetime.fromtimestamp(0, timezone.utc)

    @property
    def observed(self) -> datetime:
        """When the watcher noticed."""
        return _moment(self.observed_ns) or datetime.fromtimestamp(0, timezone.utc)

    def to_dict(self) -> Dict[str, Any]:
        """Itself with the keys of the library's JSON, "criwatch.event/1"."""
        values = {
            "schema": "criwatch.event/1",
            "type": self.type.word,
            "flags": self.flags.words,
            "seq": self.seq,
            "generation": self.generation,
            "time": rfc3339(self.time_ns),
            "observed": rfc3339(self.observed_ns),
            "state": self.watcher_state.word,
            "lost": self.lost if self.type == EventType.OVERFLOW else None,
            "changed": self.changed.words,
            "level": None if self.log_level is None else self.log_level.word,
            "message": self.message,
            "container": None if self.container is None else self.container.to_dict(),
        }
        return known(values)

    def __repr__(self) -> str:
        about: object = self.container
        if self.type == EventType.OVERFLOW:
            about = f"lost={self.lost}"
        elif self.type == EventType.STATE:
            about = self.watcher_state
        words = [self.type.word, *self.flags.words, *self.changed.words, about, self.message and repr(self.message)]
        return f"<Event {' '.join(str(word) for word in words if word not in (None, ''))}>"


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
