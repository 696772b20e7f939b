"""A hub offers a release over real sockets; readings come first, and who asks for too much is dropped."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hub.nodes.release_io import UPDATE_FOLDER
from hub.nodes.rollout_io import ORDER_FILE, RolloutFiles
from hub.nodes.rollout_record import ABORT, ABORTED, STOPPED, Order
from hub.nodes.updates import BURST_BYTES
from shared_schema import frames
from shared_schema.digest import Hmac
from shared_schema.update_messages import (
    CHUNK_LENGTH,
    ChunkWanted,
    UpdateReport,
    UpdateState,
    decode_chunk,
    decode_update,
    encode_chunk_wanted,
    encode_update_state,
)
from tests.hub.nodes.node import DEADLINE_S, Node, Wire, dial
from tests.hub.nodes.site import Link, link_at
from tools.firmware.release import ReleaseFile, assemble

CONTENT = bytes(range(250)) * 200


def put_release(folder: Path) -> None:
    made = assemble("1.5.0", 17, [ReleaseFile("application.pack", CONTENT)])
    path = folder / UPDATE_FOLDER / "1.5.0_17"
    path.mkdir(parents=True)
    (path / "application.pack").write_bytes(CONTENT)
    (path / "manifest.json").write_bytes(made.manifest)


def put_order(folder: Path) -> Order:
    order = Order("1", "1.5.0_17", "1.5.0", ("tank-1",), wait_s=0.0)
    RolloutFiles(folder).put_order(order)
    return order


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - of a service that has no event for it
            await asyncio.sleep(0.01)


def status(link: Link) -> str:
    update = link.nodes.state().update
    return update.status if update else ""


async def ask(wire: Wire, offset: int, length: int = CHUNK_LENGTH, index: int = 0) -> None:
    await wire.say(frames.CHUNK_WANTED, encode_chunk_wanted(ChunkWanted(index, offset, length)))


async def test_offers_what_is_signed_for_the_node_and_gives_the_bytes_it_asks_for(tmp_path: Path) -> None:
    put_release(tmp_path)
    put_order(tmp_path)
    node = Node("tank-1")
    async with link_at(tmp_path) as link, dial(node, link.port) as wire:
        await wire.greet()
        offer = decode_update(await wire.hear(frames.UPDATE))
        assert Hmac(node.key).of(offer.manifest) == offer.mac
        await ask(wire, 2048)
        assert decode_chunk(await wire.hear(frames.CHUNK)).data == CONTENT[2048 : 2048 + CHUNK_LENGTH]
        await wire.say(frames.UPDATE_STATE, encode_update_state(UpdateReport(UpdateState.TRIAL, "1.5.0")))
        await until(lambda: link.nodes.state().update.nodes[0].state == "trial")  # type: ignore[union-attr]


async def test_a_node_that_was_offered_it_is_offered_it_again_by_the_hub_that_comes_back(
    tmp_path: Path,
) -> None:
    put_release(tmp_path)
    put_order(tmp_path)
    node = Node("tank-1")
    for _ in range(2):
        async with link_at(tmp_path) as link, dial(node, link.port) as wire:
            await wire.greet()
            await wire.hear(frames.UPDATE)
            await ask(wire, 0)
            await wire.hear(frames.CHUNK)


async def test_readings_are_acknowledged_while_a_node_asks_for_more_than_the_rate_allows(
    tmp_path: Path,
) -> None:
    put_release(tmp_path)
    put_order(tmp_path)
    node, other = Node("tank-1"), Node("tank-2")
    async with link_at(tmp_path) as link, dial(node, link.port) as wire, dial(other, link.port) as other_wire:
        await wire.greet()
        await other_wire.greet()
        await wire.hear(frames.UPDATE)
        for turn in range(
            BURST_BYTES // CHUNK_LENGTH + 2
        ):  # the clock stands still: the burst is all there is
            await ask(wire, turn * CHUNK_LENGTH)
            await asyncio.sleep(0.01)
        for one, its_wire in ((node, wire), (other, other_wire)):
            one.measure(100)
            await its_wire.bring()
        chunks = sum(type_id == frames.CHUNK for type_id, _ in wire.inbox)
    assert chunks == BURST_BYTES // CHUNK_LENGTH


@pytest.mark.parametrize(
    ("index", "offset"), [(1, 0), (0, len(CONTENT)), (0, len(CONTENT) - 1), (0, 2**32 - 1)]
)
async def test_a_node_that_asks_for_bytes_there_are_not_is_closed(
    tmp_path: Path, index: int, offset: int
) -> None:
    put_release(tmp_path)
    put_order(tmp_path)
    async with link_at(tmp_path) as link, dial(Node("tank-1"), link.port) as wire:
        await wire.greet()
        await wire.hear(frames.UPDATE)
        await ask(wire, offset, index=index)
        await wire.closed_by_hub()
        assert "node_link" in link.events.codes()


async def test_bytes_are_given_to_nobody_who_was_not_offered_them(tmp_path: Path) -> None:
    put_release(tmp_path)
    put_order(tmp_path)
    async with link_at(tmp_path) as link:
        await until(lambda: status(link) == "running")
        async with dial(Node("tank-9"), link.port) as wire:
            await wire.greet()
            await ask(wire, 0)
            await wire.say(frames.PING)
            await wire.hear(frames.PONG)
            await asyncio.sleep(0.05)
            assert not [type_id for type_id, _ in wire.inbox if type_id in {frames.CHUNK, frames.UPDATE}]


async def test_a_release_that_was_damaged_meanwhile_stops_the_update_and_is_told(tmp_path: Path) -> None:
    put_release(tmp_path)
    put_order(tmp_path)
    (tmp_path / UPDATE_FOLDER / "1.5.0_17" / "application.pack").write_bytes(CONTENT[:-1])
    async with link_at(tmp_path) as link, dial(Node("tank-1"), link.port) as wire:
        await wire.greet()
        await until(lambda: status(link) == STOPPED)
        assert "application.pack has 49999 bytes" in link.nodes.state().update.reason  # type: ignore[union-attr]
        await until(lambda: "node_update" in link.events.codes())
        assert not [type_id for type_id, _ in wire.inbox if type_id == frames.UPDATE]


async def test_a_spoilt_order_is_told_until_it_is_mended(tmp_path: Path) -> None:
    put_release(tmp_path)
    (tmp_path / ORDER_FILE).write_bytes(b"{")
    async with link_at(tmp_path) as link:
        await until(lambda: "node_update_file" in link.events.codes())
        put_order(tmp_path)
        await until(lambda: status(link) == "running" and not link.events.open)


async def test_aborting_has_the_node_forget_what_it_was_fetching(tmp_path: Path) -> None:
    put_release(tmp_path)
    order = put_order(tmp_path)
    node = Node("tank-1")
    async with link_at(tmp_path) as link:
        async with dial(node, link.port) as wire:
            await wire.greet()
            await wire.hear(frames.UPDATE)
            RolloutFiles(tmp_path).put_order(replace(order, wish=ABORT, wish_number=2))
            await wire.closed_by_hub()
        assert status(link) == ABORTED
