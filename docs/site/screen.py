"""Pictures of terminal screens: docs/images/NAME.svg from docs/images/NAME.ansi.

    python3 docs/site/screen.py            makes all of them (make screens)
    python3 docs/site/screen.py --check    compares them

A screen is what a program writes to a terminal: lines with SGR sequences (colours, bold, dim, italic, underlined,
reverse). `script`, `tmux capture-pane -pe` and tests write such files. A window title (OSC 0) in it is the picture's
title. The picture is light or dark as its page is, and its text can be selected.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SEQUENCE = re.compile(r"\x1b\[([\d;:]*)m|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b\[[\d;?]*[A-Za-ln-z]|\x1b[()].")
TITLE = re.compile(r"\x1b\]0;([^\x07\x1b]*)")

# A cell of the screen, in pixels; what is around the cells.
WIDTH, HEIGHT, SIZE = 8.4, 18, 14
SIDE, BAR, BELOW = 14, 34, 12

# The sixteen colours, for light and dark screens: each is readable on its ground.
COLOURS = {
    0: ("#24292f", "#30363d"), 1: ("#b3261e", "#f2877f"), 2: ("#1a6e2e", "#7fd08f"), 3: ("#805500", "#e2b65a"),
    4: ("#0a58b8", "#79b2f7"), 5: ("#8b1fa3", "#dd9df0"), 6: ("#0b6a75", "#67cbd6"), 7: ("#57606a", "#c9d1d9"),
    8: ("#656d76", "#98a3af"), 9: ("#b3261e", "#f2877f"), 10: ("#1a6e2e", "#7fd08f"), 11: ("#805500", "#e2b65a"),
    12: ("#0a58b8", "#79b2f7"), 13: ("#8b1fa3", "#dd9df0"), 14: ("#0b6a75", "#67cbd6"), 15: ("#1c2128", "#f0f3f6"),
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    """How text looks. A colour is a class of COLOURS, "c3", or `#rrggbb`; "" is the screen's own."""

    text: str = ""
    ground: str = ""
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underlined: bool = False
    reverse: bool = False


@dataclass(frozen=True)
class Run:
    """Text of one style in one line."""

    column: int
    cells: int
    text: str
    style: Style


def picture(screen: str, title: str) -> str:
    """The picture of a screen, as SVG."""
    named = TITLE.search(screen)
    title = named[1] if named else title
    lines = list(_lines(screen))
    while lines and not lines[-1]:
        lines.pop()
    columns = max((run.column + run.cells for runs in lines for run in runs), default=0)
    width, height = columns * WIDTH + 2 * SIDE, BAR + len(lines) * HEIGHT + BELOW
    runs = "".join(_run(run, row) for row, line in enumerate(lines) for run in line)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" role="img" '
        f'aria-labelledby="title">\n<title id="title">{escape(title)}</title>\n'
        f"<style>\n{_style(_colours_of(lines))}</style>\n"
        f'<rect class="window" x=".5" y=".5" width="{width - 1:.0f}" height="{height - 1}" rx="8"/>\n'
        f'<path class="edge" d="M1 26.5h{width - 2:.0f}"/>\n'
        f'<text class="name" x="{width / 2:.1f}" y="18" text-anchor="middle">{escape(title)}</text>\n'
        f"{runs}</svg>\n"
    )


def _colours_of(lines: list[list[Run]]) -> list[int]:
    """The numbers of the colours that a screen uses."""
    used = {colour for runs in lines for run in runs for colour in (run.style.text, run.style.ground)}
    return sorted(int(colour[1:]) for colour in used if colour.startswith("c"))


def _style(used: list[int]) -> str:
    def colours(scheme: int, text: str, ground: str, edge: str) -> str:
        rows = [
            f"text {{ fill: {text}; }}",
            f".window {{ fill: {ground}; stroke: {edge}; }}",
            f".edge {{ stroke: {edge}; }}",
        ]
        rows += [f".on {{ fill: {ground}; }}", f".by {{ fill: {text}; }}"]
        rows += [f".c{number} {{ fill: {COLOURS[number][scheme]}; }}" for number in used]
        return "\n".join(rows) + "\n"

    fonts = 'ui-monospace, "SFMono-Regular", Menlo, Consolas, "DejaVu Sans Mono", monospace'
    return (
        f"text {{ font: {SIZE}px {fonts}; white-space: pre; }}\n"
        ".name { font-family: system-ui, sans-serif; font-size: 12px; }\n"
        ".bold { font-weight: 700; } .italic { font-style: italic; } .underlined { text-decoration: underline; }\n"
        ".dim { opacity: .75; }\n"
        f"{colours(0, '#1c2128', '#ffffff', '#d8dee4')}"
        f"@media (prefers-color-scheme: dark) {{\n{colours(1, '#d7dde5', '#0d1117', '#333b45')}}}\n"
    )


def _lines(screen: str) -> Iterator[list[Run]]:
    """The runs of each line. A style goes on in the next line."""
    style = Style()
    for line in screen.replace("\r", "").split("\n"):
        runs: list[Run] = []
        column = at = 0
        for match in [*SEQUENCE.finditer(line), None]:
            text = line[at : match.start() if match else len(line)]
            if text:
                cells = sum(map(_cells, text))
                runs.append(Run(column, cells, text, style))
                column += cells
            if match:
                at = match.end()
                if match[1] is not None:
                    style = _changed(style, match[1])
        yield _without_end(runs)


def _without_end(runs: list[Run]) -> list[Run]:
    """Spaces at a line's end are seen only if they have a ground."""
    while runs and not runs[-1].text.strip() and runs[-1].style == replace(runs[-1].style, ground="", reverse=False):
        runs.pop()
    return runs


def _cells(character: str) -> int:
    if unicodedata.combining(character) or unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _changed(style: Style, sequence: str) -> Style:
    """The style after a sequence of numbers."""
    numbers = [int(number or 0) for number in re.split("[;:]", sequence)]
    while numbers:
        number = numbers.pop(0)
        if number == 0:
            style = Style()
        elif number in (38, 48):
            colour = _colour(numbers)
            style = replace(style, text=colour) if number == 38 else replace(style, ground=colour)
        elif 30 <= number <= 37 or 90 <= number <= 97:
            style = replace(style, text=f"c{number - 30 if number < 90 else number - 82}")
        elif 40 <= number <= 47 or 100 <= number <= 107:
            style = replace(style, ground=f"c{number - 40 if number < 100 else number - 92}")
        else:
            style = replace(style, **CHANGES.get(number, {}))
    return style


CHANGES: dict[int, dict[str, Any]] = {
    1: {"bold": True}, 2: {"dim": True}, 3: {"italic": True}, 4: {"underlined": True}, 7: {"reverse": True},
    22: {"bold": False, "dim": False}, 23: {"italic": False}, 24: {"underlined": False}, 27: {"reverse": False},
    39: {"text": ""}, 49: {"ground": ""},
}  # fmt: skip


def _colour(numbers: list[int]) -> str:
    """The colour that follows 38 or 48: `5;N`, or `2;R;G;B`. Takes its numbers away."""
    kind = numbers.pop(0) if numbers else 0
    if kind == 2:
        red, green, blue = (numbers.pop(0) for _ in range(3))
        return f"#{red:02x}{green:02x}{blue:02x}"
    number = numbers.pop(0) if numbers else 0
    if number < 16:
        return f"c{number}"
    if number >= 232:
        return f"#{(8 + 10 * (number - 232)):02x}" + f"{(8 + 10 * (number - 232)):02x}" * 2
    levels = (0, 95, 135, 175, 215, 255)
    return "#" + "".join(f"{levels[(number - 16) // step % 6]:02x}" for step in (36, 6, 1))


def _run(run: Run, row: int) -> str:
    x, y = SIDE + run.column * WIDTH, BAR + row * HEIGHT
    text, ground = run.style.text, run.style.ground
    if run.style.reverse:
        text, ground = ground or "on", text or "by"
    html = ""
    if ground:
        html = f'<rect {_painted(ground)} x="{x:.1f}" y="{y}" width="{run.cells * WIDTH:.1f}" height="{HEIGHT}"/>\n'
    words = run.text.strip(" ")
    if not words:
        return html
    begin = len(run.text) - len(run.text.lstrip(" "))
    cells = sum(map(_cells, words))
    marks = " ".join(name for name in ("bold", "dim", "italic", "underlined") if getattr(run.style, name))
    # The length keeps the columns, whatever font a reader has.
    return html + (
        f'<text {_painted(text, marks)} x="{x + begin * WIDTH:.1f}" y="{y + 13}" '
        f'textLength="{cells * WIDTH:.1f}" lengthAdjust="spacingAndGlyphs">{escape(words)}</text>\n'
    )


def _painted(colour: str, marks: str = "") -> str:
    """The attributes for a colour and for classes."""
    classes = " ".join(part for part in (marks, "" if colour.startswith("#") else colour) if part)
    attributes = [f'class="{classes}"'] if classes else []
    if colour.startswith("#"):
        attributes.append(f'style="fill: {colour}"')
    return " ".join(attributes)


def main(arguments: list[str]) -> int:
    wrong = []
    for screen in sorted((ROOT / "docs/images").glob("*.ansi")):
        made = picture(screen.read_text(), f"criwatch {screen.stem}")
        file = screen.with_suffix(".svg")
        if arguments != ["--check"]:
            file.write_text(made)
        elif not file.exists() or file.read_text() != made:
            wrong.append(f"{file.relative_to(ROOT)} is not what {screen.name} says: `make screens` makes it anew")
    print(*wrong, sep="\n", end="\n" if wrong else "", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
