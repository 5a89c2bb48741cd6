"""Calls that may wait for the engine, made so that Ctrl-C, cancelling and the interpreter's end need not wait for them.

A signal is handled by Python only between two steps of the main thread, and not while that is inside C. So the call is
made by a daemon thread, and the caller waits in Python. A thread that nobody waits for any more ends with its call.
(The executors of asyncio will not do: at its end, asyncio waits for their threads.)
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
        # Signals are handled by the main thread alone.
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
