"""What many tests share: the console script, and one finished run of the demo."""

from pathlib import Path

import pytest
from hypothesis import settings

from tests.product import DEMO_SETTINGS, reelproof

# How long an example takes says how busy the machine is.
settings.register_profile("no clock", settings.default, deadline=None)
settings.load_profile("no clock")


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run over the sample videos. Tests must not write to it."""
    output = tmp_path_factory.mktemp("demo") / "run"
    finished = reelproof("demo", "--output", str(output), *DEMO_SETTINGS)
    assert finished.returncode == 0, finished.stderr
    return output
