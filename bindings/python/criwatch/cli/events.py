"""criwatch events: what changes, a line for each event."""

from __future__ import annotations

import json
import select
import sys
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from typing import Any, Callable, Dict, Iterator, List, Optional

from criwatch import Container, EventQueue, EventType, QueueClosed, SubscribeFlag
from criwatch._json import nanoseconds
from criwatch.cli import options, words
from criwatch.cli.engine import follow, looking
from criwatch.cli.exits import Exit
from criwatch.cli.output import print_document
from criwatch.cli.selection import Filter, query
from criwatch.cli.terminal import console, print_line

SUMMARY = "follow what changes"
DESCRIPTION = """Prints a line for each event, until Ctrl-C: first all that lives (marked initial), then what changes,
without a gap. Lives are told exactly once: started, then exited. If the engine is lost, that is told, and it is
looked for again, for ever. After an overflow a new replay follows."""
EXAMPLES = (
    (
        "what dies, as JSON lines",
        "criwatch events --no-replay --type exited -o json | jq -c '.container | {name, exitCode}'",
    ),
    ("wait until a job has ended", "criwatch events --until-exit batch/report/main"),
)

#: What can be asked for. The replay's marks are told to everybody.
_TYPES = {
    "started": EventType.STARTED,
    "exited": EventType.EXITED,
    "updated": EventType.UPDATED,
    "state": EventType.STATE,
}
_ON_DEMAND = {"created": EventType.CREATED, "removed": EventType.REMOVED, "log": EventType.LOG}

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
        help="end (0) when this container has exited: its id or the begin of it, its name, or namespace/pod/container",
    )
    options.completed(name, "container")
    options.add_output(parser, "table", "json", "yaml")
    parser.add_argument("--no-trunc", action="store_true", help="whole ids")


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
        with watcher.queue(*heard, flags=flags) as queue:
            # Only now, so that nothing happens between the two.
            follow(watcher, arguments.timeout)
            for text in _documents(queue):
                event = json.loads(text)
                container = event.get("container")
                is_wanted = types.get(event["type"]) in (None, *asked)
                if is_wanted and (container is None or selection.selects(container["id"])):
                    show(text, event)
                if arguments.until_exit and _is_end_of(event, arguments.until_exit):
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


def _is_end_of(event: Dict[str, Any], name: str) -> bool:
    if event["type"] != "exited":
        return False
    container = Container.from_json(event["container"])
    return name in (container.name, container.path) or (len(name) >= 6 and container.id.startswith(name))


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
        time, *rest = line(event, self._whole)
        # People at a terminal know the day.
        first = words.Word(time.partition("T")[2], "dim") if self._terminal else time
        print_line((first, *rest), self._terminal)


def line(event: Dict[str, Any], whole: bool = False) -> List[str]:
    """An event in words: time, type, id, name, and what is to be said of it as key=value."""
    kind = event["type"]
    style = _STYLES.get(kind, "")
    about = [words.Word(words.moment(nanoseconds(event["time"]) or 0), "dim"), words.Word(f"{kind:<8}", style)]
    if "container" not in event:
        return [*about, *_of_watcher(event)]
    container = Container.from_json(event["container"])
    details = _details(event, container)
    return [
        *about,
        words.Word(words.short_id(container.id, whole), "cyan"),
        words.Word(container.path, "bold"),
        *details,
    ]


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
    lived = _lifetime(container)
    if lived:
        yield f"lived={lived}"


def _lifetime(container: Container) -> Optional[str]:
    if not container.started_ns or not container.finished_ns or container.finished_ns < container.started_ns:
        return None
    milliseconds = (container.finished_ns - container.started_ns) // 1_000_000
    return f"{milliseconds}ms" if milliseconds < 1000 else words.age(container.started_ns, container.finished_ns)
