"""Readings become alerts: by threshold with hysteresis, duration and cooldown, and by rate."""

import random
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.supabase.fleet import alerts, new_device, new_rule, new_tenant, reading, seconds, send_ph
from tests.supabase.roles import Connection, upload

Series = list[tuple[float, float]]


@pytest.fixture
def tenant(database: Connection) -> int:
    return new_tenant(database, "farm")


@pytest.fixture
def tank(database: Connection, tenant: int) -> int:
    return new_device(database, tenant, "tank")


def history(database: Connection) -> list[tuple[Any, ...]]:
    """Return (first breach, raised, cleared, value) of each alert, in seconds after the start."""
    return [
        (
            seconds(alert["recorded_at"]),
            seconds(alert["raised_at"]),
            seconds(alert["cleared_at"]),
            round(alert["value"], 3),
        )
        for alert in alerts(database)
    ]


SEQUENCES: dict[str, tuple[dict[str, Any], Series, list[tuple[Any, ...]]]] = {
    "at once above": ({}, [(0, 7), (60, 9), (120, 9.5), (180, 7)], [(60, 60, 180, 9)]),
    "reaching the threshold is no breach": ({}, [(0, 8), (60, 8)], []),
    "below": ({"is_above": False, "threshold": 5}, [(0, 7), (60, 4), (120, 6)], [(60, 60, 120, 4)]),
    "hysteresis holds it": (
        {"clear_threshold": 7},
        [(0, 9), (60, 7.5), (120, 8.5), (180, 7), (240, 7.5)],
        [(0, 0, 180, 9)],
    ),
    "hysteresis below": (
        {"is_above": False, "threshold": 5, "clear_threshold": 6},
        [(0, 4), (60, 5.5), (120, 6)],
        [(0, 0, 120, 4)],
    ),
    "duration not reached": ({"duration_s": 120}, [(0, 9), (60, 9), (90, 7), (120, 9), (180, 9)], []),
    "duration reached": ({"duration_s": 120}, [(0, 9), (60, 9.1), (120, 9.2)], [(0, 120, None, 9.2)]),
    "between the two limits a breach does not begin": (
        {"duration_s": 60, "clear_threshold": 7},
        [(0, 9), (30, 7.5), (60, 9), (120, 9)],
        [(60, 120, None, 9)],
    ),
    "cooldown": (
        {"cooldown_s": 300},
        [(0, 9), (60, 7), (120, 9), (180, 7), (240, 9), (300, 9.1)],
        [(0, 0, 60, 9), (240, 300, None, 9.1)],
    ),
    "rate": (
        {"rule_type": "rate", "threshold": 0.5},
        [(0, 7), (60, 7.4), (90, 8.4), (150, 8.5)],
        [(90, 90, 150, 2)],
    ),
    "falling rate": (
        {"rule_type": "rate", "is_above": False, "threshold": -1},
        [(0, 9), (30, 8), (60, 7.9)],
        [(30, 30, 60, -2)],
    ),
    "no rate between two readings of one instant": (
        {"rule_type": "rate", "threshold": 0.5},
        [(0, 7), (0, 9), (60, 7.1)],
        [],
    ),
}


@pytest.mark.parametrize(("rule", "series", "expected"), SEQUENCES.values(), ids=SEQUENCES)
def test_a_sequence_gives_its_alerts(
    database: Connection, tenant: int, tank: int, rule: dict[str, Any], series: Series, expected: Any
) -> None:
    new_rule(database, tenant, **rule)
    upload(
        database,
        "telemetry_tank",
        [reading(tank, seq, at_s, ph=value) for seq, (at_s, value) in enumerate(series)],
    )
    assert history(database) == expected


RULES = st.fixed_dictionaries(
    {
        "rule_type": st.sampled_from(["threshold", "rate"]),
        "is_above": st.booleans(),
        "threshold": st.sampled_from([5, 6]),
        "duration_s": st.sampled_from([0, 60, 150]),
        "cooldown_s": st.sampled_from([0, 200]),
    }
)
STEPS = st.lists(st.tuples(st.integers(1, 90), st.integers(0, 28).map(lambda half: half / 2)), max_size=25)


def expected_alerts(rule: dict[str, Any], series: Series) -> list[tuple[Any, ...]]:
    """Return what the rule means, written down once more and otherwise."""
    sign = 1 if rule["is_above"] else -1
    if rule["rule_type"] == "rate":
        pairs = pairwise(series)
        series = [(t2, (v2 - v1) / (t2 - t1) * 60) for (t1, v1), (t2, v2) in pairs]
    found: list[list[Any]] = []
    since: float | None = None
    for at_s, value in series:
        excess = sign * value - sign * rule["threshold"]
        if found and found[-1][2] is None:
            if sign * value <= sign * rule["clear_threshold"]:
                found[-1][2], since = at_s, None
        elif excess > 0:
            since = at_s if since is None else since
            is_cool = not found or at_s - found[-1][1] >= rule["cooldown_s"]
            if at_s - since >= rule["duration_s"] and is_cool:
                found.append([since, at_s, None, round(value, 3)])
        else:
            since = None
    return [tuple(alert) for alert in found]


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(rule=RULES, gap=st.sampled_from([0, 1]), steps=STEPS, data=st.data())
def test_however_a_series_is_cut_the_alerts_are_the_same(
    database: Connection, tenant: int, tank: int, rule: dict[str, Any], gap: int, steps: Series, data: Any
) -> None:
    rule = {**rule, "clear_threshold": rule["threshold"] - (gap if rule["is_above"] else -gap)}
    series, at_s = [], 0.0
    for step_s, value in steps:
        at_s += step_s
        series.append((at_s, value))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(series)))))
    sent = series[:]
    random.Random(len(series)).shuffle(sent)
    with database.transaction(force_rollback=True):
        new_rule(database, tenant, **rule)
        for start, end in zip([0, *cuts], [*cuts, len(series)], strict=True):
            if start < end:
                send_ph(database, tank, series[start:end])
        assert history(database) == expected_alerts(rule, series)
        before = database.execute("select * from private.alert_states").fetchall()
        if sent:
            send_ph(database, tank, sent)
        assert history(database) == expected_alerts(rule, series)
        assert database.execute("select * from private.alert_states").fetchall() == before


def test_late_rows_change_nothing(database: Connection, tenant: int, tank: int) -> None:
    new_rule(database, tenant)
    new_rule(database, tenant, rule_type="rate", threshold=1)
    send_ph(database, tank, [(600, 7)])
    send_ph(database, tank, [(0, 9), (60, 7), (300, 13)])
    assert alerts(database) == []
    send_ph(database, tank, [(660, 9)])
    assert [seconds(alert["raised_at"]) for alert in alerts(database)] == [660, 660]
    send_ph(database, tank, [(640, 1)])
    assert all(alert["is_active"] for alert in alerts(database))


def test_a_batch_in_any_order_is_judged_in_order_of_time(
    database: Connection, tenant: int, tank: int
) -> None:
    new_rule(database, tenant, duration_s=120)
    send_ph(database, tank, [(120, 9), (60, 9), (0, 9), (180, 7)])
    assert history(database) == [(0, 120, 180, 9)]


def test_devices_of_one_batch_are_judged_apart(database: Connection, tenant: int, tank: int) -> None:
    other = new_device(database, tenant, "other")
    new_rule(database, tenant)
    rows = [reading(tank, 1, 0, ph=9), reading(other, 1, 0, ph=7), reading(other, 2, 60, ph=9)]
    upload(database, "telemetry_tank", rows)
    assert [(a["device_id"], seconds(a["raised_at"])) for a in alerts(database)] == [(tank, 0), (other, 60)]


def test_what_is_no_number_is_left_out(database: Connection, tenant: int, tank: int) -> None:
    new_rule(database, tenant, table_name="device_heartbeats", metric="cpu_percent", threshold=90)
    for seq, value in enumerate(["NaN", "Infinity", "-Infinity", None]):
        upload(database, "device_heartbeats", [reading(tank, seq, seq, cpu_percent=value)])
    assert alerts(database) == []


def test_an_alert_says_what_it_is_about(database: Connection, tenant: int, tank: int) -> None:
    hostile = "%s'; drop table public.alerts; -- \"<script>"
    database.execute("update public.devices set name = %s where id = %s", (hostile, tank))
    new_rule(database, tenant, name=hostile, severity="critical", duration_s=60)
    send_ph(database, tank, [(0, 9), (60, 9.25)])
    (alert,) = alerts(database)
    assert alert["title"] == f"{hostile}: {hostile}"
    assert alert["message"] == "ph is 9.25, above 8 for 60 s."
    assert alert["severity"] == "critical"
    assert alert["threshold"] == 8
    assert alert["details"] == {"rule_name": hostile, "table_name": "telemetry_tank", "metric": "ph"}


@pytest.mark.parametrize(
    ("narrowing", "is_meant"),
    [
        ({}, True),
        ({"kind": "tank"}, True),
        ({"kind": "flow"}, False),
        ({"tag_name": "zone"}, True),
        ({"tag_name": "zone", "tag_value": "north"}, True),
        ({"tag_name": "zone", "tag_value": "south"}, False),
        ({"tag_name": "other"}, False),
        ({"is_enabled": False}, False),
        ({"metric": "battery_v"}, False),
        ({"table_name": "telemetry_environment"}, False),
    ],
    ids=str,
)
def test_a_rule_holds_for_what_it_is_narrowed_to(
    database: Connection, tenant: int, tank: int, narrowing: dict[str, Any], is_meant: bool
) -> None:
    database.execute(
        "insert into public.device_tags (device_id, tag_name, tag_value) values (%s, 'zone', 'north')",
        (tank,),
    )
    new_rule(database, tenant, **narrowing)
    send_ph(database, tank, [(0, 9)])
    assert len(alerts(database)) == is_meant


def test_a_rule_holds_for_the_tenants_below_and_no_others(database: Connection) -> None:
    distributor = new_tenant(database, "distributor", None, "distributor")
    community = new_tenant(database, "community", distributor, "community")
    customer = new_tenant(database, "customer", community)
    neighbour = new_tenant(database, "neighbour", distributor)
    device = new_device(database, customer, "device")
    for tenant_id, name in ((distributor, "d"), (community, "c"), (customer, "k"), (neighbour, "n")):
        new_rule(database, tenant_id, name=name)
    send_ph(database, device, [(0, 9)])
    assert {alert["details"]["rule_name"] for alert in alerts(database)} == {"d", "c", "k"}


def test_a_device_out_of_service_raises_nothing(database: Connection, tenant: int, tank: int) -> None:
    new_rule(database, tenant)
    database.execute("update public.devices set status = 'retired' where id = %s", (tank,))
    send_ph(database, tank, [(0, 9)])
    assert alerts(database) == []


def test_a_rate_next_to_nothing_costs_no_batch(database: Connection, tank: int, tenant: int) -> None:
    new_rule(
        database, tenant, rule_type="rate", table_name="telemetry_flow", metric="flow_rate_lpm", threshold=100
    )
    rows = [reading(tank, seq, 60 * seq, flow_rate_lpm=rate) for seq, rate in enumerate((0.0, 5e-324), 1)]
    upload(database, "telemetry_flow", rows)
    assert alerts(database) == []
