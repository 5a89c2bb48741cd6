"""Finds, loads and checks the shared library, once, when it is first needed.

`import criwatch` alone loads nothing: documentation, type checkers and programs that only use the types need no library.
"""

from __future__ import annotations

import os
import threading
from ctypes import CDLL
from pathlib import Path
from typing import List, Optional

from criwatch import _capi, constants

#: The variable that names the library to load. It overrides all other places.
OVERRIDE = "CRIWATCH_LIBRARY"

SONAME = f"libcriwatch.so.{constants.CRI_ABI_VERSION}"

_lock = threading.Lock()
_loaded: Optional[CDLL] = None


class LibraryUnusable(ImportError):
    """The shared library cannot be found, cannot be loaded, or is not the one that this package was made for."""


def library() -> CDLL:
    """The shared library, loaded at the first call."""
    global _loaded
    # Read without the lock, because it never changes once it is set.
    if _loaded is None:
        with _lock:
            if _loaded is None:
                _loaded = _checked(_load())
    return _loaded


def _candidates() -> List[str]:
    """The places to look, in order: what the environment names, beside this module, the loader's own places."""
    override = os.environ.get(OVERRIDE)
    if override:
        # If a library is named, only that one may be loaded.
        return [override]
    bundled = Path(__file__).with_name(SONAME)
    return ([str(bundled)] if bundled.exists() else []) + [SONAME]


def _load() -> CDLL:
    failures = []
    for name in _candidates():
        try:
            # CDLL lets other Python threads run during a call; PyDLL would deadlock in calls that wait.
            return CDLL(name)
        except OSError as error:
            failures.append(f"{name}: {error}")
    raise LibraryUnusable(
        f"the criwatch library cannot be loaded ({'; '.join(failures)}): install a wheel that has it inside, or"
        f" {SONAME} where the loader looks (ldconfig, LD_LIBRARY_PATH), or name the file in {OVERRIDE}"
    )


def _checked(loaded: CDLL) -> CDLL:
    """Returns the library if it is the version that this package was generated for."""
    name = loaded._name
    try:
        abi = int(loaded.cri_abi_version())
        if abi != constants.CRI_ABI_VERSION:
            raise LibraryUnusable(
                f"{name} has ABI version {abi}, and this package is made for {constants.CRI_ABI_VERSION}:"
                " install the package and the library of one release"
            )
        _capi.declare(loaded)
    except AttributeError as error:
        raise LibraryUnusable(f"{name} is no criwatch library, or one older than this package: {error}") from error
    return loaded


def abi_version() -> int:
    """The version of the loaded library's binary interface; it is `constants.CRI_ABI_VERSION`."""
    return int(library().cri_abi_version())


def version_number() -> int:
    """The loaded library's version as one number that can be compared."""
    return int(library().cri_version_number())


def version() -> str:
    """The loaded library's version as a text, e.g. "0.1.0"."""
    return str(library().cri_version().decode())


def library_path() -> str:
    """The name of the loaded library: a path, or the name that the loader has resolved."""
    return str(library()._name)
