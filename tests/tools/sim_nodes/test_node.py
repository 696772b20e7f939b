"""One node through everything that goes wrong around it: numbers without gaps, rows that never change."""

import asyncio
import json
from itertools import pairwise

import pytest

from shared_schema import frames
from shared_schema.messages import (
    Command,
    Config,
    ConfigState,
    ResultState,
    decode_config_state,
    decode_result,
    encode_command,
    encode_config,
)
from shared_schema.metrics import DEEP, FLOW
from shared_schema.reports import decode_event, decode_health
from tests.firmware.small_hub import SmallHub
from tests.tools.sim_nodes.conftest import KEY
from tools.sim_nodes.plans import plan_of
from tools.sim_nodes.process import NodeProcess


async def more_rows(hub: SmallHub, count: int) -> None:
    wanted = len(hub.rows[KEY]) + count
    await hub.until(lambda: len(hub.rows[KEY]) >= wanted)


def assert_whole(hub: SmallHub) -> None:
    """Every number from 1 on is there once, in one epoch, and no row ever came with another content."""
    assert hub.losses == []
    assert_explained(hub)


def assert_explained(hub: SmallHub) -> None:
    """Every number from 1 on is there once or told as lost, in one epoch, none with another content."""
    epochs = {epoch for epoch, _ in hub.rows[KEY]}
    assert len(epochs) == 1
    lost = [seq for loss in hub.losses for seq in range(loss.first_seq, loss.last_seq + 1)]
    numbers = sorted([*(seq for _, seq in hub.rows[KEY]), *lost])
    assert numbers == list(range(1, len(numbers) + 1))
    assert hub.doubles == 0


async def test_measures_brings_rows_and_tells_its_health(hub: SmallHub, node: NodeProcess) -> None:
    node.say("set adc28 1800000")  # 12 mA: the middle of the range
    await more_rows(hub, 3)
    await hub.until(lambda: bool(hub.payloads(KEY, frames.HEALTH)))

    assert_whole(hub)
    kind_id, _, values = list(hub.rows[KEY].values())[-1]
    assert (kind_id, values[1]) == (DEEP.id, 5000)
    health = decode_health(hub.payloads(KEY, frames.HEALTH)[0])
    assert health.rssi_dbm == -61
    assert health.free_memory_bytes > 0
    assert 0 < health.ring_bytes_free < health.ring_bytes


@pytest.mark.soak
async def test_a_hub_that_is_away_gets_what_it_missed(hub: SmallHub, node: NodeProcess) -> None:
    await more_rows(hub, 2)
    await hub.stop()
    await asyncio.sleep(3)
    await hub.start()
    await more_rows(hub, 4)

    assert_whole(hub)
    times = [at_ms for _, at_ms, _ in hub.rows[KEY].values()]
    assert max(later - earlier for earlier, later in pairwise(times)) < 2000


@pytest.mark.soak
async def test_without_wifi_it_goes_on_measuring(hub: SmallHub, node: NodeProcess) -> None:
    await more_rows(hub, 2)
    node.say("air off")
    await asyncio.sleep(3)
    node.say("air on")
    await more_rows(hub, 4)

    assert_whole(hub)
    times = [at_ms for _, at_ms, _ in hub.rows[KEY].values()]
    assert max(later - earlier for earlier, later in pairwise(times)) < 2000


async def test_power_that_goes_in_the_middle_of_a_write_costs_nothing_that_was_numbered(
    hub: SmallHub, node: NodeProcess
) -> None:
    await more_rows(hub, 2)
    await node.cut_power()
    await node.power_on()
    await more_rows(hub, 2)

    # What was in memory had been promised numbers when the power went: the ring tells them as lost.
    assert_explained(hub)
    assert sum(loss.last_seq - loss.first_seq + 1 for loss in hub.losses) <= 2
    await node.power_off()
    epoch, numbered, _ = await node.numbers()
    assert (epoch, 1) in hub.rows[KEY]
    assert numbered >= len(hub.rows[KEY])


@pytest.mark.soak
async def test_rows_of_a_boot_that_never_knew_the_time_come_with_the_next(
    hub: SmallHub, node: NodeProcess
) -> None:
    await more_rows(hub, 1)
    await hub.stop()
    for _ in range(2):
        await node.power_off()
        await node.power_on()
        await asyncio.sleep(3)
    await hub.start()
    await more_rows(hub, 5)

    assert_whole(hub)
    times = [at_ms for _, at_ms, _ in hub.rows[KEY].values()]
    assert times == sorted(times)


async def test_takes_a_configuration_and_keeps_the_old_one_when_it_is_bad(
    hub: SmallHub, node: NodeProcess
) -> None:
    await more_rows(hub, 1)
    bad = {"kinds": {"tank": {"sensors": [{"driver": "crystal_ball"}]}}}
    reports = hub.payloads
    hub.send(KEY, frames.CONFIG, encode_config(Config(2, json.dumps(bad))))
    await hub.until(lambda: len(reports(KEY, frames.CONFIG_STATE)) == 1)
    hub.send(KEY, frames.CONFIG, encode_config(Config(3, json.dumps(plan_of("flow")))))
    await hub.until(lambda: len(reports(KEY, frames.CONFIG_STATE)) == 2)
    await hub.until(lambda: list(hub.rows[KEY].values())[-1][0] == FLOW.id)

    said = [decode_config_state(payload) for payload in reports(KEY, frames.CONFIG_STATE)]
    assert [(report.version, report.state) for report in said] == [
        (2, ConfigState.REFUSED),
        (3, ConfigState.APPLIED),
    ]
    assert "no driver 'crystal_ball'" in said[0].text
    await node.power_off()
    await node.power_on()
    dialled = len(hub.hellos)
    await hub.until(lambda: len(hub.hellos) > dialled)
    assert hub.hellos[-1][1].config_version == 3
    assert_whole(hub)


@pytest.mark.soak
async def test_carries_out_a_command_once_even_when_it_restarts_in_between(
    hub: SmallHub, node: NodeProcess
) -> None:
    await more_rows(hub, 1)
    reboot = encode_command(Command(7, "reboot", "", 60))
    hub.send(KEY, frames.COMMAND, reboot)
    dialled = len(hub.hellos)
    await hub.until(lambda: len(hub.hellos) > dialled)
    await more_rows(hub, 1)
    hub.send(KEY, frames.COMMAND, reboot)
    hub.send(KEY, frames.COMMAND, encode_command(Command(8, "set_interval", '{"kind": "tank"}', 60)))
    await hub.until(lambda: len(hub.payloads(KEY, frames.RESULT)) == 3)
    await more_rows(hub, 3)

    results = [decode_result(payload) for payload in hub.payloads(KEY, frames.RESULT)]
    assert [(result.command_id, result.state) for result in results] == [
        (7, ResultState.EXECUTED),
        (7, ResultState.EXECUTED),
        (8, ResultState.FAILED),
    ]
    assert node.restarts == 1
    assert_whole(hub)


@pytest.mark.soak
async def test_a_sensor_that_fails_is_told_once_and_its_rows_are_bad(
    hub: SmallHub, node: NodeProcess
) -> None:
    await more_rows(hub, 1)
    node.say("set adc28 0")  # an open loop
    await hub.until(lambda: bool(hub.payloads(KEY, frames.EVENT)))
    await asyncio.sleep(2)
    node.say("set adc28 1800000")
    await hub.until(lambda: len(hub.payloads(KEY, frames.EVENT)) == 2)

    events = [decode_event(payload) for payload in hub.payloads(KEY, frames.EVENT)]
    assert [event.code for event in events] == ["sensor_silent", "sensor_silent_over"]


@pytest.mark.soak
async def test_a_hub_that_stores_nothing_is_left_for_a_better_connection(
    hub: SmallHub, node: NodeProcess
) -> None:
    await more_rows(hub, 1)
    hub.is_mute = True
    dialled = len(hub.hellos)
    await hub.until(lambda: len(hub.hellos) > dialled, timeout_s=50)
    hub.is_mute = False
    await more_rows(hub, 3)
    assert_whole(hub)


@pytest.mark.soak
async def test_ten_power_cuts_one_after_the_other(hub: SmallHub, node: NodeProcess) -> None:
    for _ in range(10):
        await more_rows(hub, 2)
        await node.cut_power()
        await node.power_on()
    await more_rows(hub, 2)

    assert_explained(hub)


@pytest.mark.soak
async def test_a_counter_goes_on_after_an_orderly_restart(hub: SmallHub, node: NodeProcess) -> None:
    await more_rows(hub, 1)
    hub.send(KEY, frames.CONFIG, encode_config(Config(3, json.dumps(plan_of("flow")))))
    await hub.until(lambda: list(hub.rows[KEY].values())[-1][0] == FLOW.id)
    await more_rows(hub, 3)
    hub.send(KEY, frames.COMMAND, encode_command(Command(7, "reboot", "", 60)))
    dialled = len(hub.hellos)
    await hub.until(lambda: len(hub.hellos) > dialled)
    await more_rows(hub, 3)

    volumes = [values[1] for kind_id, _, values in hub.rows[KEY].values() if kind_id == FLOW.id]
    assert volumes == sorted(volumes)
    assert volumes[-1] > volumes[0]


@pytest.mark.soak
async def test_a_volume_that_was_told_does_not_come_back_smaller_after_a_power_cut(
    hub: SmallHub, node: NodeProcess
) -> None:
    await more_rows(hub, 1)
    plan = {**plan_of("flow"), "flush_s": 12}
    hub.send(KEY, frames.CONFIG, encode_config(Config(3, json.dumps(plan))))

    def volumes() -> list[int]:
        return [values[1] or 0 for kind_id, _, values in hub.rows[KEY].values() if kind_id == FLOW.id]

    await hub.until(lambda: sum(volumes()) > 0, timeout_s=40)
    await node.power_off()
    await node.power_on()
    before = len(hub.rows[KEY])
    await hub.until(lambda: len(hub.rows[KEY]) > before, timeout_s=40)

    assert volumes() == sorted(volumes())
    assert_explained(hub)


@pytest.mark.soak
async def test_another_policy_of_the_ring_takes_a_restart_and_costs_no_row(
    hub: SmallHub, node: NodeProcess
) -> None:
    await more_rows(hub, 2)
    dialled = len(hub.hellos)
    hub.send(KEY, frames.CONFIG, encode_config(Config(3, json.dumps({**plan_of("deep"), "ring": "thin"}))))
    await hub.until(lambda: len(hub.hellos) > dialled)
    await more_rows(hub, 3)

    assert hub.hellos[-1][1].config_version == 3
    assert node.restarts == 1
    assert_whole(hub)
