"""YAML of any JSON value.

Forty lines instead of PyYAML: the command prints YAML and never reads it, and so works where nothing else is installed.
Texts that YAML might take for something else are written as JSON writes them, which is YAML, too.
"""

from __future__ import annotations

import json
import re
from typing import Any, Iterator

# Begins with a letter or / and holds nothing that YAML gives a meaning to.
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./@+-]*(:[A-Za-z0-9_./@+-]+)*")
_WORDS = frozenset("true false null yes no on off y n".split())


def dump(value: Any) -> str:
    """A value as a YAML document, with a line end."""
    return "\n".join(_lines(value)) + "\n"


def _lines(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _under(f"{_scalar(key)}:", inner, "  ")
    elif isinstance(value, list) and value:
        for inner in value:
            first = True
            for line in _lines(inner):
                yield ("- " if first else "  ") + line
                first = False
    else:
        yield _scalar(value)


def _under(head: str, value: Any, indent: str) -> Iterator[str]:
    if isinstance(value, (dict, list)) and value:
        yield head
        # A list stands out by its dashes.
        yield from ((indent if isinstance(value, dict) else "") + line for line in _lines(value))
    else:
        yield f"{head} {_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return escaped(json.dumps(value, ensure_ascii=False))


def escaped(text: str, is_json: bool = False) -> str:
    """Quoted texts in which nothing can move a terminal's cursor, as YAML or JSON spells that."""

    def spelled(character: str) -> str:
        if character.isprintable() or character == "\n":
            return character
        if ord(character) <= 0xFFFF:
            return f"\\u{ord(character):04x}"
        # A surrogate pair of JSON would be two characters in YAML.
        return json.dumps(character)[1:-1] if is_json else f"\\U{ord(character):08x}"

    return text if text.isprintable() else "".join(map(spelled, text))
