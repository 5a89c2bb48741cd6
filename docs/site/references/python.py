"""The reference of the Python package, made from its docstrings and signatures. pdoc finds them."""

from __future__ import annotations

import re
import sys
from html import escape
from pathlib import Path
from typing import Any

import text
from pdoc.doc import Class, Doc, Function, Module, Variable
from text import Links, Markdown

# Words of a signature that only tell where a name comes from.
FROM = re.compile(r"\b(?:criwatch\.\w+\.|collections\.abc\.|typing\.)")
DEFAULT = re.compile(r"<(\w+\.\w+): [^>]*>")
ATTRIBUTES = re.compile(r"^\s*Attributes:\n((?:\s+\w+: .*\n?)+)", re.M)
OBJECT = re.compile(r"<[\w.]+ [^>]*>")


class Reference:
    """Makes the page. Afterwards `headings` is its outline."""

    def __init__(self, package: Path, links: Links) -> None:
        self.module = _loaded(package)
        self.links = links
        self.headings: text.Outline = []
        self.names = self._anchors()

    def page(self) -> str:
        html = f"<h1>Python reference</h1>\n{self._words(self.module.docstring)}"
        return html + "".join(self._section(title, members) for title, members in self._sections().items())

    def _sections(self) -> dict[str, list[Doc[Any]]]:
        """The names of the package, by the module that defines them."""
        sections: dict[str, list[Doc[Any]]] = {}
        for member in self.module.members.values():
            if _is_public(member) and not isinstance(member, Module):
                module = member.taken_from[0].partition(".")[2]
                is_own = module and not module.startswith("_") and module != "typing"
                sections.setdefault(module if is_own else "criwatch", []).append(member)
        # Those with classes first, the package's own functions and constants last.
        return dict(sorted(sections.items(), key=lambda entry: (entry[0] == "criwatch", ORDER.get(entry[0], 50))))

    def _section(self, title: str, members: list[Doc[Any]]) -> str:
        shown = "Functions and constants" if title == "criwatch" else title.replace("_", " ").capitalize()
        anchor = text.slug(shown, set())
        self.headings.append((2, anchor, shown))
        return text.heading(2, anchor, shown) + "".join(self._item(member, 3) for member in members)

    def _item(self, doc: Doc[Any], level: int) -> str:
        anchor = doc.qualname
        if level == 3:
            self.headings.append((3, anchor, escape(doc.name)))
        html = f'<section class="item" id="{anchor}" data-find="{anchor}">\n'
        html += f"<h{level}><code>{escape(doc.qualname)}</code>{text.anchor_link(anchor)}</h{level}>\n"
        if code := _declaration(doc):
            html += self._linked(text.code(code, "python"), doc.name)
        html += self._words(doc.docstring)
        if isinstance(doc, Class):
            html += self._members(doc)
        return html + "</section>\n"

    def _linked(self, code: str, own: str) -> str:
        """Types of the package in a declaration lead to their entries."""

        def link(match: re.Match[str]) -> str:
            is_known = match[0] in self.names and match[0] != own
            return f'<a href="#{self.names[match[0]]}">{match[0]}</a>' if is_known else match[0]

        return re.sub(r"\b[A-Z]\w+\b", link, code)

    def _members(self, of: Class) -> str:
        members = [member for member in of.members.values() if _is_public(member) and member.docstring]
        fields = [member for member in members if isinstance(member, Variable)]
        fields.sort(key=lambda field: _rank(of, field.name))
        rows = "".join(self._field(field) for field in fields) + self._attributes(of)
        html = f"<dl>\n{rows}</dl>\n" if rows else ""
        return html + "".join(self._item(member, 4) for member in members if isinstance(member, Function))

    def _field(self, field: Variable) -> str:
        kind = _plain(field.annotation_str.removeprefix(": "))
        value = re.search(r": (-?\d+)>", field.default_value_str)
        about = kind or (value[1] if value else "")
        shown = f' <span class="note">{escape(about)}</span>' if about else ""
        return (
            f'<dt id="{field.qualname}" data-find="{field.qualname}"><code>{escape(field.name)}</code>{shown}</dt>'
            f"<dd>{self._words(field.docstring)}</dd>\n"
        )

    def _attributes(self, of: Class) -> str:
        """The fields that the docstring of a record lists."""
        fields = self._own_fields(of)
        return "".join(
            f'<dt id="{of.name}.{name}" data-find="{of.name}.{name}"><code>{name}</code></dt>'
            f"<dd>{self._words(about)}</dd>\n"
            for name, about in fields.items()
        )

    def _own_fields(self, of: Class) -> dict[str, str]:
        """The lines of `Attributes:` in a docstring, without those that have a docstring of their own."""
        documented = {member.name for member in of.members.values() if member.docstring}
        return {name: about for name, about in _listed(of) if name not in documented}

    def _words(self, docstring: str) -> str:
        return Markdown(_Names(self.links, self.names)).page(ATTRIBUTES.sub("", docstring), indented="python")

    def _anchors(self) -> dict[str, str]:
        """The anchor of each name that a docstring can mention."""
        anchors: dict[str, str] = {}
        for member in self.module.members.values():
            anchors[member.name] = member.qualname
            if isinstance(member, Class):
                own = [inner.name for inner in member.members.values() if _is_public(inner) and inner.docstring]
                anchors |= {
                    f"{member.name}.{name}": f"{member.name}.{name}" for name in [*own, *self._own_fields(member)]
                }
        return anchors


# Sections that a reader needs first.
ORDER = {"watcher": 0, "queue": 1, "snapshot": 2, "records": 3, "details": 4, "lookups": 5, "finder": 6, "answers": 7,
         "stats": 8, "enums": 9, "errors": 10}  # fmt: skip


class _Names:
    """Names in code lead to their entries on this page."""

    def __init__(self, links: Links, anchors: dict[str, str]) -> None:
        self.links = links
        self.anchors = anchors

    def to(self, href: str) -> str:
        return self.links.to(href)

    def of_name(self, name: str) -> str:
        plain = name.removeprefix("criwatch.").removesuffix("()")
        return f"#{self.anchors[plain]}" if plain in self.anchors else ""

    def text_of(self, path: str) -> str:
        return self.links.text_of(path)


def _listed(of: Class) -> list[tuple[str, str]]:
    """The lines of `Attributes:` in a docstring."""
    listed = ATTRIBUTES.search(of.docstring)
    return re.findall(r"^ +(\w+): (.*)$", listed[1], re.M) if listed else []


def _rank(of: Class, name: str) -> int:
    """The place of a field in its class's list; the others come last."""
    names = [listed for listed, _ in _listed(of)]
    return names.index(name) if name in names else len(names)


def _loaded(package: Path) -> Module:
    # Importing the package loads no library.
    sys.path.insert(0, str(package))
    return Module.from_name("criwatch")


def _is_public(doc: Doc[Any]) -> bool:
    return not doc.name.startswith("_") or doc.name == "__init__" and bool(doc.docstring)


def _declaration(doc: Doc[Any]) -> str:
    if isinstance(doc, Function):
        word = "async def" if doc.funcdef.startswith("async") else "def"
        name = doc.qualname.removesuffix(".__init__").rpartition(".")[2]
        decorators = "".join(f"{line}\n" for line in doc.decorators if "overload" not in line)
        return f"{decorators}{word} {name}{_plain(str(doc.signature))}\n"
    if isinstance(doc, Class):
        bases = ", ".join(name.rpartition(".")[2] for _, name, _ in doc.bases if not name.startswith("_"))
        return f"class {doc.name}({bases})\n" if bases else f"class {doc.name}\n"
    if isinstance(doc, Variable) and len(doc.default_value_str) < 200:
        return f"{doc.name} = {OBJECT.sub('...', doc.default_value_str)}\n"
    return ""


def _plain(code: str) -> str:
    code = DEFAULT.sub(r"\1", FROM.sub("", code))
    code = re.sub(r"\*<class '(?:\w+\.)*(\w+)'>", r"Unpack[\1]", code.replace("NoneType", "None"))
    return OBJECT.sub("...", code)
