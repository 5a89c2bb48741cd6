"""The examples of help and manual page do what they say, in a shell, on a node that has what they name."""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

from criwatch.cli.parser import COMMANDS
from engine import PATIENCE, Engine

#: What each must print; "": nothing has to be printed. Of what follows for ever, the first line.
EXPECTED = {
    "criwatch ps -a --namespace shop": r"(?m)^nginx .* shop ",
    "criwatch ps -q -l app=web": r"\A[0-9a-f]{64}\n",
    "criwatch ps -o json | jq -r '.containers[] | \"\\(.pod.name)/\\(.name) \\(.pid)\"'": (
        r"(?m)^web-5d9c7b6f4-x2x7q/nginx \d+$"
    ),
    "criwatch pods -a": r"(?m)^report +batch ",
    "criwatch pods -o json | jq -r '.pods[] | \"\\(.name) \\(.ips[0])\"'": r"(?m)^web-5d9c7b6f4-x2x7q [0-9.]+$",
    "criwatch inspect -o table shop/web-5d9c7b6f4-x2x7q/nginx": r"(?m)^Name +shop/web-5d9c7b6f4-x2x7q/nginx$",
    "criwatch inspect nginx | jq .info.runtimeSpec.linux.cgroupsPath": r'\A".+"\n',
    "criwatch inspect nginx | jq -r .status.logPath": r"\A/.*\n",
    "criwatch whois $(criwatch inspect -o table nginx | awk '/^Pid/ {print $2}')": r"(?m)^Container +nginx$",
    "criwatch whois -o json $(criwatch inspect -o table nginx | awk '/^Cgroup/ {print $2}') | jq -r .container.pod.name": (
        r"\Aweb-5d9c7b6f4-x2x7q\n"
    ),
    "criwatch events --no-replay -t exited -o json | jq -r .container.name": r"\Alate\n",
    "criwatch events --until-exit batch/report/main": r"exited +[0-9a-f]{13} batch/report/main exit=3",
    "criwatch top --namespace shop --sort restarts": r"(?m)^  nginx +running",
    "criwatch top --once": r"(?m)^shop/web-5d9c7b6f4-x2x7q +ready",
    "criwatch info -o json | jq -r .engine.events": r"\Astream\n",
    "criwatch engines --option discover.nested=true": r"(?m)^unix://\S+/containerd\.sock +containerd +\S+ +2 ",
    "criwatch engines -o json | jq -r '.engines[] | .api, .reasons[].text'": r"(?m)^option discover\.sockets$",
    "criwatch ps $(criwatch engines -o name | sed 's/^/-r /')": r"(?m)^nginx .* shop ",
    "source <(criwatch completion bash)": "",
    'criwatch completion zsh > "${fpath[1]}/_criwatch"': "",
    "criwatch completion fish > ~/.config/fish/completions/criwatch.fish": "",
}


class Examples(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        (self.home / ".config/fish/completions").mkdir(parents=True)
        program = self.home / "criwatch"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m criwatch "$@"\n')
        program.chmod(0o755)

    def node(self):
        """A node of its own for each example, so that what one has done is not seen by the next."""
        self.engine = Engine()
        self.addCleanup(self.engine.__exit__, None, None, None)
        self.engine.tell("pod web-5d9c7b6f4-x2x7q ns=shop label=app=web nginx")
        self.engine.tell("pod report ns=batch")
        # Where this user's own engines listen.
        socket = self.home / "containerd/containerd.sock"
        socket.parent.mkdir(exist_ok=True)
        socket.unlink(missing_ok=True)
        socket.symlink_to(self.engine.endpoint[len("unix://") :])
        self.engine.tell("create report main -- sh -c 'sleep 30; exit 3'")

    def shell(self, command):
        environment = {
            **os.environ,
            "PATH": f"{self.home}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "XDG_RUNTIME_DIR": str(self.home),
            "CRI_RUNTIME_ENDPOINT": self.engine.endpoint,
        }
        child = subprocess.Popen(
            # The second of an array is bash's number 1, as the first is zsh's.
            ["bash", "-o", "pipefail", "-c", f'fpath=("" "$HOME"); {command}'],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            # A group of its own, so that all of a pipeline can be ended.
            start_new_session=True,
        )
        # Output that never comes must not be waited for without end.
        limit = threading.Timer(PATIENCE, self.kill, (child,))
        limit.start()
        self.addCleanup(limit.cancel)
        return child

    @staticmethod
    def kill(child):
        # The group exists while its first process has not been waited for.
        if child.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)

    def test_every_example(self):
        examples = [example for module in COMMANDS.values() for _, example in module.EXAMPLES]
        self.assertEqual(sorted(examples), sorted(EXPECTED), "each example has something that it prints")
        for example in examples:
            with self.subTest(example):
                self.node()
                self.runs(example)
        self.assertIn("complete -F _criwatch", subprocess.run(
            ["bash", "-c", "source <(criwatch completion bash) && complete -p criwatch"],
            capture_output=True, text=True, timeout=PATIENCE,
            env={**os.environ, "PATH": f"{self.home}:{os.environ['PATH']}"},
        ).stdout)  # fmt: skip
        self.assertIn("#compdef criwatch", (self.home / "_criwatch").read_text())
        self.assertIn("complete -c criwatch", (self.home / ".config/fish/completions/criwatch.fish").read_text())

    def runs(self, example):
        command, expected = example, EXPECTED[example]
        if not shutil.which("jq"):
            # Where there is none, what jq is given is at least made.
            command, expected = command.partition(" | jq ")[0], expected if " | jq " not in command else ""
        if " events " in command and "--until-exit" not in command:
            # It follows for ever: one line is enough.
            child = self.shell(command.replace("jq ", "jq --unbuffered "))
            self.engine.tell("wait-subscribed 1 60s")
            self.engine.tell("pod short ns=shop late")
            self.engine.tell("kill late KILL")
            output = child.stdout.readline()
            self.kill(child)
            child.communicate()
            self.assertRegex(output, expected or r"\A.+")
            return
        elif "--until-exit" in command:
            self.engine.tell("start main")
            child = self.shell(command)
            # Its first line, which the replay has, says that it follows.
            self.assertIn("started", child.stdout.readline())
            self.engine.tell("kill main KILL")
            expected = expected.replace("exit=3", "exit=137")
        else:
            # A live screen needs a terminal.
            child = self.shell(f"{command} --once" if " top " in command and "--once" not in command else command)
        output, complaints = child.communicate(timeout=PATIENCE)
        self.assertEqual(complaints, "")
        self.assertEqual(child.returncode, 0)
        self.assertRegex(output, expected or r"\A")
        self.assertNotIn("null", output)


if __name__ == "__main__":
    unittest.main()
