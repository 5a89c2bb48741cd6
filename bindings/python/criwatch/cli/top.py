"""criwatch top: a live table of pods and containers."""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser, Namespace
from dataclasses import replace
from typing import TYPE_CHECKING, Dict, List, Optional, Sequence, Tuple

from criwatch import EngineInfo, EventQueue, EventType, PodEntry, Query, Watcher, WatcherState
from criwatch.cli import options, words
from criwatch.cli.engine import Ends, follow, looking
from criwatch.cli.exits import Exit, NothingMatches, UsageError
from criwatch.cli.nearest import nothing_matches
from criwatch.cli.screen import Screen
from criwatch.cli.selection import is_narrowed, query
from criwatch.cli.table import Table
from criwatch.cli.table import lines as lines_of
from criwatch.cli.terminal import INSTALL, print_table, text
from criwatch.cli.tree import ORDERS, Line, lines, totals

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

SUMMARY = "watch pods and containers live"
DESCRIPTION = """Shows pods and their containers in a table that follows what changes: state, age (since the state
began), pid, restarts, and how each container ended last. What has just changed stands out. The terminal library
(rich) is needed.

keys:
  q         end
  a         all, also what has ended
  s         sort by the next: name, newest, restarts, last exit
  up, down  a line up or down (also k and j); page up, page down, home, end"""
EXAMPLES = (
    ("one namespace, those that restart first", "criwatch top --namespace shop --sort restarts"),
    ("the same table once, for a file", "criwatch top --once"),
)

#: At most so often is anything drawn, in seconds: people see no more, and a busy node has thousands of changes.
_PACE = 0.1

#: How long a change stands out, in seconds.
_FRESH = 3.0

_TYPES = (
    EventType.STARTED,
    EventType.EXITED,
    EventType.UPDATED,
    EventType.STATE,
    EventType.CREATED,
    EventType.REMOVED,
)

_COLUMNS = ("POD / CONTAINER", "STATE", "AGE", "PID", "RESTARTS", "LAST EXIT", "IMAGE")


def define(parser: ArgumentParser) -> None:
    """What it takes."""
    options.add_selection(parser, name=False)
    parser.add_argument("-a", "--all", action="store_true", help="begin with everything, also what has ended")
    parser.add_argument(
        "--sort",
        metavar="ORDER",
        choices=tuple(ORDERS),
        default="name",
        help=f"begin with this order: {', '.join(ORDERS)} (default: name)",
    )
    parser.add_argument("--once", action="store_true", help="print the table once, and end; also for pipes")


def run(arguments: Namespace) -> Exit:
    """Does it."""
    if not arguments.once:
        _require_terminal()
    with looking(arguments) as watcher:
        view = View(watcher, arguments)
        if arguments.once:
            shown = view.lines()
            if not view.entries and is_narrowed(arguments):
                raise NothingMatches(nothing_matches(watcher, arguments))
            print_table(table(shown))
            return Exit.OK
        with watcher.queue(*_TYPES) as queue:
            follow(watcher, arguments.timeout)
            with Screen() as screen:
                _watch(view, queue, screen)
    return Exit.OK


def _require_terminal() -> None:
    if not sys.stdout.isatty():
        raise UsageError("top needs a terminal: use top --once, ps, or events")
    try:
        import rich  # noqa: F401
    except ImportError:
        raise UsageError(f"top needs the terminal library rich: {INSTALL} (top --once, ps and events do not)") from None


def _watch(view: View, queue: EventQueue, screen: Screen) -> None:
    """Draws whenever something changed, and once a second for the ages, until q."""
    window = Window()
    drawn_at, is_dirty = 0.0, True
    while True:
        due = drawn_at + (_PACE if is_dirty else 1.0)
        now = time.monotonic()
        if now >= due:
            screen.draw(lambda: window.drawn(view))
            drawn_at, is_dirty = now, False
            continue
        for key in screen.wait(queue.fileno(), due - now):
            if key == "q":
                return
            window.press(key, view)
            # Who presses a key sees at once what it did.
            drawn_at, is_dirty = 0.0, True
        is_dirty = view.take(queue) or is_dirty


class View:
    """What is shown: the library's cache, and what has changed lately."""

    def __init__(self, watcher: Watcher, arguments: Namespace) -> None:
        self._watcher = watcher
        self._query: Query = replace(query(arguments), all=True, gone=True)
        self._ends = Ends(watcher, arguments.timeout)
        self.everything: bool = arguments.all
        self.order: str = arguments.sort
        self._generation = 0
        self.entries: Sequence[PodEntry] = ()
        self.engine = EngineInfo()
        self.state = WatcherState.NEW
        #: When each has changed last, by the monotonic clock.
        self._changed: Dict[str, float] = {}
        self.events = 0
        self.trouble = ""

    def lines(self) -> List[Line]:
        """The lines of this moment."""
        listed = self._watcher.pods(self._query, if_generation=self._generation)
        if listed is not None:
            self._generation = listed.freshness.generation
            self.entries = [
                replace(entry, containers=tuple(map(self._ends.complete, entry.containers))) for entry in listed.pods
            ]
        self.engine, self.state = self._watcher.engine_info(), self._watcher.state
        return lines(self.entries, everything=self.everything, order=self.order)

    def take(self, queue: EventQueue) -> bool:
        """Takes the events that are there; whether there were any."""
        before = self.events
        while True:
            event = queue.next(0)
            if event is None:
                break
            self.events += 1
            if event.type == EventType.STATE:
                self.trouble = event.message if event.watcher_state == WatcherState.BACKOFF else ""
            # A run of the replay is not a change.
            if event.container is not None and not event.flags & event.flags.INITIAL:
                self._changed[event.container.id] = time.monotonic()
        oldest = time.monotonic() - _FRESH
        self._changed = {one: when for one, when in self._changed.items() if when >= oldest}
        return self.events > before

    def is_fresh(self, identifier: str) -> bool:
        """Whether it has changed a moment ago."""
        return time.monotonic() - self._changed.get(identifier, 0.0) < _FRESH


class Window:
    """The part of the table that fits on the terminal."""

    def __init__(self) -> None:
        self._top = 0
        self._room = 1
        #: Columns only grow, lest the table jump to and fro.
        self._widths: Dict[str, int] = {}

    def press(self, key: str, view: View) -> None:
        """Does what a key says."""
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "page up": -self._room, "page down": self._room, " ": self._room}
        if key in steps:
            self._top += steps[key]
        elif key in ("home", "g"):
            self._top = 0
        elif key in ("end", "G"):
            self._top = 1 << 30
        elif key == "a":
            view.everything = not view.everything
        elif key == "s":
            orders = list(ORDERS)
            view.order = orders[(orders.index(view.order) + 1) % len(orders)]

    def drawn(self, view: View, console: Optional[Console] = None) -> List[str]:
        """The screen's lines, as a terminal takes them."""
        from rich.console import Console

        # Made anew for each drawing, since terminals change their size.
        console = console or Console(highlight=False, markup=False, emoji=False)
        height, width = console.height, console.width
        return [_rendered(console, text(row, gap), width) for row, gap in self.rows(view, height, width)]

    def rows(self, view: View, height: int, width: int) -> List[Tuple[Sequence[str], str]]:
        """The screen's lines: head, table, foot; each its texts, and the gap between them."""
        shown = view.lines()
        self._room = max(1, height - 5)
        self._top = max(0, min(self._top, len(shown) - self._room))
        visible = shown[self._top : self._top + self._room]
        body = table(visible, view)
        self._widths = {name: max(width, self._widths.get(name, 0)) for name, width in body.widths().items()}
        rows: List[Tuple[Sequence[str], str]] = [(line, " ") for line in (*self._head(view, shown), ())]
        rows += [(line, "  ") for line in lines_of(body, width, self._widths)]
        rows += [((), "")] * (height - 1 - len(rows))
        return [*rows[: height - 1], (self._foot(view, len(shown), len(visible)), " ")]

    def _head(self, view: View, shown: Sequence[Line]) -> List[Sequence[str]]:
        good = view.state == WatcherState.WATCHING
        state = words.Word(view.state.name.lower(), "green" if good else "yellow")
        if view.state == WatcherState.BACKOFF:
            state = words.Word("engine lost, retrying", "bold red")
        by = {"stream": "(event stream)", "poll": "(polling)"}.get(view.engine.events, "")
        engine = view.engine.version or view.engine.api
        first = (
            words.Word("criwatch top", "bold"),
            "·",
            engine,
            "·",
            view.engine.id,
            "·",
            state,
            words.Word(by, "dim"),
        )
        second = [totals(shown)]
        if view.trouble:
            second = [words.Word(view.trouble.splitlines()[0], "red")]
        return [first, second]

    def _foot(self, view: View, total: int, visible: int) -> Sequence[str]:
        part = f"{self._top + 1}-{self._top + visible} of {total}" if total else "nothing to show"
        all_key = "a: only running" if view.everything else "a: all"
        return (words.Word(f"q: end   {all_key}   s: sort (by {view.order})   arrows: scroll   {part}", "dim"),)


def table(shown: Sequence[Line], view: Optional[View] = None) -> Table:
    """The lines as a table; what has just changed stands out."""
    rows = Table(
        _COLUMNS,
        numbers=("PID", "RESTARTS"),
        soft=("IMAGE",),
        # How it ended is what people look for here: it goes last.
        optional=("IMAGE", "PID", "RESTARTS"),
        names=("POD / CONTAINER",),
        dispensable=("LAST EXIT", "AGE", "STATE"),
    )
    for one in shown:
        fresh = " bold" if view is not None and view.is_fresh(one.id) else ""
        name = words.Word(one.name, "bold cyan") if one.is_pod else words.Word(f"  {one.name}", fresh.strip())
        last = one.last_exit
        if one.last_exit_ns:
            last = words.Word(f"{last} {words.age(one.last_exit_ns)}", last.style)
        rows.add(
            name,
            words.Word(one.state, f"{one.state.style.replace('dim', '')} reverse" if fresh else one.state.style),
            words.age(one.since_ns),
            one.pid,
            words.Word(str(one.restarts), "yellow" if one.restarts else "dim"),
            last,
            words.Word(one.image, "dim"),
        )
    return rows


def _rendered(console: Console, line: Text, width: int) -> str:
    """What rich would print as a line, not printed yet."""
    line.truncate(width, overflow="ellipsis")
    with console.capture() as captured:
        console.print(line, soft_wrap=True, end="")
    return captured.get()
