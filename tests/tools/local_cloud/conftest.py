"""A signed-in hub on the shared local cloud, and a cloud in which tests may decide who uses which channel."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tools.local_cloud.hub import Hub
from tools.local_cloud.process_io import MIGRATIONS, CloudProcess

CHANNELS = Path(__file__).with_name("channels.sql")


@pytest.fixture
def hub(local_cloud: CloudProcess) -> Hub:
    return Hub(local_cloud)


@pytest.fixture(scope="session")
def migrations_for_tests(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The migrations of the project and, after them, channels.sql."""
    folder = tmp_path_factory.mktemp("supabase") / "migrations"
    shutil.copytree(MIGRATIONS, folder)
    shutil.copy(CHANNELS, folder / "99990101000000_channels_for_tests.sql")
    return folder


@pytest.fixture(scope="session")
def live_cloud(migrations_for_tests: Path) -> Iterator[CloudProcess]:
    """A running local cloud with channels.sql in it."""
    with CloudProcess(migrations=migrations_for_tests) as cloud:
        yield cloud
