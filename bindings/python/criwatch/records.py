"""Containers, pods and events as plain, frozen dataclasses: copies that stay valid without the objects that returned them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Dict, Mapping, Optional, Tuple, Type, TypeVar

from criwatch._fields import ContainerFields, EventFields, PodFields
from criwatch._json import ToJson, known, nanoseconds, rfc3339
from criwatch.details import Mount, Namespaces, Port, Previous, Resources, User, described, moment
from criwatch.enums import (
    ANNOTATION_KEY_PREFIX,
    LABEL_CONTAINER_NAME,
    LABEL_POD_NAME,
    LABEL_POD_NAMESPACE,
    LABEL_POD_UID,
    LABEL_SANDBOX,
    ContainerFlag,
    EventType,
    Kind,
    LogLevel,
    Missing,
    PodFlag,
    PodState,
    State,
    WatcherState,
)


@described
@dataclass(frozen=True, repr=False)
class Pod(ToJson, PodFields):
    """A pod, as its sandbox shows it. Texts that are "" are not known, or do not apply."""

    ports: Tuple[Port, ...] = ()
    """The ports that its containers declare. A declaration opens nothing."""

    @property
    def path(self) -> str:
        """ "namespace/pod": a name by which the watcher finds its sandbox."""
        return f"{self.namespace}/{self.name}"

    @property
    def host_network(self) -> Optional[bool]:
        """Whether the pod shares the node's network; None: unknown."""
        return _told(self.flags, PodFlag.HOST_NETWORK, PodFlag.OWN_NETWORK)

    @property
    def host_pid(self) -> Optional[bool]:
        """Whether the pod shares the node's process ids; None: unknown."""
        return _told(self.flags, PodFlag.HOST_PID, PodFlag.OWN_PID)

    @property
    def host_ipc(self) -> Optional[bool]:
        """Whether the pod shares the node's IPC namespace; None: unknown."""
        return _told(self.flags, PodFlag.HOST_IPC, PodFlag.OWN_IPC)

    @property
    def static_pod(self) -> Optional[bool]:
        """Whether the kubelet made the pod from a file or a URL, without the API server; None: unknown."""
        return _told(self.flags, PodFlag.STATIC, PodFlag.NOT_STATIC)

    @property
    def created_at(self) -> Optional[datetime]:
        """When the sandbox was created."""
        return moment(self.created_ns)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Pod:
        """A pod as the library's JSON has it."""
        return cls(
            id=value["id"],
            name=value["name"],
            namespace=value["namespace"],
            uid=value["uid"],
            attempt=value["attempt"],
            state=PodState.of_word(value["state"]),
            flags=_flag(value.get("hostNetwork"), PodFlag.HOST_NETWORK, PodFlag.OWN_NETWORK)
            | _flag(value.get("hostPid"), PodFlag.HOST_PID, PodFlag.OWN_PID)
            | _flag(value.get("hostIpc"), PodFlag.HOST_IPC, PodFlag.OWN_IPC)
            | _flag(value.get("staticPod"), PodFlag.STATIC, PodFlag.NOT_STATIC),
            ips=tuple(value.get("ips", ())),
            labels=value["labels"],
            annotations=value["annotations"],
            cgroup_path=value.get("cgroupPath", ""),
            runtime_handler=value.get("runtimeHandler", ""),
            created_ns=nanoseconds(value.get("createdAt")),
            net_namespace=value.get("netNamespace"),
            ports=tuple(Port.from_json(port) for port in value.get("ports", ())),
        )

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
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
            "hostNetwork": self.host_network,
            "hostPid": self.host_pid,
            "hostIpc": self.host_ipc,
            "netNamespace": self.net_namespace,
            "cgroupPath": self.cgroup_path,
            "ports": [port.to_dict() for port in self.ports],
            "staticPod": self.static_pod,
            "runtimeHandler": self.runtime_handler,
            "createdAt": rfc3339(self.created_ns),
        }
        return known(values, "name", "namespace", "uid", "labels", "annotations")

    def __repr__(self) -> str:
        return f"<Pod {self.path} {self.state}>"


@described
@dataclass(frozen=True, repr=False)
class Container(ToJson, ContainerFields):
    """A container or a pod's sandbox, as it was at one moment. Texts that are "" are not known, or do not apply."""

    pod: Optional[Pod] = None
    """The pod; None while it is unknown."""
    namespaces: Optional[Namespaces] = None
    """The namespaces of the first process; None if none is known."""
    user: Optional[User] = None
    """The user of the first process; None if it is not known."""
    mounts: Tuple[Mount, ...] = ()
    """The mounts that the author of the pod and the kubelet asked for."""
    resources: Optional[Resources] = None
    """The limits; None if they are not known."""
    previous: Optional[Previous] = None
    """How the previous run ended; None if there was none, or if nothing is known about it."""
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    """The facts under another project's names, if `Query.attributes` or the option attributes asks for them.
    `Snapshot.attributes` gives them for any container."""

    @property
    def is_sandbox(self) -> bool:
        """Whether it is the sandbox of a pod."""
        return self.kind == Kind.SANDBOX

    @property
    def privileged(self) -> Optional[bool]:
        """Whether it is privileged; None: unknown."""
        return _told(self.flags, ContainerFlag.PRIVILEGED, ContainerFlag.UNPRIVILEGED)

    @property
    def path(self) -> str:
        """ "namespace/pod/container", of a sandbox "namespace/pod": a name by which the watcher finds it."""
        if self.pod is None:
            return self.name
        return self.pod.path if self.is_sandbox else f"{self.pod.path}/{self.name}"

    @property
    def created_at(self) -> Optional[datetime]:
        """When it was created."""
        return moment(self.created_ns)

    @property
    def started_at(self) -> Optional[datetime]:
        """When it was started."""
        return moment(self.started_ns)

    @property
    def finished_at(self) -> Optional[datetime]:
        """When it ended."""
        return moment(self.finished_ns)

    @classmethod
    def from_json(cls, value: Mapping[str, Any], pod: Optional[Pod] = None) -> Container:
        """Reads a container of the library's JSON. If it has only chosen fields, the others have their defaults.

        `pod` is its pod in a list of pods. Annotations are taken out of the merged view of labels.
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
            pid_start_ticks=value.get("pidStartTicks"),
            exit_code=value.get("exitCode"),
            flags=ContainerFlag.of_words(value.get("flags", ()))
            | _flag(value.get("privileged"), ContainerFlag.PRIVILEGED, ContainerFlag.UNPRIVILEGED),
            missing=Missing.of_words(value.get("missing", ())),
            image=image.get("name", ""),
            image_ref=image.get("ref", ""),
            image_id=image.get("id", ""),
            image_repository=image.get("repository", ""),
            image_tag=image.get("tag", ""),
            image_digest=image.get("digest", ""),
            reason=value.get("reason", ""),
            message=value.get("message", ""),
            cgroup_path=value.get("cgroupPath", ""),
            cgroup_id=value.get("cgroupId"),
            namespaces=_part(Namespaces, value.get("namespaces")),
            log_path=value.get("logPath", ""),
            command=tuple(value.get("command", ())),
            args=tuple(value.get("args", ())),
            working_dir=value.get("workingDir", ""),
            user=_part(User, value.get("user")),
            mounts=tuple(Mount.from_json(mount) for mount in value.get("mounts", ())),
            resources=_part(Resources, value.get("resources")),
            previous=_part(Previous, value.get("previous")),
            created_ns=nanoseconds(value.get("createdAt")),
            started_ns=nanoseconds(value.get("startedAt")),
            finished_ns=nanoseconds(value.get("finishedAt")),
            labels={key: text for key, text in merged.items() if not key.startswith(ANNOTATION_KEY_PREFIX)},
            annotations={**annotations, **value.get("annotations", {})},
            rucksack=json.dumps(value["rucksack"]) if "rucksack" in value else "",
            attributes=value.get("attributes", {}),
        )

    def to_dict(self) -> Dict[str, Any]:
        """The object with the keys of the library's JSON. Its labels are the merged view, which is the default."""
        image = {"name": self.image, "ref": self.image_ref, "id": self.image_id, "repository": self.image_repository}
        image = known({**image, "tag": self.image_tag, "digest": self.image_digest})
        values = {
            "id": self.id,
            "name": self.name,
            "kind": self.kind.word,
            "state": self.state.word,
            "pid": self.pid,
            "enginePid": self.engine_pid,
            "pidStartTicks": self.pid_start_ticks,
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
            "previous": _dict(self.previous),
            "cgroupPath": self.cgroup_path,
            "cgroupId": self.cgroup_id,
            "namespaces": _dict(self.namespaces),
            "logPath": self.log_path,
            "command": list(self.command),
            "args": list(self.args),
            "workingDir": self.working_dir,
            "user": _dict(self.user),
            "privileged": self.privileged,
            "mounts": [mount.to_dict() for mount in self.mounts],
        }
        result = known(values, "name", "labels", *(() if self.is_sandbox else ("image",)))
        # Known to be empty, so it is an empty object rather than absent.
        if self.resources is not None:
            result["resources"] = self.resources.to_dict()
        if self.rucksack:
            # Any JSON is a value here, even null and "".
            result["rucksack"] = json.loads(self.rucksack)
        flags = self.flags & ~(ContainerFlag.PRIVILEGED | ContainerFlag.UNPRIVILEGED)
        if flags:
            result["flags"] = flags.words
        if self.missing:
            result["missing"] = self.missing.words
        if self.attributes:
            result["attributes"] = dict(self.attributes)
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
        # After the end, another process may have the pid.
        shown = {"pid": self.pid if self.state == State.RUNNING else None, "exit": self.exit_code}
        more = "".join(f" {key}={value}" for key, value in shown.items() if value is not None)
        return f"<{kind} {self.path or self.id} {self.state}{more}>"


@described
@dataclass(frozen=True, repr=False)
class Event(ToJson, EventFields):
    """A change, or news about the watcher. Ignore types that you do not know."""

    container: Optional[Container]
    """The container or sandbox; None if the event is not about one."""

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
        return moment(self.time_ns) or datetime.fromtimestamp(0, timezone.utc)

    @property
    def observed(self) -> datetime:
        """When the watcher noticed."""
        return moment(self.observed_ns) or datetime.fromtimestamp(0, timezone.utc)

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON, "criwatch.event/1"."""
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


_F = TypeVar("_F", PodFlag, ContainerFlag)
_J = TypeVar("_J", Namespaces, User, Resources, Previous)


def _told(flags: _F, is_so: _F, is_not: _F) -> Optional[bool]:
    """Reads two bits as true, false or None."""
    return bool(flags & is_so) if flags & (is_so | is_not) else None


def _flag(fact: Optional[bool], is_so: _F, is_not: _F) -> _F:
    """The inverse of `_told`."""
    if fact is None:
        return type(is_so)(0)
    return is_so if fact else is_not


def _part(kind: Type[_J], value: Optional[Mapping[str, Any]]) -> Optional[_J]:
    """A part of a record, if JSON has it."""
    return None if value is None else kind.from_json(value)


def _dict(part: Optional[ToJson]) -> Optional[Dict[str, Any]]:
    """A part of a record as JSON has it."""
    return None if part is None else part.to_dict()
