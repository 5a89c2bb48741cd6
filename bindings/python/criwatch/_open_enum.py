"""Enumerations that may grow."""

from __future__ import annotations

from enum import IntEnum
from typing import Optional, Type, TypeVar

Self = TypeVar("Self", bound="OpenIntEnum")


class OpenIntEnum(IntEnum):
    """An enumeration that takes numbers it does not know: a newer library may have more of them."""

    @classmethod
    def _missing_(cls: Type[Self], value: object) -> Optional[Self]:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member
