"""penstock hub status shows the nodes of a running hub."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.nodes.hub_process import HubProcess
from tests.hub.nodes.node import Node, Refused, dial
from tests.hub.nodes.site import approve
from tools.command.__main__ import main


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    process = HubProcess(tmp_path / "hub", "site-hub", approve="by hand")
    yield process
    process.kill()


async def test_shows_who_is_connected_and_who_waits(
    hub: HubProcess, capsys: pytest.CaptureFixture[str]
) -> None:
    approve(hub.folder, "tank-1")
    await hub.start()
    async with dial(Node("tank-2"), hub.port) as wire:
        with pytest.raises(Refused):
            await wire.greet()
    async with dial(Node("tank-1"), hub.port) as wire:
        await wire.greet()
        code = await asyncio.to_thread(main, ["hub", "status", str(hub.folder / "site.toml")])

    shown = capsys.readouterr().out
    assert f"nodes: 1 connected of 1 approved, on port {hub.port}\n" in shown
    assert "node tank-1: test 1.2.3 at 127.0.0.1, 0 rows in 0 min\n" in shown
    assert "node tank-2: test 1.2.3 at 127.0.0.1, seen 20" in shown
    assert "; waits for: penstock node approve tank-2\n" in shown
    assert "warning: node_pending: 1 node(s) wait: penstock node approve tank-2\n" in shown
    assert code == 3
