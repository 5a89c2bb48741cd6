"""The reference of the Go binding: the output of `go doc -all`, with anchors and colours."""

from __future__ import annotations

import re
import subprocess
from html import escape
from pathlib import Path
from textwrap import dedent

import text

# The beginning of a declaration, with its name: functions, methods, types, and single constants or variables.
NAMED = re.compile(r"^(?:func (?:\(\w* ?\*?(\w+)(?:\[\w+\])?\) )?|type |const |var )(\w+)")


def page(module: Path) -> tuple[str, text.Outline]:
    """The page and its outline. Raises OSError or CalledProcessError if `go doc` fails."""
    output = subprocess.run(["go", "doc", "-all", "."], cwd=module, check=True, capture_output=True, text=True).stdout
    package, _, rest = output.partition("\n")
    blocks = _blocks(rest.split("\n"))
    anchors = {_anchor(lines) for kind, lines in blocks if kind == "code"}
    html = f"<h1>Go reference</h1>\n{text.code(package, 'go')}"
    headings: text.Outline = []
    for kind, lines in blocks:
        if kind == "heading":
            headings.append((2, lines[0].lower(), lines[0].capitalize()))
            html += text.heading(*headings[-1])
        elif kind == "code":
            html += _declaration(lines, headings)
        else:
            html += _words(lines, anchors)
    return html, headings


def _anchor(declaration: list[str]) -> str:
    """`Watcher.Start` for a method, the name for all else; "" for a group."""
    match = NAMED.match(declaration[0])
    return ".".join(part for part in match.groups() if part) if match else ""


def _declaration(lines: list[str], headings: text.Outline) -> str:
    code = text.code("\n".join(lines) + "\n", "go")
    anchor = _anchor(lines)
    if not anchor:
        return code
    # Methods stand below their type.
    level = 4 if "." in anchor else 3
    headings.append((level, anchor, escape(anchor)))
    heading = f"<h{level}><code>{anchor}</code>{text.anchor_link(anchor)}</h{level}>"
    return f'<section id="{anchor}" data-find="{anchor}">\n{heading}\n</section>\n{code}'


def _blocks(lines: list[str]) -> list[tuple[str, list[str]]]:
    """Headings in capitals, declarations, and the text between them."""
    blocks: list[tuple[str, list[str]]] = []
    until = ""
    for line in lines:
        if until:
            blocks[-1][1].append(line)
            until = "" if line == until else until
        elif re.fullmatch(r"[A-Z]{4,}", line):
            blocks.append(("heading", [line]))
        elif re.match(r"(func|type|const|var)\b", line):
            blocks.append(("code", [line]))
            until = {"{": "}", "(": ")"}.get(line[-1], "")
        elif not blocks or blocks[-1][0] != "words":
            blocks.append(("words", [line]))
        else:
            blocks[-1][1].append(line)
    return blocks


def _words(lines: list[str], anchors: set[str]) -> str:
    """Paragraphs, headings, lists and code, as gofmt lays them out."""
    html = ""
    for paragraph in re.split(r"\n{2,}", dedent("\n".join(lines)).strip("\n")):
        if re.match(r"\s+(?:-|\d+\.) ", paragraph):
            items = re.split(r"^\s+(?:-|\d+\.) ", paragraph, flags=re.M)[1:]
            html += "<ul>\n" + "".join(f"<li>{_linked(item, anchors)}</li>\n" for item in items) + "</ul>\n"
        elif re.match(r"\s", paragraph):
            html += text.code(dedent(paragraph) + "\n", "go")
        elif paragraph.startswith("# "):
            html += f"<h3>{escape(paragraph[2:])}</h3>\n"
        elif paragraph:
            html += f"<p>{_linked(paragraph, anchors)}</p>\n"
    return html


def _linked(words: str, anchors: set[str]) -> str:
    """Names in words lead to their declarations, if they cannot be mistaken for words: `Queue.Next`, `ErrNotReady`."""

    def link(match: re.Match[str]) -> str:
        name = match[1] or match[0]
        return f'<a href="#{name}"><code>{name}</code></a>' if name in anchors else match[0]

    return re.sub(r"\[([A-Z]\w*(?:\.\w+)?)\]|\b[A-Z]\w*(?:\.[A-Z]|[a-z][A-Z])\w*", link, escape(words))
