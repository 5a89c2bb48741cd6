"""Finds dead links in a built site: `python3 docs/site/links.py FOLDER`.

Every link that stays in the site needs a file there, and an element with its anchor. Nothing that a page is made of
(scripts, styles, images) may come from a network.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Elements that load something, and the attribute that names it.
LOADING = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}


@dataclass
class Document:
    """The links of a page, and its anchors."""

    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    anchors: set[str] = field(default_factory=lambda: {"", "top"})


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.document = Document()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.document.anchors.update(values[name] for name in ("id", "name") if name in values)
        if tag == "a" and "href" in values:
            self.document.links.append(values["href"])
        elif LOADING.get(tag) in values:
            self.document.loads.append(values[LOADING[tag]])


def faults(folder: Path) -> list[str]:
    """The faults of a site."""
    documents = {path: _read(path) for path in sorted(folder.rglob("*.html"))}
    found = []
    for path, document in documents.items():
        name = path.relative_to(folder).as_posix()
        found += [f"{name}: loads {url} from the network" for url in document.loads if _is_elsewhere(url)]
        dead = (_dead(path, url, documents) for url in document.links + document.loads)
        found += [f"{name}: {fault}" for fault in dead if fault]
    return found


def _read(path: Path) -> Document:
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8", errors="replace"))
    return reader.document


def _is_elsewhere(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.netloc) or parts.scheme in ("http", "https")


def _dead(path: Path, url: str, documents: dict[Path, Document]) -> str:
    parts = urlsplit(url)
    if parts.scheme or parts.netloc:
        return ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return f"a dead link: {url}"
    # A browser looks for the anchor as it is written, then for what it stands for.
    if target in documents and not {parts.fragment, unquote(parts.fragment)} & documents[target].anchors:
        return f"a link to an anchor that is not there: {url}"
    return ""


def main(arguments: list[str]) -> int:
    found = faults(Path(arguments[0]).resolve())
    print(*found, sep="\n", end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: links.py FOLDER")
    sys.exit(main(sys.argv[1:]))
