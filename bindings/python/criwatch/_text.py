"""Converts texts and times for the library, and from it."""

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
    """A text for C. The escaped bytes of file names and arguments are passed on as they are; the library checks them."""
    if text is None:
        return None
    try:
        data = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise failure(Status.E_INVALID_ARGUMENT, f"{text!r} is no text: {error}") from error
    if b"\0" in data:
        # C would silently see only a part of it.
        raise failure(Status.E_INVALID_ARGUMENT, f"{text!r} has a NUL inside")
    return data


def to_milliseconds(timeout: Optional[float]) -> int:
    """A timeout in seconds for C. None, infinity and negative numbers mean for ever."""
    if timeout is None or timeout < 0 or math.isinf(timeout):
        return -1
    if math.isnan(timeout):
        raise failure(Status.E_INVALID_ARGUMENT, "a timeout that is no number")
    # Never shorter than given, but 7 ms given as 0.007 stay 7. A time longer than the library's longest means for ever.
    return min(math.ceil(round(timeout * 1000, 3)), 2**62)


def to_unsigned(number: int, bits: int, what: str) -> int:
    """A number for C. It is checked, because ctypes would silently cut off what is too large."""
    if not 0 <= number < 1 << bits:
        raise failure(Status.E_INVALID_ARGUMENT, f"{what} is {number}: not from 0 to {(1 << bits) - 1}")
    return number


def to_signed(number: int, bits: int, what: str) -> int:
    """As `to_unsigned`, for a number that may be negative."""
    if not -(1 << bits - 1) <= number < 1 << bits - 1:
        raise failure(Status.E_INVALID_ARGUMENT, f"{what} is {number}: no number of {bits} bits")
    return number


def buffer_of(name: str, *arguments: Any) -> Optional[str]:
    """The text that a function writes into a buffer; None for the note CRI_NONE."""
    buffer = _capi.cri_buffer()
    try:
        status = call(name, *arguments, ctypes.byref(buffer))
        if status == Status.NONE:
            return None
        # JSON contains no NUL, so ctypes copies all of it.
        return (buffer.data or b"").decode("utf-8")
    finally:
        library().cri_buffer_free(ctypes.byref(buffer))


def text_of(name: str, *arguments: Any) -> str:
    """As `buffer_of`, for a function that always writes a text."""
    return buffer_of(name, *arguments) or ""


def to_json(value: Any) -> str:
    """A value as JSON. A text has to be JSON already."""
    return value if isinstance(value, str) else json.dumps(value)
