"""Values as the library's JSON writes them."""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any, Dict, Mapping, Optional

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


def rfc3339(unix_nano: Optional[int]) -> Optional[str]:
    """The inverse of `nanoseconds`, with 0, 3, 6 or 9 digits of the fraction, as many as are needed."""
    if unix_nano is None:
        return None
    seconds, rest = divmod(unix_nano, 1_000_000_000)
    fraction = f"{rest:09d}"
    while fraction.endswith("000"):
        fraction = fraction[:-3]
    whole = datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


def known(values: Mapping[str, Any], *always: str) -> Dict[str, Any]:
    """An object of the library's JSON. Unknown values are left out, except those of the keys in `always`."""
    return {key: value for key, value in values.items() if key in always or value not in (None, "", [], {}, ())}


def compact(value: Any) -> str:
    """JSON in the library's spelling: without spaces."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class ToJson:
    """An object that can be converted to the library's JSON."""

    def to_dict(self) -> Dict[str, Any]:
        """The object as a dictionary with the keys of the library's JSON: only texts, numbers, lists and dictionaries."""
        raise NotImplementedError

    def to_json(self) -> str:
        """The object as JSON, written as the library writes it."""
        return compact(self.to_dict())


def to_dict(value: Any) -> Any:
    """`value.to_dict()`, for `json.dumps(containers, default=criwatch.to_dict)`."""
    if isinstance(value, ToJson):
        return value.to_dict()
    raise TypeError(f"{type(value).__name__} has no JSON of criwatch")
