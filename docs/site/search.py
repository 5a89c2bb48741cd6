"""The index of the search: an entry for each section of a page, and for each name that a reference explains.

assets/search.js reads it: `criwatchIndex = [[title, page#anchor, where, text, weight], ...]`, one entry in a line.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from html.parser import HTMLParser

HEADINGS = {"h1", "h2", "h3", "h4"}
# What has no end tag.
VOID = {"br", "img", "hr", "input", "wbr", "meta", "link"}
# An excerpt needs no more, and a word that comes later has headings near it.
MOST_TEXT = 4000


@dataclass
class Entry:
    """What can be found: a section or a name."""

    title: str
    href: str
    where: str
    text: str
    weight: int


@dataclass
class Index:
    """All entries of the site."""

    entries: list[Entry] = field(default_factory=list)

    def add_name(self, path: str, title: str, weight: int) -> None:
        """Adds a page that is found by its name alone."""
        self.entries.append(Entry(title, path, "", "", weight))

    def add_page(self, path: str, title: str, body: str, weight: int) -> None:
        """Adds a page's sections. An element with `data-find` is an entry of this title."""
        reader = _Reader()
        reader.feed(body)
        for section in reader.sections:
            text = " ".join("".join(section.text).split())
            name = " ".join(section.title.split()) or title
            if text or section.level == 1 or section.is_name:
                where = title if name != title else ""
                bonus = weight + {1: 12, 2: 4}.get(section.level, 0) + 6 * section.is_name
                href = f"{path}#{section.anchor}" if section.anchor and section.level != 1 else path
                self.entries.append(Entry(name, href, where, text[:MOST_TEXT], bonus))

    def script(self) -> str:
        """The index as a script: pages that are files cannot load data."""
        rows = (json.dumps([e.title, e.href, e.where, e.text, e.weight], ensure_ascii=False) for e in self.entries)
        return "var criwatchIndex = [\n" + ",\n".join(rows) + "\n];\n"


@dataclass
class _Section:
    anchor: str
    level: int
    title: str = ""
    text: list[str] = field(default_factory=list)
    is_name: bool = False


class _Reader(HTMLParser):
    """Cuts a page into sections: each begins with a heading, or with an element with `data-find`."""

    def __init__(self) -> None:
        super().__init__()
        self.sections: list[_Section] = [_Section("", 1)]
        self.heading = ""
        self.silent = 0
        # The innermost element that gave its id to the next heading.
        self.anchor = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if self.silent or "hidden" in values or tag in ("button", "script", "svg"):
            self.silent += tag not in VOID
        elif "data-find" in values:
            self.sections.append(_Section(values["id"], 3, values["data-find"], is_name=True))
        elif tag in HEADINGS:
            self.heading = tag
            level = int(tag[1])
            if "id" in values and not (level == 1 and not self.sections[-1].text):
                self.sections.append(_Section(values["id"], level))
            elif level == 1:
                self.sections[-1].anchor = values.get("id", "")
        elif tag in ("p", "td", "dd", "dt", "li", "pre", "br"):
            self.sections[-1].text.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if self.silent:
            self.silent -= 1
        elif tag == self.heading:
            self.heading = ""

    def handle_data(self, data: str) -> None:
        if self.silent:
            return
        section = self.sections[-1]
        if self.heading and not section.is_name:
            section.title += data
        elif not self.heading:
            section.text.append(data)
