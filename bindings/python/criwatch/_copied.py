"""Copies the library's records into dataclasses."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, Optional

from criwatch._fields import (
    container_values,
    event_values,
    mount_values,
    namespaces_values,
    pod_values,
    port_values,
    previous_values,
    resources_values,
    user_values,
)
from criwatch.details import Mount, Namespaces, Port, Previous, Resources, User
from criwatch.records import Container, Event, Pod


class Copier:
    """Copies records of one snapshot or event. As long as that exists, each pod has an address of its own."""

    def __init__(self) -> None:
        self._pods: Dict[int, Pod] = {}

    def pod(self, pointer: Any) -> Optional[Pod]:
        """The pod at a pointer; None for NULL."""
        if not pointer:
            return None
        record = pointer.contents
        address = ctypes.addressof(record)
        if address not in self._pods:
            ports = tuple(Port(**port_values(record.ports[index])) for index in range(record.ports_len))
            self._pods[address] = Pod(**pod_values(record, ports))
        return self._pods[address]

    def container(self, pointer: Any) -> Container:
        """The container at a pointer."""
        record = pointer.contents
        values = container_values(
            record,
            pod=self.pod(record.pod),
            namespaces=Namespaces(**namespaces_values(record.namespaces[0])) if record.namespaces else None,
            user=User(**user_values(record.user[0])) if record.user else None,
            mounts=tuple(Mount(**mount_values(record.mounts[index])) for index in range(record.mounts_len)),
            resources=Resources(**resources_values(record.resources[0])) if record.resources else None,
            previous=Previous(**previous_values(record.previous[0])) if record.previous else None,
        )
        return Container(**values)


def event(pointer: Any) -> Event:
    """The event at a pointer."""
    record = pointer.contents
    return Event(**event_values(record, Copier().container(record.container) if record.container else None))
