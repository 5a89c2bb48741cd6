"""Event queues: events taken one by one, in a `for` loop, or in an `async for` loop."""

from __future__ import annotations

import asyncio
import ctypes
import os
import select
import threading
import time
from typing import Any, Callable, Iterator, List, Optional, Tuple, TypeVar

from criwatch import _capi, _copied
from criwatch._handle import Closable, Handle
from criwatch._library import library
from criwatch._text import text_of, to_milliseconds
from criwatch.enums import Status
from criwatch.errors import QueueClosed, call, failure
from criwatch.records import Event

T = TypeVar("T")

# After so many events without a wait, the loop's other tasks get their turn.
_TURN = 64


class EventQueue(Closable):
    """A queue of events of one watcher; `Watcher.queue` makes it. It has to be closed: use it in a `with` block.

    It begins with a replay: REPLAY_BEGIN, a STARTED with flag INITIAL for each run, REPLAY_END; live events follow
    without a gap. A queue that is not emptied in time gets an OVERFLOW, and a new replay follows.

    It is an iterator, and an asynchronous one; both end when the watcher has stopped, or the queue is closed.
    """

    def __init__(self, pointer: Any, warns: bool = True) -> None:
        self._warns = warns
        self._handle = Handle(pointer, library().cri_event_queue_free, "the queue", Status.CLOSED)
        self._wakeup = _Wakeup()
        self._async_waiters: List[Tuple[asyncio.AbstractEventLoop, "asyncio.Future[None]"]] = []
        self._without_wait = 0
        super().__init__()

    def fileno(self) -> int:
        """The descriptor for select, poll and event loops: readable while an event waits, or the queue has ended.

        It belongs to the queue: never read or close it.
        """
        with self._handle.use() as queue:
            return int(library().cri_event_queue_fd(queue))

    def next(self, timeout: Optional[float] = None) -> Optional[Event]:
        """The next event; None after the timeout (in seconds; None: for ever).

        Raises QueueClosed if no more will come. Ctrl-C and `close` in another thread end the wait at once.
        """
        return self._wait_for(_copied.event, timeout)

    def next_json(self, timeout: Optional[float] = None) -> Optional[str]:
        """As `next`, with the event as the library's JSON, "criwatch.event/1"."""
        return self._wait_for(_json, timeout)

    def close(self) -> None:
        """Frees the queue. A call that waits for its next event raises QueueClosed."""
        if self._handle.close():
            self._wakeup.wake()
            for loop, future in list(self._async_waiters):
                try:
                    loop.call_soon_threadsafe(_resolve, future)
                except RuntimeError:
                    pass  # The loop is closed, so nothing waits there.

    @property
    def closed(self) -> bool:
        """Whether `close` was called. A queue whose watcher has stopped ends after its last event."""
        return self._handle.is_closed

    def __enter__(self) -> EventQueue:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    async def __aenter__(self) -> EventQueue:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()

    def __iter__(self) -> EventQueue:
        return self

    def __next__(self) -> Event:
        try:
            event = self.next()
        except QueueClosed:
            raise StopIteration from None
        assert event is not None, "a wait without an end has ended"
        return event

    def __aiter__(self) -> EventQueue:
        return self

    async def __anext__(self) -> Event:
        try:
            return await self.next_async()
        except QueueClosed:
            raise StopAsyncIteration from None

    async def next_async(self) -> Event:
        """The next event, for asyncio; QueueClosed if no more will come. For a timeout, use `asyncio.wait_for`."""
        if self._without_wait >= _TURN:
            # Yields before an event is taken: if the wait were cancelled afterwards, the event would be lost.
            self._without_wait = 0
            await asyncio.sleep(0)
        while True:
            with self._handle.use() as queue:
                event = self._take(queue, _copied.event)
                if event is not None:
                    self._without_wait += 1
                    return event
                self._without_wait = 0
                await self._readable(queue)

    def _wait_for(self, read: Callable[[Any], T], timeout: Optional[float]) -> Optional[T]:
        milliseconds = to_milliseconds(timeout)
        deadline = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
        with self._handle.use() as queue:
            while True:
                taken = self._take(queue, read)
                left = None if deadline is None else deadline - time.monotonic()
                if taken is not None or (left is not None and left <= 0):
                    return taken
                # The wait is not in the library, because a signal would have to wait there.
                self._wakeup.wait(library().cri_event_queue_fd(queue), left)
                if self._handle.is_closed:
                    raise failure(Status.CLOSED, "the queue is closed")

    def _take(self, queue: Any, read: Callable[[Any], T]) -> Optional[T]:
        """The next event, converted by `read`; None if there is none yet."""
        event = ctypes.POINTER(_capi.cri_event)()
        status = call("cri_event_queue_next", queue, 0, ctypes.byref(event))
        if status == Status.CLOSED:
            raise failure(status, "the watcher has stopped: no more events will come")
        if not event:
            return None
        try:
            return read(event)
        finally:
            library().cri_event_free(event)

    async def _readable(self, queue: Any) -> None:
        """Waits until an event may be there, or the queue is closed. Several tasks may wait at once."""
        loop = asyncio.get_running_loop()
        descriptor = library().cri_event_queue_fd(queue)
        future: "asyncio.Future[None]" = loop.create_future()
        if not self._async_waiters:
            loop.add_reader(descriptor, self._resolve_all)
        elif self._async_waiters[0][0] is not loop:
            raise RuntimeError("another event loop waits for this queue: make one for each loop")
        waiter = (loop, future)
        self._async_waiters.append(waiter)
        try:
            if not self._handle.is_closed:
                await future
        finally:
            self._async_waiters.remove(waiter)
            if not self._async_waiters and not loop.is_closed():
                loop.remove_reader(descriptor)
        if self._handle.is_closed:
            raise failure(Status.CLOSED, "the queue is closed")

    def _resolve_all(self) -> None:
        for _, future in self._async_waiters:
            _resolve(future)

    def _after_fork(self) -> None:
        self._wakeup.renew_after_fork()
        self._async_waiters.clear()


class _Wakeup:
    """Ends the waits of other threads for a descriptor. Its pipe is made by the first wait."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pipe: Optional[Tuple[int, int]] = None
        self._is_awake = False

    def wait(self, descriptor: int, seconds: Optional[float]) -> None:
        """Waits until the descriptor is readable, `wake` was called, or the time is over."""
        with self._lock:
            if self._is_awake:
                return
            if self._pipe is None:
                self._pipe = os.pipe()
            reader = self._pipe[0]
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(reader, select.POLLIN)
        # Slightly longer than given, so that the time is also over by the caller's clock.
        poll.poll(None if seconds is None else min(seconds * 1000 + 1, 2**31 - 1))

    def wake(self) -> None:
        """Ends all waits, including later ones."""
        with self._lock:
            self._is_awake = True
            if self._pipe is not None:
                os.write(self._pipe[1], b"x")

    def renew_after_fork(self) -> None:
        """Drops the pipe in a forked child, because it is the parent's."""
        self._lock = threading.Lock()
        self.__del__()

    def __del__(self) -> None:
        pipe, self._pipe = self._pipe, None
        for descriptor in pipe or ():
            os.close(descriptor)


def each(queue: EventQueue, take: Callable[[], Optional[T]]) -> Iterator[T]:
    """Yields what `take` returns until the queue ends. The queue is closed with the iterator."""
    with queue:
        while True:
            try:
                taken = take()
            except QueueClosed:
                return
            if taken is not None:
                yield taken


def _json(event: Any) -> str:
    return text_of("cri_event_json", event)


def _resolve(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
