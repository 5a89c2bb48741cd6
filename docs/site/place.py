"""Turns links of the repository's texts into links of the site."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import contents
from contents import Page

ROOT = Path(__file__).resolve().parents[2]
IMAGES = {".png", ".svg", ".gif", ".jpg", ".webp"}


@dataclass
class Links:
    """What all pages' links can lead to, and what was found while they were resolved."""

    folder: Path
    # The pages, by the paths of their texts; the names that the C reference explains.
    pages: dict[str, Page]
    names: Iterable[str]
    # Files and folders that texts link to and that are no pages. The site shows their source.
    shown: set[str] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)


@dataclass
class Place:
    """The place of a text in the site and in the repository, from which its links are resolved."""

    links: Links
    path: str
    source: str

    def to(self, href: str) -> str:
        if re.match(r"[a-z]+:|#", href):
            return href
        path, hash_, anchor = href.partition("#")
        file = self._file(path)
        if not file.exists():
            self.links.faults.append(f"{self.source}: a dead link: {href}")
            return href
        source = file.relative_to(ROOT).as_posix()
        if file.is_dir() and f"{source}/README.md" in self.links.pages:
            source += "/README.md"
        return self._relative(self._shown(source, file)) + hash_ + anchor

    def of_name(self, name: str) -> str:
        if name.removesuffix("()") in self.links.names:
            return self._relative(contents.C.path) + f"#{name.removesuffix('()')}"
        # A name in code can be the path of a file, from the repository's root.
        is_path = re.fullmatch(r"[\w.-]+(/[\w.-]+)+|[A-Z]+\.md", name) and name != self.source
        return self._relative(self._shown(name, ROOT / name)) if is_path and (ROOT / name).is_file() else ""

    def text_of(self, path: str) -> str:
        return self._file(path).read_text()

    def _shown(self, source: str, file: Path) -> str:
        """The path in the site of a file of the repository."""
        if source in self.links.pages:
            return self.links.pages[source].path
        if source == "include/criwatch.h":
            return contents.C.path
        if file.suffix in IMAGES:
            copy = self.links.folder / "files" / source
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
            return f"files/{source}"
        self.links.shown.add(source)
        return f"source/{source}/index.html" if file.is_dir() else f"source/{source}.html"

    def _file(self, path: str) -> Path:
        return Path(os.path.normpath((ROOT / self.source).parent / path))

    def _relative(self, path: str) -> str:
        return os.path.relpath(path, Path(self.path).parent)
