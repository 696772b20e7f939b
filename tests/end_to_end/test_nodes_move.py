"""Real firmware in real MicroPython finds hubs on the air, moves when one ends, and comes back."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from firmware.node.addresses import Addresses
from hub.mesh import service
from hub.uplink.file_io import SmallFile
from hub.uplink.http_io import HttpTransport
from hub.uplink.service import UplinkService
from hub.uplink.settings import UplinkSettings
from tests.hub.mesh.site import SITE_KEY, MeshHub, keep_time, mesh_hub, new_key, until
from tests.hub.outbox.site import Cloud, send_all
from tests.hub.uplink.test_with_outbox import RealClock
from tools.demo.nodes import free_port
from tools.local_cloud.process_io import CloudProcess
from tools.sim_nodes.group import SimulatedNodes

MOVES_S = 40.0


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch, micropython: list[str]) -> None:
    monkeypatch.setattr(service, "LOOK_S", 0.2)


@asynccontextmanager
async def hub_at(
    folder: Path, device_key: str, port: int, cloud: Cloud, *, is_now: bool = False
) -> AsyncIterator[MeshHub]:
    """A hub whose rows reach the cloud when it ends, at the latest. is_now: its clock is right."""
    async with mesh_hub(folder, device_key, port=port) as hub:
        if is_now:
            hub.link.clock.step_wall(time.time() - hub.link.clock.wall_ms() / 1000)
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
    """Return what each node has brought in this session, once some of its rows are on disk."""
    return {each.device_key: each.rows for each in hub.link.nodes.state().connected if each.stored_seq}


async def end_link(hub: MeshHub) -> None:
    """Have a hub take nodes no more, as if its cable were cut: no goodbye, no acknowledgement."""
    hub.link.nodes._settings = replace(hub.link.nodes._settings, max_nodes=0)
    for link in list(hub.link.nodes._open.values()):
        link.drop("cut")


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
    async with (
        hub_at(tmp_path / "a", new_key("hub-a"), 0, cloud) as hub,
        nodes_at(tmp_path, [key]) as nodes,
    ):
        await until_all_bring_rows(hub, [key])
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


def a_site(cloud: CloudProcess, *hub_keys: str, node_key: str) -> list[str]:
    """Register hubs of one tenant and a node that roams, behind the first; return the hubs' secrets."""
    tenant = new_key("farm")
    registered = [cloud.admin.register_device(key, "hub", tenant=tenant) for key in hub_keys]
    cloud.admin.register_device(node_key, "tank", hub_keys[0], is_roaming=True)
    return [str(each.secret) for each in registered]


async def upload(hub: MeshHub, cloud: CloudProcess, hub_key: str, secret: str) -> None:
    """Send everything in a hub's outbox with the real uplink."""
    clock = RealClock()
    settings = UplinkSettings(cloud.url, hub_key, secret, retry_base_s=0.05, retry_max_s=0.2)
    directory = SmallFile(hub.link.folder / "directory.json")
    async with HttpTransport(cloud.url, cloud.publishable_key, clock.monotonic_s, timeout_s=10.0) as way:
        uplink = UplinkService(
            hub.link.outbox, way, clock, hub.link.events, settings, directory_file=directory
        )
        task = asyncio.create_task(uplink.run())
        try:
            await until(lambda: hub.link.outbox.state().rows == 0)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def test_rows_whose_acknowledgement_was_lost_are_stored_by_both_hubs_and_kept_once(
    tmp_path: Path, local_cloud: CloudProcess
) -> None:
    a, b, (port_a, port_b) = new_key("hub-a"), new_key("hub-b"), (free_port(), free_port())
    key = key_whose_home_is(port_a, port_b)
    secret_a, secret_b = a_site(local_cloud, a, b, node_key=key)
    memory = Cloud()
    async with hub_at(tmp_path / "b", b, port_b, memory, is_now=True) as other:
        async with hub_at(tmp_path / "a", a, port_a, memory, is_now=True) as first:
            first.link.nodes._store._on_stored = lambda _key, _numbers: None  # what it would say gets lost
            async with nodes_at(tmp_path, [key]) as nodes:
                await until(lambda: rows_of(first).get(key, 0) >= 3, MOVES_S)
                await upload(first, local_cloud, a, secret_a)
                epoch = first.link.nodes._numbers[key].epoch
                stored_by_first = await first.link.outbox.last_seq(key, epoch)
                await end_link(first)
                await until(lambda: rows_of(other).get(key, 0) > stored_by_first, MOVES_S)
            _, numbered, _ = await nodes.nodes[key].numbers()
        await until(lambda: not nodes_of(other))
        await upload(other, local_cloud, b, secret_b)
    (found,) = [each for each in local_cloud.admin.completeness(key) if each.epoch == epoch]
    assert found.first_seq == 1
    assert stored_by_first < found.rows_stored <= numbered
    assert (found.rows_stored, found.duplicates, found.unexplained_gaps) == (found.last_seq, 0, 0)
