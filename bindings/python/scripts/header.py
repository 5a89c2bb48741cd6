"""Reads include/criwatch.h, for the scripts that make the package from it.

The header is very regular, so that a few patterns read it whole; what they do not know is an error, never skipped.
"""

import re
from pathlib import Path
from typing import Dict, List, NamedTuple, Tuple

HEADER = Path(__file__).resolve().parents[3] / "include" / "criwatch.h"


class Constant(NamedTuple):
    """A #define with a value; `group` is the title it stands under."""

    name: str
    value: str
    doc: str
    group: str


class Field(NamedTuple):
    """A field of a struct."""

    type: str
    name: str
    doc: str


class Header(NamedTuple):
    """What a header declares, each in its order. Structs without a body are opaque."""

    constants: List[Constant]
    structs: Dict[str, List[Field]]
    callbacks: Dict[str, List[str]]
    functions: Dict[str, Tuple[str, List[str]]]


PATTERNS = [(kind, re.compile(pattern, re.DOTALL)) for kind, pattern in [
    ("blank", r"\s+"),
    ("doc", r"/\*\*(?P<text>.*?)\*/"),
    ("comment", r"/\*(?P<text>.*?)\*/"),
    ("define", r"#[ ]*define[ ]+(?P<name>\w+)(?P<parameters>\(\w+\))?[ ]*(?P<value>[^\n]*)\n"),
    ("directive", r"#[ ]*(?:if|ifdef|ifndef|elif|else|endif|include)\b[^\n]*\n"),
    ("linkage", r'extern "C" \{|\}'),
    ("opaque", r"typedef struct (?P<name>\w+) (?P=name);"),
    ("struct", r"typedef struct (?P<name>\w+) \{(?P<body>[^{}]*)\} (?P=name);"),
    ("callback", r"typedef void \(\*(?P<name>\w+)\)\((?P<parameters>[^()]*)\);"),
    ("alias", r"typedef int32_t cri_status;"),
    ("function", r"(?:CRI_NODISCARD\s+)?(?P<result>[\w ]+?[ *]+)(?P<name>cri_\w+)\((?P<parameters>[^()]*)\);"),
]]
# No constants of the interface: the guard, an attribute, an initialiser, a macro with a parameter (EventType.mask is that in Python).
UNUSED_MACROS = {"CRIWATCH_H", "CRI_NODISCARD", "CRI_BUFFER_INIT", "CRI_EVENT_MASK"}


def read(text: str) -> Header:
    """Reads a header whole."""
    header = Header([], {}, {}, {})
    position, doc, group = 0, "", ""
    while position < len(text):
        kind, match = next(((k, m) for k, m in ((k, p.match(text, position)) for k, p in PATTERNS) if m), ("", None))
        if match is None:
            line = text.count("\n", 0, position) + 1
            raise SystemExit(f"{HEADER.name}:{line}: not understood: {text[position:position + 60]!r}")
        position = match.end()
        if kind == "doc":
            doc = prose(match["text"])
        elif kind == "comment":
            group = title(match["text"]) or group
        elif kind == "define" and match["name"] not in UNUSED_MACROS:
            header.constants.append(Constant(match["name"], match["value"].strip(), doc, group))
        elif kind == "opaque":
            header.structs[match["name"]] = []
        elif kind == "struct":
            header.structs[match["name"]] = fields(match["body"])
        elif kind == "callback":
            header.callbacks[match["name"]] = [declarator(p)[0] for p in split(match["parameters"], ",")]
        elif kind == "function":
            parameters = [p for p in split(match["parameters"], ",") if p != "void"]
            header.functions[match["name"]] = (match["result"].strip(), [declarator(p)[0] for p in parameters])
    return header


def fields(body: str) -> List[Field]:
    """The fields of a struct's body."""
    docs = [prose(doc) for doc in re.findall(r"/\*\*(.*?)\*/", body, re.DOTALL)]
    declared = split(body, ";")
    if len(docs) != len(declared):
        raise SystemExit(f"{HEADER.name}: not every field has a comment: {declared}")
    return [Field(*declarator(field), doc) for field, doc in zip(declared, docs)]


def prose(comment: str) -> str:
    """A comment's text in one line."""
    return " ".join(line.strip(" *") for line in comment.splitlines()).strip()


def title(comment: str) -> str:
    """What a comment says of the group it begins: of a section its title, or "Event types:"."""
    lines = [line.strip(" *=") for line in comment.splitlines()]
    lines = [line for line in lines if line]
    if "====" in comment or (len(lines) == 1 and lines[0].endswith(":")):
        return lines[0].rstrip(":")
    return ""


def split(text: str, separator: str) -> List[str]:
    """The parts of a body or a list of parameters, without comments."""
    code = re.sub(r"/\*.*?\*/", " ", text, flags=re.DOTALL)
    return [" ".join(part.split()) for part in code.split(separator) if part.strip()]


def declarator(text: str) -> Tuple[str, str]:
    """The type and the name of a parameter or field."""
    match = re.fullmatch(r"(?P<type>.*?[ *])(?P<name>\w+)", text)
    if match is None:
        raise SystemExit(f"{HEADER.name}: not understood: {text!r}")
    return match["type"].strip(), match["name"]
