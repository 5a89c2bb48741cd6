"""The engines of a node: found once by `discover`, or followed by a `Finder` as they come and go."""

from __future__ import annotations

import ctypes
import json
import time
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from criwatch import _capi
from criwatch._handle import Closable, Handle
from criwatch._html import Tabular
from criwatch._json import ToJson, known
from criwatch._library import library
from criwatch._text import text_of, to_milliseconds
from criwatch._waiting import interruptibly
from criwatch.enums import EngineNewsType, Status
from criwatch.errors import QueueClosed, call, failure
from criwatch.queue import _Wakeup
from criwatch.watcher import _options

#: An error of a candidate, with its keys in the library's JSON.
AnyError = Mapping[str, Any]


@dataclass(frozen=True)
class Reason(ToJson):
    """One reason to look at a socket."""

    evidence: str
    """The kind of reason: "kubelet", "crictl", "wellKnown", "rootless", "nestedKubelet", "nested"."""
    text: str
    """The reason in words: which file or process names the socket."""

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        return {"evidence": self.evidence, "text": self.text}


@dataclass(frozen=True, repr=False)
class Candidate(ToJson):
    """An engine, or a socket at which one should be. What is not known is ""."""

    api: str
    """Its endpoint, for a `Watcher`."""
    answers: bool = False
    """Whether an engine answers there."""
    reasons: Tuple[Reason, ...] = ()
    """Why it was looked at, the strongest reason first."""
    rank: str = ""
    """Why it has this place in the order."""
    runtime_name: str = ""
    """The engine's name, e.g. "containerd"."""
    runtime_version: str = ""
    """Its version, e.g. "2.1.9"."""
    runtime_api_version: str = ""
    """The CRI version it speaks."""
    id: str = ""
    """Its id on this machine: the host name of its UTS namespace, or the option engine.id."""
    pid: Optional[int] = None
    """Its process, in this process's pid namespace; None: unknown."""
    sandboxes: Optional[int] = None
    """How many sandboxes it has, in any state; None: it did not say."""
    error: Optional[AnyError] = None
    """Why it cannot be used: "status", "name", "message" and, where there is one, "osCode" or "grpcCode"."""

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Candidate:
        """A candidate as the library's JSON has it."""
        return cls(
            api=value["api"],
            answers=value["answers"],
            reasons=tuple(Reason(one["evidence"], one["text"]) for one in value["reasons"]),
            rank=value.get("rank", ""),
            runtime_name=value.get("runtimeName", ""),
            runtime_version=value.get("runtimeVersion", ""),
            runtime_api_version=value.get("runtimeApiVersion", ""),
            id=value.get("id", ""),
            pid=value.get("pid"),
            sandboxes=value.get("sandboxes"),
            error=value.get("error"),
        )

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        return known(
            {
                "api": self.api,
                "answers": self.answers,
                "reasons": [one.to_dict() for one in self.reasons],
                "rank": self.rank,
                "runtimeName": self.runtime_name,
                "runtimeVersion": self.runtime_version,
                "runtimeApiVersion": self.runtime_api_version,
                "id": self.id,
                "pid": self.pid,
                "sandboxes": self.sandboxes,
                "error": self.error,
            },
            "reasons",
        )

    def __repr__(self) -> str:
        runtime = " ".join(one for one in (self.runtime_name, self.runtime_version) if one)
        told = (runtime, f"at {self.api}", self.error["name"] if self.error else "")
        return f"<Candidate {' '.join(one for one in told if one)}>"


@dataclass(frozen=True, repr=False)
class Engines(ToJson, Tabular):
    """The result of a search for engines: iterate over it, index it, or show it as a table in a notebook."""

    engines: Tuple[Candidate, ...]
    """The engines, best first. A watcher without an endpoint takes the first one that answers."""
    absent: Tuple[str, ...] = ()
    """Well-known sockets that do not exist."""
    notes: Tuple[str, ...] = ()
    """What could not be read, and what was left out."""

    @classmethod
    def from_json(cls, document: str) -> Engines:
        """Reads the library's JSON, "criwatch.engines/1"."""
        value = json.loads(document)
        return cls(tuple(map(Candidate.from_json, value["engines"])), tuple(value["absent"]), tuple(value["notes"]))

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        return {
            "schema": "criwatch.engines/1",
            "engines": [one.to_dict() for one in self.engines],
            "absent": list(self.absent),
            "notes": list(self.notes),
        }

    def rows(self) -> List[Dict[str, Any]]:
        """A flat dictionary for each engine, as `pandas.DataFrame(criwatch.discover().rows())` takes them."""
        return [
            {
                "api": one.api,
                "answers": one.answers,
                "runtime_name": one.runtime_name,
                "runtime_version": one.runtime_version,
                "sandboxes": one.sandboxes,
                "pid": one.pid,
                "rank": one.rank,
                "error": one.error["message"] if one.error else "",
            }
            for one in self.engines
        ]

    def __getitem__(self, index: int) -> Candidate:
        return self.engines[index]

    def __iter__(self) -> Iterator[Candidate]:
        return iter(self.engines)

    def __len__(self) -> int:
        return len(self.engines)

    def __repr__(self) -> str:
        return f"<Engines {len(self)}>"


@dataclass(frozen=True, repr=False)
class EngineNews(ToJson):
    """An engine was found, has changed, or is lost."""

    type: EngineNewsType
    """What happened."""
    engine: Candidate
    """The engine as it is now, or as it was last seen."""

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON."""
        return {"schema": "criwatch.engineNews/1", "type": self.type.word, "engine": self.engine.to_dict()}

    def __repr__(self) -> str:
        return f"<EngineNews {self.type} {self.engine!r}>"


def discover(options: Optional[Mapping[str, object]] = None, timeout: Optional[float] = None) -> Engines:
    """Finds every engine of the node, best first, with the evidence for it; a socket that cannot be used has an error.

    `options` are those of a watcher: host.root, connect.timeout_ms, discover.nested, discover.sockets. All are asked at
    once. `timeout` is in seconds and for all together; None: the option connect.timeout_ms.
    """
    return Engines.from_json(discover_json(options, timeout))


def discover_json(options: Optional[Mapping[str, object]] = None, timeout: Optional[float] = None) -> str:
    """As `discover`, with the library's JSON, "criwatch.engines/1"."""
    chosen = _options(options or {})
    # Freed by its last user, because an interrupted wait leaves the call running.
    handle = Handle(chosen, library().cri_options_free, "the options", Status.E_STATE)

    def ask() -> str:
        with handle.use() as pointer:
            return text_of("cri_engines_discover", pointer, to_milliseconds(timeout))

    try:
        return interruptibly(ask)
    finally:
        handle.close()


class Finder(Closable):
    """Reports which engines come and go, so that a program can keep a `Watcher` for each. It has to be closed.

    It is an iterator, which ends when the finder is closed. What came and went between two steps is not reported.
    """

    def __init__(self, options: Optional[Mapping[str, object]] = None) -> None:
        """Begins to look for engines in the background. `options` are those of `discover`, and discover.interval_ms."""
        pointer = ctypes.POINTER(_capi.cri_finder)()
        chosen = _options(options or {})
        try:
            call("cri_finder_new", chosen, ctypes.byref(pointer))
        finally:
            library().cri_options_free(chosen)
        self._handle = Handle(pointer, library().cri_finder_free, "the finder", Status.CLOSED)
        self._wakeup = _Wakeup()
        super().__init__()

    def fileno(self) -> int:
        """The descriptor for select, poll and event loops: readable while there is news. Never read or close it."""
        with self._handle.use() as finder:
            return int(library().cri_finder_fd(finder))

    def next(self, timeout: Optional[float] = None) -> Optional[EngineNews]:
        """The next news; None after the timeout (in seconds; None: for ever).

        Raises QueueClosed if no more will come. Ctrl-C and `close` in another thread end the wait at once.
        """
        milliseconds = to_milliseconds(timeout)
        deadline = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
        with self._handle.use() as finder:
            while True:
                taken = self._take(finder)
                left = None if deadline is None else deadline - time.monotonic()
                if taken is not None or (left is not None and left <= 0):
                    return taken
                # The wait is not in the library, because a signal would have to wait there.
                self._wakeup.wait(library().cri_finder_fd(finder), left)
                if self._handle.is_closed:
                    raise failure(Status.CLOSED, "the finder is closed")

    def _take(self, finder: Any) -> Optional[EngineNews]:
        news, endpoint, document = ctypes.c_uint32(), _capi.cri_buffer(), _capi.cri_buffer()
        outputs = (ctypes.byref(news), ctypes.byref(endpoint), ctypes.byref(document))
        try:
            status = call("cri_finder_next", finder, 0, *outputs)
            if status == Status.CLOSED:
                raise failure(status, "the finder has ended: no more news will come")
            if status == Status.AGAIN:
                return None
            engine = json.loads((document.data or b"").decode("utf-8"))["engine"]
            return EngineNews(EngineNewsType(news.value), Candidate.from_json(engine))
        finally:
            library().cri_buffer_free(ctypes.byref(endpoint))
            library().cri_buffer_free(ctypes.byref(document))

    def close(self) -> None:
        """Stops and frees the finder. Waiting calls raise QueueClosed."""
        # Waiting calls have to return; the last of them frees the finder.
        if self._handle.close():
            self._wakeup.wake()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._handle.is_closed

    def __enter__(self) -> Finder:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def __iter__(self) -> Finder:
        return self

    def __next__(self) -> EngineNews:
        try:
            news = self.next()
        except QueueClosed:
            raise StopIteration from None
        assert news is not None, "a wait without an end has ended"
        return news

    def _after_fork(self) -> None:
        self._wakeup.renew_after_fork()
