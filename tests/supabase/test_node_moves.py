"""A node between two hubs that die under it: the cloud has every row once, and every hole explained."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from hub.ports import Batch
from shared_schema.metrics import LOSS, TANK
from tests.hub.nodes.hub_process import HubProcess
from tests.hub.nodes.node import Node, dial
from tests.supabase.roles import Connection, count, register, upload


@pytest.fixture
def hubs(tmp_path: Path) -> Iterator[list[HubProcess]]:
    processes = [HubProcess(tmp_path / name, name) for name in ("hub-a", "hub-b")]
    yield processes
    for process in processes:
        process.kill()


async def test_a_node_that_changes_hubs_at_every_instant_is_whole_in_the_cloud(
    database: Connection, hubs: list[HubProcess]
) -> None:
    node = Node("tank-1")
    turns = cycle(hubs)
    for hub in hubs:
        await hub.start()
    # The first hub is killed with rows on disk that it never acknowledged; the node goes to the second.
    start_ms = time.time_ns() // 1_000_000 - 3_600_000
    node.measure(150, start_ms)
    first = next(turns)
    async with dial(node, first.port) as wire:
        await wire.greet()
        await wire.send_rows()
        await first.stored("tank-1", 150)
    first.kill()
    async with dial(node, next(turns).port) as wire:
        assert (await wire.greet()).stored_seq == 0
        await wire.bring()
    await first.start()
    # From now on each acknowledgement may be lost, and rows give way meanwhile.
    for round_ in range(8):
        node.measure(25, start_ms)
        if round_ == 4:
            node.evict(node.next_seq - 20, node.next_seq - 11)
        async with dial(node, next(turns).port) as wire:
            await wire.greet()
            await wire.tell_losses()
            await wire.send_rows()
            if round_ % 3:
                await wire.acknowledged(node.next_seq - 1)
    for hub in hubs:
        async with dial(node, hub.port) as wire:
            await wire.greet()
            await wire.bring()
        hub.kill()

    sent = _sent_to_the_cloud(database, [batch for hub in hubs for batch in hub.batches()])

    found = database.execute("select * from public.completeness('tank-1')").fetchall()
    assert sent > node.next_seq - 1, "both hubs have had some of them"
    assert count(database, TANK.table) == node.next_seq - 1 - 10
    assert [(row["duplicates"], row["unexplained_gaps"], row["rows_explained"]) for row in found] == [
        (0, 0, 10)
    ]


def _sent_to_the_cloud(database: Connection, batches: list[Batch]) -> int:
    """Insert what both outboxes have, as the uplink does; return how many rows of the node there were."""
    ids = {key: register(database, key) for key in ("tank-1", "hub-a", "hub-b")}
    sent = 0
    for batch in batches:
        if batch.kind in {TANK.name, LOSS.name}:
            table = TANK.table if batch.kind == TANK.name else LOSS.table
            upload(database, table, [_row(batch, at, ids) for at in range(len(batch))])
            sent += len(batch) if batch.kind == TANK.name else 0
    return sent


def _row(batch: Batch, at: int, ids: dict[str, int]) -> dict[str, Any]:
    kind = TANK if batch.kind == TANK.name else LOSS
    row = {
        field.name: _value(field.type, column[at], ids)
        for field, column in zip(kind.fields, batch.columns, strict=True)
    }
    return row | {
        "device_id": ids[batch.device_keys[at]],
        "epoch": batch.epochs[at],
        "seq": batch.seqs[at],
        "recorded_at": _instant(batch.recorded_at_ms[at]),
        "quality": batch.qualities[at],
        "time_quality": batch.time_qualities[at],
    }


def _value(type_: str, value: Any, ids: dict[str, int]) -> Any:
    if type_ == "device":
        return ids[value]
    return _instant(value) if type_ == "instant" and value is not None else value


def _instant(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()
