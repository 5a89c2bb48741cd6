"""The reference of the Go binding: the output of `go doc -all`, with anchors and colours."""

from __future__ import annotations

import re
import subprocess
from html import escape
from pathlib import Path

import text

# The beginning of a declaration, with its name: functions, methods, types, and single constants or variables.
NAMED = re.compile(r"^(?:func (?:\(\w* ?\*?(\w+)(?:\[\w+\])?\) )?|type |const |var )(\w+)")


def page(module: Path) -> tuple[str, text.Outline]:
    """The page and its outline. Raises OSError or CalledProcessError if `go doc` fails."""
    output = subprocess.run(["go", "doc", "-all", "."], cwd=module, check=True, capture_output=True, text=True).stdout
    package, _, rest = output.partition("\n")
    html = f"<h1>Go reference</h1>\n{text.code(package, 'go')}"
    headings: text.Outline = []
    for kind, lines in _blocks(rest.split("\n")):
        if kind == "heading":
            anchor = lines[0].lower()
            headings.append((2, anchor, lines[0].capitalize()))
            html += f'<h2 id="{anchor}">{lines[0].capitalize()}</h2>\n'
        elif kind == "code":
            if match := NAMED.match(lines[0]):
                anchor = ".".join(part for part in match.groups() if part)
                headings.append((3, anchor, escape(anchor)))
                html += f'<h3 id="{anchor}"><code>{anchor}</code></h3>\n'
            html += text.code("\n".join(lines) + "\n", "go")
        else:
            html += _words(lines)
    return html, headings


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


def _words(lines: list[str]) -> str:
    """Paragraphs. Lines that are indented more than the text are code or a list."""
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    html = ""
    for paragraph in re.split(r"\n{2,}", "\n".join(line[indent:] for line in lines).strip("\n")):
        if re.match(r"\s", paragraph):
            html += f"<pre><code>{escape(paragraph)}</code></pre>\n"
        elif paragraph.startswith("# "):
            html += f"<h3>{escape(paragraph[2:])}</h3>\n"
        elif paragraph:
            html += f"<p>{escape(paragraph)}</p>\n"
    return html
