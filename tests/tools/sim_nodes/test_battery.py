"""A node on a battery, the whole firmware in the real MicroPython: nothing is lost over its sleeps."""

import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

from firmware.node.settings import CANNOT_SLEEP
from shared_schema import frames
from shared_schema.digest import Hmac, node_key
from shared_schema.greeting import BATTERY
from shared_schema.messages import (
    Command,
    Config,
    ConfigState,
    decode_config_state,
    encode_command,
    encode_config,
)
from shared_schema.reports import decode_event
from tests.end_to_end.fleet import sources
from tests.firmware.small_hub import SITE_KEY, SmallHub
from tests.tools.sim_nodes.conftest import KEY
from tests.tools.sim_nodes.test_node import assert_explained, assert_whole
from tools.firmware import release
from tools.sim_nodes.plans import plan_of
from tools.sim_nodes.process import NodeProcess, node_file

INTERVAL_S = 3
DIAL_S = 9

Start = Callable[..., Awaitable[NodeProcess]]


@pytest.fixture
async def start(hub: SmallHub, flash_files: dict[str, bytes], tmp_path: Path) -> AsyncIterator[Start]:
    """Start a node with a plan and further files; what it said is checked at the end."""
    said: list[str] = []
    node = NodeProcess(KEY, tmp_path, said.append)

    async def started(plan: dict[str, Any], **files: bytes) -> NodeProcess:
        file = node_file(KEY, 1, node_key(SITE_KEY, KEY, 1), (f"127.0.0.1:{hub.port}",), plan)
        await node.install(flash_files | files, file)
        await node.power_on()
        return node

    yield started
    await node.power_off()
    print(*said, sep="\n")  # shown when a test fails
    assert not [line for line in said if "Error" in line and "OSError" not in line], said


def battery_plan(kind: str = "deep", **different: Any) -> dict[str, Any]:
    rules = {"dial_s": DIAL_S, "listen_ms": 500}
    return {**plan_of(kind, INTERVAL_S), "power": "battery", "battery": rules, **different}


def times_of(hub: SmallHub) -> list[int]:
    return [at_ms for _, (_, at_ms, _) in sorted(hub.rows[KEY].items())]


async def test_sleeps_between_samples_and_brings_them_in_batches(hub: SmallHub, start: Start) -> None:
    node = await start(battery_plan())
    await hub.until(lambda: len(hub.hellos) >= 2 and len(hub.rows[KEY]) >= 5, timeout_s=40)

    assert_whole(hub)
    assert node.sleeps >= 3
    assert node.restarts == 0
    assert len(hub.hellos) < node.sleeps
    assert all(hello.flags & BATTERY for _, hello in hub.hellos)
    assert hub.payloads(KEY, frames.HEALTH)
    for earlier, later in pairwise(times_of(hub)[2:]):  # the first wake looks for its hub: the second is late
        assert abs(later - earlier - INTERVAL_S * 1000) < 1500


@pytest.mark.soak
async def test_while_no_hub_has_told_the_time_rows_keep_their_times(hub: SmallHub, start: Start) -> None:
    await hub.stop()
    plan = battery_plan()
    plan["battery"]["connect_ms"] = 5000
    began_ms = time.time() * 1000
    node = await start(plan)
    await node.until(lambda: node.sleeps >= 4, 60)
    await hub.start()
    await hub.until(lambda: len(hub.rows[KEY]) >= 5, timeout_s=120)

    assert_whole(hub)
    times = times_of(hub)
    assert times == sorted(times)
    assert abs(times[0] - began_ms) < 4000  # although it was told the time many wakes later


@pytest.mark.soak
async def test_power_cuts_between_and_in_wakes_cost_nothing_that_was_numbered(
    hub: SmallHub, start: Start
) -> None:
    node = await start(battery_plan())
    for sleeps in (2, 4, 6):
        await node.until(lambda wanted=sleeps: node.sleeps >= wanted, 60)
        await node.cut_power()
        await node.power_on()
    rows = len(hub.rows[KEY])
    await hub.until(lambda: len(hub.rows[KEY]) > rows, timeout_s=40)

    assert_explained(hub)


@pytest.mark.soak
async def test_what_happened_in_a_wake_that_reached_no_hub_is_told_by_a_later_one(
    hub: SmallHub, start: Start
) -> None:
    await hub.stop()
    plan = battery_plan()
    plan["battery"].update(connect_ms=5000, dial_s=1)
    node = await start(plan, **{"crash.txt": b"MemoryError: of the boot before"})
    await node.until(lambda: node.sleeps >= 1, 40)
    await hub.start()
    await hub.until(lambda: bool(hub.payloads(KEY, frames.EVENT)), timeout_s=40)
    dials = len(hub.hellos)
    await hub.until(lambda: len(hub.hellos) > dials + 1, timeout_s=40)

    (event,) = [decode_event(payload) for payload in hub.payloads(KEY, frames.EVENT)]
    assert (event.code, event.text) == ("crashed", "MemoryError: of the boot before")


@pytest.mark.soak
async def test_takes_orders_while_it_listens_and_none_twice(hub: SmallHub, start: Start) -> None:
    node = await start(battery_plan())
    await hub.until(lambda: bool(hub.rows[KEY]))
    hub.send(KEY, frames.COMMAND, encode_command(Command(7, "identify", "", 60)))
    await hub.until(lambda: len(hub.payloads(KEY, frames.RESULT)) == 1)
    dialled = len(hub.hellos)
    await hub.until(lambda: len(hub.hellos) > dialled, timeout_s=40)
    await hub.until(lambda: len(hub.payloads(KEY, frames.HEALTH)) > dialled)
    hub.send(KEY, frames.COMMAND, encode_command(Command(7, "forgotten", "", 60)))
    hub.send(KEY, frames.CONFIG, encode_config(Config(2, json.dumps(plan_of("deep")))))
    await hub.until(lambda: len(hub.payloads(KEY, frames.RESULT)) == 2)
    await hub.until(lambda: bool(hub.payloads(KEY, frames.CONFIG_STATE)))
    sleeps = node.sleeps
    rows = len(hub.rows[KEY])
    await hub.until(lambda: len(hub.rows[KEY]) > rows + 4, timeout_s=40)

    assert hub.payloads(KEY, frames.RESULT)[0] == hub.payloads(KEY, frames.RESULT)[1]
    assert node.sleeps <= sleeps + 1  # on mains it stays awake
    assert_whole(hub)


async def test_broadcasts_what_it_measures_with_numbers_that_never_come_twice(
    hub: SmallHub, start: Start
) -> None:
    node = await start(battery_plan("tank", broadcast=True))
    await node.until(lambda: len(node.advertised) >= 3, 40)

    key = Hmac(node_key(SITE_KEY, KEY, 1)).of(b"bthome")[:16]
    numbers = [int.from_bytes(packet[-8:-4], "little") for packet in node.advertised]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    for packet in node.advertised:
        assert packet[:3] == b"\x02\x01\x06"
        assert packet[5:8] == b"\xd2\xfc\x41"
        assert opened(key, packet)[0] in {0x02, 0x40}
    assert len(hub.hellos) == 1  # when it was switched on
    assert len(hub.rows[KEY]) == 1


@pytest.mark.soak
async def test_a_board_that_cannot_sleep_says_so_once_and_refuses_to_be_told(
    hub: SmallHub, start: Start, tmp_path: Path
) -> None:
    folder = sources(tmp_path / "sources")
    with (folder / "firmware" / "board" / "pc.py").open("a") as file:
        file.write("\n    can_sleep = False\n")  # as on an rp2
    files = release.bare_board(release.build("1.0.0", 1, sources=folder), sources=folder)
    node = await start(battery_plan(), **files)
    await hub.until(lambda: bool(hub.payloads(KEY, frames.EVENT)) and len(hub.rows[KEY]) >= 2)
    hub.send(KEY, frames.CONFIG, encode_config(Config(2, json.dumps(battery_plan("flow")))))
    await hub.until(lambda: bool(hub.payloads(KEY, frames.CONFIG_STATE)))
    rows = len(hub.rows[KEY])
    await hub.until(lambda: len(hub.rows[KEY]) > rows + 1)

    (event,) = [decode_event(payload) for payload in hub.payloads(KEY, frames.EVENT)]
    assert (event.code, event.text) == ("config_failed", CANNOT_SLEEP)
    report = decode_config_state(hub.payloads(KEY, frames.CONFIG_STATE)[0])
    assert (report.state, report.text) == (ConfigState.REFUSED, CANNOT_SLEEP)
    assert (node.sleeps, node.restarts) == (0, 0)
    assert_whole(hub)


def opened(key: bytes, packet: bytes) -> bytes:
    """Return the objects of an encrypted packet. Raises ValueError when the key is another."""
    sealed, counter, mic = packet[8:-8], packet[-8:-4], packet[-4:]
    nonce = b"\xc0\xff\xee\x00\x00\x01" + packet[5:8] + counter
    return AESCCM(key, tag_length=4).decrypt(nonce, sealed + mic, None)
