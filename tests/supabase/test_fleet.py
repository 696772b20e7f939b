"""What is asked of a fleet, by people who may see a part of it."""

import math
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.supabase.roles import Connection, acting_as, acting_as_person, new_person, register, row_of, upload
from tests.supabase.test_retention import keep, retire
from tests.supabase.test_rollups import MIDNIGHT, at, roll_up


class Fleet:
    """Two customers of one distributor, with a flow meter, a hub and a site each."""

    def __init__(self, database: Connection) -> None:
        distributor = self._tenant(database, "distributor", "distributor", None)
        self.tenants = [self._tenant(database, "customer", name, distributor) for name in ("north", "south")]
        self.meters = [register(database, f"meter-{n}", kind="flow") for n in range(2)]
        self.hubs = [register(database, f"hub-{n}", kind="hub") for n in range(2)]
        for number, tenant in enumerate(self.tenants):
            site = database.execute(
                "insert into public.sites (tenant_id, name, latitude, longitude) values (%s, 'plant', %s, 77)"
                " returning id",
                (tenant, 12 + number),
            ).fetchone()
            assert site is not None
            database.execute(
                "update public.devices set tenant_id = %s, site_id = %s, building = 'A', floor = '1'"
                " where id = any (%s)",
                (tenant, site["id"], [self.meters[number], self.hubs[number]]),
            )
        self.viewer = new_person(database, "viewer", self.tenants[0])
        self.above = new_person(database, "viewer", distributor)
        self.stranger = new_person(database, "admin", None)

    @staticmethod
    def _tenant(database: Connection, kind: str, name: str, parent: int | None) -> int:
        found = database.execute(
            "insert into public.tenants (tenant_type, name, parent_id) values (%s, %s, %s) returning id",
            (kind, name, parent),
        ).fetchone()
        assert found is not None
        return int(found["id"])


@pytest.fixture
def fleet(database: Connection) -> Fleet:
    return Fleet(database)


def rows(database: Connection, query: str, *parameters: Any) -> list[dict[str, Any]]:
    return database.execute(query, parameters).fetchall()  # type: ignore[arg-type]


def test_the_latest_flow_is_that_of_my_devices(database: Connection, fleet: Fleet) -> None:
    for meter in fleet.meters:
        upload(
            database, "telemetry_flow", [at(meter, n, n, flow_rate_lpm=n, pressure_bar=1.5) for n in (1, 2)]
        )
    with acting_as_person(database, fleet.viewer):
        (mine,) = rows(database, "select * from public.get_latest_flow_data()")
    assert (mine["device_id"], mine["flow_rate_lpm"], mine["pressure_bar"]) == (fleet.meters[0], 2, 1.5)
    assert mine["recorded_at"] == MIDNIGHT + timedelta(minutes=2)
    with acting_as_person(database, fleet.above):
        assert len(rows(database, "select * from public.get_latest_flow_data()")) == 2
    with acting_as_person(database, fleet.stranger):
        assert rows(database, "select * from public.get_latest_flow_data()") == []
    with acting_as(database, "service_role"):
        assert len(rows(database, "select * from public.get_latest_flow_data()")) == 2


def statistics(database: Connection, meter: int, hours: float = 24) -> dict[str, Any]:
    (found,) = rows(
        database,
        "select * from public.get_flow_statistics(%s, %s, %s)",
        meter,
        MIDNIGHT,
        MIDNIGHT + timedelta(hours=hours),
    )
    return found


def test_flow_is_summed_over_a_counter_that_begins_again(database: Connection, fleet: Fleet) -> None:
    meter = fleet.meters[0]
    counts = [100.0, 150.0, None, 180.0, 20.0, 50.0]
    upload(
        database,
        "telemetry_flow",
        [
            at(meter, n + 1, 90 * n, flow_rate_lpm=rate, cumulative_volume_l=volume)
            for n, (rate, volume) in enumerate(zip([1, 9, 2, 2, 3, 1], counts, strict=True))
        ],
    )
    roll_up(database)
    found = statistics(database, meter)
    assert (found["readings"], found["flow_rate_lpm_mean"]) == (6, 3)
    assert (found["flow_rate_lpm_min"], found["flow_rate_lpm_max"]) == (1, 9)
    assert found["total_volume_l"] == 50 + 30 + 20 + 30
    assert found["peak_at"] == MIDNIGHT + timedelta(minutes=90)
    by_hours = statistics(database, meter, 24 * 40)
    assert by_hours == {**found, "peak_at": MIDNIGHT + timedelta(hours=1)}


def test_flow_of_a_time_whose_rows_are_gone_comes_from_hours(database: Connection, fleet: Fleet) -> None:
    meter = fleet.meters[0]
    start = -60 * 24 * 60
    upload(
        database,
        "telemetry_flow",
        [at(meter, n + 1, start + 20 * n, flow_rate_lpm=n, cumulative_volume_l=10 * n) for n in range(20)],
    )
    roll_up(database)
    keep(database, "telemetry_flow", 20)
    retire(database)
    (found,) = rows(
        database,
        "select * from public.get_flow_statistics(%s, %s, %s)",
        meter,
        MIDNIGHT - timedelta(days=60),
        MIDNIGHT - timedelta(days=59),
    )
    assert (found["readings"], found["total_volume_l"], found["flow_rate_lpm_max"]) == (20, 190, 19)


def test_statistics_are_for_those_who_may_read_the_device(database: Connection, fleet: Fleet) -> None:
    with acting_as_person(database, fleet.viewer):
        assert statistics(database, fleet.meters[0])["readings"] == 0
    with pytest.raises(psycopg.errors.InsufficientPrivilege), acting_as_person(database, fleet.viewer):
        statistics(database, fleet.meters[1])


def test_the_dashboard_counts_what_i_may_see(database: Connection, fleet: Fleet) -> None:
    upload(database, "telemetry_flow", [row_of(meter, 1) for meter in fleet.meters])
    database.execute(
        "update public.device_state set status = 'offline' where device_id = %s", (fleet.meters[1],)
    )
    database.execute(
        "insert into public.devices (device_key, name, kind, tenant_id) values ('new', 'new', 'tank', %s)",
        (fleet.tenants[0],),
    )
    seen = {}
    for who in (fleet.viewer, fleet.above, fleet.stranger):
        with acting_as_person(database, who):
            (summary,) = rows(database, "select * from public.dashboard_summary")
        names = ("devices_total", "devices_online", "devices_offline", "devices_pending", "alerts_open")
        seen[who] = tuple(summary[name] for name in names)
    assert seen == {
        fleet.viewer: (3, 1, 1, 1, 0),
        fleet.above: (5, 1, 3, 1, 0),
        fleet.stranger: (0, 0, 0, 0, 0),
    }


def summary(
    database: Connection, who: str, group_by: str, time_range: str = "24 hours"
) -> list[dict[str, Any]]:
    with acting_as_person(database, who):
        return rows(database, "select * from public.metrics_summary(%s::interval, %s)", time_range, group_by)


def test_metrics_are_summed_by_place_and_never_over_tenants(database: Connection, fleet: Fleet) -> None:
    for n, hub in enumerate(fleet.hubs):
        upload(
            database,
            "device_heartbeats",
            [
                row_of(hub, m, ago=timedelta(minutes=m), cpu_percent=10 * m, temperature_c=40 + n)
                for m in range(1, 4)
            ],
        )
        upload(
            database, "telemetry_flow", [row_of(fleet.meters[n], m, ago=timedelta(minutes=m)) for m in (1, 2)]
        )
    roll_up(database)
    database.execute("select private.refresh_device_stats()")
    for group_by, name in (("building", "A"), ("floor", "A / 1"), ("site", "plant"), ("tenant", "north")):
        for time_range in ("24 hours", "30 days"):
            (mine,) = summary(database, fleet.viewer, group_by, time_range)
            assert mine["group_name"] == name
            assert (mine["tenant_id"], mine["devices"], mine["devices_online"]) == (fleet.tenants[0], 2, 2)
            assert (mine["readings"], mine["heartbeats"]) == (2, 3)
            assert (mine["cpu_percent_mean"], mine["temperature_c_max"]) == (pytest.approx(20), 40)
        both = summary(database, fleet.above, group_by)
        assert [row["tenant_id"] for row in both] == fleet.tenants
        assert [row["temperature_c_max"] for row in both] == [40, 41]
        assert summary(database, fleet.stranger, group_by) == []


@pytest.mark.parametrize(("group_by", "time_range"), [("room", "1 day"), ("site", "0"), ("site", "1 year")])
def test_summaries_that_make_no_sense_are_refused(
    database: Connection, fleet: Fleet, group_by: str, time_range: str
) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue):
        summary(database, fleet.viewer, group_by, time_range)


def test_devices_are_found_with_where_they_are_and_what_they_send(database: Connection, fleet: Fleet) -> None:
    upload(database, "telemetry_flow", [row_of(fleet.meters[0], 1)])
    database.execute("update public.devices set status = 'retired' where id = %s", (fleet.hubs[0],))
    with acting_as_person(database, fleet.viewer):
        (found,) = rows(database, "select * from public.discover_devices()")
    assert (found["device_id"], found["sends"], found["latitude"]) == (
        fleet.meters[0],
        ["telemetry_flow"],
        12,
    )
    assert (found["site_name"], found["status"]) == ("plant", "online")


def test_near_is_near_and_mine(database: Connection, fleet: Fleet) -> None:
    near = "select device_id, round(distance_m) as m from public.devices_within(12.001, 77, %s)"
    with acting_as_person(database, fleet.viewer):
        assert {row["device_id"] for row in rows(database, near, 112)} == {fleet.meters[0], fleet.hubs[0]}
        assert rows(database, near, 110) == []
        assert len(rows(database, near, 200_000)) == 2
    with acting_as_person(database, fleet.above):
        assert len(rows(database, near, 200_000)) == 4


LATITUDES = st.floats(-90, 90, allow_subnormal=False)
LONGITUDES = st.floats(-180, 180, allow_subnormal=False)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LATITUDES, LONGITUDES, LATITUDES, LONGITUDES, st.floats(0, 3e7))
def test_the_box_excludes_nobody_who_is_near(
    database: Connection, fleet: Fleet, lat: float, lon: float, lat2: float, lon2: float, radius_m: float
) -> None:
    database.execute(
        "update public.devices set latitude = %s, longitude = %s where id = %s", (lat2, lon2, fleet.meters[0])
    )
    found = rows(
        database,
        "select distance_m from public.devices_within(%s, %s, %s) where device_id = %s",
        lat,
        lon,
        radius_m,
        fleet.meters[0],
    )
    # The other formula: by the cosine of the angle between two directions.
    a, b, c = math.radians(lat), math.radians(lat2), math.radians(lon2 - lon)
    cosine = math.sin(a) * math.sin(b) + math.cos(a) * math.cos(b) * math.cos(c)
    wanted_m = 6371008.8 * math.acos(max(-1.0, min(1.0, cosine)))
    if abs(wanted_m - radius_m) > 10:
        assert bool(found) == (wanted_m < radius_m)
    if found:
        assert found[0]["distance_m"] == pytest.approx(wanted_m, abs=10)


@pytest.mark.parametrize("place", [(91, 0, 1), (0, 181, 1), (0, 0, -1), (math.nan, 0, 1), (None, 0, 1)])
def test_places_that_are_nowhere_are_refused(database: Connection, place: tuple[Any, ...]) -> None:
    with pytest.raises(psycopg.errors.InvalidParameterValue), database.transaction():
        rows(database, "select * from public.devices_within(%s, %s, %s)", *place)
