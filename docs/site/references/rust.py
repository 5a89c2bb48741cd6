"""The reference of the crate: what rustdoc writes, in the frame of this site.

rustdoc's pages keep their addresses and anchors. Its own frame, search and fonts are left away, and so is what every
type has from other crates (blanket implementations).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape, unescape
from pathlib import Path

import text
from tools import LeftOut

# The site's own parts of it; the rest are forms and lists for rustdoc's scripts.
PAGES = ("criwatch", "src/criwatch")
CONTENT = re.compile(r'<section id="main-content"[^>]*>(.*)</section>(?:</div>)?</main>', re.S)
REMOVED = [
    re.compile(r'(?:&nbsp;)?<button id="copy-path".*?</button>', re.S),
    re.compile(r"<rustdoc-toolbar></rustdoc-toolbar>"),
    re.compile(r"<script[^>]*></script>"),
    re.compile(r'<h2 id="blanket-implementations".*', re.S),
    # safer-ffi's macro writes this link to an anchor that rustdoc gives another name.
    re.compile(r' href="#impl-ReprC"'),
]
SECTION = re.compile(r'<h2 id="([^"]*)" class="(?:[\w-]+ )*section-header">(.*?)<a href')
MEMBER = re.compile(
    r'<(?:section|span) id="(?:ty)?(?:method|variant|structfield|associatedconstant)\.(\w+)" class="([^"]*)"'
)
# An item's own page: struct.Watcher.html, fn.engines.html.
ITEM = re.compile(r"(?:struct|enum|fn|trait|type|constant|macro|union)\.(\w+)\.html")
# The C ABI has a reference of its own, and what the engine's messages are made of is no interface.
NOT_FOUND = re.compile(r"criwatch/(?:ffi|cri)/|src/")


@dataclass
class RustPage:
    """One page: where it is below the reference's folder, what it says, and its sections."""

    path: str
    title: str
    body: str
    headings: text.Outline

    @property
    def is_found(self) -> bool:
        """Whether the search has it."""
        return not NOT_FOUND.match(self.path)


def pages(root: Path, target: Path) -> Iterator[RustPage]:
    """Runs rustdoc on the crate, and reads its pages. A broken link is an error."""
    if not shutil.which("cargo"):
        raise LeftOut("cargo is not installed")
    made = target / "doc"
    # Only the pages of this crate: the folder can have pages of its dependencies from another run.
    shutil.rmtree(made, ignore_errors=True)
    flags = f"{os.environ.get('RUSTDOCFLAGS', '')} -D rustdoc::broken_intra_doc_links"
    command = ["cargo", "doc", "--no-deps", "--lib", "--quiet", "--target-dir", str(target)]
    subprocess.run(command, cwd=root, check=True, env={**os.environ, "RUSTDOCFLAGS": flags})
    return _read(made)


def _read(made: Path) -> Iterator[RustPage]:
    for file in sorted(file for part in PAGES for file in (made / part).rglob("*.html")):
        path, html = file.relative_to(made).as_posix(), file.read_text()
        # Files of the build folder stand below the source's folder with their whole path. Addresses of before only
        # lead to those of now.
        if "/out/" not in path and 'http-equiv="refresh"' not in html:
            yield _page(html, path)


def _page(html: str, path: str) -> RustPage:
    match = CONTENT.search(html)
    if not match:
        raise ValueError(f"rustdoc's page {path} is not as docs/site/references/rust.py knows it")
    body = match[1]
    for part in REMOVED:
        body = part.sub("", body)
    body = re.sub(r'href="([^"]*/src/criwatch/[^"#]*)#(\d+)-\d+"', r'href="\1#\2"', body)
    body = re.sub(r'<a class="src[^"]*" href="[^"]*/out/[^"]*">Source</a>', "", body)
    if path.startswith("src/"):
        return RustPage(path, path.removeprefix("src/criwatch/"), _source(body), [])
    item = ITEM.search(path)
    name = item[1] if item else Path(path).parent.name
    return RustPage(path, _title(html), _with_names(body, name), _headings(body))


def _title(html: str) -> str:
    """`Watcher in criwatch::watcher - Rust` is the page of `watcher::Watcher`."""
    title = unescape(html.partition("<title>")[2].partition("</title>")[0]).removesuffix(" - Rust")
    name, _, module = title.partition(" in ")
    place = module.removeprefix("criwatch").strip(":")
    return f"{place}::{name}" if place else name


def _source(body: str) -> str:
    body = re.sub(r"<a href=#(\d+) id=\1 data-nosnippet>\1</a>", r'<a href="#\1" id="\1">\1</a>', body)
    return re.sub(
        r'<div class="example-wrap[^"]*"><pre class="rust"><code>(.*)</code></pre></div>', _lines, body, flags=re.S
    )


def _lines(match: re.Match[str]) -> str:
    return f'<pre class="hl"><code class="lines">{match[1]}</code></pre>'


def _with_names(body: str, item: str) -> str:
    """Tells the search which methods, variants and fields there are."""

    def named(match: re.Match[str]) -> str:
        if "trait-impl" in match[2]:
            return match[0]
        return f'{match[0]} data-find="{escape(item)}::{match[1]}"'

    return MEMBER.sub(named, body)


def _headings(body: str) -> text.Outline:
    """The sections, and the methods below them."""
    found: list[tuple[int, int, str, str]] = [(m.start(), 2, m[1], m[2]) for m in SECTION.finditer(body)]
    for match in re.finditer(r'<section id="((?:ty)?method\.(\w+))" class="([^"]*)"', body):
        if "trait-impl" not in match[3]:
            found.append((match.start(), 3, match[1], match[2]))
    return [(level, anchor, title) for _, level, anchor, title in sorted(found)]
