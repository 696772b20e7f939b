"""Real servers that several folders of tests share. Each starts when the first test asks for it."""

from collections.abc import Iterator

import pytest

from tools.local_cloud.process_io import CloudProcess
from tools.postgres17 import Postgres17


@pytest.fixture(scope="session")
def local_cloud() -> Iterator[CloudProcess]:
    """A running local cloud with nobody in it; register devices under keys of your own through its admin."""
    with CloudProcess() as cloud:
        yield cloud


@pytest.fixture(scope="session")
def postgres17() -> Iterator[str]:
    """The URL of an empty Postgres 17, as its superuser; make databases of your own in it."""
    with Postgres17() as server:
        yield server.url
