"""Makes calls that may wait for the engine so that Ctrl-C, cancelling and the interpreter's end need not wait for them.

Python handles a signal only between two steps of the main thread, and not while that is inside C. So a daemon thread
makes the call, and the caller waits in Python. If the caller stops waiting, the thread ends with its call. (The
executors of asyncio cannot be used, because asyncio waits for their threads at its end.)
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future
from typing import Callable, TypeVar

T = TypeVar("T")


def interruptibly(function: Callable[[], T]) -> T:
    """Calls a function that may wait; signals are handled meanwhile."""
    if threading.current_thread() is not threading.main_thread():
        # Only the main thread handles signals.
        return function()
    return _in_thread(function).result()


async def awaiting(function: Callable[[], T]) -> T:
    """Calls a function that may wait, while the loop does other things."""
    return await asyncio.wrap_future(_in_thread(function))


def _in_thread(function: Callable[[], T]) -> "Future[T]":
    future: "Future[T]" = Future()

    def run() -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = function()
        except BaseException as error:  # Whoever waits for the result gets it.
            future.set_exception(error)
        else:
            future.set_result(result)

    threading.Thread(target=run, name="criwatch-call", daemon=True).start()
    return future
