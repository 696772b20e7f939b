"""A cloud whose queues are the stand-ins of this folder, and servers of other people."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.supabase.functions.sink import Sink
from tools.local_cloud.node_io import CACHE, ROOT
from tools.local_cloud.process_io import CloudProcess

STAND_INS = Path(__file__).with_name("stand_ins.sql")


class StandInCloud(CloudProcess):
    """A local cloud with one more migration. folder: for that; the cache is another one too."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def _settings(self, keys: object) -> dict[str, str | int]:
        migrations = self._folder / "migrations"
        shutil.copytree(ROOT / "supabase" / "migrations", migrations)
        shutil.copy(STAND_INS, migrations / "29991231235959_stand_ins.sql")
        settings = super()._settings(keys)  # type: ignore[arg-type]
        return {**settings, "migrationsDir": str(migrations), "cacheDir": str(CACHE / "stand_in_cloud")}


@pytest.fixture(scope="session")
def queues(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudProcess]:
    """A local cloud with the stand-ins; empty the table you use."""
    with StandInCloud(tmp_path_factory.mktemp("queues")) as cloud:
        yield cloud


@pytest.fixture
def sink() -> Iterator[Sink]:
    with Sink() as server:
        yield server
