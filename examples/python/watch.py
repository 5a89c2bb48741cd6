"""Follows what starts and ends on this node, in asyncio, until SIGINT or SIGTERM.

    python3 watch.py [ENDPOINT]

Prints what runs, then a line for each change, and in the end how many there were.
"""

import asyncio
import logging
import signal
import sys
from typing import Dict, Optional

import criwatch
from criwatch import Container, Event, EventType, WatcherState


class Node:
    """What runs on the node, from events alone: one code path for what was there before and what comes."""

    def __init__(self) -> None:
        self.running: Dict[str, Container] = {}
        self.replayed: Optional[Dict[str, Container]] = None
        self.changes = 0

    def take(self, event: Event) -> None:
        if event.type == EventType.REPLAY_BEGIN:
            self.replayed = {}
        elif event.type == EventType.REPLAY_END:
            # What the replay did not show does not run: after an overflow, exits may have been missed.
            self.running, self.replayed = self.replayed or {}, None
            say(f"{len(self.running)} containers and sandboxes run")
        elif event.type == EventType.STATE and event.watcher_state == WatcherState.BACKOFF:
            say(f"the engine is lost: {event.message}")
        elif event.container is not None:
            self.take_change(event, event.container)

    def take_change(self, event: Event, container: Container) -> None:
        if self.replayed is not None and event.type == EventType.STARTED:
            self.replayed[container.id] = container
            return
        self.changes += 1
        if event.type == EventType.EXITED:
            self.running.pop(container.id, None)
            say(f"exited   {container.path} code={container.exit_code} {container.reason}")
        elif event.type == EventType.STARTED:
            self.running[container.id] = container
            say(f"started  {container.path} pid={container.pid} {container.image}")
        elif event.type == EventType.UPDATED and container.id in self.running:
            self.running[container.id] = container


def say(text: str) -> None:
    print(text, flush=True)


async def follow(watcher: criwatch.Watcher, node: Node) -> None:
    async for event in watcher.events_async():
        node.take(event)


async def main() -> None:
    node = Node()
    loop, ends = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ends.set)
    endpoint = sys.argv[1] if len(sys.argv) > 1 else None
    async with criwatch.Watcher(endpoint) as watcher:
        watcher.start()
        following = asyncio.create_task(follow(watcher, node))
        await asyncio.wait({following, asyncio.create_task(ends.wait())}, return_when=asyncio.FIRST_COMPLETED)
        # Ended by stop, not by cancelling: events that wait already are still delivered.
        watcher.stop()
        await following
    say(f"{node.changes} changes, {len(node.running)} still run")


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main())
