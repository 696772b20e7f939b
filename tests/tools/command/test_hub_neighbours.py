"""Two hubs as the command line runs them: each shows the other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.nodes.keys import SITE_KEY_FILE
from hub.nodes.site_key_io import ensure_site_key
from tests.hub.mesh.site import new_key
from tools.command.__main__ import main
from tools.demo.nodes import free_port
from tools.demo.processes import HubProcess

PATIENCE_S = 30.0


def config_at(folder: Path, device_key: str, port: int) -> Path:
    (folder / "data").mkdir(parents=True)
    path = folder / "site.toml"
    path.write_text(
        f'[hub]\ndevice_key = "{device_key}"\ndata_dir = "data"\n'
        f'[clock]\ntrust = "system"\n[nodes]\nlisten = "127.0.0.1"\nport = {port}\n'
        f'[mesh]\nlocation = "North"\nname = "Pump house"\n',
        encoding="utf-8",
    )
    return path


@asynccontextmanager
async def running(config: Path) -> AsyncIterator[HubProcess]:
    hub = HubProcess(config, config.parent / "data", config.parent / "log")
    await hub.start()
    try:
        yield hub
    finally:
        assert await hub.stop() == 0


async def neighbours(hub: HubProcess) -> list[str]:
    status = await hub.status()
    return [each["device_key"] for each in status["mesh"]["neighbours"]] if status else []


async def test_status_shows_the_neighbours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys, ports = (new_key("hub-a"), new_key("hub-b")), (free_port(), free_port())
    one, other = (config_at(tmp_path / key, key, port) for key, port in zip(keys, ports, strict=True))
    ensure_site_key(one.parent / "data")
    (other.parent / "data" / SITE_KEY_FILE).hardlink_to(one.parent / "data" / SITE_KEY_FILE)
    async with running(one) as first, running(other), asyncio.timeout(PATIENCE_S):
        while await neighbours(first) != [keys[1]]:  # noqa: ASYNC110  another process
            await asyncio.sleep(0.1)
        await asyncio.to_thread(main, ["hub", "status", str(one)])
    said = capsys.readouterr().out
    assert "announced at: 127.0.0.1, with 0 nodes" in said
    assert f"neighbour {keys[1]}: Pump house (North) at 127.0.0.1, nodes on port {ports[1]}" in said
