"""The fixture micropython: how to start the real interpreter."""

import pytest

from hub.errors import OperatorNeeded
from tools.micropython import command


@pytest.fixture(scope="session")
def micropython() -> list[str]:
    """Return the command line that starts MicroPython 1.25 or newer; skips where it cannot be had."""
    try:
        return command()
    except OperatorNeeded as error:
        pytest.skip(f"no MicroPython: {error}")
