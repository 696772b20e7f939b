"""Who is let in: by proof, by a person's word, and not any more."""

import asyncio
from pathlib import Path

import pytest

from hub.nodes.registry_io import RegistryFile
from shared_schema import frames
from shared_schema.greeting import RefusalCode
from tests.hub.nodes.node import Node, Refused, dial
from tests.hub.nodes.site import approve, link_at


async def test_a_node_that_is_not_approved_waits_and_is_shown(tmp_path: Path) -> None:
    node = Node("tank-1")
    async with link_at(tmp_path, is_approved_by_proof=False) as link:
        async with dial(node, link.port) as wire:
            with pytest.raises(Refused) as refused:
                await wire.greet()
        assert refused.value.refusal.code == RefusalCode.PENDING
        (waiting,) = link.nodes.state().pending
        assert (waiting.device_key, waiting.board, waiting.firmware_version) == ("tank-1", "test", "1.2.3")
        assert (waiting.address, waiting.seen_at_ms) == ("127.0.0.1", link.clock.wall_ms())
        assert link.events.codes() == ["node_pending"]

        approve(tmp_path, "tank-1")
        async with dial(node, link.port) as wire:
            await wire.greet()
        assert not link.nodes.state().pending
        assert not link.events.open


async def test_shuts_out_a_node_that_is_revoked_while_it_is_connected(tmp_path: Path) -> None:
    node = Node("tank-1")
    async with link_at(tmp_path) as link:
        async with dial(node, link.port) as wire:
            await wire.greet()
            RegistryFile(tmp_path).edit(lambda registry: registry.revoked("tank-1"))
            with pytest.raises(Refused):
                await wire.hear(frames.ACK)
        async with dial(node, link.port) as wire:
            with pytest.raises(Refused) as refused:
                await wire.greet()
    assert refused.value.refusal.code == RefusalCode.REVOKED


async def test_a_file_that_cannot_be_read_changes_nothing_and_is_told(tmp_path: Path) -> None:
    file = RegistryFile(tmp_path)
    async with link_at(tmp_path) as link:
        async with dial(Node("tank-1"), link.port) as wire:
            await wire.greet()
        async with asyncio.timeout(10):
            while "tank-1" not in file.load().nodes:  # noqa: ASYNC110 - of a file
                await asyncio.sleep(0.05)
        (tmp_path / "nodes.json").write_text("{")
        async with dial(Node("tank-1"), link.port) as wire:
            await wire.greet()
        assert set(link.events.codes()) == {"nodes_file"}
        (tmp_path / "nodes.json").unlink()
        async with dial(Node("tank-1"), link.port) as wire:
            await wire.greet()
        assert not link.events.open


async def test_a_key_that_was_replaced_is_void(tmp_path: Path) -> None:
    async with link_at(tmp_path) as link:
        async with dial(Node("tank-1", generation=2), link.port) as wire:
            await wire.greet()
        async with dial(Node("tank-1", generation=1), link.port) as wire:
            with pytest.raises(Refused):
                await wire.greet()


async def test_a_node_cannot_take_the_name_of_another_device(tmp_path: Path) -> None:
    taken = frozenset({"tank-1"})
    async with link_at(tmp_path, taken_keys=taken) as link, dial(Node("tank-1"), link.port) as wire:
        with pytest.raises(Refused) as refused:
            await wire.greet()
    assert refused.value.refusal.code == RefusalCode.UNKNOWN
