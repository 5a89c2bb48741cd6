"""Passes a watcher's log messages to `logging`."""

from __future__ import annotations

import logging
import threading
from typing import Dict

from criwatch.enums import EventType, LogLevel
from criwatch.errors import CriError
from criwatch.queue import EventQueue

LEVELS: Dict[LogLevel, int] = {
    LogLevel.ERROR: logging.ERROR,
    LogLevel.WARN: logging.WARNING,
    LogLevel.INFO: logging.INFO,
    LogLevel.DEBUG: logging.DEBUG,
}


class LogPump:
    """A Python thread that reads a queue of LOG events, so that the library never calls into Python.

    It ends with the watcher: stopping that closes the queue, once the last message was taken.
    """

    def __init__(self, queue: EventQueue, logger: logging.Logger) -> None:
        # The thread has no reference to this object or the watcher, so both may be collected while it waits.
        self._thread = threading.Thread(target=_pump, args=(queue, logger), name="criwatch-log", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Waits for the last message, after the watcher has stopped. Does not wait for a handler that hangs."""
        if self._thread is not threading.current_thread():
            self._thread.join(5)


def _pump(queue: EventQueue, logger: logging.Logger) -> None:
    with queue:
        try:
            for event in queue:
                if event.type == EventType.LOG and event.log_level is not None:
                    logger.log(LEVELS.get(event.log_level, logging.ERROR), "%s", event.message)
                elif event.type == EventType.OVERFLOW:
                    logger.warning("%d messages of the watcher were lost: the handlers are too slow", event.lost)
        except CriError as error:
            logger.error("no more messages of the watcher: %s", error)
