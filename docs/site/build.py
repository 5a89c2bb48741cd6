"""Builds the site: `python docs/site/build.py FOLDER TARGET`, where TARGET is Cargo's target folder.

scripts/docs calls it with the packages of requirements.txt at hand. It ends with an error that names each dead link.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from typing import TypeVar

import contents
import header
import layout
import links
import search
import text
import tools
from contents import Page
from place import ROOT, Links, Place
from references import c, cpp, go, python, rust

T = TypeVar("T")

# What comes first among equals in the search: a page of docs/, then the references, then sources.
TEXT, REFERENCE, RUST, SOURCE = 6, 4, 2, -40


class Site:
    """The site that is being built."""

    def __init__(self, folder: Path, target: Path) -> None:
        self.folder = folder
        self.target = target
        self.header = header.read(ROOT / "include/criwatch.h")
        self.chapters = _chapters()
        pages = {page.source: page for pages in self.chapters.values() for page in pages if page.source}
        self.links = Links(folder, pages, self.header.items)
        self.index = search.Index()

    def build(self) -> list[str]:
        """Builds everything, and returns the errors."""
        if missing := [path for path in self.links.pages if not (ROOT / path).is_file()]:
            return [f"{path} is not there, and a page of docs/site/contents.py" for path in missing]
        listed = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
        unlisted = sorted(listed - set(self.links.pages))
        self.links.faults += [f"{path} is no page of docs/site/contents.py" for path in unlisted]
        # This comes first, because it decides which pages the contents list.
        self._by_tools()
        for name, content in layout.assets():
            self._write(name, content)
        for page in self.links.pages.values():
            if page.source.endswith(".md"):
                self._markdown(page)
        self._c()
        self._cpp()
        self._python()
        self._sources()
        self._write("search-index.js", self.index.script())
        return self.links.faults + links.faults(self.folder)

    def _by_tools(self) -> None:
        rust_pages = self._attempt(contents.RUST, lambda: rust.pages(ROOT, self.target))
        manuals = list(self.chapters["Manual pages"])
        made = {page: self._attempt(page, partial(tools.manual, ROOT / page.source)) for page in manuals}
        go_page = self._attempt(contents.GO, self._go)
        # The contents are complete now, so the pages can be written.
        for page, listing in made.items():
            if listing:
                self._page(page, f'<h1>{escape(page.title)}</h1>\n<pre class="listing">{listing}</pre>\n', TEXT)
        if go_page:
            body, headings = go_page
            self._page(contents.GO, body, REFERENCE, headings)
        for found in rust_pages or ():
            self._rust(found)

    def _attempt(self, page: Page, make: Callable[[], T]) -> T | None:
        """Returns what `make` returns. If its tool is not installed, removes the page from the contents."""
        try:
            return make()
        except tools.LeftOut as reason:
            print(f"left out: {page.title}: {reason}")
        for pages in self.chapters.values():
            if page in pages:
                pages.remove(page)
        self.links.pages.pop(page.source, None)
        return None

    def _go(self) -> tuple[str, text.Outline]:
        if not shutil.which("go"):
            raise tools.LeftOut("go is not installed")
        return go.page(ROOT / "bindings/go")

    def _rust(self, found: rust.RustPage) -> None:
        path = f"api/rust/{found.path}"
        page = contents.RUST if path == contents.RUST.path else Page(found.title, made=path, below=contents.RUST.path)
        self._page(page, found.body, RUST if found.is_found else None, found.headings)

    def _markdown(self, page: Page) -> None:
        markdown = text.Markdown(Place(self.links, page.path, page.source))
        self._page(page, markdown.page((ROOT / page.source).read_text()), TEXT, markdown.headings)

    def _c(self) -> None:
        reference = c.Reference(self.header, Place(self.links, contents.C.path, "include/criwatch.h"))
        self._page(contents.C, reference.page(), REFERENCE, reference.headings)

    def _cpp(self) -> None:
        place = Place(self.links, contents.CPP.path, "bindings/cpp/criwatch.hpp")
        body, headings = cpp.page(ROOT / "bindings/cpp", place)
        self._page(contents.CPP, body, REFERENCE, headings)

    def _python(self) -> None:
        package = ROOT / "bindings/python"
        reference = python.Reference(package, Place(self.links, contents.PYTHON.path, "bindings/python/README.md"))
        self._page(contents.PYTHON, reference.page(), REFERENCE, reference.headings)

    def _sources(self) -> None:
        """Writes the pages of what texts link to and the contents do not list; a text among them links to more."""
        written: set[str] = set()
        while waiting := sorted(self.links.shown - written):
            for path in waiting:
                if path.endswith(".md"):
                    self._markdown(Page(path, path, made=f"source/{path}.html"))
                else:
                    self._source(path)
            written.update(waiting)

    def _source(self, path: str) -> None:
        """Writes the page of a file's source, or of a folder's list of files."""
        here = ROOT / path
        if here.is_dir():
            entries = sorted(entry for entry in here.iterdir() if not entry.name.startswith("."))
            names = "".join(f"<li>{escape(entry.name)}{'/' * entry.is_dir()}</li>\n" for entry in entries)
            body, to = f"<ul>\n{names}</ul>\n", f"source/{path}/index.html"
        else:
            body, to = text.source(here), f"source/{path}.html"
        self._page(Page(path, made=to), f"<h1><code>{escape(path)}</code></h1>\n{body}", SOURCE)

    def _page(self, page: Page, body: str, weight: int | None, headings: text.Outline | None = None) -> None:
        """Writes a page. The search has it if it has a weight."""
        self._write(page.path, layout.page(page, body, self.chapters, self.header.version, headings))
        if weight == SOURCE:
            self.index.add_name(page.path, page.title, weight)
        elif weight is not None:
            self.index.add_page(page.path, page.title, body, weight)

    def _write(self, path: str, content: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def _chapters() -> layout.Chapters:
    """The contents, with the manual pages."""
    chapters = {chapter: list(pages) for chapter, pages in contents.CHAPTERS.items()}
    manuals = sorted((ROOT / "docs/man").glob("*.[0-9]"))
    chapters["Manual pages"] += [Page(f"{m.stem}({m.suffix[1:]})", f"docs/man/{m.name}") for m in manuals]
    return chapters


def main(folder: Path, target: Path) -> int:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        faults = Site(folder, target).build()
    except subprocess.CalledProcessError as error:
        faults = [f"{error}\n{error.stderr or ''}"]
    except text.NoSuchCode as error:
        faults = [str(error)]
    print(*faults, sep="\n", end="\n" if faults else "", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute(), Path(sys.argv[2]).absolute()))
