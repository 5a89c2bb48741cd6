"""Reads those values of C structs that ctypes does not convert by itself."""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple


def text(data: Optional[bytes]) -> str:
    """A text; "" for NULL."""
    return (data or b"").decode("utf-8")


def texts(array: Any, length: int) -> Tuple[str, ...]:
    """An array of texts."""
    return tuple(text(array[index]) for index in range(length))


def numbers(array: Any, length: int) -> Tuple[int, ...]:
    """An array of numbers."""
    return tuple(array[index] for index in range(length))


def labels(array: Any, length: int) -> Dict[str, str]:
    """An array of labels or annotations."""
    return {text(array[index].key): text(array[index].value) for index in range(length)}
