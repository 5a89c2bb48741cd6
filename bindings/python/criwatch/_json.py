"""Values as the library's JSON writes them."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from enum import IntEnum, IntFlag
from typing import Iterable, Mapping, Optional, Type, TypeVar

E = TypeVar("E", bound=IntEnum)
F = TypeVar("F", bound=IntFlag)

_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?Z")


def nanoseconds(time: Optional[str]) -> Optional[int]:
    """A time (RFC 3339, UTC) in nanoseconds since 1970."""
    if time is None:
        return None
    match = _TIME.fullmatch(time)
    if match is None:
        raise ValueError(f"{time!r} is no time of the library's JSON")
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    moment = datetime(year, month, day, hour, minute, second, tzinfo=timezone.utc)
    return int(moment.timestamp()) * 1_000_000_000 + int((match[7] or "").ljust(9, "0"))


def flags_of(flags: Type[F], words: Iterable[str], others: Mapping[str, str]) -> F:
    """The bits that JSON calls by these words; `others` are words that are no member's name in camel case."""
    bits = flags(0)
    for word in words:
        name = others.get(word, re.sub(r"([A-Z])", r"_\1", word).upper())
        if name in flags.__members__:
            bits |= flags[name]
    return bits


def named(enumeration: Type[E], word: str) -> E:
    """The member that JSON calls by this word; the one of number 0 where a newer library has another word."""
    members = {member.name.replace("_", "").lower(): member for member in enumeration}
    return members.get(word.lower(), enumeration(0))
