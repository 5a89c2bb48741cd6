"""The generated layer is what the header says, and what the loaded library has."""

import ctypes
import os
import re
import runpy
import subprocess
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace

import criwatch
from criwatch import _capi, _library, constants, enums, errors

PYTHON = Path(__file__).resolve().parent.parent
REPOSITORY = PYTHON.parent.parent


class Generated(unittest.TestCase):
    def test_it_is_what_the_header_says(self):
        done = subprocess.run(
            [sys.executable, str(PYTHON / "scripts/bindgen"), "--check"], capture_output=True, text=True
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_what_is_not_understood_is_never_skipped(self):
        bindgen = runpy.run_path(str(PYTHON / "scripts/bindgen"))
        for text, why in (
            ("typedef enum cri_odd { CRI_ODD } cri_odd;", "criwatch.h:1: not understood"),
            ("/* A comment. */\nint64_t cri_odd[3];", "criwatch.h:2: not understood"),
        ):
            with self.assertRaisesRegex(SystemExit, why):
                bindgen["read"](text)
        odd = bindgen["read"]("double cri_odd(void);")
        with self.assertRaisesRegex(SystemExit, "no such type is known: 'double'"):
            bindgen["_capi"](odd)
        with self.assertRaisesRegex(SystemExit, "no enumeration is for: .*'Odd ones'"):
            header = bindgen["read"](bindgen["HEADER"].read_text() + "/* Odd ones: */\n#define CRI_ODD 1\n")
            bindgen["enums"](header)

    def test_structs_lie_as_in_c(self):
        reported = (REPOSITORY / "tests/abi/layout-x86_64.txt").read_text()
        fields = re.findall(r"^(\w+)\.(\w+): offset (\d+), size (\d+)$", reported, re.MULTILINE)
        self.assertGreater(len(fields), 50)
        for struct, field, offset, size in fields:
            descriptor = getattr(getattr(_capi, struct), field)
            self.assertEqual((descriptor.offset, descriptor.size), (int(offset), int(size)), f"{struct}.{field}")
        for struct, size in re.findall(r"^(\w+): fixed size (\d+)$", reported, re.MULTILINE):
            self.assertEqual(ctypes.sizeof(getattr(_capi, struct)), int(size), struct)

    def test_the_loaded_library_has_every_function(self):
        library = _library.library()
        for name, (result, parameters) in _capi.FUNCTIONS.items():
            function = getattr(library, name)
            self.assertEqual((function.restype, function.argtypes), (result, parameters), name)

    def test_the_loaded_library_is_of_this_interface(self):
        self.assertEqual(criwatch.abi_version(), constants.CRI_ABI_VERSION)
        self.assertRegex(criwatch.version(), r"^\d+\.\d+\.\d+$")
        self.assertGreaterEqual(criwatch.version_number(), constants.CRI_VERSION_NUMBER)

    def test_statuses_have_the_names_of_the_library(self):
        for status in criwatch.Status:
            self.assertEqual(criwatch.status_name(status), f"CRI_{status.name}")
        self.assertEqual(criwatch.status_name(-12345), "CRI_E_UNKNOWN_STATUS")

    def test_every_constant_is_in_an_enumeration(self):
        kinds = [each for each in vars(enums).values() if isinstance(each, type) and each.__module__ == enums.__name__]
        numbers = sum(len(kind.__members__) for kind in kinds)
        flat = [name for name, value in vars(constants).items() if name.startswith("CRI_") and isinstance(value, int)]
        # The versions are no enumeration.
        self.assertEqual(numbers, len([name for name in flat if "VERSION" not in name]))

    def test_numbers_that_are_not_known_are_kept(self):
        self.assertEqual(criwatch.EventType(4711), 4711)
        self.assertEqual(criwatch.EventType(4711).name, "UNKNOWN_4711")
        self.assertEqual(int(criwatch.EventFlag(1 << 20 | 1)), 1 << 20 | 1)


class Loading(unittest.TestCase):
    def test_another_interface_is_refused(self):
        other = SimpleNamespace(_name="libother.so", cri_abi_version=lambda: constants.CRI_ABI_VERSION + 1)
        with self.assertRaisesRegex(criwatch.LibraryUnusable, f"libother.so has ABI version .* {constants.CRI_ABI_VERSION}"):
            _library._checked(other)

    def test_something_else_is_refused(self):
        with self.assertRaisesRegex(criwatch.LibraryUnusable, "no criwatch library"):
            _library._checked(ctypes.CDLL(None))

    def test_the_import_needs_no_library(self):
        self.assertEqual(self.run_without("import criwatch; print(criwatch.EventType.STARTED.name)"), "STARTED")

    def test_a_missing_library_says_what_to_do(self):
        output = self.run_without("import criwatch\ntry: criwatch.Watcher()\nexcept ImportError as e: print(e)")
        for word in ("/nowhere/libcriwatch.so", "CRIWATCH_LIBRARY", "wheel"):
            self.assertIn(word, output)

    def run_without(self, program: str) -> str:
        environment = {**os.environ, "CRIWATCH_LIBRARY": "/nowhere/libcriwatch.so"}
        done = subprocess.run(
            [sys.executable, "-X", "dev", "-c", program], env=environment, capture_output=True, text=True, cwd=PYTHON
        )
        self.assertEqual(done.stderr, "")
        return done.stdout.strip()


class Errors(unittest.TestCase):
    def test_each_error_has_a_class_of_its_own(self):
        for status in criwatch.Status:
            if status < 0:
                self.assertIn(status, errors.CLASSES)
        self.assertEqual(len(set(errors.CLASSES.values())), len(errors.CLASSES))

    def test_they_are_what_python_calls_them(self):
        for ours, theirs in (
            (criwatch.Timeout, TimeoutError),
            (criwatch.PermissionDenied, PermissionError),
            (criwatch.ConnectFailed, ConnectionError),
            (criwatch.NotFound, LookupError),
            (criwatch.InvalidArgument, ValueError),
            (criwatch.OsFailed, OSError),
        ):
            self.assertTrue(issubclass(ours, theirs) and issubclass(ours, criwatch.CriError))

    def test_they_travel(self):
        import pickle

        for cls in errors.CLASSES.values():
            error = cls("what", criwatch.Status.E_OS, 5, 13, True)
            copy = pickle.loads(pickle.dumps(error))
            self.assertEqual((type(copy), str(copy), vars(copy)), (cls, "what", vars(error)))
            self.assertEqual((copy.errno, copy.os_code, copy.grpc_code, copy.retriable), (13, 13, 5, True))


if __name__ == "__main__":
    unittest.main()
