"""Builds the site: `python docs/site/build.py FOLDER TARGET`, where TARGET is Cargo's target folder.

scripts/docs calls it with the packages of requirements.txt at hand. It ends with an error that names each dead link.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from typing import TypeVar

import c_page
import contents
import cpp_page
import go_page
import header
import layout
import links
import text
import tools
from contents import Page

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")

IMAGES = {".png", ".svg", ".gif", ".jpg", ".webp"}


class Site:
    """The site that is being built."""

    def __init__(self, folder: Path, target: Path) -> None:
        self.folder = folder
        self.target = target
        self.header = header.read(ROOT / "include/criwatch.h")
        self.chapters = {chapter: list(pages) for chapter, pages in contents.CHAPTERS.items()}
        manuals = sorted((ROOT / "docs/man").glob("*.[0-9]"))
        self.chapters["Manual pages"] += [Page(f"{m.stem}({m.suffix[1:]})", f"docs/man/{m.name}") for m in manuals]
        self.pages = {page.source: page for pages in self.chapters.values() for page in pages if page.source}
        # Files and folders that texts link to and that are no pages. The site shows their source.
        self.shown: set[str] = set()
        self.faults: list[str] = []

    def build(self) -> list[str]:
        """Builds everything, and returns the errors."""
        listed = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").glob("*.md")}
        self.faults += [f"{path} is no page of docs/site/contents.py" for path in sorted(listed - set(self.pages))]
        missing = [path for path in self.pages if not (ROOT / path).is_file()]
        if missing:
            return [*self.faults, *(f"{path} is not there, and a page of docs/site/contents.py" for path in missing)]
        # This comes first, because it decides which pages the contents list.
        self._by_tools()
        self._write("style.css", layout.style())
        for page in self.pages.values():
            if page.source.endswith(".md"):
                self._markdown(page)
        self._c()
        self._cpp()
        for path in sorted(self.shown):
            self._source(path)
        return self.faults + links.faults(self.folder, ("api/rust/", "api/python/"))

    def _by_tools(self) -> None:
        api = self.folder / "api"
        self._attempt(contents.RUST, lambda: tools.rust(ROOT, self.target, api / "rust"))
        self._attempt(contents.PYTHON, lambda: tools.python(ROOT, api / "python"))
        manuals = list(self.chapters["Manual pages"])
        made = {page: self._attempt(page, partial(tools.manual, ROOT / page.source)) for page in manuals}
        go = self._attempt(contents.GO, self._go)
        # The contents are complete now, so the pages can be written.
        for page, text_of_page in made.items():
            if text_of_page:
                self._page(page, f'<h1>{escape(page.title)}</h1>\n<pre class="listing">{text_of_page}</pre>\n')
        if go:
            self._page(contents.GO, go[0], layout.outline(go[1]))

    def _attempt(self, page: Page, make: Callable[[], T]) -> T | None:
        """Returns what `make` returns. If its tool is not installed, removes the page from the contents."""
        try:
            return make()
        except tools.LeftOut as reason:
            print(f"left out: {page.title}: {reason}")
        for pages in self.chapters.values():
            if page in pages:
                pages.remove(page)
        self.pages.pop(page.source, None)
        return None

    def _go(self) -> tuple[str, text.Outline]:
        if not shutil.which("go"):
            raise tools.LeftOut("go is not installed")
        return go_page.page(ROOT / "bindings/go")

    def _markdown(self, page: Page) -> None:
        place = Place(self, page.path, page.source)
        markdown = text.Markdown(place)
        body = markdown.page((ROOT / page.source).read_text())
        self._page(page, body, layout.outline(markdown.headings))

    def _c(self) -> None:
        reference = c_page.Reference(self.header, Place(self, contents.C.path, "include/criwatch.h"))
        body = reference.page()
        self._page(contents.C, body, layout.outline(reference.headings))

    def _cpp(self) -> None:
        folder = ROOT / "bindings/cpp"
        body, headings = cpp_page.page(folder, Place(self, contents.CPP.path, "bindings/cpp/criwatch.hpp"))
        self._page(contents.CPP, body, layout.outline(headings))

    def _source(self, path: str) -> None:
        """Writes the page of a file's source, or of a folder's list of files."""
        here = ROOT / path
        if here.is_dir():
            entries = sorted(entry for entry in here.iterdir() if not entry.name.startswith("."))
            names = "".join(f"<li>{escape(entry.name)}{'/' * entry.is_dir()}</li>\n" for entry in entries)
            body, to = f"<ul>\n{names}</ul>\n", f"source/{path}/index.html"
        else:
            body, to = text.source(here), f"source/{path}.html"
        self._page(Page(path, made=to), f"<h1><code>{escape(path)}</code></h1>\n{body}")

    def _page(self, page: Page, body: str, outline: str = "") -> None:
        html = layout.page(page.path, page.title, body, self.chapters, self.header.version, outline)
        self._write(page.path, html)

    def _write(self, path: str, content: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


class Place:
    """The place of a text in the repository and in the site, from which its links are resolved."""

    def __init__(self, site: Site, path: str, source: str) -> None:
        self.site = site
        self.path = path
        self.source = source

    def to(self, href: str) -> str:
        if re.match(r"[a-z]+:|#", href):
            return href
        path, hash_, anchor = href.partition("#")
        file = self._file(path)
        if not file.exists():
            self.site.faults.append(f"{self.source}: a dead link: {href}")
            return href
        source = file.relative_to(ROOT).as_posix()
        if file.is_dir() and f"{source}/README.md" in self.site.pages:
            source += "/README.md"
        return self._relative(self._shown(source, file)) + hash_ + anchor

    def _shown(self, source: str, file: Path) -> str:
        """The path in the site of a file of the repository."""
        if source in self.site.pages:
            return self.site.pages[source].path
        if source == "include/criwatch.h":
            return contents.C.path
        if file.suffix in IMAGES:
            copy = self.site.folder / "files" / source
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            return f"files/{source}"
        self.site.shown.add(source)
        return f"source/{source}/index.html" if file.is_dir() else f"source/{source}.html"

    def of_name(self, name: str) -> str:
        if name.removesuffix("()") in self.site.header.items:
            return self._relative(contents.C.path) + f"#{name.removesuffix('()')}"
        # A name in code can be the path of a file, from the repository's root.
        is_path = re.fullmatch(r"[\w.-]+(/[\w.-]+)+|[A-Z]+\.md", name) and name != self.source
        return self._relative(self._shown(name, ROOT / name)) if is_path and (ROOT / name).is_file() else ""

    def text_of(self, path: str) -> str:
        return self._file(path).read_text()

    def _file(self, path: str) -> Path:
        return Path(os.path.normpath((ROOT / self.source).parent / path))

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, Path(self.path).parent)


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
