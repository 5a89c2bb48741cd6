"""What all pages share: the frame, the contents, the outline, the way to the next page, the style sheet and scripts."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from pathlib import Path
from string import Template

from contents import FOLDED, Page
from text import Outline

ASSETS = Path(__file__).parent / "assets"
FRAME = Template((ASSETS / "frame.html").read_text())
# An outline of more entries shows those of a section only while the section is read.
LONG = 24

Chapters = dict[str, list[Page]]


def root_of(path: str) -> str:
    """The relative path from a page to the site's root."""
    return "../" * path.count("/")


def page(page: Page, body: str, chapters: Chapters, version: str, headings: Outline | None = None) -> str:
    """A page of the site."""
    return FRAME.substitute(
        title=escape(page.title if page.title == "criwatch" else f"{page.title} · criwatch"),
        root=root_of(page.path),
        version=escape(version),
        contents=_contents(page, chapters),
        outline=_outline(headings or []),
        body=body,
        way=_way(page, chapters),
    )


def assets() -> Iterator[tuple[str, str]]:
    """The names and texts of the files that every page loads."""
    yield "style.css", "\n".join(file.read_text() for file in _style_sheets())
    for file in sorted([*ASSETS.glob("*.js"), *ASSETS.glob("*.svg")]):
        yield file.name, file.read_text()


def _style_sheets() -> list[Path]:
    # What is for paper overrides all others.
    return sorted(ASSETS.glob("*.css"), key=lambda file: (file.stem == "print", file.stem))


def _contents(current: Page, chapters: Chapters) -> str:
    html = ""
    for chapter, pages in chapters.items():
        if not pages:
            continue
        items = "".join(f"<li>{_entry(page, current)}</li>\n" for page in pages)
        is_open = chapter not in FOLDED or any(_is_here(page, current) for page in pages)
        html += f"<details{' open' * is_open}><summary>{escape(chapter)}</summary>\n<ul>\n{items}</ul>\n</details>\n"
    return html


def _is_here(page: Page, current: Page) -> bool:
    # A page that is not in the contents is below one that is, or below none.
    return page.path in (current.path, current.below)


def _entry(page: Page, current: Page) -> str:
    kind = "page" if page.path == current.path else "true"
    here = f' aria-current="{kind}"' if _is_here(page, current) else ""
    return f'<a href="{root_of(current.path)}{page.path}"{here}>{escape(page.title)}</a>'


def _outline(headings: Outline) -> str:
    """The list of a page's headings, if it has enough of them."""
    groups: list[tuple[str, list[str]]] = []
    for level, anchor, title in headings:
        link = f'<a href="#{escape(anchor)}">{title}</a>'
        if level == 2 or (level == 3 and not groups):
            groups.append((link, []))
        elif level == 3:
            groups[-1][1].append(f"<li>{link}</li>\n")
    count = sum(1 + len(items) for _, items in groups)
    if count < 3:
        return ""
    groups_html = "".join(_group(link, items, count > LONG) for link, items in groups)
    return (
        '<aside class="outline" aria-label="On this page"><details><summary>On this page</summary>\n'
        f"<ul>\n{groups_html}</ul></details></aside>\n"
    )


def _group(link: str, items: list[str], is_folded: bool) -> str:
    below = f"<ul>\n{''.join(items)}</ul>"
    if not items:
        return f"<li>{link}</li>\n"
    if is_folded:
        return f"<li><details><summary>{link}</summary>\n{below}</details></li>\n"
    return f"<li>{link}\n{below}</li>\n"


def _way(current: Page, chapters: Chapters) -> str:
    """Links to the page before, and to the next one, in the order of the contents."""
    pages = [page for pages in chapters.values() for page in pages]
    at = next((at for at, page in enumerate(pages) if page.path == current.path), None)
    if at is None:
        return ""
    links = ""
    for rel, word, other in (("prev", "Before", at - 1), ("next", "Next", at + 1)):
        if 0 <= other < len(pages):
            href = root_of(current.path) + pages[other].path
            links += f'<a rel="{rel}" href="{href}"><small>{word}</small>{escape(pages[other].title)}</a>\n'
    return f'<nav class="way" aria-label="Pages before and after">\n{links}</nav>\n'
