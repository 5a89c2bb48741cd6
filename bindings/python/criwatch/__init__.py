"""criwatch: which containers and pods run on this node, now, and what changes.

    import criwatch

    with criwatch.Watcher() as watcher:
        watcher.start()
        for event in watcher.events():
            print(event.type, event.container)

The shared library is loaded when it is first needed, not by the import; see `criwatch.library_path`.
"""

from __future__ import annotations

from criwatch import constants
from criwatch._json import to_dict
from criwatch._library import LibraryUnusable, abi_version, library_path, version, version_number
from criwatch._metrics_table import METRICS
from criwatch.answers import (
    AnyStates,
    ContainerList,
    EngineInfo,
    Freshness,
    Inspection,
    PodEntry,
    PodList,
    Query,
    Selection,
    rows,
)
from criwatch.details import Mount, Namespaces, Port, Previous, Resources, User
from criwatch.enums import (
    ANNOTATION_KEY_PREFIX,
    ENGINE_TYPE,
    LABEL_CONTAINER_NAME,
    LABEL_POD_NAME,
    LABEL_POD_NAMESPACE,
    LABEL_POD_UID,
    LABEL_SANDBOX,
    Changed,
    ContainerFlag,
    EngineNewsType,
    EventFlag,
    EventType,
    InspectFlag,
    Kind,
    LogLevel,
    Missing,
    MountFlag,
    NamespaceKind,
    PodFlag,
    PodState,
    State,
    Status,
    SubscribeFlag,
    WatcherState,
)
from criwatch.errors import (
    Ambiguous,
    ConnectFailed,
    CriError,
    Forked,
    InternalDefect,
    InvalidArgument,
    InvalidOption,
    InvalidQuery,
    NotFound,
    NotReady,
    NotYet,
    OsFailed,
    Panic,
    PermissionDenied,
    Processless,
    ProtocolViolation,
    QueueClosed,
    RpcFailed,
    Stopped,
    Timeout,
    Unsupported,
    WouldDeadlock,
    WrongState,
    status_name,
)
from criwatch.finder import Candidate, EngineNews, Engines, Finder, Reason, discover, discover_json
from criwatch.lookups import Found
from criwatch.queue import EventQueue
from criwatch.records import Container, Event, Pod
from criwatch.snapshot import Snapshot
from criwatch.stats import METRICS_CONTENT_TYPE, EventLag, Metric, RequestStats, Stats
from criwatch.watcher import AnyQuery, Watcher, describe_options, describe_options_json

__version__ = ".".join(
    str(part) for part in (constants.CRI_VERSION_MAJOR, constants.CRI_VERSION_MINOR, constants.CRI_VERSION_PATCH)
)

__all__ = [
    "ANNOTATION_KEY_PREFIX",
    "Ambiguous",
    "AnyQuery",
    "AnyStates",
    "Candidate",
    "Changed",
    "ConnectFailed",
    "Container",
    "ContainerFlag",
    "ContainerList",
    "CriError",
    "ENGINE_TYPE",
    "EngineInfo",
    "EngineNews",
    "EngineNewsType",
    "Engines",
    "Event",
    "EventFlag",
    "EventLag",
    "EventQueue",
    "EventType",
    "Finder",
    "Forked",
    "Found",
    "Freshness",
    "InspectFlag",
    "Inspection",
    "InternalDefect",
    "InvalidArgument",
    "InvalidOption",
    "InvalidQuery",
    "Kind",
    "LABEL_CONTAINER_NAME",
    "LABEL_POD_NAME",
    "LABEL_POD_NAMESPACE",
    "LABEL_POD_UID",
    "LABEL_SANDBOX",
    "LibraryUnusable",
    "LogLevel",
    "METRICS",
    "METRICS_CONTENT_TYPE",
    "Metric",
    "Missing",
    "Mount",
    "MountFlag",
    "NamespaceKind",
    "Namespaces",
    "NotFound",
    "NotReady",
    "NotYet",
    "OsFailed",
    "Panic",
    "PermissionDenied",
    "Pod",
    "PodEntry",
    "PodFlag",
    "PodList",
    "PodState",
    "Port",
    "Previous",
    "Processless",
    "ProtocolViolation",
    "Query",
    "QueueClosed",
    "Reason",
    "RequestStats",
    "Resources",
    "RpcFailed",
    "Selection",
    "Snapshot",
    "State",
    "Stats",
    "Status",
    "Stopped",
    "SubscribeFlag",
    "Timeout",
    "Unsupported",
    "User",
    "Watcher",
    "WatcherState",
    "WouldDeadlock",
    "WrongState",
    "__version__",
    "abi_version",
    "constants",
    "describe_options",
    "describe_options_json",
    "discover",
    "discover_json",
    "library_path",
    "rows",
    "status_name",
    "to_dict",
    "version",
    "version_number",
]
