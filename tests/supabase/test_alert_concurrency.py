"""Many connections at once: one alert, no deadlock, nobody told twice."""

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.supabase.fleet import (
    alerts,
    connect,
    insert,
    new_device,
    new_rule,
    new_tenant,
    one,
    reading,
    send_ph,
)
from tests.supabase.roles import Connection, Row, acting_as, upload

CONNECTIONS = 16
DEVICES = 8


class Site:
    """A hub with devices behind it, in a database of its own, with rules about two metrics."""

    def __init__(self, url: str) -> None:
        self.url = url
        with connect(url) as database:
            self.tenant = new_tenant(database, "farm")
            self.hub = new_device(database, self.tenant, "hub", kind="hub")
            self.tanks = [
                new_device(database, self.tenant, f"tank{number}", hub_id=self.hub)
                for number in range(DEVICES)
            ]
            self.rules = [
                new_rule(database, self.tenant),
                new_rule(database, self.tenant, metric="battery_v", threshold=4, name="overcharged"),
                new_rule(database, self.tenant, rule_type="rate", metric="volume_l", threshold=100),
            ]

    def rows(self, first_seq: int = 1) -> list[Row]:
        """Return rows of every device: well, then in breach of every rule."""
        return [
            reading(tank, first_seq + place, 60 * place, ph=ph, battery_v=battery_v, volume_l=volume_l)
            for tank in self.tanks
            for place, (ph, battery_v, volume_l) in enumerate([(7, 3.7, 0), (9, 4.2, 5000), (9, 4.2, 90000)])
        ]


@pytest.fixture
def site(own_url: str) -> Site:
    return Site(own_url)


Job = Callable[[Connection, Site, int], None]


def at_once(site: Site, *jobs: Job, count: int = CONNECTIONS) -> None:
    """Give each of several connections one of the jobs, and let all begin at the same moment."""
    barrier = threading.Barrier(count)

    def work(number: int) -> None:
        with connect(site.url) as database:
            database.execute("set deadlock_timeout = '100ms'")
            barrier.wait(60)
            jobs[number % len(jobs)](database, site, number)

    with ThreadPoolExecutor(count) as pool:
        for done in [pool.submit(work, number) for number in range(count)]:
            done.result(120)


def open_alerts(url: str) -> dict[tuple[int, int], int]:
    with connect(url) as database:
        found: dict[tuple[int, int], int] = {}
        for alert in alerts(database):
            pair = (alert["rule_id"], alert["device_id"])
            found[pair] = found.get(pair, 0) + 1
        return found


def test_the_same_batch_from_everywhere_raises_one_alert(site: Site) -> None:
    rows = site.rows()

    def send(database: Connection, site: Site, number: int) -> None:
        batch = rows[:]
        random.Random(number).shuffle(batch)
        with acting_as(database, "device", site.hub):
            upload(database, "telemetry_tank", batch[: len(batch) - number])
        with acting_as(database, "device", site.hub):
            upload(database, "telemetry_tank", batch)

    at_once(site, send)
    found = open_alerts(site.url)
    assert set(found.values()) == {1}
    # How far a rate is seen depends on what came first; the other rules judge every newest reading.
    assert {pair for pair in found if pair[0] != site.rules[2]} == {
        (rule, tank) for rule in site.rules[:2] for tank in site.tanks
    }


def test_different_batches_about_the_same_devices_raise_one_alert(site: Site) -> None:
    def send(database: Connection, site: Site, number: int) -> None:
        rows = site.rows(first_seq=1000 * number)
        random.Random(number).shuffle(rows)
        for start in range(0, len(rows), 6):
            upload(database, "telemetry_tank", rows[start : start + 6])

    at_once(site, send)
    found = open_alerts(site.url)
    assert set(found.values()) == {1}
    assert {pair for pair in found if pair[0] != site.rules[2]} == {
        (rule, tank) for rule in site.rules[:2] for tank in site.tanks
    }


def flap(database: Connection, site: Site, number: int) -> None:
    for turn in range(42):
        # The alert about pH is the older one, and the one about the battery is cleared first.
        ph, battery_v = [(9, 3.7), (9, 4.5), (7, 3.7)][turn % 3]
        rows = [
            reading(tank, 100_000 * number + turn, 60 * turn, ph=ph, battery_v=battery_v, volume_l=turn)
            for tank in site.tanks
        ]
        random.Random(turn).shuffle(rows)
        upload(database, "telemetry_tank", rows)


def change_rules(database: Connection, site: Site, number: int) -> None:
    for turn in range(12):
        database.execute("update public.alert_rules set threshold = threshold + %s", (turn % 2 - 0.5,))
        if turn % 4 == 0:
            gone = new_rule(database, site.tenant, name=f"{number}-{turn}")
            database.execute("delete from public.alert_rules where id = %s", (gone,))


def operate(database: Connection, site: Site, number: int) -> None:
    for turn in range(12):
        for alert in alerts(database)[-3:]:
            database.execute("select public.acknowledge_alert(%s)", (alert["id"],))
            database.execute("select public.resolve_alert(%s)", (alert["id"],))
        silence = "select public.silence_alerts(now() + interval '1 hour', 'test', %s, %s)"
        database.execute(silence, (site.tanks[turn % DEVICES], None))
        database.execute(silence, (None, site.rules[turn % 3]))


def find_silent(database: Connection, site: Site, number: int) -> None:
    for _ in range(12):
        database.execute("select private.find_silent()")


def flip_rules(database: Connection, site: Site, number: int) -> None:
    for turn in range(40):
        database.execute("update public.alert_rules set threshold = threshold + %s", (turn % 2 - 0.5,))


def test_rules_that_change_do_not_wait_for_batches_that_wait_for_them(site: Site) -> None:
    # A batch takes the metrics by name, and a change the rules as they come: here, in the opposite order.
    at_once(site, flap, flip_rules, count=8)


def silence_devices(database: Connection, site: Site, number: int) -> None:
    for turn in range(150):
        tank = site.tanks[turn % DEVICES]
        database.execute("select public.silence_alerts(now() + interval '1 hour', 'test', %s)", (tank,))


def test_silence_over_a_device_does_not_wait_for_batches_that_wait_for_it(site: Site) -> None:
    at_once(site, flap, silence_devices, silence_devices, count=6)


def test_everybody_at_everything_ends_without_deadlock(site: Site) -> None:
    at_once(site, flap, find_silent, flap, operate, flap, change_rules)
    with connect(site.url) as database:
        lost = one(
            database,
            "select count(*) from public.alerts as alert where is_active and rule_id is not null"
            " and not exists (select from private.alert_states as state where state.alert_id = alert.id)",
        )
    assert lost == 0


def test_jobs_at_once_raise_one_offline_alert(site: Site) -> None:
    with connect(site.url) as database:
        upload(database, "telemetry_tank", site.rows())

    at_once(site, find_silent, count=8)
    with connect(site.url) as database:
        found = alerts(database, alert_type="device_offline")
        assert sorted(alert["device_id"] for alert in found) == site.tanks
        assert one(database, "select count(*) from public.device_downtime") == DEVICES


def test_of_two_who_acknowledge_one_counts(site: Site) -> None:
    with connect(site.url) as database:
        send_ph(database, site.tanks[0], [(0, 9)])
        alert_id = alerts(database)[0]["id"]

    def acknowledge(database: Connection, site: Site, number: int) -> None:
        database.execute("select public.acknowledge_alert(%s, %s)", (alert_id, f"by {number}"))

    at_once(site, acknowledge, count=8)
    with connect(site.url) as database:
        count = "select count(*) from public.alert_events where event_type = 'acknowledged'"
        assert one(database, count) == 1


def test_every_notification_is_claimed_once(site: Site) -> None:
    with connect(site.url) as database:
        for number in range(5):
            insert(
                database,
                "alert_notification_rules",
                tenant_id=site.tenant,
                channel_type="email",
                address=f"a{number}@example.org",
            )
        upload(database, "telemetry_tank", site.rows())
        expected = one(database, "select count(*) from public.alert_notifications")
    claimed: list[int] = []

    def deliver(database: Connection, site: Site, number: int) -> None:
        while rows := database.execute("select * from public.claim_notifications(3)").fetchall():
            for row in rows:
                claimed.append(row["notification_id"])
                database.execute(
                    "select public.settle_notification(%s, %s, true)",
                    (row["notification_id"], row["attempts"]),
                )

    at_once(site, deliver, count=8)
    assert expected == 3 * DEVICES * 5
    assert sorted(claimed) == sorted(set(claimed))
    assert len(claimed) == expected
    with connect(site.url) as database:
        assert (
            one(database, "select count(*) from public.alert_notifications where status = 'sent'") == expected
        )
