"""What goes wrong between outbox and cloud, each through a real proxy: nothing lost, nothing twice."""

import asyncio
import dataclasses
import itertools
from typing import Any

import pytest

from tests.fakes.table_cloud import Refusal
from tests.hub.uplink.conftest import HASTY_S, Site

REST = "/rest/v1/telemetry"


async def online(site: Site) -> None:
    service = site.start()
    await site.until(lambda: service.state().is_online)


@pytest.mark.parametrize(
    ("fault", "options", "event"),
    [
        ("status", {"status": 500}, "cloud_error"),
        ("status", {"status": 503}, "cloud_error"),
        ("status", {"status": 429, "retry_after": "90"}, "cloud_rate_limited"),
        ("answer-lost", {}, "cloud_connection_lost"),
        ("half", {}, "cloud_connection_lost"),
    ],
)
async def test_backs_off_says_so_and_sends_the_same_rows_again(
    site: Site, fault: str, options: dict[str, Any], event: str
) -> None:
    await online(site)
    # Twice, because a broken connection gets a second chance at once.
    site.proxy.fault(fault, times=2, path=REST, **options)
    site.source.add("tank-1", 1.0, count=40)
    await site.until(lambda: site.proxy.hits[fault] == 2)
    if event != "cloud_connection_lost":
        assert max(site.time.sleeps) >= 30
    await site.until_sent()
    assert event in site.events.codes()
    assert not site.events.open
    assert site.service is not None
    assert site.service.state().outages == 1
    assert len(site.source.stored) == 40
    site.assert_exact()


@pytest.mark.parametrize("site", [HASTY_S], indirect=True)
@pytest.mark.parametrize("fault", ["black-hole", "answer-never"])
async def test_does_not_wait_for_ever(site: Site, fault: str) -> None:
    await online(site)
    site.proxy.fault(fault, times=2, path=REST)
    site.source.add("tank-1", 1.0, count=40)
    await site.until_sent()
    assert site.proxy.hits[fault] == 2
    assert "cloud_timeout" in site.events.codes()
    assert max(site.time.sleeps) >= 60
    assert not site.events.open
    assert len(site.source.stored) == 40
    site.assert_exact()


@pytest.mark.parametrize("fault", ["answer-lost", "half"])
async def test_sends_again_at_once_after_a_connection_that_broke(site: Site, fault: str) -> None:
    await online(site)
    before_s = site.time.monotonic_s()
    site.proxy.fault(fault, times=1, path=REST)
    site.source.add("tank-1", 1.0, count=40)
    await site.until_sent()
    assert site.time.monotonic_s() - before_s < 1
    assert site.cloud.copies == 40
    assert site.events.raised == []
    site.assert_exact()


@pytest.mark.parametrize("site", [HASTY_S], indirect=True)
async def test_the_cloud_ignores_what_it_stored_before_its_answer_was_lost(site: Site) -> None:
    await online(site)
    site.proxy.fault("answer-never", times=1, path=REST)
    site.source.add("tank-1", 1.0, count=25)
    await site.until_sent()
    assert site.cloud.copies >= 25
    assert len(site.cloud.rows()) == 25
    site.assert_exact()


async def test_waits_as_long_as_it_is_asked_to(site: Site) -> None:
    await online(site)
    site.proxy.fault("status", times=1, path=REST, status=429, retry_after="200")
    site.source.add("tank-1", 1.0)
    await site.until_sent()
    inserts_s = [at_s for at_s, request in site.transport.asked if REST in request.path]
    assert inserts_s[1] - inserts_s[0] == pytest.approx(200)


async def test_doubles_its_pauses_through_hours_without_a_cloud(site: Site) -> None:
    site.source.add("tank-1", 1.0, count=1500)
    await online(site)
    await site.until_sent()
    site.proxy.fault("cut")
    before = len(site.time.sleeps)
    for _ in range(60):
        site.source.add("tank-1", 2.0, count=20)
        site.source.add("tank-2", 2.0, count=5)
        await site.time.pass_s(120, is_busy=site.is_busy)
    service = site.service
    assert service is not None
    assert not service.state().is_online
    pauses_s = [pause_s for pause_s in site.time.sleeps[before:] if pause_s >= 30]
    assert pauses_s[:6] == pytest.approx([30, 60, 120, 240, 300, 300], abs=1)
    # Two hours at five minutes each: the cloud that comes back is not met by a storm.
    assert len(pauses_s) <= 30
    assert len(site.source.rows) == 1500
    assert site.events.codes() == ["cloud_unreachable"]
    site.proxy.clear()
    await site.proxy.settled()
    await site.until_sent()
    await site.until(lambda: service.state().catch_up_s is not None)
    state = service.state()
    assert state.is_online
    assert state.backlog_peak == 1500
    assert state.outages == 1
    assert not site.events.open
    assert len(site.source.stored) == 3000
    site.assert_exact()


async def test_what_is_measured_after_an_outage_does_not_wait_for_what_it_left(site: Site) -> None:
    site.settings = dataclasses.replace(site.settings, backlog_rows_per_s=500)
    await online(site)
    site.proxy.fault("cut")
    site.source.add("tank-1", 1.0, count=5000)
    service = site.service
    assert service is not None
    await site.until(lambda: not service.state().is_online)
    site.proxy.clear()
    await site.proxy.settled()
    await site.until(lambda: service.state().is_online)
    site.source.add("tank-2", 2.0)
    await site.until(lambda: (12, 1) in site.cloud.order)
    assert site.cloud.order.index((12, 1)) < 4500
    await site.until_sent()
    site.assert_exact()


async def test_an_expired_token_costs_one_renewal_and_no_pause(site: Site) -> None:
    await online(site)
    site.source.add("tank-1", 1.0)
    await site.until_sent()
    before_s = site.time.monotonic_s()
    site.cloud.expire_tokens()
    site.source.add("tank-1", 2.0, count=10)
    await site.until_sent()
    assert site.time.monotonic_s() - before_s < 1
    assert site.cloud.tokens_issued == 2
    assert site.events.raised == []
    site.assert_exact()


async def test_a_cloud_that_believes_no_token_is_asked_for_one_a_minute_at_most(site: Site) -> None:
    await online(site)
    site.proxy.fault(
        "status", status=401, body=b'{"code":"PGRST301","message":"No suitable key"}', path="/rest/"
    )
    site.source.add("tank-1", 1.0)
    await site.time.pass_s(1800, is_busy=site.is_busy)
    asked_s = [at_s for at_s, request in site.transport.asked if "device-token" in request.path]
    pauses_s = [later - earlier for earlier, later in itertools.pairwise(asked_s[1:])]
    assert len(asked_s) >= 4
    assert min(pauses_s) >= 60
    assert "token_refused" in site.events.codes()
    site.proxy.clear()
    await site.until_sent()
    assert not site.events.open
    site.assert_exact()


async def test_a_device_whose_secret_is_wrong_calls_for_an_operator_and_loses_nothing(site: Site) -> None:
    site.cloud.secret = "another"
    site.source.add("tank-1", 1.0, count=5)
    site.start()
    await site.until(lambda: "device_refused" in site.events.codes())
    assert "register 'hub' in the cloud" in site.events.raised[0].message
    assert site.events.raised[0].level == "error"
    site.cloud.secret = "s3cret"
    await site.until_sent()
    assert not site.events.open
    site.assert_exact()


@pytest.mark.parametrize("bad", [{500}, {1, 2, 3, 998, 1000}, {10, 400, 401, 720, 999}])
async def test_poison_rows_are_set_aside_with_their_reason_and_hold_up_nobody(
    site: Site, bad: set[int]
) -> None:
    def refuse(_table: str, row: dict[str, Any]) -> Refusal | None:
        if row["seq"] in bad:
            return Refusal(400, "23514", f"row {row['seq']} violates check constraint")
        return None

    site.cloud.refuse = refuse
    site.source.add("tank-1", 1.0, count=1000)
    site.start()
    await site.until_sent()
    assert {identity[2] for identity in site.source.dead} == bad
    for (_, _, seq), reasons in site.source.dead.items():
        assert reasons == [f"HTTP 400 23514: row {seq} violates check constraint"] * 5
    assert len(site.cloud.rows()) == 1000 - len(bad)
    first_pass = next(index for index, seen in enumerate(site.cloud.inserts()) if seen.rows == 1000)
    assert first_pass == 0
    assert len(site.cloud.inserts()) <= len(bad) * 2 * 10 + 5 * 4 * len(bad)
    assert site.events.codes()[0] == "rows_refused"
    site.assert_exact()


async def test_a_cloud_that_refuses_everything_is_not_stormed(site: Site) -> None:
    site.settings = dataclasses.replace(site.settings, requests_per_refused_batch=60)
    await online(site)
    site.cloud.refuse = lambda _table, _row: Refusal(400, "23514", "a year no partition is made for")
    site.source.add("tank-1", 1.0, count=3000)
    await site.time.pass_s(150, is_busy=site.is_busy)
    workers = site.settings.live_in_flight + site.settings.backlog_in_flight
    # Each once at first, then after pauses of 30, 60 and 120 seconds that they share.
    assert len(site.cloud.inserts()) <= (workers + 3) * site.settings.requests_per_refused_batch
    site.cloud.refuse = lambda _table, _row: None
    site.source.add("tank-2", 1.0)
    await site.until_sent()
    assert len(site.source.stored) + len(site.source.dead) == 3001
    site.assert_exact()


async def test_a_batch_too_large_for_the_cloud_goes_in_halves_and_the_next_ones_are_smaller(
    site: Site,
) -> None:
    site.cloud.refuse = lambda _table, _row: None
    site.proxy.fault("status", times=1, path=REST, status=413, body=b"too large")
    site.source.add("tank-1", 1.0, count=2000)
    site.start()
    await site.until_sent()
    assert max(seen.rows for seen in site.cloud.inserts()) <= 500
    assert not site.source.dead
    site.assert_exact()


async def test_rows_of_a_device_the_cloud_does_not_know_wait_and_hold_up_nobody(site: Site) -> None:
    site.source.add("tank-9", 9.0, count=3)
    site.source.add("tank-1", 1.0, count=3)
    await online(site)
    for _ in range(5):
        site.source.add("tank-9", 9.0)
        site.source.add("tank-1", 1.0)
        await site.until(lambda: not [row for row in site.source.rows if row.device_key == "tank-1"])
    assert site.service is not None
    assert [row.device_key for row in site.source.rows] == ["tank-9"] * 8
    await site.time.pass_s(1000, is_busy=site.is_busy)
    assert len(site.source.rows) == 8
    assert [(event.code, event.device_key) for event in site.events.raised] == [
        ("device_unregistered", "tank-9")
    ]
    directories = [at_s for at_s, request in site.transport.asked if "device_key" in request.path]
    assert 3 <= len(directories) <= 8
    site.cloud.devices["tank-9"] = 19
    await site.until_sent()
    assert not site.events.open
    assert not site.source.dead
    assert len(site.source.stored) == 16
    site.assert_exact()
    asked = len(site.transport.asked)
    await site.time.pass_s(3000, is_busy=site.is_busy)
    assert not [request for _, request in site.transport.asked[asked:] if "device_key" in request.path]


async def test_rows_of_an_unknown_device_stay_in_the_outbox_however_many_they_are(site: Site) -> None:
    site.settings = dataclasses.replace(site.settings, rows_per_request=100)
    site.source.add("tank-9", 9.0, count=3000)
    site.source.add("tank-1", 1.0)
    await online(site)
    await site.until(lambda: ("tank-1", 77, 1) in site.source.stored)
    await site.time.pass_s(1000, is_busy=site.is_busy)
    assert len(site.source.rows) == 3000
    assert not any(row.reasons for row in site.source.rows)
    assert site.source.lent_rows == 0
    assert site.events.codes() == ["device_unregistered"]
    assert len(site.source.settles) <= 35  # each was looked at once
    site.cloud.devices["tank-9"] = 19
    registered_s = site.time.monotonic_s()
    await site.until_sent()
    assert site.time.monotonic_s() - registered_s <= site.settings.retry_max_s + 60
    assert not site.events.open
    site.assert_exact()


async def test_rows_that_need_no_answer_are_no_proof_that_the_cloud_is_there(site: Site) -> None:
    await online(site)
    service = site.service
    assert service is not None
    site.source.add("tank-9", 9.0)
    await site.until(lambda: "device_unregistered" in site.events.codes())
    site.proxy.fault("cut")
    await site.until(lambda: not service.state().is_online)
    for _ in range(10):
        site.source.add("tank-9", 9.0)
        await site.time.pass_s(60, is_busy=site.is_busy)
        assert not service.state().is_online
    site.proxy.clear()
    await site.proxy.settled()
    site.cloud.devices["tank-9"] = 19
    await site.until_sent()
    site.assert_exact()


async def test_a_revoked_hub_keeps_its_rows_however_many_they_are(site: Site) -> None:
    await online(site)
    site.source.add("tank-1", 1.0)
    await site.until_sent()
    await site.time.pass_s(60, is_busy=site.is_busy)
    known = dict(site.cloud.devices)
    site.cloud.devices.clear()
    site.source.add("tank-1", 2.0, count=30)
    await site.until(lambda: "device_refused" in site.events.codes())
    await site.time.pass_s(600, is_busy=site.is_busy)
    assert len(site.source.rows) == 30
    assert not any(row.reasons for row in site.source.rows)
    assert not site.source.dead
    site.cloud.devices.update(known)
    await site.until_sent()
    site.assert_exact()


async def test_a_missing_table_waits_for_an_operator_while_the_others_fill(site: Site) -> None:
    site.settings = dataclasses.replace(site.settings, rows_per_request=2)
    site.cloud.missing_tables.add("telemetry_power")
    for _ in range(3):
        site.source.add("tank-1", 1.0, kind="power", count=2)
        site.source.add("tank-1", 1.0, count=2)
    await online(site)
    await site.until(lambda: len(site.cloud.rows()) == 6)
    await site.time.pass_s(900, is_busy=site.is_busy)
    assert len(site.source.rows) == 6
    assert site.service is not None
    assert site.service.state().is_online
    assert site.events.codes() == ["cloud_schema"]
    asked_in_vain = [seen for seen in site.cloud.inserts() if seen.status == 404]
    assert len(asked_in_vain) <= 3 * 6
    site.cloud.missing_tables.clear()
    made_s = site.time.monotonic_s()
    await site.until_sent()
    assert site.time.monotonic_s() - made_s <= site.settings.retry_max_s + 60
    assert not site.events.open
    site.assert_exact()


async def test_an_outbox_that_cannot_answer_is_asked_again_and_what_is_known_is_kept(site: Site) -> None:
    await online(site)
    site.cloud.hold = asyncio.Event()
    site.source.add("tank-1", 1.0, count=5)
    await site.until(lambda: site.transport.in_flight > 0)
    site.source.is_broken = True
    site.cloud.hold.set()
    await site.until(lambda: "outbox_unavailable" in site.events.codes())
    assert ("outbox_unavailable", None) in site.events.open
    await site.time.pass_s(300, is_busy=site.is_busy)
    inserts = len(site.cloud.inserts())
    site.source.is_broken = False
    await site.until_sent()
    assert len(site.cloud.inserts()) == inserts == 1
    assert site.source.settles[-1] == ([0, 1, 2, 3, 4], {})
    await site.until(lambda: not site.events.open)
    site.assert_exact()


async def test_a_slow_line_is_no_fault(site: Site) -> None:
    await online(site)
    site.proxy.fault("slow", delay_s=0.03, bytes_per_s=2_000_000)
    site.source.add("tank-1", 1.0, count=100)
    await site.until_sent()
    assert site.events.raised == []
    site.assert_exact()


@pytest.mark.parametrize("site", [HASTY_S], indirect=True)
async def test_many_faults_one_after_the_other(site: Site) -> None:
    await online(site)
    plan = ["status", "answer-lost", "half", "black-hole", "cut", "answer-never", "reset"]
    for step, fault in enumerate(plan * 2):
        site.proxy.fault(fault, times=None if fault == "cut" else 1 + step % 2)
        site.source.add("tank-1", float(step), count=30)
        site.source.add("tank-2", float(step), count=30)
        await site.time.pass_s(45, is_busy=site.is_busy)
        site.proxy.clear()
        await site.proxy.settled()
    await site.until_sent()
    assert len(site.source.stored) == 2 * 30 * len(plan) * 2
    assert not site.source.dead
    site.assert_exact()
