"""A simulated CRI engine for tests: `Simulator` starts the program `cri-sim`, and `tell` has it do what a script line says.

    with Simulator() as engine:
        engine.tell("pod web ns=shop nginx")
        run_my_agent(engine.endpoint)

With pytest, the fixture `cri_sim` is such an engine. docs/simulator.md has the commands of scripts.
"""

from ._program import main, program
from ._simulator import PATIENCE, Answer, Refused, Simulator

__all__ = ["PATIENCE", "Answer", "Refused", "Simulator", "main", "program"]
