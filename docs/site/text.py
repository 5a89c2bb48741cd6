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

# On a forge this comment is not seen, and the link beside it is; in the site it becomes the code:
# <!-- code: PATH LANGUAGE [which of them, from 1] -->
INCLUDED = re.compile(r"^<!-- code: (\S+) (\S+)(?: (\d+))? -->\s*$\n?", re.M)

# The headings of a page: level, anchor, title as HTML.
Outline = list[tuple[int, str, str]]


class NoSuchCode(Exception):
    """A text is to show code that is not there."""


class Links(Protocol):
    """Who knows where things are."""

    def to(self, href: str) -> str:
        """A link of the text, as one of the site."""

    def of_name(self, name: str) -> str:
        """Where a name that stands in code is explained; "": nowhere."""

    def text_of(self, path: str) -> str:
        """A text of the repository that is named relative to this one."""


def slug(title: str, taken: set[str]) -> str:
    """An anchor as forges make them."""
    base = re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")
    made, number = base, 0
    while made in taken:
        number += 1
        made = f"{base}-{number}"
    taken.add(made)
    return made


def code(text: str, language: str) -> str:
    """Highlighted code; a language that is not known is shown as it is."""
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
    """The code in this language, in order."""
    return [
        t.content
        for t in MarkdownIt("gfm-like", {"linkify": False}).parse(markdown)
        if t.type == "fence" and t.info.strip() == language
    ]


class Markdown:
    """Renders texts; `links` says where their links lead."""

    def __init__(self, links: Links) -> None:
        self.links = links
        self.md = MarkdownIt("gfm-like", {"linkify": False, "html": True})
        self.headings: Outline = []

    def page(self, markdown: str, indented: str = "") -> str:
        """A whole page; its headings are in `headings` then. `indented` is the language of code that says none."""
        markdown = INCLUDED.sub(self._included, markdown)
        tokens = self.md.parse(markdown)
        taken: set[str] = set()
        for at, token in enumerate(tokens):
            if token.type == "heading_open":
                title = "".join(child.content for child in tokens[at + 1].children or [])
                anchor = slug(title, taken)
                token.attrSet("id", anchor)
                self.headings.append((int(token.tag[1]), anchor, escape(title)))
            elif token.type == "inline":
                self._inline(token.children or [])
            elif token.type == "fence":
                token.type, token.content = "html_block", code(token.content, token.info.strip())
            elif token.type == "code_block":
                token.type, token.content = "html_block", code(token.content, indented)
        html = str(self.md.renderer.render(tokens, self.md.options, {}))
        # A table without titles.
        html = re.sub(r"<thead>\s*<tr>\s*(?:<th></th>\s*)+</tr>\s*</thead>", "", html)
        return html.replace("<table>", '<div class="wide"><table>').replace("</table>", "</table></div>")

    def comment(self, text: str) -> str:
        """Text of a comment in code: its names are links."""
        blocks = re.split(r"(\n\n(?:    [^\n]*\n?)+)", text)
        marked = "".join(block if block.startswith("\n\n    ") else self._marked(block) for block in blocks)
        return self.page(marked, "c")

    def line(self, text: str) -> str:
        """The same for a text without paragraphs."""
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
