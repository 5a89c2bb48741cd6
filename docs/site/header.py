"""Reads include/criwatch.h: its preamble, its sections, and the declarations of each.

It knows the style that cbindgen writes here, not all of C.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

BANNER = "=" * 40


@dataclass
class Field:
    """A field of a struct."""

    name: str
    text: str


@dataclass
class Item:
    """Something that the header declares, with its comment."""

    kind: str  # function, struct, opaque, callback, type, constant, macro
    name: str
    code: str
    text: str
    group: str = ""
    value: str = ""
    parameters: list[tuple[str, str]] = field(default_factory=list)
    returns: str = ""
    note: str = ""
    fields: list[Field] = field(default_factory=list)

    @property
    def summary(self) -> str:
        """The first sentence."""
        paragraph = " ".join(self.text.split("\n\n")[0].split())
        return re.split(r"(?<=\.)\s+(?=[A-Z])", paragraph)[0]


@dataclass
class Section:
    """A section of the header: everything after one banner comment."""

    title: str
    text: str
    items: list[Item] = field(default_factory=list)

    def of_kind(self, *kinds: str) -> list[Item]:
        return [item for item in self.items if item.kind in kinds]


@dataclass
class Header:
    """The whole header."""

    preamble: str
    sections: list[Section]

    @property
    def items(self) -> dict[str, Item]:
        return {item.name: item for section in self.sections for item in section.items}

    @property
    def version(self) -> str:
        return ".".join(self.items[f"CRI_VERSION_{part}"].value for part in ("MAJOR", "MINOR", "PATCH"))


def read(path: Path) -> Header:
    """Reads the header. Anything unknown between the two `extern "C"` lines is an error."""
    text = path.read_text()
    preamble = _comment(text[: text.index("*/")])
    preamble = preamble.split("\n\nGenerated from ")[0]
    body = text.split('extern "C" {\n#endif\n', 1)[1].rsplit("#ifdef __cplusplus", 1)[0]
    sections: list[Section] = []
    group = ""
    for comment, code in re.findall(r"(/\*.*?\*/)\n((?:(?!\s*/\*)[^\n]*\n)*)", _flattened(body), re.S):
        text = _comment(comment.removesuffix("*/"))
        if BANNER in comment:
            title, _, rest = text.partition("\n\n")
            sections.append(Section(title.strip(), rest))
            group = ""
        elif comment.startswith("/**"):
            sections[-1].items.append(_item(text, code.strip(), group))
        else:
            group = text.rstrip(":")
    return Header(preamble, sections)


def _flattened(body: str) -> str:
    """Turns the comments of fields into `//<` after the fields, so that each other comment has one declaration."""

    def struct(match: re.Match[str]) -> str:
        lines = re.sub(
            r"[ \t]*/\*\*(.*?)\*/\n([^\n]*)",
            lambda one: f"{one[2]}//<{' '.join(re.sub(r'^ *[*] ?', '', one[1], flags=re.M).split())}",
            match[2],
            flags=re.S,
        )
        return f"{match[1]}{lines}{match[3]}"

    return re.sub(r"(^typedef struct \w+ \{\n)(.*?)(^\} \w+;\n)", struct, body, flags=re.S | re.M)


def _comment(text: str) -> str:
    """The text of a comment, without its stars."""
    lines = re.sub(r"^/\*+ ?", "", text).rstrip().split("\n")
    lines = [re.sub(r"^ \*(?: |$)", "", line).rstrip() for line in lines]
    return "\n".join(line for line in lines if BANNER not in line).strip("\n").rstrip()


def _item(comment: str, code: str, group: str) -> Item:
    text, parameters, returns, note = _tags(comment)
    # An attribute of almost all functions tells a reader nothing.
    plain = re.sub(r"^CRI_NODISCARD\s+", "", re.sub(r"//<.*", "", code))
    kind, name, value = _declared(plain)
    item = Item(kind, name, plain, text, group, value, parameters, returns, note)
    if kind == "struct":
        item.fields = [Field(*found) for found in re.findall(r"(\w+);//<(.*)$", code, re.M)]
    return item


def _declared(code: str) -> tuple[str, str, str]:
    """The kind of a declaration, its name, and the value of a constant."""
    if match := re.match(r"#define (\w+)(\([a-z]\w*\))?\s*(.*)", code):
        is_constant = not match[2] and re.fullmatch(r'\(?-?\d+\)?|".*"', match[3])
        return ("constant", match[1], match[3].strip("()")) if is_constant else ("macro", match[1], "")
    if match := re.match(r"typedef struct (\w+) \{", code):
        return "struct", match[1], ""
    if match := re.match(r"typedef struct (\w+) \1;", code):
        return "opaque", match[1], ""
    if match := re.match(r"typedef [^;]*\(\*(\w+)\)", code):
        return "callback", match[1], ""
    if match := re.match(r"typedef [^;]*\b(\w+);", code):
        return "type", match[1], ""
    if match := re.match(r"[^;(]*?\b(cri_\w+)\(", code):
        return "function", match[1], ""
    raise ValueError(f"criwatch.h: neither function, type nor macro: {code!r}")


def _tags(comment: str) -> tuple[str, list[tuple[str, str]], str, str]:
    text, *tags = re.split(r"^@", comment, flags=re.M)
    parameters, returns, note = [], "", ""
    for tag in tags:
        word, _, rest = " ".join(tag.split()).partition(" ")
        if word == "param":
            name, _, about = rest.partition(" ")
            parameters.append((name, about))
        elif word == "return":
            returns = rest
        elif word == "note":
            note = rest
        else:
            raise ValueError(f"criwatch.h: an unknown tag: @{word}")
    return text.strip(), parameters, returns, note
