"""Many connections at once: one alert, no deadlock, nobody told twice."""

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.supabase.fleet import alerts, connect, insert, new_device, new_rule, new_tenant, one, reading, send_ph
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
                new_rule(database, self.tenant, cooldown_s=3600),
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


@contextmanager
def at_once(url: str, count: int) -> Iterator[Callable[[Callable[[Connection, int], None]], None]]:
    """Collect what each of several connections is to do, then let them do it at the same moment."""
    jobs: list[Callable[[Connection, int], None]] = []
    failures: list[BaseException] = []
    barrier = threading.Barrier(count)

    def work(number: int) -> None:
        try:
            with connect(url) as database:
                database.execute("set deadlock_timeout = '100ms'")
                barrier.wait(60)
                jobs[number % len(jobs)](database, number)
        except BaseException as error:
            barrier.abort()
            failures.append(error)

    yield jobs.append
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert failures == []


def open_alerts(url: str) -> dict[tuple[int, int], int]:
    with connect(url) as database:
        found: dict[tuple[int, int], int] = {}
        for alert in alerts(database):
            pair = (alert["rule_id"], alert["device_id"])
            found[pair] = found.get(pair, 0) + 1
        return found


def test_the_same_batch_from_everywhere_raises_one_alert(site: Site) -> None:
    rows = site.rows()

    def send(database: Connection, number: int) -> None:
        batch = rows[:]
        random.Random(number).shuffle(batch)  # noqa: S311 - an order, not a secret
        with acting_as(database, "device", site.hub):
            upload(database, "telemetry_tank", batch[: len(batch) - number])
        with acting_as(database, "device", site.hub):
            upload(database, "telemetry_tank", batch)

    with at_once(site.url, CONNECTIONS) as add:
        add(send)
    found = open_alerts(site.url)
    assert set(found.values()) == {1}
    # How far a rate is seen depends on what came first; the other rules judge every newest reading.
    assert {pair for pair in found if pair[0] != site.rules[2]} == {
        (rule, tank) for rule in site.rules[:2] for tank in site.tanks
    }


def test_different_batches_about_the_same_devices_raise_one_alert(site: Site) -> None:
    def send(database: Connection, number: int) -> None:
        rows = site.rows(first_seq=1000 * number)
        random.Random(number).shuffle(rows)  # noqa: S311
        for start in range(0, len(rows), 6):
            upload(database, "telemetry_tank", rows[start : start + 6])

    with at_once(site.url, CONNECTIONS) as add:
        add(send)
    found = open_alerts(site.url)
    assert set(found.values()) == {1}
    assert {pair for pair in found if pair[0] != site.rules[2]} == {
        (rule, tank) for rule in site.rules[:2] for tank in site.tanks
    }


def test_everybody_at_everything_ends_without_deadlock(site: Site) -> None:
    def send(database: Connection, number: int) -> None:
        for turn in range(12):
            value = 9 if turn % 2 == 0 else 7
            rows = [
                reading(tank, 100_000 * number + turn, 60 * turn, ph=value, battery_v=value / 2, volume_l=turn)
                for tank in site.tanks
            ]
            random.Random(turn).shuffle(rows)  # noqa: S311
            upload(database, "telemetry_tank", rows)

    def change_rules(database: Connection, number: int) -> None:
        for turn in range(12):
            database.execute("update public.alert_rules set threshold = threshold + %s", (turn % 2 - 0.5,))
            if turn % 4 == 0:
                gone = new_rule(database, site.tenant, name=f"{number}-{turn}")
                database.execute("delete from public.alert_rules where id = %s", (gone,))

    def operate(database: Connection, number: int) -> None:
        for turn in range(12):
            for alert in alerts(database)[-3:]:
                database.execute("select public.acknowledge_alert(%s)", (alert["id"],))
                database.execute("select public.resolve_alert(%s)", (alert["id"],))
            silence = "select public.silence_alerts(now() + interval '1 hour', 'test', %s, %s)"
            database.execute(silence, (site.tanks[turn % DEVICES], None))
            database.execute(silence, (None, site.rules[turn % 3]))

    def run_job(database: Connection, number: int) -> None:
        for _ in range(12):
            database.execute("select private.find_silent()")

    with at_once(site.url, CONNECTIONS) as add:
        for job in (send, run_job, send, operate, send, change_rules):
            add(job)
    with connect(site.url) as database:
        lost = one(
            database,
            "select count(*) from public.alerts as alert where is_active and rule_id is not null and not exists"
            " (select from private.alert_states as state where state.alert_id = alert.id)",
        )
    assert lost == 0


def test_jobs_at_once_raise_one_offline_alert(site: Site) -> None:
    with connect(site.url) as database:
        upload(database, "telemetry_tank", site.rows())

    def run_job(database: Connection, number: int) -> None:
        for _ in range(3):
            database.execute("select private.find_silent()")

    with at_once(site.url, 8) as add:
        add(run_job)
    with connect(site.url) as database:
        found = alerts(database, alert_type="device_offline")
        assert [alert["device_id"] for alert in found] == site.tanks
        assert one(database, "select count(*) from public.device_downtime") == DEVICES


def test_of_two_who_acknowledge_one_counts(site: Site) -> None:
    with connect(site.url) as database:
        send_ph(database, site.tanks[0], [(0, 9)])
        alert_id = alerts(database)[0]["id"]

    def acknowledge(database: Connection, number: int) -> None:
        database.execute("select public.acknowledge_alert(%s, %s)", (alert_id, f"by {number}"))

    with at_once(site.url, 8) as add:
        add(acknowledge)
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

    def deliver(database: Connection, number: int) -> None:
        while rows := database.execute("select * from public.claim_notifications(3)").fetchall():
            for row in rows:
                claimed.append(row["notification_id"])
                database.execute("select public.settle_notification(%s, true)", (row["notification_id"],))

    with at_once(site.url, 8) as add:
        add(deliver)
    assert expected == 3 * DEVICES * 5
    assert sorted(claimed) == sorted(set(claimed))
    assert len(claimed) == expected
    with connect(site.url) as database:
        assert one(database, "select count(*) from public.alert_notifications where status = 'sent'") == expected
