"""Texts of the repository as HTML: Markdown, code, comments of the header."""

from __future__ import annotations

import re
from html import escape
from pathlib import Path
from typing import Protocol

from markdown_it import MarkdownIt
from markdown_it.token import Token
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.util import ClassNotFound

# A forge does not show this comment; in the site it becomes the code:
# <!-- code: PATH LANGUAGE [which of them, from 1] -->
INCLUDED = re.compile(r"^<!-- code: (\S+) (\S+)(?: (\d+))? -->\s*$\n?", re.M)

# Text of so many characters needs more than a column of a phone.
LONG_CELL = 30

# The headings of a page: level, anchor, title as HTML.
Outline = list[tuple[int, str, str]]


class NoSuchCode(Exception):
    """A text asks for code that does not exist."""


class Links(Protocol):
    """Resolves links and names."""

    def to(self, href: str) -> str:
        """A link of the text, turned into a link of the site."""

    def of_name(self, name: str) -> str:
        """The link to the explanation of a name in code; "": there is none."""

    def text_of(self, path: str) -> str:
        """The text of a file, named relative to this one."""


def slug(title: str, taken: set[str]) -> str:
    """An anchor as forges make it from a heading."""
    base = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
    made, number = base, 0
    while made in taken:
        number += 1
        made = f"{base}-{number}"
    taken.add(made)
    return made


def heading(level: int, anchor: str, title: str) -> str:
    """A heading with a link to itself. `title` is HTML."""
    return f'<h{level} id="{anchor}">{title}{anchor_link(anchor)}</h{level}>\n'


def anchor_link(anchor: str) -> str:
    return f'<a class="anchor" href="#{escape(anchor)}" aria-label="Link to this place"></a>'


def code(text: str, language: str) -> str:
    """Highlighted code; code of an unknown language is not highlighted."""
    try:
        lexer = get_lexer_by_name(language) if language else None
    except ClassNotFound:
        lexer = None
    return _highlighted(text, lexer)


def source(path: Path) -> str:
    """A file as highlighted code."""
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        lexer = get_lexer_for_filename(path.name, text)
    except ClassNotFound:
        lexer = None
    return _highlighted(text, lexer)


def _highlighted(text: str, lexer: Lexer | None) -> str:
    if lexer is None:
        return f"<pre><code>{escape(text)}</code></pre>\n"
    return f'<pre class="hl"><code>{highlight(text, lexer, HtmlFormatter(nowrap=True))}</code></pre>\n'


def fences(markdown: str, language: str) -> list[str]:
    """The code blocks in this language, in order."""
    return [
        t.content
        for t in MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
        if t.type == "fence" and t.info.strip() == language
    ]


def _label_cells(tokens: list[Token]) -> None:
    """Tables with much text become lists on a small screen. There each cell says its column's title."""
    titles: list[str] = []
    column = longest = 0
    cells: list[tuple[Token, int]] = []
    table = None
    for at, token in enumerate(tokens):
        if token.type == "table_open":
            table, titles, cells, longest = token, [], [], 0
        elif token.type == "tr_open":
            column = 0
        elif token.type == "th_open":
            titles.append(_plain(tokens[at + 1]))
        elif token.type == "td_open":
            cells.append((token, column))
            longest = max(longest, len(_plain(tokens[at + 1])))
            column += 1
        elif token.type == "table_close" and table and longest > LONG_CELL and len(titles) > 2:
            table.attrSet("class", "stacked")
            for cell, number in cells:
                if number and titles[number]:
                    cell.attrSet("data-title", titles[number])


def _plain(inline: Token) -> str:
    return "".join(child.content for child in inline.children or [] if child.type in ("text", "code_inline"))


class Markdown:
    """Renders texts; `links` resolves their links."""

    def __init__(self, links: Links) -> None:
        self.links = links
        self.md = MarkdownIt("gfm-like", {"linkify": False, "html": True})
        self.headings: Outline = []

    def page(self, markdown: str, indented: str = "") -> str:
        """A whole page. Afterwards `headings` has its headings. `indented` is the language of indented code."""
        markdown = INCLUDED.sub(self._included, markdown)
        tokens = self.md.parse(markdown)
        taken: set[str] = set()
        for at, token in enumerate(tokens):
            if token.type == "heading_open":
                title = "".join(child.content for child in tokens[at + 1].children or [])
                anchor = slug(title, taken)
                token.attrSet("id", anchor)
                tokens[at + 1].children = [*(tokens[at + 1].children or []), self._anchor_link(anchor)]
                self.headings.append((int(token.tag[1]), anchor, escape(title)))
            elif token.type == "inline":
                self._inline(token.children or [])
            elif token.type == "fence":
                token.type, token.content = "html_block", code(token.content, token.info.strip())
            elif token.type == "code_block":
                token.type, token.content = "html_block", code(token.content, indented)
        _label_cells(tokens)
        html = str(self.md.renderer.render(tokens, self.md.options, {}))
        # A table with empty titles has no title row in the site.
        html = re.sub(r"<thead>\s*<tr>\s*(?:<th></th>\s*)+</tr>\s*</thead>", "", html)
        return re.sub(r"<table[^>]*>", r'<div class="wide">\g<0>', html).replace("</table>", "</table></div>")

    def comment(self, text: str) -> str:
        """The text of a comment in code, with links on its names."""
        blocks = re.split(r"(\n\n(?:    [^\n]*\n?)+)", text)
        marked = "".join(block if block.startswith("\n\n    ") else self._marked(block) for block in blocks)
        return self.page(marked, "c")

    def line(self, text: str) -> str:
        """The same for one line of text."""
        tokens = self.md.parseInline(self._marked(text))
        self._inline(tokens[0].children or [])
        return str(self.md.renderer.render(tokens, self.md.options, {}))

    def _marked(self, text: str) -> str:
        pieces = re.split(r"(`[^`]*`)", text)
        for at in range(0, len(pieces), 2):
            pieces[at] = re.sub(
                r"\b[A-Za-z]\w*_\w+\b", lambda m: f"`{m[0]}`" if self.links.of_name(m[0]) else m[0], pieces[at]
            )
        return "".join(pieces)

    def _anchor_link(self, anchor: str) -> Token:
        return Token("html_inline", "", 0, content=anchor_link(anchor))

    def _inline(self, children: list[Token]) -> None:
        is_link = False
        for child in children:
            if child.type == "link_open":
                is_link = True
                child.attrSet("href", self.links.to(str(child.attrGet("href"))))
            elif child.type == "link_close":
                is_link = False
            elif child.type == "image":
                child.attrSet("src", self.links.to(str(child.attrGet("src"))))
            elif child.type == "code_inline" and not is_link and (href := self.links.of_name(child.content)):
                child.type = "html_inline"
                child.content = f'<a href="{escape(href)}"><code>{escape(child.content)}</code></a>'

    def _included(self, match: re.Match[str]) -> str:
        path, language, which = match[1], match[2], int(match[3] or 1)
        found = fences(self.links.text_of(path), language)
        if len(found) < which:
            raise NoSuchCode(f"{path} has no code number {which} in {language}")
        return f"```{language}\n{found[which - 1]}```\n\n"
