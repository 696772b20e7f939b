"""A hub and a node that dials it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from shared_schema.digest import node_key
from tests.firmware.small_hub import SITE_KEY, SmallHub
from tools.firmware import release
from tools.sim_nodes.plans import plan_of
from tools.sim_nodes.process import NodeProcess, node_file

KEY = "tank-1"


@pytest.fixture(scope="session")
def flash_files(micropython: list[str]) -> dict[str, bytes]:
    return release.bare_board(release.build("1.0.0", 1))


@pytest.fixture
async def hub() -> AsyncIterator[SmallHub]:
    hub = SmallHub()
    await hub.start()
    yield hub
    await hub.stop()


@pytest.fixture
async def node(hub: SmallHub, flash_files: dict[str, bytes], tmp_path: Path) -> AsyncIterator[NodeProcess]:
    said: list[str] = []
    node = NodeProcess(KEY, tmp_path, said.append)
    plan = plan_of("deep")
    file = node_file(KEY, 1, node_key(SITE_KEY, KEY, 1), (f"127.0.0.1:{hub.port}",), plan)
    await node.install(flash_files, file)
    await node.power_on()
    yield node
    await node.power_off()
    print(*said, sep="\n")  # shown when a test fails
    assert not [line for line in said if "Error" in line and "OSError" not in line], said
