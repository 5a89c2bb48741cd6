"""The module's own tests: on the program that CRI_SIM names, or that of the installed package."""

import os
import subprocess
import sys
import unittest

from criwatch_sim import Refused, Simulator, program


class SimulatorTest(unittest.TestCase):
    def test_tell_answers_with_values_and_details(self):
        with Simulator() as engine:
            pod = engine.tell("pod web ns=shop app")
            self.assertEqual(len(pod["id"]), 64)
            self.assertTrue(pod.text.startswith("ok pod web id="))
            listed = engine.tell("list")
            self.assertEqual((listed["sandboxes"], listed["containers"]), ("1", "1"))
            self.assertEqual([line.split(" ")[2] for line in listed.details], ["shop/web", "shop/web/app"])

    def test_what_cannot_be_done_is_refused(self):
        with Simulator() as engine:
            with self.assertRaisesRegex(Refused, "usage: start CONTAINER"):
                engine.tell("start")
            with self.assertRaisesRegex(Refused, 'no container is called "nobody"'):
                engine.tell("start nobody")
            # It goes on.
            self.assertEqual(engine.tell("stats")["containers"], "0")

    def test_the_end_leaves_nothing(self):
        with Simulator() as engine:
            pid = int(engine.tell("pod web app")["pid"])
            os.kill(pid, 0)
            self.assertTrue(os.path.exists(engine.socket))
        engine.close()
        self.assertFalse(os.path.exists(os.path.dirname(engine.socket)))
        with self.assertRaises(ProcessLookupError):
            os.kill(pid, 0)

    def test_options_are_those_of_the_program(self):
        with Simulator("--profile", "crio", "--containers", "4") as engine:
            self.assertEqual(engine.tell("stats")["containers"], "4")
        with self.assertRaises(EOFError):
            Simulator("--profile", "nothing")

    def test_an_engine_that_has_ended_is_an_error(self):
        with Simulator() as engine:
            engine.tell("quit")
            with self.assertRaises((EOFError, BrokenPipeError)):
                engine.tell("stats")

    def test_an_answer_that_does_not_come_is_an_error(self):
        with Simulator() as engine:
            engine._patience = 0.01
            with self.assertRaisesRegex(TimeoutError, "wait nobody ready"):
                engine.tell("wait nobody ready 1m")
            engine._patience = 60.0

    def test_the_command_is_the_program(self):
        command = [sys.executable, "-c", "import criwatch_sim; criwatch_sim.main()", "--version"]
        said = [subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout for words in (command, [program(), "--version"])]
        self.assertEqual(said[0], said[1])
        self.assertTrue(said[0].startswith(b"cri-sim "))


if __name__ == "__main__":
    unittest.main()
