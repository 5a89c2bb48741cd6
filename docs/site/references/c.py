"""The reference of the C ABI, made from the header: its sections with their constants, types and functions."""

from __future__ import annotations

import re
from html import escape

import text
from header import Header, Item, Section
from text import Links, Markdown


class Reference:
    """Makes the page. Afterwards `headings` is its outline."""

    def __init__(self, header: Header, links: Links) -> None:
        self.header = header
        self.links = links
        self.headings: text.Outline = []
        self.taken: set[str] = set(header.items)

    def page(self) -> str:
        title, _, preamble = self.header.preamble.partition("\n\n")
        # A line of one word is a heading.
        preamble = re.sub(r"^([A-Z]\w+)$(?=\n\n)", r"## \1", preamble, flags=re.M)
        intro = Markdown(self.links)
        made = f"Made from <code>include/criwatch.h</code>, version {self.header.version}."
        html = f"<h1>C reference</h1>\n<p>{escape(title)} {made}</p>\n"
        html += intro.comment(preamble)
        self.headings += intro.headings
        self.taken |= {anchor for _, anchor, _ in intro.headings}
        return html + "".join(self._section(section) for section in self.header.sections)

    def _section(self, section: Section) -> str:
        html = self._heading(2, section.title) + Markdown(self.links).comment(section.text)
        constants: dict[str, list[Item]] = {}
        for item in section.of_kind("constant"):
            constants.setdefault(item.group, []).append(item)
        # Each group of constants is a table; a single type (cri_status) comes before it.
        html += "".join(self._item(item) for item in section.of_kind("type"))
        for group, items in constants.items():
            html += self._heading(3, group) if group else ""
            html += self._constants(items)
        return html + "".join(self._item(item) for item in section.items if item.kind not in ("constant", "type"))

    def _heading(self, level: int, title: str) -> str:
        anchor = text.slug(title, self.taken)
        self.headings.append((level, anchor, escape(title)))
        return text.heading(level, anchor, escape(title))

    def _constants(self, items: list[Item]) -> str:
        kind = "number" if items[0].value.lstrip("-").isdigit() else "words"
        rows = "".join(
            f'<tr id="{item.name}" data-find="{item.name}"><td><code>{item.name}</code></td>'
            f'<td class="{kind}"><code>{escape(item.value)}</code></td>'
            f"<td>{self._line(item.text)}</td></tr>\n"
            for item in items
        )
        return f'<div class="wide"><table>\n{rows}</table></div>\n'

    def _item(self, item: Item) -> str:
        self.headings.append((3, item.name, item.name))
        html = f'<section class="item" id="{item.name}" data-find="{item.name}">\n'
        html += f"<h3><code>{item.name}</code>{text.anchor_link(item.name)}</h3>\n"
        html += self._declaration(item) + Markdown(self.links).comment(item.text)
        if item.fields:
            html += self._pairs([(field.name, field.text) for field in item.fields], f"{item.name}.")
        details = list(item.parameters)
        if item.kind == "function" and item.code.rstrip(";").endswith("cri_error **err)"):
            details.append(("err", "see Errors under Conventions; may be NULL"))
        html += self._pairs(details)
        if item.returns:
            html += f"<p><strong>Returns</strong> {self._line(item.returns)}</p>\n"
        if item.note:
            html += f'<p class="note">{self._line(item.note)}</p>\n'
        return html + "</section>\n"

    def _declaration(self, item: Item) -> str:
        """Highlighted code, with links on its types."""

        def link(match: re.Match[str]) -> str:
            href = self.links.of_name(match[0]) if match[0] != item.name else ""
            return f'<a href="{href}">{match[0]}</a>' if href else match[0]

        return re.sub(r"\b(?:cri|CRI)_\w+\b", link, text.code(item.code, "c"))

    def _pairs(self, rows: list[tuple[str, str]], anchor: str = "") -> str:
        """A list of names and their meanings. With `anchor`, each name gets an anchor with this prefix."""
        html = ""
        for name, about in rows:
            begin = f'<dt id="{anchor}{name}">' if anchor else "<dt>"
            html += f"{begin}<code>{name}</code></dt><dd>{self._line(about)}</dd>\n"
        return f"<dl>\n{html}</dl>\n" if html else ""

    def _line(self, about: str) -> str:
        return Markdown(self.links).line(" ".join(about.split()))
