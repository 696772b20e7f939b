"""Real firmware in real MicroPython finds hubs on the air, moves when one ends, and comes back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from firmware.node.addresses import Addresses
from hub.mesh import service
from tests.hub.mesh.site import MeshHub, keep_time, mesh_hub, new_key, until
from tests.hub.nodes.node import SITE_KEY
from tests.hub.outbox.site import Cloud, send_all
from tools.demo.nodes import free_port
from tools.sim_nodes.group import SimulatedNodes

MOVES_S = 40.0


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch, micropython: list[str]) -> None:
    monkeypatch.setattr(service, "LOOK_S", 0.2)


@asynccontextmanager
async def hub_at(folder: Path, device_key: str, port: int, cloud: Cloud) -> AsyncIterator[MeshHub]:
    """A hub whose rows reach the cloud when it ends, at the latest."""
    async with mesh_hub(folder, device_key, port=port) as hub:
        ticking = asyncio.create_task(keep_time(hub.link))
        try:
            yield hub
        finally:
            ticking.cancel()
            with suppress(asyncio.CancelledError):
                await ticking
            await send_all(hub.link.outbox, cloud)


def nodes_at(folder: Path, keys: list[str]) -> SimulatedNodes:
    """Nodes that know no hub."""
    return SimulatedNodes(keys, folder / "nodes", SITE_KEY, [], lambda _key, _line: None)


def key_whose_home_is(home: int, other: int) -> str:
    """Return the key of a node that ranks the hub on one port before the one on the other."""
    while True:
        key = new_key("node")
        addresses = Addresses(key, [])
        addresses.found([("127.0.0.1", home), ("127.0.0.1", other)])
        if addresses.next() == ("127.0.0.1", home):
            return key


def nodes_of(hub: MeshHub) -> set[str]:
    return set(hub.link.nodes.connected_addresses())


def rows_of(hub: MeshHub) -> dict[str, int]:
    return {each.device_key: each.rows for each in hub.link.nodes.state().connected}


async def until_all_bring_rows(hub: MeshHub, keys: list[str]) -> None:
    await until(lambda: all(rows_of(hub).get(key, 0) > 0 for key in keys), MOVES_S)


async def check(nodes: SimulatedNodes, cloud: Cloud) -> None:
    """Hold what the cloud has against what the nodes have numbered; they have no power any more."""
    for key, node in nodes.nodes.items():
        epoch, numbered, _ = await node.numbers()
        seqs = {seq for device, row_epoch, seq, _ in cloud.rows if (device, row_epoch) == (key, epoch)}
        assert seqs == set(range(1, max(seqs) + 1)), "lost"
        assert max(seqs) <= numbered, "invented"
    assert not cloud.unexplained()  # and no number has two rows


async def test_a_node_that_knows_no_hub_finds_one_and_brings_its_rows(tmp_path: Path) -> None:
    key, cloud = new_key("node"), Cloud()
    async with hub_at(tmp_path / "a", new_key("hub-a"), 0, cloud) as hub:
        async with nodes_at(tmp_path, [key]) as nodes:
            await until_all_bring_rows(hub, [key])
        await check_after(nodes, hub, cloud)


async def check_after(nodes: SimulatedNodes, hub: MeshHub, cloud: Cloud) -> None:
    await until(lambda: not nodes_of(hub))
    await send_all(hub.link.outbox, cloud)
    await check(nodes, cloud)


async def test_nodes_move_to_the_other_hub_and_come_back_to_their_own(tmp_path: Path) -> None:
    (a, b), cloud = (new_key("hub-a"), new_key("hub-b")), Cloud()
    port_a, port_b = free_port(), free_port()
    of_a, of_b = [key_whose_home_is(port_a, port_b)], [key_whose_home_is(port_b, port_a)]
    async with hub_at(tmp_path / "b", b, port_b, cloud) as staying:
        async with nodes_at(tmp_path, of_a + of_b) as nodes:
            async with hub_at(tmp_path / "a", a, port_a, cloud) as first:
                await until(lambda: nodes_of(first) == set(of_a) and nodes_of(staying) == set(of_b), MOVES_S)
                await until_all_bring_rows(first, of_a)
            await until_all_bring_rows(staying, of_a + of_b)
            async with hub_at(tmp_path / "a", a, port_a, cloud) as again:
                await until_all_bring_rows(again, of_a)
                assert nodes_of(staying) == set(of_b)
                for node in nodes.nodes.values():
                    await node.power_off()
                await until(lambda: not nodes_of(again) | nodes_of(staying))
        await send_all(staying.link.outbox, cloud)
    await check(nodes, cloud)
