"""What arrives, in which order, and what the uplink says of itself, while nothing fails."""

import asyncio
import dataclasses
import json

from shared_schema.enums import Lane
from tests.fakes.table_cloud import Refusal
from tests.hub.uplink.conftest import Site


async def test_brings_every_row_to_its_table(site: Site) -> None:
    site.source.add("tank-1", 101.5, 2000, count=3)
    site.source.add("tank-2", 99.0, count=2)
    site.source.add("hub", 12.0, kind="heartbeat")
    site.start()
    await site.until_sent()
    assert site.cloud.identities() == {
        ("tank-1", 77, 1),
        ("tank-1", 77, 2),
        ("tank-1", 77, 3),
        ("tank-2", 77, 1),
        ("tank-2", 77, 2),
    }
    assert site.cloud.identities("device_heartbeats") == {("hub", 77, 1)}
    (first, *_) = site.cloud.rows()
    assert (first["water_level_cm"], first["volume_l"], first["ph"]) == (101.5, 2000, None)
    assert site.cloud.copies == 0


async def test_sends_a_thousand_rows_in_one_request(site: Site) -> None:
    site.source.add("tank-1", 1.0, count=2500)
    site.start()
    await site.until_sent()
    assert sorted(seen.rows for seen in site.cloud.inserts()) == [500, 1000, 1000]
    site.assert_exact()


async def test_asks_for_one_token_and_one_directory(site: Site) -> None:
    site.source.add("tank-1", 1.0, count=3000)
    site.start()
    await site.until_sent()
    paths = [request.path.split("?")[0] for _, request in site.transport.asked]
    assert paths.count("/functions/v1/device-token") == 1
    assert paths.count("/rest/v1/devices") == 1


async def test_calls_what_was_stored_before_the_start_backlog(site: Site) -> None:
    site.source.add("tank-1", 1.0, count=1200)
    service = site.start()
    await site.until(lambda: service.state().is_online)
    assert site.source.marks == 1
    await site.until_sent()
    assert Lane.BACKLOG in site.source.taken_lanes


async def test_sends_what_is_new_while_the_backlog_drains(site: Site) -> None:
    site.source.add("tank-1", 1.0, count=12_000)
    site.settings = dataclasses.replace(site.settings, backlog_rows_per_s=1000)
    service = site.start()
    await site.until(lambda: service.state().is_online and site.time.monotonic_s() > 1003)
    site.source.add("tank-2", 2.0)
    site.source.add("hub", kind="error", lane=Lane.ALARM)
    asked_at_s = site.time.monotonic_s()
    await site.until(
        lambda: ("tank-2", 77, 1) in site.cloud.identities() and bool(site.cloud.rows("error_logs"))
    )
    assert site.time.monotonic_s() - asked_at_s <= 1.0
    assert len(site.source.rows) > 5_000
    await site.until_sent()
    # 12,000 rows at 1,000 a second, less what the probe and the first second's allowance took.
    assert 9 <= site.time.monotonic_s() - 1000 <= 13
    await site.until(lambda: service.state().catch_up_s is not None)
    assert 9 <= (service.state().catch_up_s or 0) <= 13
    assert service.state().backlog_peak >= 11_000
    site.assert_exact()


async def test_takes_alarms_before_anything_else(site: Site) -> None:
    site.source.add("tank-1", 1.0, count=5)
    site.source.add("hub", kind="error", lane=Lane.ALARM)
    site.start()
    await site.until_sent()
    assert site.source.taken_lanes[0] == Lane.ALARM


async def test_takes_an_alarm_before_what_else_has_come_meanwhile(site: Site) -> None:
    site.settings = dataclasses.replace(site.settings, live_in_flight=1)
    service = site.start()
    await site.until(lambda: service.state().is_online)
    site.cloud.hold = asyncio.Event()
    site.source.add("tank-1", 1.0)
    await site.until(lambda: site.transport.in_flight == 1)
    taken = len(site.source.taken_lanes)
    site.source.add("tank-1", 2.0, count=3)
    site.source.add("hub", kind="error", lane=Lane.ALARM)
    site.cloud.hold.set()
    await site.until_sent()
    assert site.source.taken_lanes[taken:] == [Lane.ALARM, Lane.LIVE]


async def test_tells_the_outbox_of_the_half_that_is_stored_when_it_is_stopped_half_way(site: Site) -> None:
    service = site.start()
    await site.until(lambda: service.state().is_online)
    bad = Refusal(400, "23514", "violates check constraint")
    seen: list[int] = []

    def refuse_the_last_and_hold_after_the_first_half(_table: str, row: dict[str, object]) -> Refusal | None:
        seen.append(int(str(row["seq"])))
        if seen.count(4) == 2 and site.cloud.hold is None:
            site.cloud.hold = asyncio.Event()
        return bad if row["seq"] == 8 else None

    site.cloud.refuse = refuse_the_last_and_hold_after_the_first_half
    site.source.add("tank-1", 1.0, count=8)
    await site.until(lambda: sum("telemetry" in request.path for _, request in site.transport.asked) == 3)
    await site.stop()
    assert {seq for _, _, seq in site.source.stored} == {1, 2, 3, 4}
    assert site.cloud.hold is not None
    site.cloud.hold.set()


async def test_has_a_bounded_number_of_requests_under_way(site: Site) -> None:
    service = site.start()
    await site.until(lambda: service.state().is_online)
    site.cloud.hold = asyncio.Event()
    peak = 0
    for kind in ("tank", "flow", "deep", "power"):
        site.source.add("tank-1", 1.0, kind=kind)
        site.source.add("tank-2", 1.0, kind=kind, lane=Lane.BACKLOG)
        await asyncio.sleep(0.01)
        site.time.wake_next()
        peak = max(peak, site.transport.in_flight)
    assert peak == site.settings.live_in_flight + site.settings.backlog_in_flight
    site.cloud.hold.set()
    await site.until_sent()


async def test_proves_the_real_way_when_there_is_nothing_to_send(site: Site) -> None:
    service = site.start()
    await site.until(lambda: service.state().is_online)
    await site.until_asked("/rest/v1/devices?select=id&limit=1")
    assert site.time.monotonic_s() >= 1000 + site.settings.proof_s
    with site.proxy.during("status", status=503, path="/rest/v1/devices"):
        await site.until(lambda: not service.state().is_online)
    await site.until(lambda: service.state().is_online)


async def test_renews_the_token_at_ninety_minutes_without_being_refused(site: Site) -> None:
    service = site.start()
    await site.until(lambda: service.state().is_online)
    await site.until(lambda: site.cloud.tokens_issued == 2)
    assert 5400 <= site.time.monotonic_s() - 1000 <= 5400 + site.settings.proof_s
    assert service.state().outages == 0
    assert site.cloud.asked_with == ["secret", "refresh_token"]


async def test_a_refused_refresh_token_costs_one_request_more_and_no_outage(site: Site) -> None:
    service = site.start()
    await site.until(lambda: service.state().is_online)
    site.cloud.refresh_tokens.clear()
    await site.until(lambda: site.cloud.tokens_issued == 2)
    assert site.cloud.asked_with == ["secret", "refresh_token", "secret"]
    await site.until(lambda: site.cloud.tokens_issued == 3)
    assert site.cloud.asked_with[3:] == ["refresh_token"]
    assert service.state().outages == 0
    assert site.events.raised == []


async def test_a_token_that_cannot_be_renewed_serves_until_it_expires(site: Site) -> None:
    service = site.start()
    await site.until(lambda: service.state().is_online)
    site.proxy.fault("status", status=503, path="device-token")
    await site.until(lambda: site.proxy.hits["status"] >= 2)
    assert service.state().is_online
    await site.until(lambda: not service.state().is_online)
    assert site.time.monotonic_s() - 1000 >= 7200
    site.proxy.clear()
    await site.until(lambda: service.state().is_online)


async def test_tells_the_servers_time_and_how_it_stands(site: Site) -> None:
    site.source.add("tank-1", 1.0, count=10)
    service = site.start()
    await site.until_sent()
    date_ms, sent_s, received_s = site.server_times[-1]
    assert date_ms % 1000 == 0
    assert sent_s <= received_s == site.time.monotonic_s()
    state = service.state()
    assert (state.rows_stored, state.rows_rejected, state.retries) == (10, 0, 0)
    assert state.requests == len(site.transport.asked)
    assert state.bytes_sent > len(json.dumps(site.cloud.rows())) / 3
    assert state.bytes_received > 0
    assert state.server_offset_ms == date_ms - site.time.wall_ms()


async def test_tells_the_outbox_what_is_known_when_it_is_stopped(site: Site) -> None:
    site.source.add("tank-1", 1.0)
    site.source.add("unheard-of", 1.0)
    site.cloud.devices.pop("tank-2")
    site.source.add("tank-2", 1.0)
    site.start()
    await site.until(lambda: ("tank-1", 77, 1) in site.source.stored)
    site.source.add("tank-1", 2.0)
    site.cloud.hold = asyncio.Event()
    await site.until(lambda: site.transport.in_flight > 0)
    await site.stop()
    assert {key for key, _, _ in site.source.stored} == {"tank-1"}
    assert ("tank-1", 77, 2) in {row.identity for row in site.source.rows}
    site.cloud.hold.set()
    site.cloud.hold = None
    site.cloud.devices |= {"tank-2": 12, "unheard-of": 13}
    site.source._lent.clear()
    for row in site.source.rows:
        row.is_lent = False
    site.start()
    await site.until_sent()
    site.assert_exact()
