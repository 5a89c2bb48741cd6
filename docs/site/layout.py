"""What all pages share: the frame, the contents, the style."""

from __future__ import annotations

from html import escape
from pathlib import Path

from pygments.formatters import HtmlFormatter

from contents import PLANNED, Page
from text import Outline

FRAME = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="stylesheet" href="{root}style.css">
</head>
<body>
<nav class="site" aria-label="Contents">
<a class="brand" href="{root}index.html">criwatch <small>{version}</small></a>
{contents}</nav>
<main>
{body}</main>
{outline}</body>
</html>
"""


def root_of(path: str) -> str:
    """The relative path from a page to the site's root."""
    return "../" * path.count("/")


def page(path: str, title: str, body: str, chapters: dict[str, list[Page]], version: str, outline: str = "") -> str:
    """A page of the site."""
    full_title = title if title == "criwatch" else f"{title} · criwatch"
    return FRAME.format(
        title=escape(full_title),
        root=root_of(path),
        version=escape(version),
        contents=_contents(path, chapters),
        body=body,
        outline=outline,
    )


def outline(headings: Outline) -> str:
    """The list of a page's headings, if it has enough of them."""
    entries = [(level, anchor, title) for level, anchor, title in headings if 1 < level < 4]
    if len(entries) < 3:
        return ""
    items = "".join(
        f'<li class="h{level}"><a href="#{escape(anchor)}">{title}</a></li>\n' for level, anchor, title in entries
    )
    return f'<aside aria-label="On this page"><ul>\n{items}</ul></aside>\n'


def _contents(path: str, chapters: dict[str, list[Page]]) -> str:
    html = ""
    for chapter, pages in chapters.items():
        if not pages:
            continue
        html += f"<h2>{escape(chapter)}</h2>\n<ul>\n"
        for page in pages:
            here = ' aria-current="page"' if page.path == path else ""
            html += f'<li><a href="{root_of(path)}{page.path}"{here}>{escape(page.title)}</a></li>\n'
        html += "".join(f'<li class="planned">{escape(title)}: later</li>\n' for title in PLANNED.get(chapter, []))
        html += "</ul>\n"
    return html


def style() -> str:
    """The one style sheet, with the colours of code for light and dark screens."""
    light = HtmlFormatter(style="xcode").get_style_defs(".hl")
    dark = HtmlFormatter(style="github-dark").get_style_defs(".hl")
    own = (Path(__file__).parent / "style.css").read_text()
    # The page sets the background.
    light, dark = (_without_frame(text) for text in (light, dark))
    return f"{own}\n{light}\n@media (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def _without_frame(css: str) -> str:
    lines = [line for line in css.split("\n") if line.startswith(".hl .")]
    return "\n".join(lines)
