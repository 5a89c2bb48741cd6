"""No module of the package imports, by whatever way, one that imports it: also not inside functions, or for types only."""

import ast
import unittest
from pathlib import Path

import criwatch

PACKAGE = Path(criwatch.__file__).parent


def module_name(path):
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def modules(folder=PACKAGE):
    return {module_name(path): path.read_text(encoding="utf-8") for path in folder.rglob("*.py")}


def imports_of(name, source, known):
    """The modules of the package that a module names in its imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name} imports relatively"
            # Of `from a import b`, b may be a module; what is none is a name of a.
            named = [
                f"{node.module}.{alias.name}" if f"{node.module}.{alias.name}" in known else node.module
                for alias in node.names
            ]
        else:
            continue
        found |= known & set(named)
    return found - {name}


def cycles(sources):
    """Groups of modules each of which reaches all others of its group, by their imports."""
    graph = {name: imports_of(name, source, set(sources)) for name, source in sources.items()}
    reached = {}
    for name in graph:
        seen, waiting = set(), [name]
        while waiting:
            for one in graph[waiting.pop()] - seen:
                seen.add(one)
                waiting.append(one)
        reached[name] = seen
    groups = {frozenset(b for b in reached[a] if a in reached[b]) | {a} for a in graph if a in reached[a]}
    return sorted(sorted(group) for group in groups)


class Imports(unittest.TestCase):
    def test_no_cycle(self):
        sources = modules()
        self.assertGreater(len(sources), 20)
        self.assertEqual(cycles(sources), [])

    def test_a_cycle_is_found(self):
        for first in ("import p.b", "from p import b", "from p.b import x", "def f():\n    from p.b import x"):
            sources = {"p": "", "p.a": first, "p.b": "import p.c", "p.c": "import os, p.a", "p.d": "import p.a"}
            self.assertEqual(cycles(sources), [["p.a", "p.b", "p.c"]], first)
        self.assertEqual(cycles({"p": "from p.a import x", "p.a": "from p import x"}), [["p", "p.a"]])
        self.assertEqual(cycles({"p": "from p.a import x", "p.a": "from p import b", "p.b": ""}), [])


if __name__ == "__main__":
    unittest.main()
