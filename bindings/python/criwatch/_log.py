"""Hands what a watcher says of its work on to `logging`."""

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
    """A thread of Python's own that empties a queue of LOG events; nothing of the library's ever calls into Python.

    It ends with the watcher, whose stop closes the queue once its last message was taken.
    """

    def __init__(self, queue: EventQueue, logger: logging.Logger) -> None:
        # The thread knows nothing of this object or the watcher: both may be forgotten while it waits.
        self._thread = threading.Thread(target=_pump, args=(queue, logger), name="criwatch-log", daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Waits for the last message, after the watcher has stopped; not for a handler that hangs."""
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
