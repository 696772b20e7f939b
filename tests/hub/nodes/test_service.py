"""Nodes dial a hub over real sockets, and their rows reach a real outbox."""

from pathlib import Path

import pytest

from hub.nodes.registry_io import RegistryFile
from shared_schema import frames
from shared_schema.enums import LossCause, Quality
from shared_schema.messages import (
    ConfigReport,
    ConfigState,
    decode_ack,
    decode_config,
    decode_time,
    encode_config_state,
    encode_time_wanted,
)
from shared_schema.reports import Event, EventLevel, Health, encode_event, encode_health
from tests.hub.nodes.node import START_MS, Node, dial
from tests.hub.nodes.site import approve, link_at


async def test_stores_rows_with_the_identity_and_time_the_node_gave_them(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(250)
    async with link_at(tmp_path) as link:
        async with dial(node, link.port) as wire:
            await wire.greet()
            await wire.bring()
        cloud = await link.upload()

    assert [key for key in cloud.rows if key[0] == "tank-1"] == [
        ("tank-1", 7, seq, START_MS + 1000 * seq) for seq in range(1, 251)
    ]
    assert cloud.values("tank-1")[:3] == [0.1, 0.2, 0.3]
    assert not cloud.unexplained()
    assert not link.events.raised


async def test_tells_what_is_stored_and_stores_nothing_twice(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(100)
    async with link_at(tmp_path) as link:
        async with dial(node, link.port) as wire:
            await wire.greet()
            await wire.bring()
        node.acknowledged = 0  # as if no acknowledgement had come through
        node.measure(10)
        async with dial(node, link.port) as wire:
            assert (await wire.greet()).stored_seq == 100
            payload = node.payload(91, 20)
            assert payload is not None
            await wire.say(frames.READINGS, payload)
            await wire.acknowledged(110)
        cloud = await link.upload()

    assert len(cloud.values("tank-1")) == 110
    assert not cloud.repeats


async def test_answers_rows_that_are_all_stored_at_once(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(5)
    async with link_at(tmp_path) as link, dial(node, link.port) as wire:
        await wire.greet()
        await wire.bring()
        payload = node.payload(1)
        assert payload is not None
        await wire.say(frames.READINGS, payload)

        assert decode_ack(await wire.hear(frames.ACK)) == 5


async def test_knows_after_a_restart_what_is_stored(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(7)
    async with link_at(tmp_path) as link, dial(node, link.port) as wire:
        await wire.greet()
        await wire.bring()

    async with link_at(tmp_path) as link, dial(node, link.port) as wire:
        assert (await wire.greet()).stored_seq == 7


async def test_refuses_a_hole_and_takes_the_rows_that_fill_it(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(30)
    async with link_at(tmp_path) as link:
        async with dial(node, link.port) as wire:
            await wire.greet()
            for first in (1, 21):
                payload = node.payload(first, 10)
                assert payload is not None
                await wire.say(frames.READINGS, payload)
            await wire.closed_by_hub()
        assert link.events.codes() == ["node_link"]
        async with dial(node, link.port) as wire:
            await wire.greet()
            await wire.bring()
        assert not link.events.open
        cloud = await link.upload()

    assert len(cloud.values("tank-1")) == 30


async def test_hears_a_node_whose_hole_is_there_for_good(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(30)
    for seq in range(11, 21):
        del node.rows[seq]
    async with link_at(tmp_path) as link:
        async with dial(node, link.port) as wire:
            await wire.greet()
            with pytest.raises(ConnectionError):
                await wire.bring()
        async with dial(node, link.port) as wire:
            await wire.greet()
            await wire.bring()
        async with dial(node, link.port) as wire:
            assert (await wire.greet()).stored_seq == 30


async def test_takes_rows_of_a_node_that_another_hub_has_heard_before(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(500)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    async with link_at(tmp_path / "a") as link, dial(node, link.port) as wire:
        await wire.greet()
        await wire.bring()
    node.rows = {seq: row for seq, row in node.rows.items() if seq > 400}
    node.measure(20)

    async with link_at(tmp_path / "b") as link:
        async with dial(node, link.port) as wire:
            assert (await wire.greet()).stored_seq == 500
            await wire.bring()
        assert not link.events.raised
        assert len((await link.upload()).values("tank-1")) == 20


async def test_writes_a_loss_to_the_ledger_before_the_rows_behind_it(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(60)
    node.evict(1, 20)
    node.evict(31, 40, LossCause.CORRUPT)
    async with link_at(tmp_path) as link:
        async with dial(node, link.port) as wire:
            await wire.greet()
            await wire.bring()
        cloud = await link.upload()

    assert [(loss["first_seq"], loss["last_seq"], loss["cause"]) for loss in cloud.losses()] == [
        (1, 20, "evicted"),
        (31, 40, "corrupt"),
    ]
    assert cloud.losses()[0]["lost_device_id"] == "tank-1"
    assert cloud.losses()[0]["first_recorded_at"] == START_MS + 1000
    assert not cloud.unexplained()
    assert not link.events.raised


async def test_takes_the_rows_that_thinning_left(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(60)
    kept = {seq: node.rows[seq] for seq in (1, 30)}
    node.evict(1, 50, LossCause.THINNED)
    node.rows.update(kept)
    async with link_at(tmp_path) as link:
        async with dial(node, link.port) as wire:
            await wire.greet()
            await wire.bring()
        cloud = await link.upload()

    assert len(cloud.values("tank-1")) == 12
    assert not cloud.unexplained()


async def test_a_loss_told_again_is_written_once(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(30)
    node.evict(11, 20)
    async with link_at(tmp_path) as link:
        for _ in range(3):
            async with dial(node, link.port) as wire:
                await wire.greet()
                await wire.tell_losses()
                await wire.bring()
        cloud = await link.upload()

    assert len(cloud.losses()) == 1


async def test_acknowledges_rows_of_impossible_times_and_says_so(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(10)
    node.measure(10, START_MS + 86_400_000)
    node.measure(10, START_MS - 100 * 86_400_000)
    node.measure(10)
    async with link_at(tmp_path) as link:
        async with dial(node, link.port) as wire:
            await wire.greet()
            await wire.bring()
        cloud = await link.upload()

    assert link.events.codes() == ["node_time_wrong"]
    assert len(cloud.values("tank-1")) == 20
    assert [(loss["first_seq"], loss["last_seq"], loss["cause"]) for loss in cloud.losses()] == [
        (11, 20, "clock"),
        (21, 30, "rejected"),
    ]
    assert not cloud.unexplained()


async def test_judges_no_times_and_tells_none_before_its_own_clock_is_known(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(5, START_MS + 86_400_000)
    async with link_at(tmp_path) as link, dial(node, link.port) as wire:
        link.clock.is_known = False
        assert (await wire.greet()).unix_ms == 0
        await wire.say(frames.TIME_WANTED, encode_time_wanted(1))
        await wire.bring()
        link.clock.is_known = True
        await wire.say(frames.TIME_WANTED, encode_time_wanted(2))
        time = decode_time(await wire.hear(frames.TIME))

        assert (time.token, time.unix_ms) == (2, link.clock.wall_ms())
        assert not link.events.raised


async def test_a_value_that_cannot_be_becomes_none_and_bad(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(2)
    at_ms, values, *rest = node.rows[2]
    node.rows[2] = (at_ms, (999_999, *values[1:]), *rest)  # a hundred metres of water
    async with link_at(tmp_path) as link:
        async with dial(node, link.port) as wire:
            await wire.greet()
            await wire.bring()
        cloud = await link.upload()

    assert cloud.values("tank-1") == [0.1, None]
    assert [row[1] for row in cloud.rows.values()] == [Quality.GOOD, Quality.BAD]


async def test_a_health_report_becomes_a_heartbeat(tmp_path: Path) -> None:
    health = Health(0, -71, 90_000, 3, 3300, 900, 26_214, 262_144, -40_000, 120, 2)
    async with link_at(tmp_path) as link:
        async with dial(Node("tank-1"), link.port) as wire:
            await wire.greet()
            for _ in range(3):
                await wire.say(frames.HEALTH, encode_health(health))
            await wire.say(frames.PING)
            await wire.hear(frames.PONG)
            (state,) = link.nodes.state().connected
        (row,) = await link.uploaded("heartbeat", 1)

    assert row[2:] == (None, None, 90.0, None, 120, 900, "online", -71, 90_000, "watchdog", 3.3, -40_000)
    assert link.events.codes() == ["node_storage", "node_clock_off"]
    assert (state.ring_rows, state.ring_percent) == (900, 90.0)


async def test_an_event_of_a_node_becomes_a_row_of_its_error_log(tmp_path: Path) -> None:
    async with link_at(tmp_path) as link:
        async with dial(Node("tank-1"), link.port) as wire:
            await wire.greet()
            event = encode_event(Event(EventLevel.ERROR, "sensor", "no answer\non pin 4"))
            for _ in range(100):
                await wire.say(frames.EVENT, event)
            await wire.say(frames.PING)
            await wire.hear(frames.PONG)
        errors = await link.uploaded("error", 60)

    assert errors[0][2:5] == ("error", "sensor", "no answer on pin 4")
    assert len(errors) == 60, "a node that shouts is rationed"


async def test_sends_the_configuration_until_the_node_says_what_became_of_it(tmp_path: Path) -> None:
    approve(tmp_path, "tank-1")
    node = Node("tank-1")
    async with link_at(tmp_path) as link, dial(node, link.port) as wire:
        await wire.greet()
        RegistryFile(tmp_path).edit(lambda registry: registry.configured("tank-1", '{"interval_s": 5}'))
        config = decode_config(await wire.hear(frames.CONFIG))
        assert (config.version, config.document) == (1, '{"interval_s": 5}')
        refused = ConfigReport(1, ConfigState.REFUSED, "5 is too short")
        await wire.say(frames.CONFIG_STATE, encode_config_state(refused))
        await wire.say(frames.PING)
        await wire.hear(frames.PONG)
        assert link.events.codes() == ["node_config_refused"]
        applied = ConfigReport(1, ConfigState.APPLIED)
        await wire.say(frames.CONFIG_STATE, encode_config_state(applied))
        await wire.say(frames.PING)
        await wire.hear(frames.PONG)
        assert not link.events.open

        node.config_version = 1
        async with dial(node, link.port) as again:
            await again.greet()
            await again.say(frames.PING)
            await again.hear(frames.PONG)
            assert not again.inbox


async def test_a_new_session_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(3)
    async with link_at(tmp_path) as link, dial(node, link.port) as old, dial(node, link.port) as new:
        await old.greet()
        await new.greet()
        await old.closed_by_hub()
        await new.bring()
        assert [state.device_key for state in link.nodes.state().connected] == ["tank-1"]


async def test_says_when_a_node_counts_again(tmp_path: Path) -> None:
    node = Node("tank-1")
    node.measure(10)
    async with link_at(tmp_path) as link:
        async with dial(node, link.port) as wire:
            await wire.greet()
            await wire.bring()
        async with dial(Node("tank-1"), link.port) as wire:
            await wire.greet()
        assert link.events.codes() == ["node_counts_again"]
