"""Clouds with one more migration than the project has, and servers of other people."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supabase.functions.sink import Sink
from tools.local_cloud.node_io import CACHE, ROOT
from tools.local_cloud.process_io import CloudProcess

HERE = Path(__file__).parent


class PreparedCloud(CloudProcess):
    """A local cloud with one more migration: a file of this folder. folder: for all of them."""

    def __init__(self, file: str, folder: Path) -> None:
        super().__init__()
        self._file = HERE / file
        self._folder = folder

    def _settings(self, keys: object) -> dict[str, str | int]:
        migrations = self._folder / "migrations"
        shutil.copytree(ROOT / "supabase" / "migrations", migrations)
        shutil.copy(self._file, migrations / f"29991231235959_{self._file.name}")
        settings = super()._settings(keys)  # type: ignore[arg-type]
        return {
            **settings,
            "migrationsDir": str(migrations),
            "cacheDir": str(CACHE / f"cloud_with_{self._file.stem}"),
        }


@pytest.fixture(scope="session")
def queues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudProcess]:
    """A local cloud whose queues are stand-ins; empty the table you use."""
    with PreparedCloud("stand_ins.sql", tmp_path_factory.mktemp("queues")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def old_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudProcess]:
    """A local cloud with the queues of the project, and something in each."""
    with PreparedCloud("past.sql", tmp_path_factory.mktemp("past")) as cloud:
        yield cloud


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server
