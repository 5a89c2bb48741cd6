"""Texts and times on their way into the library and out of it."""

from __future__ import annotations

import ctypes
import json
import math
from typing import Any, Optional

from criwatch import _capi
from criwatch._library import library
from criwatch.enums import Status
from criwatch.errors import call, failure


def to_c(text: Optional[str]) -> Optional[bytes]:
    """A text for C. The escaped bytes of file names and arguments go through as they are: the library judges them."""
    if text is None:
        return None
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise failure(Status.E_INVALID_ARGUMENT, f"{text!r} is no text: {error}") from error
    if b"\0" in data:
        # C would silently see less of it.
        raise failure(Status.E_INVALID_ARGUMENT, f"{text!r} has a NUL inside")
    return data


def to_milliseconds(timeout: Optional[float]) -> int:
    """A time in seconds for C; None, infinity and what is below 0: for ever."""
    if timeout is None or timeout < 0 or math.isinf(timeout):
        return -1
    if math.isnan(timeout):
        raise failure(Status.E_INVALID_ARGUMENT, "a timeout that is no number")
    # Never shorter than asked for, and 7 ms given as 0.007 are 7. More than the library's longest is for ever there.
    return min(math.ceil(round(timeout * 1000, 3)), 2**62)


def to_unsigned(number: int, bits: int, what: str) -> int:
    """A number for C, where ctypes would silently cut off what is too large."""
    if not 0 <= number < 1 << bits:
        raise failure(Status.E_INVALID_ARGUMENT, f"{what} is {number}: not from 0 to {(1 << bits) - 1}")
    return number


def to_signed(number: int, bits: int, what: str) -> int:
    """The same for a number that may be below 0."""
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise failure(Status.E_INVALID_ARGUMENT, f"{what} is {number}: no number of {bits} bits")
    return number


def buffer_of(name: str, *arguments: Any) -> Optional[str]:
    """What a function writes into a buffer; None for the note CRI_NONE."""
    buffer = _capi.cri_buffer()
    try:
        status = call(name, *arguments, ctypes.byref(buffer))
        if status == Status.NONE:
            return None
        # JSON has no NUL inside, so that the copy which ctypes makes is the whole.
        return (buffer.data or b"").decode("utf-8")
    finally:
        library().cri_buffer_free(ctypes.byref(buffer))


def text_of(name: str, *arguments: Any) -> str:
    """The same of a function that always has something to say."""
    return buffer_of(name, *arguments) or ""


def to_json(value: Any) -> str:
    """A value as JSON; a text is taken for JSON already."""
    return value if isinstance(value, str) else json.dumps(value)
