"""What the command makes of what it shows: texts, tables, YAML; no engine is needed."""

import json
import unittest

from criwatch import Container, Kind, Pod, PodEntry, PodState, State
from criwatch.cli import options, tree, words, yaml
from criwatch.cli.table import Table, cut, cut_in_the_middle, lines, plain, printable, width_of

SECOND = 1_000_000_000


class Words(unittest.TestCase):
    def test_ages(self):
        now = 10_000_000 * SECOND
        for seconds, expected in (
            (0, "0s"), (59, "59s"), (60, "1m"), (61, "1m1s"), (599, "9m59s"), (600, "10m"), (3599, "59m"), (3600, "1h"),
            (3661, "1h1m"), (36_000, "10h"), (86_400, "1d"), (90_000, "1d1h"), (950_400, "11d"),
        ):  # fmt: skip
            self.assertEqual(words.age(now - seconds * SECOND, now), expected)
        self.assertEqual(words.age(now + SECOND, now), "0s")
        self.assertEqual(words.age(None), "-")

    def test_ends(self):
        def end(**known):
            return words.end(Container("id", "name", **known))

        self.assertEqual(end(state=State.RUNNING), "-")
        self.assertEqual(end(state=State.EXITED), "-")
        self.assertEqual(end(state=State.EXITED, exit_code=0, reason="Completed"), "Completed(0)")
        self.assertEqual(end(state=State.EXITED, exit_code=137, reason="OOMKilled").style, "red")
        self.assertEqual(end(state=State.EXITED, reason="gone"), "gone")

    def test_times_are_as_wide_as_any_other(self):
        self.assertEqual(words.moment(1_700_000_000 * SECOND + 7_000_000), "2023-11-14T22:13:20.007Z")

    def test_time_limits(self):
        for text, expected in (("10", 10), ("500ms", 0.5), ("2s", 2), ("1.5s", 1.5), ("1m", 60)):
            self.assertEqual(options.seconds(text), expected)
        for text in ("", "s", "-1", "0", "2h", "1 s", "nan"):
            with self.assertRaises(Exception, msg=text):
                options.seconds(text)


class Tables(unittest.TestCase):
    def setUp(self):
        self.table = Table(("NAME", "N", "IMAGE"), numbers=("N",), soft=("IMAGE",), optional=("IMAGE",), names=("NAME",))
        self.table.add("a-rather-long-name", "1", "registry.example/image:1.0")
        self.table.add("b", "12", "-")

    def test_plain(self):
        self.assertEqual(
            plain(self.table).split("\n"),
            [
                "NAME                 N  IMAGE",
                "a-rather-long-name   1  registry.example/image:1.0",
                "b                   12  -",
            ],
        )
        self.assertEqual(plain(Table(("A", "B"))), "A  B")

    def test_fitted(self):
        for width in range(1, 60):
            for line in plain(self.table, width).split("\n"):
                self.assertLessEqual(width_of(line), width, line)
        # An image is cut, then let go, before a name loses anything.
        self.assertEqual(plain(self.table, 42).split("\n")[1], "a-rather-long-name   1  registry.…mage:1.0")
        self.assertEqual(plain(self.table, 39).split("\n")[1], "a-rather-long-name   1")
        # Of a name, begin and end stay: the end distinguishes it.
        self.assertEqual(plain(self.table, 16).split("\n")[1], "a-rath…-name   1")

    def test_what_gives_way_in_which_order(self):
        table = Table(
            ("NAME", "ID", "AGE", "EXIT", "PID"),
            ids=("ID",), optional=("EXIT", "PID"), names=("NAME",), dispensable=("AGE", "ID"),
        )  # fmt: skip
        table.add("web-5d9c7b6f4-x2x7q", "0123456789abc", "5m", "Error(1)", "4711")
        for width, expected in (
            (80, "web-5d9c7b6f4-x2x7q  0123456789abc  5m   Error(1)  4711"),
            (54, "web-5d9c7b6f4-x2x7q  0123456789ab  5m   Error(1)  4711"),
            (50, "web-5d9c7b6f4-x2x7q  01234567  5m   Error(1)  4711"),
            (49, "web-5d9c7b6f4-x2x7q  0123456789abc  5m   4711"),
            (39, "web-5d9c7b6f4-x2x7q  0123456789abc  5m"),
            (34, "web-5d9c7b6f4-x2x7q  01234567  5m"),
            (30, "web-5d9…4-x2x7q  01234567  5m"),
            (24, "web-5d9…-x2x7q  01234567"),
            (12, "web-5d…x2x7q"),
        ):
            self.assertEqual(plain(table, width).split("\n")[1], expected)

    def test_columns_can_be_kept_wide(self):
        self.assertEqual("  ".join(next(iter(lines(self.table, None, {"N": 5})))), "NAME                    N  IMAGE")

    def test_nothing_that_an_author_writes_moves_the_cursor(self):
        self.assertEqual(printable("a\x1b[2Jb\nc"), "a\\x1b[2Jb\\x0ac")
        self.table.add("\x1b]0;title\x07", "\r", "x")
        self.assertNotIn("\x1b", plain(self.table))
        self.assertEqual(len(plain(self.table).splitlines()), 4)

    def test_wide_characters(self):
        self.table.add("箱箱", "3", "y")
        self.assertTrue(plain(self.table).endswith("\n箱箱" + " " * 14 + "   3  y"))
        self.assertEqual(cut("箱箱箱", 4), "箱…")
        self.assertEqual(cut_in_the_middle("箱箱箱箱箱箱", 8), "箱箱…箱")
        for width in range(8):
            self.assertLessEqual(width_of(cut_in_the_middle("箱a箱b箱c箱", width)), width)


class Yaml(unittest.TestCase):
    VALUE = {
        "plain": "unix:///run/a.sock",
        "words": [
            "yes",
            "No",
            "null",
            "~",
            "1.0",
            "0x1f",
            "1e3",
            "",
            " a",
            "a ",
            "a: b",
            "a #b",
            "-",
            "- a",
            "*a",
            "&a",
            "!a",
        ],
        "times": "2026-02-03T04:06:06Z",
        "inner": {"list": [{"a": 1, "b": [1, [2, 3]]}, [], {}], "none": None, "true": True, "half": 0.5},
        "io.kubernetes.annotation/a b": "é 箱 \U0001f4e6 \t\n\x7f\x85 \"'",
        "1": "number",
    }

    def test_shape(self):
        self.assertEqual(
            yaml.dump({"a": {"b": [{"c": 1, "d": "e"}, "f"], "g": []}, "h": "yes"}),
            'a:\n  b:\n  - c: 1\n    d: e\n  - f\n  g: []\nh: "yes"\n',
        )

    def test_texts_that_yaml_takes_for_something_else_are_quoted(self):
        for text in self.VALUE["words"]:
            self.assertEqual(yaml.dump([text]), f"- {json.dumps(text)}\n")


    def test_nothing_in_a_document_moves_the_cursor(self):
        hostile = "\x1b[31m \x9b2J \x7f \u202e \U000e0001 \u2028"
        output = yaml.dump({"a": hostile})
        self.assertTrue(output.rstrip("\n").isprintable(), output)
        on_terminal = yaml.escaped(json.dumps({"a": hostile}, indent=2, ensure_ascii=False), is_json=True)
        self.assertTrue(on_terminal.replace("\n", "").isprintable(), on_terminal)
        self.assertEqual(json.loads(on_terminal), {"a": hostile})


class Tree(unittest.TestCase):
    def pod(self, name, *containers, state=PodState.READY):
        pod = Pod("0" * 60 + name[:4].rjust(4, "0"), name, "shop", "uid", state=state)
        sandbox = Container(pod.id, name, Kind.SANDBOX, State.RUNNING, created_ns=1, pid=1)
        return PodEntry(pod, (sandbox, *containers))

    def test_attempts_are_one_line_with_the_last_end(self):
        first = Container("a", "app", state=State.EXITED, attempt=0, exit_code=1, reason="Error", finished_ns=5)
        second = Container("b", "app", state=State.EXITED, attempt=1, exit_code=137, reason="OOMKilled", finished_ns=9)
        third = Container("c", "app", state=State.RUNNING, attempt=2, pid=7, started_ns=10)
        pod, app = tree.lines([self.pod("web", third, first, second)])
        self.assertEqual((pod.name, pod.state, pod.restarts, pod.pid), ("shop/web", "ready", 2, "1"))
        self.assertEqual((app.id, app.state, app.pid, app.restarts), ("c", "running", "7", 2))
        self.assertEqual((app.last_exit, app.last_exit_ns), ("OOMKilled(137)", 9))

    def test_orders_and_what_has_ended(self):
        calm = self.pod("a", Container("1", "x", state=State.RUNNING))
        busy = self.pod("b", Container("2", "x", state=State.RUNNING, attempt=4))
        gone = self.pod("c", state=PodState.NOT_READY)

        def names(**how):
            return [line.name for line in tree.lines([gone, busy, calm], **how) if line.is_pod]

        self.assertEqual(names(), ["shop/a", "shop/b"])
        self.assertEqual(names(order="restarts"), ["shop/b", "shop/a"])
        self.assertEqual(names(everything=True), ["shop/a", "shop/b", "shop/c"])
        shown = tree.lines([gone, busy, calm], everything=True)
        self.assertEqual(tree.totals(shown), "2 pods ready, 1 notready, 2 containers running")
        self.assertEqual(tree.totals(tree.lines([calm])), "1 pod ready, 1 container running")


if __name__ == "__main__":
    unittest.main()
