"""A real hub process killed while a node brings rows: none is lost, none stored twice, none renumbered."""

import asyncio
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hub.nodes.hub_process import HubProcess
from tests.hub.nodes.node import Node, dial

SOAK_KILLS = int(os.environ.get("PENSTOCK_SOAK", "300"))


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubProcess]:
    process = HubProcess(tmp_path / "hub", "site-hub")
    yield process
    process.kill()


def hour_ago_ms() -> int:
    return time.time_ns() // 1_000_000 - 3_600_000


async def test_a_kill_between_store_and_acknowledgement_stores_nothing_twice(hub: HubProcess) -> None:
    node = Node("tank-1")
    node.measure(200, hour_ago_ms())
    await hub.start()
    async with dial(node, hub.port) as wire:
        await wire.greet()
        await wire.send_rows()
        await hub.stored("tank-1", 200)  # and no acknowledgement was read
    hub.kill()

    await hub.start()
    node.measure(10, hour_ago_ms())
    async with dial(node, hub.port) as wire:
        assert (await wire.greet()).stored_seq == 200
        await wire.say_rows_from(1)  # as a node does that lost what it knew
        await wire.acknowledged(210)
    hub.kill()

    assert hub.seqs("tank-1") == list(range(1, 211))


async def run_many(hub: HubProcess, kills: int, rng: random.Random) -> None:
    node = Node("tank-1")
    for _ in range(kills):
        await hub.start()
        living = asyncio.create_task(_bring_for_ever(node, hub))
        done, _ = await asyncio.wait([living], timeout=rng.uniform(0.05, 0.6))
        for task in done:
            task.result()
        hub.kill()
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
        seqs = hub.seqs("tank-1")
        assert seqs == list(range(1, len(seqs) + 1)), "a row is missing, or there twice"
        assert len(seqs) >= node.acknowledged, "a promise was broken"
    assert node.acknowledged


async def _bring_for_ever(node: Node, hub: HubProcess) -> None:
    start_ms = hour_ago_ms() - 1000 * node.next_seq
    async with dial(node, hub.port) as wire:
        await wire.greet()
        while True:
            node.measure(7, start_ms)
            await wire.bring()


async def test_no_kill_loses_or_doubles_a_row(hub: HubProcess) -> None:
    await run_many(hub, kills=3, rng=random.Random(7))


@pytest.mark.soak
async def test_no_kill_of_hundreds_loses_or_doubles_a_row(hub: HubProcess) -> None:
    await run_many(hub, SOAK_KILLS, random.Random(7))
