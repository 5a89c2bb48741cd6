"""How a container was made, and what a pod declares, as plain, frozen dataclasses."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timezone
from typing import Any, Dict, Mapping, Optional, Type, TypeVar

from criwatch._docs import DOCS
from criwatch._fields import MountFields, NamespacesFields, PortFields, PreviousFields, ResourcesFields, UserFields
from criwatch._json import ToJson, known, nanoseconds, rfc3339
from criwatch._open_enum import camel
from criwatch.enums import MountFlag

_T = TypeVar("_T")


def described(record: Type[_T]) -> Type[_T]:
    """Adds the header's descriptions of the fields to the docstring."""
    text = "\n".join(f"        {name}: {text}" for name, text in DOCS[record.__name__].items())
    record.__doc__ = f"{record.__doc__}\n\n    Attributes:\n{text}\n    "
    return record


def moment(unix_nano: Optional[int]) -> Optional[datetime]:
    """A time as a datetime, to the microsecond."""
    if not unix_nano:
        return None
    # Computed with integers, because a float cannot hold today's time to the microsecond.
    seconds, rest = divmod(unix_nano, 1_000_000_000)
    return datetime.fromtimestamp(seconds, timezone.utc).replace(microsecond=rest // 1000)


def from_camel(record: Any, value: Mapping[str, Any]) -> Dict[str, Any]:
    """The fields of a record whose names JSON has in camel case. Unknown keys are left out."""
    return {one.name: value[camel(one.name)] for one in fields(record) if camel(one.name) in value}


def to_camel(record: Any) -> Dict[str, Any]:
    """The inverse of `from_camel`."""
    return {camel(one.name): getattr(record, one.name) for one in fields(record)}


@described
@dataclass(frozen=True)
class Port(ToJson, PortFields):
    """A port that a container of a pod declares. A declaration opens nothing; it only shows what should listen."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Port:
        """A port as the library's JSON has it."""
        return cls(**from_camel(cls, value))

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        values = to_camel(self)
        order = ("container", "name", "containerPort", "hostPort", "protocol")
        return known({key: values[key] for key in order}, "container", "protocol")


@described
@dataclass(frozen=True)
class Mount(ToJson, MountFields):
    """A mount that the pod's author or the kubelet asked for."""

    @property
    def readonly(self) -> bool:
        """Whether the container cannot write to it."""
        return bool(self.flags & MountFlag.READ_ONLY)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Mount:
        """A mount as the library's JSON has it."""
        flags = MountFlag.READ_ONLY if value["readonly"] else MountFlag(0)
        return cls(container_path=value["containerPath"], host_path=value.get("hostPath", ""), flags=flags)

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        values = {"containerPath": self.container_path, "hostPath": self.host_path, "readonly": self.readonly}
        return known(values, "containerPath")


@described
@dataclass(frozen=True)
class User(ToJson, UserFields):
    """The user of a container's first process."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> User:
        """A user as the library's JSON has it."""
        return cls(uid=value["uid"], gid=value["gid"], groups=tuple(value.get("groups", ())))

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        return known({"uid": self.uid, "gid": self.gid, "groups": list(self.groups)})


@described
@dataclass(frozen=True)
class Resources(ToJson, ResourcesFields):
    """A container's limits. None and "" mean that there is no limit."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Resources:
        """Limits as the library's JSON has them."""
        return cls(**from_camel(cls, value))

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        return known(to_camel(self))


@described
@dataclass(frozen=True)
class Previous(ToJson, PreviousFields):
    """How the previous run ended: the run of the last attempt with the same name in the same pod."""

    @property
    def finished_at(self) -> Optional[datetime]:
        """When it ended."""
        return moment(self.finished_ns)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Previous:
        """The previous run as the library's JSON has it."""
        finished = nanoseconds(value.get("finishedAt"))
        return cls(finished_ns=finished, reason=value.get("reason", ""), exit_code=value.get("exitCode"))

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        return known({"exitCode": self.exit_code, "reason": self.reason, "finishedAt": rfc3339(self.finished_ns)})


@described
@dataclass(frozen=True)
class Namespaces(ToJson, NamespacesFields):
    """The namespaces of a container's first process, by their inode numbers. The kernel reuses the numbers."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Namespaces:
        """Namespaces as the library's JSON has them."""
        return cls(**from_camel(cls, value))

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        return known(to_camel(self))
