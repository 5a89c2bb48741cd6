"""criwatch events: what changes, a line for each event."""

from __future__ import annotations

import json
import select
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import dataclass, replace
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from criwatch import Container, EventQueue, EventType, NotFound, QueueClosed, State, SubscribeFlag, Watcher
from criwatch._json import nanoseconds
from criwatch.cli import options, words
from criwatch.cli.engine import follow, looking
from criwatch.cli.exits import Exit, NothingMatches
from criwatch.cli.nearest import nothing_matches, unknown_name
from criwatch.cli.output import print_document
from criwatch.cli.selection import Filter, is_narrowed, query
from criwatch.cli.table import cut, cut_in_the_middle, printable, width_of
from criwatch.cli.terminal import complain, console, print_line, terminal_width

SUMMARY = "follow what changes"
DESCRIPTION = """Prints a line for each event, until Ctrl-C: first all that runs (marked initial), then what changes,
without a gap. Each run is reported exactly once: started, then exited. If the engine is lost, a state line says so, and
the command tries again for ever. After an overflow a new replay follows."""
EXAMPLES = (
    (
        "names of what exits, from JSON lines",
        "criwatch events --no-replay -t exited -o json | jq -r .container.name",
    ),
    ("wait until a job has ended", "criwatch events --until-exit batch/report/main"),
)

#: The types that can be asked for. The begin and the end of a replay are always shown.
_TYPES = {
    "started": EventType.STARTED,
    "exited": EventType.EXITED,
    "updated": EventType.UPDATED,
    "state": EventType.STATE,
}
_ON_DEMAND = {"created": EventType.CREATED, "removed": EventType.REMOVED, "log": EventType.LOG}

#: From so many columns on, there is room for ids, and for whole ones and milliseconds.
_MEDIUM = 100
_WIDE = 140

#: What is left of an id, and of a container's path, where the terminal is narrow.
_SHORT_ID = 8
_SHORTEST_PATH = 16

_STYLES = {
    "started": "green",
    "exited": "red",
    "updated": "blue",
    "state": "magenta",
    "overflow": "bold red",
    "log": "dim",
}


def define(parser: ArgumentParser) -> None:
    """What it takes."""
    options.add_selection(parser)
    every = {**_TYPES, **_ON_DEMAND}
    parser.add_argument(
        "-t",
        "--type",
        metavar="TYPE",
        action=options.words(tuple(every)),
        help=f"only these types: {', '.join(every)}; with commas, or repeated (default: {', '.join(_TYPES)})",
    )
    parser.add_argument("--kind", choices=("container", "sandbox"), help="only containers, or only pods' sandboxes")
    parser.add_argument(
        "--no-replay",
        action="store_true",
        help="only what changes from now on; after an overflow, too, no replay follows",
    )
    name = parser.add_argument(
        "--until-exit",
        metavar="NAME",
        help="end (0) when this container has exited, or if it has; its id or the begin of it, its name, or "
        "namespace/pod/container",
    )
    options.completed(name, "container")
    options.add_output(parser, "table", "json", "yaml")
    parser.add_argument("--no-trunc", action="store_true", help="whole ids, and lines as long as they need")


def run(arguments: Namespace) -> Exit:
    """Does it."""
    types = {**_TYPES, **_ON_DEMAND}
    asked = [types[word] for word in arguments.type or _TYPES]
    # The end has to be heard of, also by those who do not want to see it.
    heard = [*asked, EventType.EXITED] if arguments.until_exit else asked
    flags = SubscribeFlag.LIVE_ONLY if arguments.no_replay else SubscribeFlag(0)
    show = _printer(arguments)
    with looking(arguments) as watcher:
        selection = Filter(watcher, replace(query(arguments), kind=arguments.kind))
        awaited = _awaited(watcher, arguments.until_exit) if arguments.until_exit else None
        if is_narrowed(arguments) and not watcher.list(replace(query(arguments), all=True, gone=True)).containers:
            # It may come yet.
            complain(f"{nothing_matches(watcher, arguments)} (waiting for what comes)")
        with watcher.queue(*heard, flags=flags) as queue:
            # Only now, so that nothing happens between the two.
            follow(watcher, arguments.timeout)
            if awaited is not None and _has_ended(watcher, awaited):
                return Exit.OK
            for text in _documents(queue):
                event = json.loads(text)
                container = event.get("container")
                is_wanted = types.get(event["type"]) in (None, *asked)
                if is_wanted and (container is None or selection.selects(container["id"])):
                    show(text, event)
                if awaited is not None and event["type"] == "exited" and container["id"] == awaited:
                    break
    return Exit.OK


def _documents(queue: EventQueue) -> Iterator[str]:
    """Each event's JSON. Output is flushed before every wait, and its reader's leaving is noticed while waiting."""
    poll = select.poll()
    poll.register(queue.fileno(), select.POLLIN)
    poll.register(sys.stdout.fileno(), 0)
    while True:
        try:
            text = queue.next_json(0)
        except QueueClosed:
            return
        if text is not None:
            yield text
            continue
        sys.stdout.flush()
        for descriptor, what in poll.poll():
            if descriptor != queue.fileno() and what & (select.POLLERR | select.POLLHUP):
                raise BrokenPipeError


def _awaited(watcher: Watcher, name: str) -> str:
    """The id of the container whose end is waited for: what is not there now would be waited for without end."""
    try:
        return watcher.get(name).id
    except NotFound as error:
        raise NothingMatches(unknown_name(watcher, name, error)) from error


def _has_ended(watcher: Watcher, awaited: str) -> bool:
    """Whether it ended before anybody listened."""
    try:
        return watcher.get(awaited).state == State.EXITED
    except NotFound:
        return True


def _printer(arguments: Namespace) -> Callable[[str, Dict[str, Any]], None]:
    if arguments.output == "yaml":
        return lambda text, event: print_document(text, "yaml")
    if arguments.output == "json":
        # Lines on a terminal, too: each is one event.
        return lambda text, event: print(text)
    return _Lines(arguments.no_trunc).show


class _Lines:
    """Prints events for people: a replay from the oldest on, all else as it comes."""

    def __init__(self, whole: bool) -> None:
        self._whole = whole
        self._terminal = console()
        self._replay: Optional[List[Dict[str, Any]]] = None

    def show(self, text: str, event: Dict[str, Any]) -> None:
        """Prints an event, or keeps it until its replay is complete."""
        if event["type"] == "replayBegin":
            self._replay = []
        elif event["type"] == "replayEnd":
            # The library's order means nothing.
            for one in sorted(self._replay or (), key=lambda one: nanoseconds(one["time"]) or 0):
                self._print(one)
            self._replay = None
        elif self._replay is not None:
            self._replay.append(event)
        else:
            self._print(event)

    def _print(self, event: Dict[str, Any]) -> None:
        width = None if self._whole else terminal_width()
        text = Line.of(event, self._whole)
        print_line(text.words if width is None else text.fitted(width), self._terminal)


@dataclass(frozen=True)
class Line:
    """The line that shows an event."""

    time: words.Word
    type: words.Word
    #: Of the container; "": the event is about none.
    id: words.Word
    path: words.Word
    #: The details, as key=value.
    details: Tuple[str, ...]

    @classmethod
    def of(cls, event: Dict[str, Any], whole: bool = False) -> Line:
        """The line of an event in the library's JSON."""
        kind = event["type"]
        time = words.Word(words.moment(nanoseconds(event["time"]) or 0), "dim")
        word = words.Word(f"{kind:<8}", _STYLES.get(kind, ""))
        if "container" not in event:
            return cls(time, word, words.Word(""), words.Word(""), tuple(_of_watcher(event)))
        container = Container.from_json(event["container"])
        identifier = words.Word(words.short_id(container.id, whole), "cyan")
        return cls(time, word, identifier, words.Word(container.path, "bold"), tuple(_details(event, container)))

    @property
    def words(self) -> Tuple[str, ...]:
        """All of it, for a pipe."""
        return tuple(word for word in (self.time, self.type, self.id, self.path, *self.details) if word)

    def fitted(self, width: int) -> Tuple[str, ...]:
        """What fits into so many columns: ids and milliseconds where there is room, names cut in the middle, then the rest.

        Which of them are shown goes by the width alone, so that they stand below each other.
        """
        # People at a terminal know the day.
        time = self.time.partition("T")[2]
        identifier = self.id[: _SHORT_ID if width < _WIDE else None] if width >= _MEDIUM else ""
        line = replace(
            self,
            time=words.Word(time if width >= _WIDE else time[: len("00:00:00")], "dim"),
            id=words.Word(identifier, self.id.style),
        )
        room = width - (_width(line.words) - width_of(line.path))
        path = cut_in_the_middle(printable(line.path), max(_SHORTEST_PATH, room))
        line = replace(line, path=words.Word(path, self.path.style))
        kept: List[str] = []
        for word in line.words:
            left = width - _width((*kept, ""))
            if left < width_of(printable(word)):
                return (*kept, words.Word(cut(printable(word), left), word.style if isinstance(word, words.Word) else ""))
            kept.append(word)
        return tuple(kept)


def _width(line: Sequence[str]) -> int:
    return sum(width_of(printable(word)) for word in line) + len(line) - 1


def _of_watcher(event: Dict[str, Any]) -> Iterator[str]:
    if event["type"] == "overflow":
        yield f"lost={event.get('lost', 0)}"
    elif event["type"] == "state":
        yield words.Word(event["state"], "bold")
    if "message" in event:
        yield event["message"]


def _details(event: Dict[str, Any], container: Container) -> Iterator[str]:
    flags: List[str] = event.get("flags", [])
    changed: List[str] = event.get("changed", [])
    if container.kind.name == "SANDBOX":
        yield words.Word("sandbox", "dim")
    if changed:
        yield f"changed={','.join(changed)}"
    if event["type"] in ("started", "updated") and container.pid and words.pid(container) != words.NOTHING:
        yield f"pid={container.pid}"
    if event["type"] == "started" and container.attempt:
        yield words.Word(f"restarts={container.attempt}", "yellow")
    if event["type"] == "exited" or "exit" in changed:
        yield from _end(container)
    if flags:
        yield words.Word(f"({','.join(flags)})", "dim")


def _end(container: Container) -> Iterator[str]:
    style = words.end(container).style
    if container.exit_code is not None:
        yield words.Word(f"exit={container.exit_code}", style)
    if container.reason:
        yield words.Word(f"reason={container.reason}", style)
    ran = _duration(container)
    if ran:
        yield f"ran={ran}"


def _duration(container: Container) -> Optional[str]:
    if not container.started_ns or not container.finished_ns or container.finished_ns < container.started_ns:
        return None
    milliseconds = (container.finished_ns - container.started_ns) // 1_000_000
    return f"{milliseconds}ms" if milliseconds < 1000 else words.age(container.started_ns, container.finished_ns)
