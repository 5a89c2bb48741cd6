"""Enumerations that accept unknown values, and show themselves by their names in the library's JSON."""

from __future__ import annotations

import re
from enum import Enum, IntEnum, IntFlag
from typing import Iterable, List, Optional, Type, TypeVar

from criwatch._docs import DOCS

T = TypeVar("T", bound=Enum)
E = TypeVar("E", bound="OpenIntEnum")
F = TypeVar("F", bound="OpenIntFlag")

# The last letters of formats for numbers.
_FOR_NUMBERS = frozenset("bcdoxXeEfFgGn%")


class OpenIntEnum(IntEnum):
    """An enumeration that accepts unknown numbers, because a newer library may have more of them.

    `str()` and `format()` give the member's name in the library's JSON, as in Go; its number if it is not known.
    """

    @classmethod
    def _missing_(cls: Type[E], value: object) -> Optional[E]:
        if not isinstance(value, int):
            return None
        member = int.__new__(cls, value)
        member._name_ = f"UNKNOWN_{value}"
        member._value_ = value
        return member

    @property
    def word(self) -> str:
        """The name in the library's JSON: `State.RUNNING` is "running"."""
        return camel(self.name) if self.name in type(self).__members__ else str(int(self))

    @classmethod
    def of_word(cls: Type[E], word: str) -> E:
        """The member with this name in JSON; the member with number 0 for an unknown name."""
        return next((member for member in cls if member.word == word), cls(0))

    def __str__(self) -> str:
        return self.word

    def __format__(self, form: str) -> str:
        return formatted(self, form)


class OpenIntFlag(IntFlag):
    """A set of bits, which keeps unknown ones.

    `str()` and `format()` give the names in the library's JSON with commas between them; "" for no bits.
    """

    @property
    def words(self) -> List[str]:
        """The names in the library's JSON, one for each bit; an unknown bit's number."""
        known = type(self).__members__
        rest = int(self)
        for member in known.values():
            rest &= ~int(member)
        return [self._spelled(name) for name, bit in known.items() if self & bit] + [
            str(1 << index) for index in range(rest.bit_length()) if rest >> index & 1
        ]

    @classmethod
    def of_words(cls: Type[F], words: Iterable[str]) -> F:
        """The bits with these names in JSON; unknown names are left out."""
        bits = cls(0)
        for word in words:
            bits |= next((bit for name, bit in cls.__members__.items() if cls._spelled(name) == word), cls(0))
        return bits

    @classmethod
    def _spelled(cls, name: str) -> str:
        return camel(name)

    def __str__(self) -> str:
        return ",".join(self.words)

    def __format__(self, form: str) -> str:
        return formatted(self, form)


def documented(enumeration: Type[T]) -> Type[T]:
    """Gives the members their docstrings."""
    for name, text in DOCS[enumeration.__name__].items():
        enumeration.__members__[name].__doc__ = text
    return enumeration


def camel(name: str) -> str:
    """A member's name as JSON writes it: `notReady` for `NOT_READY`."""
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name.lower())


def formatted(number: int, form: str) -> str:
    """Formats a member: its text, or its number if the format is for numbers."""
    return format(int(number) if form[-1:] in _FOR_NUMBERS and form else str(number), form)
