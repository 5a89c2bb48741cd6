"""The reference of the C++ binding: the public declarations of its headers, with their comments, without their bodies.

It knows the style of these headers, as clang-format leaves it, not all of C++.
"""

from __future__ import annotations

import re
from html import escape
from pathlib import Path

import text
from text import Links, Markdown

CLASS = re.compile(
    r"(?:template <[^{]*> ?)?(?:class|struct|enum class|union) (?:\[\[nodiscard\]\] )?(\w+(?:<\w+>)?)[^;({]*\{$"
)


def page(folder: Path, links: Links) -> tuple[str, text.Outline]:
    """The page and its outline."""
    html = "<h1>C++ reference</h1>\n<p>Everything is in the namespace <code>criwatch</code>.</p>\n"
    headings: text.Outline = []
    taken: set[str] = set()
    for header in sorted(folder.glob("criwatch/*.hpp")):
        headings.append((2, text.slug(header.name, taken), f"{header.parent.name}/{header.name}"))
        about, outline = _outline(header.read_text().split("\n"))
        html += text.heading(*headings[-1]) + Markdown(links).comment(about)
        for name, code in outline:
            if name:
                headings.append((3, text.slug(name, taken), escape(name)))
                html += text.heading(3, headings[-1][1], f"<code>{escape(name)}</code>")
            html += text.code(code, "cpp")
    return html, headings


def _outline(lines: list[str]) -> tuple[str, list[tuple[str, str]]]:
    """A header's own comment; its classes by name; its free functions and types, without a name."""
    about, at = [], 0
    while lines[at].startswith("///"):
        if not lines[at].startswith(("/// @file", "/// SPDX")):
            about.append(lines[at].removeprefix("/// "))
        at += 1
    pieces: list[tuple[str, list[str]]] = []
    for name, part in _declarations(lines[at:]):
        if name or not pieces or pieces[-1][0]:
            pieces.append((name, part))
        else:
            pieces[-1][1].extend(part)
    return "\n".join(about), [(name, "\n".join(part).strip("\n") + "\n") for name, part in pieces if any(part)]


def _declarations(lines: list[str]) -> list[tuple[str, list[str]]]:
    """The declarations outside of classes, each with its comment."""
    found: list[tuple[str, list[str]]] = []
    comment: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.startswith("///"):
            comment.append(line)
            at += 1
        elif re.match(r"namespace \w+ \{", line) and "detail" in line:
            at, comment = _closing(lines, at), []
        elif not line or line.startswith(("#", "namespace", "inline namespace", "//", "}")):
            at, comment = at + 1, []
        else:
            end = _end(lines, at)
            declared = lines[at : end + 1]
            if comment:
                head = " ".join(declared[:2] if declared[0].startswith("template") else declared[:1])
                match = CLASS.match(head)
                code = _public(declared) if match else _bodiless(declared)
                found.append((match[1] if match else "", [*comment, *code] if match else [*comment, *code, ""]))
            at, comment = end + 1, []
    return found


def _depth(line: str) -> int:
    plain = re.sub(r'"(?:\\.|[^"\\])*"|\'.\'|//.*', "", line)
    return plain.count("{") - plain.count("}")


def _closing(lines: list[str], at: int) -> int:
    """The number of the line after the one that closes what this line opens."""
    depth = 0
    while True:
        depth += _depth(lines[at])
        at += 1
        if depth <= 0:
            return at


def _end(lines: list[str], at: int) -> int:
    """The number of the last line of the declaration that begins here."""
    depth = 0
    while at < len(lines):
        depth += _depth(lines[at])
        code = re.sub(r"\s*//.*", "", lines[at])
        if depth <= 0 and code.endswith((";", "}")):
            return at
        at += 1
    return len(lines) - 1


def _public(lines: list[str]) -> list[str]:
    """A class without private members and without bodies."""
    if re.match(r"(template.*)?enum", lines[0]):
        return lines
    opened = next(at for at, line in enumerate(lines) if line.endswith("{")) + 1
    kept, hidden, at = lines[:opened], lines[opened - 1].lstrip().startswith("class "), opened
    while at < len(lines) - 1:
        line = lines[at].strip()
        if line in ("public:", "protected:", "private:"):
            hidden = line == "private:"
            at += 1
            if not hidden:
                kept.append(lines[at - 1])
        elif not line or line.startswith(("//", "#")):
            if not hidden:
                kept.append(lines[at])
            at += 1
        else:
            end = _end(lines, at)
            if not hidden:
                member = lines[at : end + 1]
                head = " ".join(part.strip() for part in member[:2]).split("{")[0] + "{"
                is_class = CLASS.match(head) and member[-1].strip() == "};"
                kept += _public(member) if is_class else _bodiless(member)
            at = end + 1
    while kept and not kept[-1].strip():
        kept.pop()
    return [*kept, lines[-1]]


def _bodiless(lines: list[str]) -> list[str]:
    """A declaration without a function's body and without a constructor's initialisers."""
    joined = "\n".join(lines)
    if not joined.rstrip().endswith("}"):
        return lines
    cut, parentheses = None, 0
    for at, char in enumerate(joined):
        parentheses += {"(": 1, ")": -1}.get(char, 0)
        is_initialiser = char == ":" and joined[at - 1] == " " and ")" in joined[:at]
        if parentheses == 0 and ")" in joined[:at] and (char == "{" or is_initialiser):
            cut = at
            break
    return lines if cut is None else (joined[:cut].rstrip() + ";").split("\n")
