"""Real zeroconf on the loopback: hubs find each other, tell their nodes, and live through anything."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from zeroconf import IPVersion
from zeroconf.asyncio import AsyncServiceInfo, AsyncZeroconf

from hub.mesh import service
from hub.mesh.announcement import HUB_TYPE, NODE_TYPE, node_label
from shared_schema import frames
from shared_schema.messages import decode_hubs
from tests.hub.mesh.site import LOOPBACK, SITE_KEY, MeshHub, mesh_hub, new_key, until
from tests.hub.nodes.node import Node, dial


async def looked_up(type_name: str, label: str) -> dict[str, Any] | None:
    """Return what somebody else on the network hears under a name."""
    async with AsyncZeroconf(interfaces=["127.0.0.1"], ip_version=IPVersion.V4Only) as air:
        info = AsyncServiceInfo(type_name, f"{label}.{type_name}")
        if not await info.async_request(air.zeroconf, 3000):
            return None
        return {**info.decoded_properties, "port": info.port, "addresses": info.parsed_addresses()}


async def let_time_pass(hub: MeshHub, seconds: float) -> None:
    """Have the monitor look every hundred seconds."""
    for _ in range(round(seconds / 100)):
        hub.link.clock.advance(100.0)
        await hub.link.nodes._look()


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "LOOK_S", 0.2)


async def test_hubs_of_a_site_find_each_other_and_forget_one_that_ends(tmp_path: Path) -> None:
    a, b = new_key("hub-a"), new_key("hub-b")
    async with mesh_hub(tmp_path / "a", a, name="Pump house", location="North") as one:
        async with mesh_hub(tmp_path / "b", b) as other:
            await until(lambda: one.neighbours() == [b] and other.neighbours() == [a])
            (found,) = other.mesh.state().neighbours
            assert (found.name, found.location, found.node_port) == ("Pump house", "North", one.link.port)
        await until(lambda: not one.neighbours())
        assert not one.troubles()


async def test_hubs_of_other_sites_are_counted_and_left_alone(tmp_path: Path) -> None:
    a, b = new_key("hub-a"), new_key("hub-b")
    async with (
        mesh_hub(tmp_path / "a", a) as one,
        mesh_hub(tmp_path / "b", b, site_key=b"another site" + bytes(20)),
    ):
        await until(lambda: one.mesh.state().strangers >= 1)
        assert not one.neighbours()


async def test_tells_its_nodes_of_neighbours_now_and_when_they_dial(tmp_path: Path) -> None:
    a, b = new_key("hub-a"), new_key("hub-b")
    async with (
        mesh_hub(tmp_path / "a", a) as one,
        dial(Node("tank-1", site_key=SITE_KEY), one.link.port) as wire,
    ):
        await wire.greet()
        async with mesh_hub(tmp_path / "b", b) as other:
            told = decode_hubs(await wire.hear(frames.HUBS))
            assert told.addresses == [("127.0.0.1", other.link.port)]
            assert told.return_after_s == 2
            async with dial(Node("tank-2", site_key=SITE_KEY), one.link.port) as second:
                await second.greet()
                assert decode_hubs(await second.hear(frames.HUBS)).addresses == told.addresses
        assert decode_hubs(await wire.hear(frames.HUBS)).addresses == []


async def test_announces_its_nodes_while_they_are_there(tmp_path: Path) -> None:
    a, node = new_key("hub-a"), new_key("tank")
    async with mesh_hub(tmp_path, a) as one:
        async with dial(Node(node, site_key=SITE_KEY), one.link.port) as wire:
            await wire.greet()
            await until(lambda: one.mesh.state().nodes_announced == 1)
            found = await looked_up(NODE_TYPE, node_label(node, a))
            assert found is not None
            assert (found["device_id"], found["hub"], found["role"]) == (node, a, "node")
        await until(lambda: not one.link.nodes.connected_addresses())
        await until(lambda: one.link.clock.advance(5.0) or one.mesh.state().nodes_announced == 0)


async def test_a_node_that_moved_to_a_neighbour_is_not_missing(tmp_path: Path) -> None:
    a, b, node = new_key("hub-a"), new_key("hub-b"), Node(new_key("tank.1"), site_key=SITE_KEY)
    async with mesh_hub(tmp_path / "a", a) as one, mesh_hub(tmp_path / "b", b) as other:
        async with dial(node, one.link.port) as wire:
            await wire.greet()
        await until(lambda: not one.link.nodes.connected_addresses() and one.neighbours() == [b])
        async with dial(node, other.link.port) as wire:
            await wire.greet()
            await until(lambda: other.mesh.state().nodes_announced == 1)
            await until(one.mesh._neighbourhood.nodes_elsewhere)
            await until(lambda: one.link.nodes._elsewhere)
            await let_time_pass(one, 900.0)
            assert one.troubles() == []
        await until(lambda: not other.link.nodes.connected_addresses())
        await until(lambda: other.link.clock.advance(5.0) or not one.link.nodes._elsewhere)
        await let_time_pass(one, 400.0)
        assert one.troubles() == ["node_away"]


async def test_a_second_hub_of_the_same_name_is_told_to_the_operator(tmp_path: Path) -> None:
    a = new_key("hub-a")
    async with mesh_hub(tmp_path / "a", a) as one:
        # Two that ask for the name in the same instant may both take it for free.
        await until(lambda: one.mesh.state().addresses)
        async with mesh_hub(tmp_path / "b", a) as other:
            await until(lambda: ("mesh_twin", None) in one.link.events.open)
            await until(lambda: ("mesh_twin", None) in other.link.events.open)
            assert not one.neighbours()
            assert one.mesh.state().addresses == other.mesh.state().addresses == ("127.0.0.1",)


async def test_without_a_network_waits_for_one_and_says_so_once(tmp_path: Path) -> None:
    async with mesh_hub(tmp_path, new_key("hub-a")) as one:
        await until(lambda: one.mesh.state().addresses)
        one.own.clear()
        await until(lambda: ("mesh_unavailable", None) in one.link.events.open)
        assert one.mesh.state().addresses == ()
        one.own.append(LOOPBACK)
        await until(lambda: one.mesh.state().addresses)
        assert one.troubles() == ["mesh_unavailable"]
        assert ("mesh_unavailable", None) not in one.link.events.open


async def test_without_multicast_the_hub_works_on(tmp_path: Path) -> None:
    a = new_key("hub-a")
    async with mesh_hub(tmp_path, a, interface="nowhere") as one:
        one.own[:] = [LOOPBACK._replace(interface="nowhere", address="192.0.2.250")]  # none of this machine's
        await until(lambda: ("mesh_unavailable", None) in one.link.events.open)
        async with dial(Node("tank-1", site_key=SITE_KEY), one.link.port) as wire:
            await wire.greet()


async def test_noise_on_the_air_changes_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    a, b, c = new_key("hub-a"), new_key("hub-b"), new_key("hub-c")
    async with mesh_hub(tmp_path / "a", a) as one, mesh_hub(tmp_path / "b", b):
        await until(lambda: one.neighbours() == [b])
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noisy:
            noisy.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            for number in range(300):
                head = b"\x00\x00\x84\x00" + bytes([0, number % 3, 0, number % 7, 0, 0, 0, number % 5])
                noisy.sendto(
                    head + bytes((number * 31 + at * at) % 256 for at in range(number)), ("224.0.0.251", 5353)
                )
            names = (b"\xff\xfe" * 20, b"x" * 63, b"tank at " + b"y" * 40)
            for name in names:
                whole = b"".join(
                    bytes([len(part)]) + part for part in (name, b"_iot-monitor", b"_tcp", b"local")
                )
                service = b"\x0c_iot-monitor\x04_tcp\x05local\x00"
                record = service + b"\x00\x0c\x00\x01\x00\x00\x00\x78" + (len(whole) + 1).to_bytes(2, "big")
                noisy.sendto(
                    b"\x00\x00\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00" + record + whole + b"\x00",
                    ("224.0.0.251", 5353),
                )
        await asyncio.sleep(1.0)
        async with mesh_hub(tmp_path / "c", c):
            await until(lambda: sorted(one.neighbours()) == sorted([b, c]))
            assert (await looked_up(HUB_TYPE, a)) is not None
        assert not caplog.records
        assert not one.troubles()
