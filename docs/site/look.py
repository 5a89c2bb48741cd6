"""Looks at a built site in a browser, as its readers do: `python3 docs/site/look.py --help`.

Ends with status 77 where there is no Chromium ($CHROMIUM, or one of the usual names).
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import browser
from browser import Browser

# A phone, a tablet, a laptop.
WIDTHS = (390, 820, 1400)

TOO_WIDE = """
(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return "";
    // What scrolls in its own place makes the page no wider.
    const scrolls = (e) => getComputedStyle(e).overflowX !== "visible";
    const isInside = (e) => e !== document.body && (scrolls(e) || isInside(e.parentElement));
    const wide = [...document.querySelectorAll("body *")]
        .filter((e) => e.getBoundingClientRect().right > width + 1 && !isInside(e.parentElement))
        .filter((e, _, all) => !all.some((other) => other !== e && e.contains(other)));
    return wide.length ? `${wide[0].tagName.toLowerCase()}: ${wide[0].textContent.trim().slice(0, 60)}` : "some text";
})()
"""

# The text with the least contrast to its ground, by the rules of WCAG 2.
CONTRAST = """
(() => {
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const seen = new Map();
    function rgb(colour) {
        if (!seen.has(colour)) {
            canvas.clearRect(0, 0, 1, 1);
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            seen.set(colour, [...canvas.getImageData(0, 0, 1, 1).data]);
        }
        return seen.get(colour);
    }
    function light(colour) {
        const [r, g, b] = colour.map((c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    }
    function ground(element) {
        for (let e = element; e; e = e.parentElement) {
            const colour = rgb(getComputedStyle(e).backgroundColor);
            if (colour[3] === 255) return colour;
        }
        return [255, 255, 255];
    }
    let worst = { ratio: 21, text: "" };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const element = texts.currentNode.parentElement;
        const isSeen = element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
        if (!isSeen || !texts.currentNode.data.trim()) continue;
        const [a, b] = [light(rgb(getComputedStyle(element).color).slice(0, 3)), light(ground(element).slice(0, 3))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        if (ratio < worst.ratio) worst = { ratio, text: texts.currentNode.data.trim().slice(0, 40) };
    }
    return worst;
})()
"""

# The names that assistive technology reads: each control has one, and each page one first heading and its landmarks.
NAMELESS = """
[...document.querySelectorAll("a[href], button, input")]
    .filter((e) => e.checkVisibility())
    .filter((e) => !(e.getAttribute("aria-label") || e.textContent.trim() || e.querySelector("img[alt]:not([alt=''])")))
    .map((e) => e.outerHTML.slice(0, 80))
    .concat(document.querySelectorAll("h1").length === 1 ? [] : ["there is not one first heading"])
    .concat([...document.querySelectorAll("main img:not([alt])")].map((e) => `a picture without words: ${e.src}`))
    .concat(["header", "main", "nav"].filter((tag) => !document.querySelector(tag)).map((tag) => `no ${tag}`))
"""

SEARCH = """
(async () => {
    document.querySelector(".open-search").click();
    const deadline = Date.now() + 10000;
    while (!globalThis.criwatchIndex && Date.now() < deadline) await new Promise((next) => setTimeout(next, 10));
    const input = document.querySelector(".search input");
    input.value = "cri_watcher_resync";
    input.dispatchEvent(new Event("input"));
    return document.querySelector(".search li a")?.getAttribute("href") ?? "nothing";
})()
"""

# On a phone: folded at first, shown by its button, folded again by Escape.
MENU = """
(() => {
    const contents = document.querySelector(".contents"), button = document.querySelector(".menu");
    const states = [contents.checkVisibility()];
    button.click();
    states.push(contents.checkVisibility() && button.getAttribute("aria-expanded") === "true");
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
    states.push(contents.checkVisibility());
    return states.join();
})()
"""


def faults(site: Path, one: Browser, step: int) -> Iterator[str]:
    """What a reader would stumble over. Of the pages that are many and of one kind each, one in `step` is opened."""
    names = sorted(page.relative_to(site).as_posix() for page in site.rglob("*.html"))
    many = [name for name in names if name.count("/") > 1]
    for name in sorted({*names} - {*many}) + many[::step]:
        one.open((site / name).as_uri())
        for width in WIDTHS:
            one.screen(width)
            if wide := one.value(TOO_WIDE):
                yield f"{name}: wider than {width} pixels: {wide}"
        yield from (f"{name}: {fault}" for fault in one.value(NAMELESS))
        yield from _contrast(one, name)
        yield from (f"{name}: {complaint}" for complaint in one.complaints)
        one.complaints.clear()
    yield from _behaviour(site, one)


def _contrast(one: Browser, name: str) -> Iterator[str]:
    for dark in (False, True):
        one.screen(WIDTHS[-1], dark=dark)
        worst = one.value(CONTRAST)
        if worst["ratio"] < 4.5:
            yield f"{name}: contrast {worst['ratio']:.1f}, {'dark' if dark else 'light'}: {worst['text']}"


def _behaviour(site: Path, one: Browser) -> Iterator[str]:
    one.open((site / "events.html").as_uri())
    one.screen(WIDTHS[0])
    if (states := one.value(MENU)) != "false,true,false":
        yield f"events.html: the contents on a phone, before, opened, closed: {states}"
    if (href := one.value(SEARCH)) != "api/c.html#cri_watcher_resync":
        yield f"events.html: the search for cri_watcher_resync leads to {href}"


def pictures(site: Path, folder: Path, names: list[str], one: Browser) -> None:
    """Writes pictures of pages; a name may have an anchor."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        page, hash_, anchor = name.partition("#")
        for width in WIDTHS:
            for scheme in ("light", "dark"):
                one.screen(width, dark=scheme == "dark")
                one.open((site / page).as_uri() + hash_ + anchor)
                one.picture(folder / f"{re.sub('[/#]', '-', name)}-{width}-{scheme}.png")


def main() -> int:
    parser = argparse.ArgumentParser(description="Looks at a built site in a browser, as its readers do.")
    parser.add_argument(
        "--all", action="store_true", help="check every page of rustdoc and of sources, not one in eight"
    )
    parser.add_argument("site", type=Path)
    parser.add_argument("folder", type=Path, nargs="?", help="write pictures of the pages here, and check nothing")
    parser.add_argument("page", nargs="*", default=["index.html"])
    arguments = parser.parse_args()
    program = browser.found()
    if not program:
        print("no Chromium is installed (Debian: chromium), and $CHROMIUM names none", file=sys.stderr)
        return 77
    site = arguments.site.resolve()
    with Browser(program) as one:
        if arguments.folder:
            pictures(site, arguments.folder, arguments.page, one)
            return 0
        status = 0
        for fault in faults(site, one, 1 if arguments.all else 8):
            print(fault, file=sys.stderr, flush=True)
            status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
