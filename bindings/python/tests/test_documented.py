"""Every public name says what it is."""

import ast
import enum
import importlib
import inspect
import pkgutil
import unittest

import criwatch
from criwatch._docs import DOCS


def public_modules():
    yield criwatch
    for module in pkgutil.iter_modules(criwatch.__path__):
        if not module.name.startswith("_"):
            yield importlib.import_module(f"criwatch.{module.name}")


class Documented(unittest.TestCase):
    def test_modules_classes_functions_and_methods(self):
        silent = []
        seen = 0
        for module in public_modules():
            silent += [] if module.__doc__ else [module.__name__]
            for name, thing in vars(module).items():
                is_ours = getattr(thing, "__module__", "").startswith("criwatch")
                if name.startswith("_") or not is_ours or not (inspect.isclass(thing) or inspect.isfunction(thing)):
                    continue
                seen += 1
                silent += [] if thing.__doc__ else [f"{module.__name__}.{name}"]
                for member, value in vars(thing).items() if inspect.isclass(thing) else ():
                    function = value.fget if isinstance(value, property) else getattr(value, "__func__", value)
                    if inspect.isfunction(function) and not member.startswith("_") and not function.__doc__:
                        silent.append(f"{module.__name__}.{name}.{member}")
        self.assertEqual(silent, [])
        self.assertGreater(seen, 50)

    def test_fields_members_and_constants(self):
        """These have a docstring after them, or a comment before them that begins with `#:`; editors show both."""
        silent, seen = [], 0
        for module in public_modules():
            source = inspect.getsource(module)
            lines = source.splitlines()
            for owner, statement, after in assignments(ast.parse(source)):
                target = statement.target if isinstance(statement, ast.AnnAssign) else statement.targets[0]
                if not isinstance(target, ast.Name) or target.id.startswith("_") or target.id == "T":
                    continue
                seen += 1
                if not is_text(after) and not lines[statement.lineno - 2].lstrip().startswith("#:"):
                    silent.append(f"{module.__name__}{owner}.{target.id}")
        self.assertEqual(silent, [])
        self.assertGreater(seen, 150)

    def test_members_and_records_know_it_at_run_time(self):
        for kind in vars(criwatch).values():
            if inspect.isclass(kind) and issubclass(kind, enum.Enum):
                for member in kind:
                    self.assertTrue(member.__doc__ and member.__doc__ != kind.__doc__, member)
        for record in (criwatch.Pod, criwatch.Container, criwatch.Event):
            for name, text in DOCS[record.__name__].items():
                self.assertIn(name, record.__dataclass_fields__)
                self.assertIn(f"{name}: {text}", record.__doc__)
        # The header's terms, as Python names them.
        for texts in DOCS.values():
            for text in texts.values():
                self.assertNotRegex(text, r"NULL|CRI_|cri_\w+\(")

    def test_the_public_names_are_there(self):
        self.assertEqual([name for name in criwatch.__all__ if not hasattr(criwatch, name)], [])
        self.assertEqual(criwatch.__all__, sorted(criwatch.__all__))
        # Nothing that the package makes public in the one way is missing in the other.
        exported = {
            name
            for name, value in vars(criwatch).items()
            if not name.startswith("_") and not inspect.ismodule(value) and name != "annotations"
        }
        self.assertEqual(exported - set(criwatch.__all__), set())
        for kind in (criwatch.Status, criwatch.EventType, criwatch.EventFlag):
            self.assertTrue(issubclass(kind, (enum.IntEnum, enum.IntFlag)))


def assignments(module):
    """Each assignment of a module and its classes, with what stands after it."""
    for owner, body in [("", module.body)] + [(f".{c.name}", c.body) for c in module.body if isinstance(c, ast.ClassDef)]:
        for statement, after in zip(body, [*body[1:], None]):
            if isinstance(statement, (ast.Assign, ast.AnnAssign)):
                yield owner, statement, after


def is_text(statement):
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str)


if __name__ == "__main__":
    unittest.main()
