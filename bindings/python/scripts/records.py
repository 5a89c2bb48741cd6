"""Writes what Python has of the header's records: dataclasses with the fields, how each is read, and what each means."""

import re
from typing import Callable, Dict, List, NamedTuple, Optional, Set

from header import HEADER, Field, Header

#: The struct of each record, and the class that has its fields.
RECORDS = {
    "cri_port": "Port", "cri_mount": "Mount", "cri_user": "User", "cri_resources": "Resources", "cri_previous": "Previous",
    "cri_namespaces": "Namespaces", "cri_pod": "Pod", "cri_container": "Container", "cri_event": "Event",
}  # fmt: skip
SUMMARIES = {
    "Port": "The fields of a port that a container declares.",
    "Mount": "The fields of a mount.",
    "User": "The fields of a user.",
    "Resources": "The fields of a container's limits.",
    "Previous": "The fields of how the previous run ended.",
    "Namespaces": "The fields of a process's namespaces.",
    "Pod": "The fields of a pod.",
    "Container": "The fields of a container or a pod's sandbox.",
    "Event": "The fields of an event.",
}

#: What has no default; of an event, nothing has one.
REQUIRED = {
    "Pod": ("id", "name", "namespace", "uid"), "Container": ("id", "name"), "Port": ("container", "container_port"),
    "Mount": ("container_path",), "User": ("uid", "gid"),
}  # fmt: skip

#: Numbers that are members of an enumeration, or bits of one.
ENUMERATIONS = {
    "Pod": {"state": "PodState", "flags": "PodFlag"},
    "Container": {"kind": "Kind", "state": "State", "missing": "Missing", "flags": "ContainerFlag"},
    "Mount": {"flags": "MountFlag"},
    "Event": {
        "type": "EventType", "flags": "EventFlag", "changed": "Changed", "watcher_state": "WatcherState",
        "log_level": "LogLevel",
    },
}  # fmt: skip
FLAGS = {"PodFlag", "ContainerFlag", "MountFlag", "Missing", "EventFlag", "Changed"}

#: What the header calls otherwise because of C++, or because it has no better type.
NAMES = {"pod_namespace": "namespace"}

#: What C says and Python does not: pattern and replacement.
WORDS = [
    (r"\(cri_watcher_set_packer, cri_watcher_attach\)", "(`Watcher.attach`)"),
    (r"\bNULL\b", "None"),
    (r"(?<![\w.])(?:-1|0|INT32_MIN)(?=: (?:none|unknown|not \w+))", "None"),
    (r"\botherwise 0\b", "otherwise None"),
]

# A number that stands for nothing.
NOTHING = re.compile(r"(?<![\w.])(-1|0|INT32_MIN)(?=: (?:none|unknown|not \w+))|\botherwise (0)\b")


class Member(NamedTuple):
    """A field as Python has it."""

    name: str
    annotation: str
    #: The expression of its default; "": it has none.
    default: str
    #: The expression that reads it from `record`.
    value: str
    doc: str


def members(struct: str, header: Header, python_name: Callable[[str], str]) -> List[Member]:
    """The fields of a record, those without a default first."""
    record = RECORDS[struct]
    arrays = {field.name for field in header.structs[struct] if field.name.endswith("_len")}
    found = [
        _member(record, field, python_name, arrays)
        for field in header.structs[struct]
        # Arrays know their length in Python.
        if field.name != "struct_size" and not field.name.endswith("_len")
    ]
    return sorted(found, key=lambda member: bool(member.default))


def _member(record: str, field: Field, python_name: Callable[[str], str], arrays: Set[str]) -> Member:
    name = NAMES.get(field.name, re.sub(r"_unix_nano$", "_ns", field.name))
    annotation, default, value = _typed(record, field, name, arrays)
    if record == "Event" or name in REQUIRED.get(record, ()):
        default = ""
    doc = in_python(field.doc, python_name)
    if annotation.startswith("Optional["):
        doc = doc.replace("Otherwise 0.", "Otherwise None.")
    return Member(name, annotation, default, value, doc)


def _typed(record: str, field: Field, name: str, arrays: Set[str]) -> "tuple[str, str, str]":
    """A field's type, its default, and how it is read."""
    read, nothing = f"record.{field.name}", _nothing(field)
    if name in ENUMERATIONS.get(record, {}):
        kind = ENUMERATIONS[record][name]
        # A set of flags can be empty; a value of an enumeration cannot.
        if kind not in FLAGS and field.doc.endswith("Otherwise 0."):
            nothing = "0"
        if nothing is not None:
            return f"Optional[{kind}]", "None", f"{kind}({read}) if {read} != {nothing} else None"
        return kind, f"{kind}(0)" if kind in FLAGS else f"next(iter({kind}))", f"{kind}({read})"
    if field.type == "const char *":
        return "str", '""', f"text({read})"
    if field.type == "const char *const *":
        return "Tuple[str, ...]", "()", f"texts({read}, {read}_len)"
    if field.type == "const cri_label *":
        return "Mapping[str, str]", "field(default_factory=dict, hash=False)", f"labels({read}, {read}_len)"
    if field.type == "const int64_t *":
        return "Tuple[int, ...]", "()", f"numbers({read}, {read}_len)"
    pointed = RECORDS.get(field.type[len("const "):-len(" *")])
    # Whoever reads the record makes what it points to, and knows whether it has been made already.
    if pointed and f"{field.name}_len" in arrays:
        return f'Tuple["{pointed}Fields", ...]', "()", field.name
    if pointed:
        return f'Optional["{pointed}Fields"]', "None", field.name
    if field.type in ("int32_t", "uint32_t", "int64_t", "uint64_t"):
        if nothing is not None:
            return "Optional[int]", "None", f"{read} if {read} != {nothing} else None"
        return "int", "0", read
    raise SystemExit(f"{HEADER.name}: no such field is known: {field}")


def _nothing(field: Field) -> Optional[str]:
    found = NOTHING.search(field.doc)
    nothing = (found[1] or found[2]) if found else None
    return "-(1 << 31)" if nothing == "INT32_MIN" else nothing


def in_python(doc: str, python_name: Callable[[str], str]) -> str:
    """What the header says, in the words of Python."""
    for pattern, replacement in WORDS:
        doc = re.sub(pattern, replacement, doc)
    return re.sub(r"\bCRI_\w+", lambda match: python_name(match[0]), doc)


def fields(header: Header, python_name: Callable[[str], str], generated: str) -> str:
    """The module of fields."""
    kinds = sorted({kind for kinds in ENUMERATIONS.values() for kind in kinds.values()})
    out = [f'"""The fields of the library\'s records, and how each is read from C."""\n\n{generated}\n']
    out.append("from __future__ import annotations\n")
    out.append("from dataclasses import dataclass, field\nfrom typing import Any, Dict, Mapping, Optional, Tuple\n")
    out.append("from criwatch._read import labels, numbers, text, texts")
    out.append("from criwatch.enums import (\n" + "".join(f"    {kind},\n" for kind in kinds) + ")\n")
    for struct, record in RECORDS.items():
        has = members(struct, header, python_name)
        out.append(f'\n@dataclass(frozen=True, repr=False)\nclass {record}Fields:\n    """{SUMMARIES[record]}"""\n')
        for one in has:
            default = f" = {one.default}" if one.default else ""
            out.append(f"    {one.name}: {one.annotation}{default}\n    {literal(one.doc)}")
        others = [one.name for one in has if one.value == one.name]
        parameters = ", ".join(["record: Any", *(f"{name}: Any" for name in others)])
        out.append(f'\n\ndef {record.lower()}_values({parameters}) -> Dict[str, Any]:')
        out.append(f'    """The values of the fields of a `{struct}`."""\n    return {{')
        out += [f'        "{one.name}": {one.value},' for one in has]
        out.append("    }\n")
    return "\n".join(out)


def literal(doc: str) -> str:
    """A docstring of one line."""
    escaped = doc.replace("\\", "\\\\")
    # A quote at an end would end it too early.
    return f'"""{" " if escaped.startswith(chr(34)) else ""}{escaped}{" " if escaped.endswith(chr(34)) else ""}"""'


def docs(header: Header, python_name: Callable[[str], str], enumerations: Dict[str, Dict[str, str]], generated: str) -> str:
    """The module that knows at run time what each field and member means."""
    known = dict(enumerations)
    for struct, record in RECORDS.items():
        known[record] = {one.name: one.doc for one in members(struct, header, python_name)}
    out = [f'"""What each field of a record and each member of an enumeration means."""\n\n{generated}\n']
    out.append("from __future__ import annotations\n\nfrom typing import Dict, Final\n")
    out.append("#: By class and name.\nDOCS: Final[Dict[str, Dict[str, str]]] = {")
    for owner, each in known.items():
        out.append(f'    "{owner}": {{')
        out += [f'        "{name}": {text!r},' for name, text in each.items()]
        out.append("    },")
    return "\n".join([*out, "}"]) + "\n"
