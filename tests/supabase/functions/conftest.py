"""A cloud whose queues tests may look into, and servers of other people."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supabase.functions.sink import Sink
from tools.local_cloud.process_io import MIGRATIONS, CloudProcess

WINDOWS = Path(__file__).with_name("windows.sql")


@pytest.fixture(scope="session")
def queues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudProcess]:
    """A local cloud with windows.sql and a device "tank"; empty the queue you use."""
    folder = tmp_path_factory.mktemp("queues") / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    shutil.copy(WINDOWS, folder / f"29991231235959_{WINDOWS.name}")
    with CloudProcess(migrations=folder) as cloud:
        cloud.admin.register_device("tank", "tank", tenant="Farm")
        yield cloud


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server
