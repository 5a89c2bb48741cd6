"""What wheel and sdist have in common: the metadata of pyproject.toml in the form of PyPI, and the package's files."""

import os
import re
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

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
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {NAME}",
        f"Version: {version()}",
        f"Summary: {PROJECT['description']}",
        f"Keywords: {','.join(PROJECT['keywords'])}",
        f"License: {PROJECT['license']['text']}",
        *(f"Classifier: {classifier}" for classifier in PROJECT["classifiers"]),
        f"Requires-Python: {PROJECT['requires-python']}",
        *(f"Requires-Dist: {requirement}" for requirement in PROJECT.get("dependencies", ())),
    ]
    for extra, requirements in PROJECT.get("optional-dependencies", {}).items():
        lines.append(f"Provides-Extra: {extra}")
        lines += [f"Requires-Dist: {only_for(requirement, extra)}" for requirement in requirements]
    readme = (ROOT / PROJECT["readme"]).read_text(encoding="utf-8")
    return "\n".join([*lines, "Description-Content-Type: text/markdown", "", readme])


def only_for(requirement: str, extra: str) -> str:
    """A requirement with the marker of an extra."""
    what, _, marker = (part.strip() for part in requirement.partition(";"))
    condition = f'extra == "{extra}"'
    return f"{what} ; ({marker}) and {condition}" if marker else f"{what} ; {condition}"


def entry_points() -> str:
    """The text of entry_points.txt; "" where there is no program."""
    scripts = PROJECT.get("scripts", {})
    return "\n".join(["[console_scripts]", *(f"{name} = {target}" for name, target in scripts.items()), ""]) if scripts else ""


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
