"""The watcher."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import sys
import threading
from dataclasses import replace
from typing import (
    TYPE_CHECKING,
    Any,
    AsyncIterator,
    Callable,
    Dict,
    Iterator,
    Mapping,
    Optional,
    Tuple,
    TypeVar,
    Union,
    overload,
)

from criwatch import _capi
from criwatch._handle import Closable, Handle
from criwatch._library import library
from criwatch._log import LogPump
from criwatch._text import buffer_of, text_of, to_c, to_json, to_milliseconds, to_unsigned
from criwatch._waiting import awaiting, interruptibly
from criwatch.answers import ContainerList, EngineInfo, Inspection, PodList, Query, Selection
from criwatch.enums import EventType, InspectFlag, Status, SubscribeFlag, WatcherState
from criwatch.errors import CriError, QueueClosed, call, failure
from criwatch.lookups import WaitingLookups
from criwatch.queue import EventQueue, each
from criwatch.records import Container, Event
from criwatch.snapshot import Snapshot
from criwatch.stats import Stats

if sys.version_info >= (3, 11):
    from typing import Unpack
elif TYPE_CHECKING:
    from typing_extensions import Unpack

T = TypeVar("T")

#: A query: a `Query`, its keys in a mapping, or JSON; None: everything that runs.
AnyQuery = Union[Query, Mapping[str, Any], str, None]

#: The type of loggers for a watcher's messages.
LOGGER = logging.getLogger("criwatch")
# As usual for a library, nothing is printed unless the program sets up logging.
LOGGER.addHandler(logging.NullHandler())


def describe_options() -> Any:
    """All options of a watcher: key, type, default, allowed values, and meaning."""
    return json.loads(describe_options_json())


def describe_options_json() -> str:
    """As `describe_options`, with the library's JSON, "criwatch.options/1"."""
    return text_of("cri_options_describe")


class Watcher(Closable, WaitingLookups):
    """Follows one engine: which containers and pods run on this node, now, and what changes.

    Make it, `start` it, and `close` it, which a `with` block does. It reconnects for ever; the cache stays readable
    meanwhile, and `state` is the watcher's state. Everything may be called from any thread. Timeouts are in seconds;
    None is for ever.

    A forked child has to make its own watchers; in it, a watcher that the parent started raises `Forked`.
    """

    def __init__(
        self,
        endpoint: Union[str, "os.PathLike[str]", None] = None,
        options: Optional[Mapping[str, object]] = None,
        *,
        logger: Optional[logging.Logger] = LOGGER,
    ) -> None:
        """Makes a watcher; nothing is read or connected yet.

        `endpoint` is the engine's socket: "unix:///run/containerd/containerd.sock", or a path, also a relative one or a
        `pathlib.Path`; None: the best engine of the node (see `criwatch.discover`). `options` are those of
        `describe_options`. `logger` gets the watcher's messages, from the start on; None: they are dropped.
        """
        self._logger = logger
        self._log: Optional[LogPump] = None
        self._log_lock = threading.Lock()
        self._was_started = False
        pointer = ctypes.POINTER(_capi.cri_watcher)()
        chosen = _options(options or {})
        try:
            call("cri_watcher_new", to_c(_endpoint(endpoint)), chosen, ctypes.byref(pointer))
        finally:
            library().cri_options_free(chosen)
        self._handle = Handle(pointer, library().cri_watcher_free, "the watcher", Status.E_STOPPED)
        super().__init__()

    # Start and end.

    def start(self) -> None:
        """Starts to follow the engine, in the background. An engine that cannot be reached is not an error."""
        with self._handle.use() as watcher:
            self._pump_log()
            call("cri_watcher_start", watcher)
            self._was_started = True

    def wait_ready(self, timeout: Optional[float] = None) -> None:
        """Waits until the first lists are complete and the pid of each entry was asked for."""
        self._waiting(lambda watcher: call("cri_watcher_wait_ready", watcher, to_milliseconds(timeout)), timeout)

    async def wait_ready_async(self, timeout: Optional[float] = None) -> None:
        """As `wait_ready`, for asyncio."""
        await awaiting(lambda: self.wait_ready(timeout))

    def resync(self, timeout: Optional[float] = None) -> None:
        """A barrier: afterwards, all answers are at least as new as a list that began after the call.

        Works on a watcher that was never started, too.
        """
        self._waiting(lambda watcher: call("cri_watcher_resync", watcher, to_milliseconds(timeout)), timeout)

    async def resync_async(self, timeout: Optional[float] = None) -> None:
        """As `resync`, for asyncio."""
        await awaiting(lambda: self.resync(timeout))

    @property
    def state(self) -> WatcherState:
        """The watcher's state."""
        if self.closed:
            return WatcherState.STOPPED
        with self._handle.use() as watcher:
            return WatcherState(library().cri_watcher_state(watcher))

    def stop(self) -> None:
        """Stops for good: ends every wait and every event queue. The cache stays readable until `close`."""
        with self._handle.use() as watcher:
            call("cri_watcher_stop", watcher)

    def close(self) -> None:
        """Stops and frees the watcher, and waits for its last messages. Queues, events and snapshots outlive it."""
        if self._handle.is_closed:
            return
        try:
            # This ends all waits, so that the last user can free the watcher.
            self.stop()
        except CriError as error:
            if error.status not in (Status.E_FORKED, Status.E_STOPPED):
                raise
        finally:
            is_mine = self._handle.close()
        if is_mine and self._log is not None:
            self._log.join()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._handle.is_closed

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def __aenter__(self) -> Watcher:
        return self

    async def __aexit__(self, *exception: object) -> None:
        await awaiting(self.close)

    # Answers from memory: they never wait for the engine.

    # They take a query, or the query's keys as keywords: `watcher.list(namespace="shop", all=True)`.

    @overload
    def list(self, query: AnyQuery = None, **selection: Unpack[Selection]) -> ContainerList: ...

    @overload
    def list(
        self, query: AnyQuery = None, *, if_generation: int, **selection: Unpack[Selection]
    ) -> Optional[ContainerList]: ...

    def list(
        self, query: AnyQuery = None, *, if_generation: Optional[int] = None, **selection: Unpack[Selection]
    ) -> Optional[ContainerList]:
        """Running containers and ready sandboxes, or what a query selects; None if `if_generation` is current."""
        text = self.list_json(_with_generation(_selected(query, selection), if_generation))
        return None if text is None else ContainerList.from_json(text)

    def list_json(self, query: AnyQuery = None, **selection: Unpack[Selection]) -> Optional[str]:
        """As `list`, with the library's JSON, "criwatch.containers/1"; None for the query's "ifGeneration"."""
        return self._buffer("cri_watcher_list", to_c(_query(_selected(query, selection))))

    @overload
    def pods(self, query: AnyQuery = None, **selection: Unpack[Selection]) -> PodList: ...

    @overload
    def pods(
        self, query: AnyQuery = None, *, if_generation: int, **selection: Unpack[Selection]
    ) -> Optional[PodList]: ...

    def pods(
        self, query: AnyQuery = None, *, if_generation: Optional[int] = None, **selection: Unpack[Selection]
    ) -> Optional[PodList]:
        """Pods, each with those of its containers that the query selects; None if `if_generation` is current."""
        text = self.pods_json(_with_generation(_selected(query, selection), if_generation))
        return None if text is None else PodList.from_json(text)

    def pods_json(self, query: AnyQuery = None, **selection: Unpack[Selection]) -> Optional[str]:
        """As `pods`, with the library's JSON, "criwatch.pods/1"; None for the query's "ifGeneration"."""
        return self._buffer("cri_watcher_pods", to_c(_query(_selected(query, selection))))

    def get(self, id_or_name: str) -> Container:
        """One container or sandbox, in any state, even if it is gone and still remembered.

        Its name is an id, "namespace/pod/container" (of a sandbox "namespace/pod"), a container's name, or at least the
        first 6 hex digits of an id. Of several attempts under one name, the running one is returned, else the newest.
        """
        return self.snapshot().find(id_or_name)

    def get_json(self, id_or_name: str) -> str:
        """As `get`, with the library's JSON, "criwatch.container/1"."""
        return self._text("cri_watcher_get", to_c(id_or_name))

    def snapshot(self) -> Snapshot:
        """A snapshot of the cache at this moment."""
        pointer = ctypes.POINTER(_capi.cri_snapshot)()
        with self._handle.use() as watcher:
            call("cri_watcher_snapshot", watcher, ctypes.byref(pointer))
        return Snapshot(pointer)

    def containers(self) -> Tuple[Container, ...]:
        """Everything that runs: containers and ready sandboxes, sorted by namespace, pod and name."""
        return self.snapshot().containers

    @property
    def generation(self) -> int:
        """A number that grows with every change of the cache: while it is the same, a list is the same.

        0 before the cache is filled.
        """
        with self._handle.use() as watcher:
            return int(library().cri_watcher_generation(watcher))

    def engine_info(self) -> EngineInfo:
        """The engine, how changes are noticed, the other engines of the node, and how complete the cache is."""
        answer = json.loads(self.engine_info_json())
        others = {key: answer[key] for key in ("candidates", "ready") if key in answer}
        return EngineInfo.from_json({**answer["engine"], **others})

    def engine_info_json(self) -> str:
        """As `engine_info`, with the library's JSON, "criwatch.engine/1"."""
        return self._text("cri_watcher_engine_info")

    def stats(self) -> Stats:
        """The watcher's counters."""
        return Stats.from_json(self.stats_json())

    def stats_json(self) -> str:
        """As `stats`, with the library's JSON, "criwatch.stats/1"."""
        return self._text("cri_watcher_stats")

    def metrics(self) -> str:
        """The counters for a scraper, in the text format of OpenMetrics, to be served as `METRICS_CONTENT_TYPE`."""
        return self._text("cri_watcher_metrics")

    # Requests to the engine. They also work on a watcher that was never started.

    def inspect(
        self,
        id_or_name: str,
        flags: InspectFlag = InspectFlag(0),
        timeout: Optional[float] = None,
    ) -> Inspection:
        """Everything that the engine gives for one container or sandbox. Names are as for `get`."""
        return Inspection.from_json(self.inspect_json(id_or_name, flags, timeout))

    async def inspect_async(
        self,
        id_or_name: str,
        flags: InspectFlag = InspectFlag(0),
        timeout: Optional[float] = None,
    ) -> Inspection:
        """As `inspect`, for asyncio."""
        return await awaiting(lambda: self.inspect(id_or_name, flags, timeout))

    def inspect_json(
        self,
        id_or_name: str,
        flags: InspectFlag = InspectFlag(0),
        timeout: Optional[float] = None,
    ) -> str:
        """As `inspect`, with the library's JSON, "criwatch.inspect/1"."""
        arguments = to_c(id_or_name), to_unsigned(flags, 32, "flags"), to_milliseconds(timeout)
        return self._waiting(lambda watcher: text_of("cri_watcher_inspect", watcher, *arguments), timeout)

    def call(self, method: str, request: Any = None, timeout: Optional[float] = None) -> Any:
        """Calls any unary RPC of the engine's RuntimeService or ImageService, e.g. "RuntimeService/Status".

        Request (a mapping, or JSON as text) and reply are protocol buffers in their canonical JSON. RPCs that do
        more than read are refused, unless the option call.allow_mutations is set.
        """
        return json.loads(self.call_json(method, request, timeout))

    async def call_async(self, method: str, request: Any = None, timeout: Optional[float] = None) -> Any:
        """As `call`, for asyncio."""
        return await awaiting(lambda: self.call(method, request, timeout))

    def call_json(self, method: str, request: Any = None, timeout: Optional[float] = None) -> str:
        """As `call`, with the reply's JSON as text."""
        arguments = to_c(method), to_c(None if request is None else to_json(request)), to_milliseconds(timeout)
        return self._waiting(lambda watcher: text_of("cri_watcher_call", watcher, *arguments), timeout)

    def attach(self, id_or_name: str, rucksack: Any) -> None:
        """Gives a container a rucksack: any value that JSON can hold. None removes it."""
        self.attach_json(id_or_name, None if rucksack is None else json.dumps(rucksack))

    def attach_json(self, id_or_name: str, rucksack: Optional[str]) -> None:
        """As `attach`, with the rucksack as JSON."""
        with self._handle.use() as watcher:
            call("cri_watcher_attach", watcher, to_c(id_or_name), to_c(rucksack))

    # Events.

    def queue(
        self, *types: EventType, mask: int = 0, flags: SubscribeFlag = SubscribeFlag(0), capacity: int = 0
    ) -> EventQueue:
        """Makes a queue of events of these types; it has to be closed.

        Without types, it gets STARTED, EXITED, UPDATED and STATE. `mask` adds types by their bits. `capacity` is how many
        events may wait; 0: the option queue.capacity.
        """
        return self._queue(types, mask, flags, capacity, warns=True)

    def events(
        self, *types: EventType, mask: int = 0, flags: SubscribeFlag = SubscribeFlag(0), capacity: int = 0
    ) -> Iterator[Event]:
        """Follows events until the watcher stops: `for event in watcher.events():`. Arguments are as for `queue`.

        The watcher has to be started; otherwise this raises `WrongState`, because the wait would never end. To miss no
        event, or to start the watcher in another thread, make a `queue` before the start.
        """
        queue = self._queue_of_started(types, mask, flags, capacity)
        return each(queue, queue.next)

    def events_json(
        self, *types: EventType, mask: int = 0, flags: SubscribeFlag = SubscribeFlag(0), capacity: int = 0
    ) -> Iterator[str]:
        """As `events`, with each event as the library's JSON, "criwatch.event/1"."""
        queue = self._queue_of_started(types, mask, flags, capacity)
        return each(queue, queue.next_json)

    async def events_async(
        self, *types: EventType, mask: int = 0, flags: SubscribeFlag = SubscribeFlag(0), capacity: int = 0
    ) -> AsyncIterator[Event]:
        """Follows events until the watcher stops: `async for event in watcher.events_async():`, as `events`."""
        with self._queue_of_started(types, mask, flags, capacity) as queue:
            while True:
                try:
                    event = await queue.next_async()
                except QueueClosed:
                    return
                yield event

    def _queue_of_started(
        self, types: Tuple[EventType, ...], mask: int, flags: SubscribeFlag, capacity: int
    ) -> EventQueue:
        # The state cannot be used: it is NEW for a moment after the start.
        if not self._was_started and self.state != WatcherState.STOPPED:
            raise failure(Status.E_STATE, "events: the watcher has not been started (start it first)")
        return self._queue(types, mask, flags, capacity, warns=False)

    def _queue(
        self, types: Tuple[EventType, ...], mask: int, flags: SubscribeFlag, capacity: int, *, warns: bool
    ) -> EventQueue:
        pointer = ctypes.POINTER(_capi.cri_event_queue)()
        for one in types:
            mask |= EventType(one).mask
        with self._handle.use() as watcher:
            call(
                "cri_event_queue_new",
                watcher,
                to_unsigned(mask, 32, "the mask"),
                to_unsigned(flags, 32, "flags"),
                to_unsigned(capacity, 64, "the capacity"),
                ctypes.byref(pointer),
            )
        return EventQueue(pointer, warns)

    def _pump_log(self) -> None:
        """Begins to pass on messages. Not called before the start, because threads do not survive a fork."""
        with self._log_lock:
            if self._logger is not None and self._log is None and self.state != WatcherState.STOPPED:
                queue = self._queue((EventType.LOG,), 0, SubscribeFlag.LIVE_ONLY, 0, warns=False)
                self._log = LogPump(queue, self._logger)

    def _waiting(self, ask: Callable[[Any], T], timeout: Optional[float]) -> T:
        """Makes a call that may wait for the engine."""

        def ask_watcher() -> T:
            with self._handle.use() as watcher:
                return ask(watcher)

        self._pump_log()
        # A call that does not wait needs no thread.
        return ask_watcher() if to_milliseconds(timeout) == 0 else interruptibly(ask_watcher)

    def _buffer(self, name: str, *arguments: Any) -> Optional[str]:
        with self._handle.use() as watcher:
            return buffer_of(name, watcher, *arguments)

    def _text(self, name: str, *arguments: Any) -> str:
        return self._buffer(name, *arguments) or ""

    def _after_fork(self) -> None:
        self._log_lock = threading.Lock()
        self._log = None

    def __repr__(self) -> str:
        return f"<Watcher {'closed' if self.closed else self.state}>"


def _endpoint(given: Union[str, "os.PathLike[str]", None]) -> Optional[str]:
    """An endpoint for C. A path object is always a path, whatever its name; the library interprets a text."""
    return os.path.abspath(os.fspath(given)) if isinstance(given, os.PathLike) else given


def _options(options: Mapping[str, object]) -> Any:
    """The library's options object with these options."""
    pointer = ctypes.POINTER(_capi.cri_options)()
    call("cri_options_new", ctypes.byref(pointer))
    try:
        for key, value in options.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            call("cri_options_set", pointer, to_c(key), to_c(text))
    except BaseException:
        library().cri_options_free(pointer)
        raise
    return pointer


def _selected(query: AnyQuery, selection: Mapping[str, Any]) -> AnyQuery:
    """The query, with the keywords added."""
    if not selection:
        return query
    if query is None:
        return Query(**selection)
    if isinstance(query, Query):
        return replace(query, **selection)
    merged: Dict[str, Any] = {**json.loads(_query(query) or "{}"), **Query(**selection).to_dict()}
    return merged


def _query(query: AnyQuery) -> Optional[str]:
    if query is None:
        return None
    return query.to_json() if isinstance(query, Query) else to_json(query)


def _with_generation(query: AnyQuery, if_generation: Optional[int]) -> AnyQuery:
    if if_generation is None:
        return query
    return {**json.loads(_query(query) or "{}"), "ifGeneration": if_generation}
