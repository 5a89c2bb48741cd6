"""Writes docs/man/criwatch.3 from include/criwatch.h: `python3 docs/site/manual.py`; with --check it compares instead.

The page lists the functions and constants, and what all functions have in common. Parameters and results are in the
header only.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import header
from header import Header, Item, Section

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/man/criwatch.3"

LINKING = r"""
.SH SYNOPSIS
.nf
.B #include <criwatch.h>
.PP
.BI cc\~ program.c \~$(pkg\-config\~\-\-cflags\~\-\-libs\~criwatch)
.fi
"""

END = r"""
.SH SEE ALSO
.BR criwatch (1),
.BR pkg\-config (1),
.BR poll (2),
.BR epoll (7)
"""


def page(of: Header) -> str:
    """The page's source."""
    title, _, preamble = of.preamble.partition("\n\n")
    name, _, about = title.partition(": ")
    parts = [
        f'.\\" Made from include/criwatch.h by docs/site/manual.py.\n'
        f'.TH CRIWATCH 3 "" "{name} {of.version}" "Library Functions Manual"\n'
        f".SH NAME\n{name} \\- {_escaped(about.rstrip('.'))}",
        LINKING.strip(),
        ".SH DESCRIPTION\n" + _prose(preamble),
        ".SH FUNCTIONS",
        *(_functions(section) for section in of.sections if section.of_kind("function")),
        ".SH RETURN VALUES\n" + _constants(_statuses(of)),
        ".SH CONSTANTS",
        *_groups(of),
        END.strip(),
    ]
    return "\n".join(parts) + "\n"


def _functions(section: Section) -> str:
    text = f".SS {_escaped(section.title)}\n{_prose(section.text)}"
    for function in section.of_kind("function"):
        text += f"\n.PP\n.nf\n{_prototype(function.code)}\n.fi\n.RS\n{_prose(function.summary)}\n.RE"
    return text


def _prototype(code: str) -> str:
    """Types bold, names of parameters italic, as in other pages of the section."""
    head, _, rest = code.partition("(")
    indent = " " * (len(head) + 1)
    lines = []
    for number, parameter in enumerate(re.split(r",\s*", rest.rstrip(");"))):
        kind, name = (parameter, "") if parameter == "void" else _split(parameter)
        begin = f"{head}(" if number == 0 else indent
        lines.append(rf"\fB{_escaped(begin + kind)}\fI{_escaped(name)}\fB")
    return ",\\fR\n".join(lines) + ");\\fR"


def _split(parameter: str) -> tuple[str, str]:
    """A parameter's type and name."""
    name = re.split(r"\W", parameter)[-1]
    return parameter.removesuffix(name), name


def _statuses(of: Header) -> list[Item]:
    return next(s for s in of.sections if s.title.startswith("The status")).of_kind("constant")


def _groups(of: Header) -> list[str]:
    """The groups of constants. Statuses and versions have sections of their own."""
    groups: dict[str, list[Item]] = {}
    for item in of.items.values():
        if item.group and item.kind == "constant":
            groups.setdefault(item.group, []).append(item)
    return [f".SS {_escaped(group)}\n{_constants(items)}" for group, items in groups.items()]


def _constants(items: list[Item]) -> str:
    return "\n".join(f".TP\n.BR {item.name} \\~({_escaped(item.value)})\n{_prose(item.text)}" for item in items)


def _prose(text: str) -> str:
    """Paragraphs, lists with dashes, indented code, and headings (lines of one word)."""
    parts: list[str] = []
    for block in re.split(r"\n\n+", text):
        if re.fullmatch(r"[A-Z]\w+", block):
            parts.append(f".SH {block.upper()}")
        elif block.startswith("    "):
            code = "\n".join(_escaped(line) for line in block.split("\n"))
            parts.append(f".PP\n.nf\n{code}\n.fi")
        elif block.startswith("- "):
            parts += [f".IP \\(bu 2\n{_filled(entry)}" for entry in re.split(r"^- ", block, flags=re.M)[1:]]
        elif block:
            parts.append((".PP\n" if parts else "") + _filled(block))
    return "\n".join(parts)


def _filled(text: str) -> str:
    """One sentence in each line, with bold names."""
    escaped = _escaped(" ".join(text.split()))
    escaped = re.sub(r"`([^`]*)`", r"\\fI\1\\fR", escaped)
    escaped = re.sub(r"\b((?:cri|CRI)_\w+)", r"\\fB\1\\fR", escaped)
    # Names are not hyphenated.
    escaped = re.sub(r"(?<!\S)(?=\S*\\fB)", r"\\%", escaped)
    return re.sub(r"(?<=[.;:]) (?=[A-Z][a-z])", "\n", escaped)


def _escaped(text: str) -> str:
    text = text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq")
    return re.sub(r"^([.'])", r"\\&\1", text)


def main(arguments: list[str]) -> int:
    made = page(header.read(ROOT / "include/criwatch.h"))
    if arguments == ["--check"]:
        if PAGE.exists() and PAGE.read_text() == made:
            return 0
        print(f"{PAGE.relative_to(ROOT)} is not what the header says: `make man` writes it anew", file=sys.stderr)
        return 1
    PAGE.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
