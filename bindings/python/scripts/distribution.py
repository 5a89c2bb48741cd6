"""What wheels and sdist have in common: the metadata of pyproject.toml in the form of PyPI, the package's files, and the zip
file of a wheel. The wheel of the simulated engine is another project: bindings/python-sim/scripts/wheel.
"""

import base64
import hashlib
import os
import re
import sys
import time
import zipfile
from pathlib import Path
from typing import Any, Collection, Dict, List

try:
    import tomllib
except ImportError:
    sys.exit(f"{Path(sys.argv[0]).name}: needs Python 3.11 or later, which can read pyproject.toml")

ROOT = Path(__file__).resolve().parent.parent
PROJECT: Dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
NAME: str = PROJECT["name"]


def version() -> str:
    """The package's version, which is the header's."""
    constants: Dict[str, Any] = {}
    exec((ROOT / "criwatch/constants.py").read_text(encoding="utf-8"), constants)
    return ".".join(str(constants[f"CRI_VERSION_{part}"]) for part in ("MAJOR", "MINOR", "PATCH"))


def package_files() -> List[Path]:
    """The package's files, from the root; never a library that happens to lie there."""
    files = [path.relative_to(ROOT) for path in sorted((ROOT / "criwatch").rglob("*"))]
    return [path for path in files if path.suffix == ".py" or path.name == "py.typed"]


def metadata() -> str:
    """The text of METADATA and PKG-INFO."""
    return metadata_of(PROJECT, ROOT, version())


def metadata_of(project: Dict[str, Any], root: Path, of_version: str) -> str:
    """The same of another project, which lies in `root`."""
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {project['name']}",
        f"Version: {of_version}",
        f"Summary: {project['description']}",
        f"Keywords: {','.join(project['keywords'])}",
        f"License: {project['license']['text']}",
        *(f"Classifier: {classifier}" for classifier in project["classifiers"]),
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {requirement}" for requirement in project.get("dependencies", ())),
    ]
    for extra, requirements in project.get("optional-dependencies", {}).items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {only_for(requirement, extra)}" for requirement in requirements]
    readme = (root / project["readme"]).read_text(encoding="utf-8")
    return "\n".join([*lines, "Description-Content-Type: text/markdown", "", readme])


def only_for(requirement: str, extra: str) -> str:
    """A requirement with the marker of an extra."""
    what, _, marker = (part.strip() for part in requirement.partition(";"))
    condition = f'extra == "{extra}"'
    return f"{what} ; ({marker}) and {condition}" if marker else f"{what} ; {condition}"


def entry_points(project: Dict[str, Any] = PROJECT) -> str:
    """The text of entry_points.txt; "" where there is no program, and nothing that others find."""
    groups = {"console_scripts": project.get("scripts", {}), **project.get("entry-points", {})}
    lines = []
    for group, entries in groups.items():
        if entries:
            lines += [f"[{group}]", *(f"{name} = {target}" for name, target in entries.items()), ""]
    return "\n".join(lines)


def license_text() -> bytes:
    """The repository's licence."""
    return (ROOT.parent.parent / "LICENSE").read_bytes()


def date() -> int:
    """The date of all files in an archive, so that the same input gives the same bytes."""
    return int(os.environ.get("SOURCE_DATE_EPOCH", time.mktime((1980, 1, 1, 12, 0, 0, 0, 0, 0))))


def library_name() -> str:
    """The library's SONAME, under which the package looks for it beside itself."""
    constants = (ROOT / "criwatch/constants.py").read_text(encoding="utf-8")
    match = re.search(r"^CRI_ABI_VERSION: .* = (\d+)$", constants, re.MULTILINE)
    if match is None:
        sys.exit("criwatch/constants.py: no CRI_ABI_VERSION")
    return f"libcriwatch.so.{match[1]}"


def write_wheel(wheel: Path, info: str, files: Dict[str, bytes], executables: Collection[str]) -> None:
    """The wheel with these files and a list of them; `info` is the folder of its metadata."""
    record = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        record.append(f"{name},sha256={digest},{len(data)}")
    record_name = f"{info}/RECORD"
    record.append(f"{record_name},,\n")
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in {**files, record_name: "\n".join(record).encode()}.items():
            entry = zipfile.ZipInfo(name, time.localtime(date())[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            mode = 0o755 if name in executables else 0o644
            entry.external_attr = (0o100000 | mode) << 16
            archive.writestr(entry, data)
