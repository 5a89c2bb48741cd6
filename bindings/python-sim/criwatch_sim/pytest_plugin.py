"""The pytest fixture `cri_sim`."""

from typing import Iterator

import pytest

from . import Simulator


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "cri_sim(*arguments): options of cri-sim for the test's simulated engine")


@pytest.fixture
def cri_sim(request: pytest.FixtureRequest) -> Iterator[Simulator]:
    """A simulated engine of the test's own. `@pytest.mark.cri_sim("--profile", "crio")` gives it options."""
    marker = request.node.get_closest_marker("cri_sim")
    with Simulator(*(marker.args if marker else ())) as engine:
        yield engine
