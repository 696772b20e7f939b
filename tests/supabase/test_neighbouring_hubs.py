"""A node at another hub of its site than its own: that hub sends for it; the cloud keeps each row once."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import psycopg
import pytest

from tests.supabase.fleet import connect, insert, new_tenant
from tests.supabase.roles import Connection, acting_as, count, register, row_of, upload

Denied = psycopg.errors.InsufficientPrivilege


class Site:
    """Two hubs of a site; a tank behind the first. Other devices of the same tenant stand elsewhere."""

    def __init__(self, database: Connection) -> None:
        name = uuid4().hex[:8]
        self.keys = {who: f"{who}-{name}" for who in ("own", "other", "tank", "gateway", "far")}
        self.tenant_id = new_tenant(database, f"Farm {name}")
        self.site_id = insert(database, "sites", tenant_id=self.tenant_id, name="Pump house")
        self.own = self._hub(database, "own", self.site_id)
        self.other = self._hub(database, "other", self.site_id)
        self.far = self._hub(database, "far", insert(database, "sites", tenant_id=self.tenant_id, name="Far"))
        self.gateway = self._hub(database, "gateway", self.site_id)
        self.tank = register(database, self.keys["tank"], hub=self.keys["own"])

    def _hub(self, database: Connection, who: str, site_id: int) -> int:
        kind = "gateway" if who == "gateway" else "hub"
        device_id = register(database, self.keys[who], kind=kind)
        database.execute(
            "update public.devices set tenant_id = %s, site_id = %s where id = %s",
            (self.tenant_id, site_id, device_id),
        )
        return device_id


@pytest.fixture
def site(database: Connection) -> Site:
    return Site(database)


def test_another_hub_of_the_site_sends_for_the_node(database: Connection, site: Site) -> None:
    with acting_as(database, "device", site.other):
        upload(database, "telemetry_tank", [row_of(site.tank, 1)])
        found = database.execute("select id from public.devices where id = %s", (site.tank,)).fetchall()
    assert len(found) == 1
    assert count(database, "telemetry_tank") == 1


def test_tells_of_losses_of_a_node_of_the_site(database: Connection, site: Site) -> None:
    loss = {"lost_device_id": site.tank, "lost_epoch": 7, "first_seq": 1, "last_seq": 2, "cause": "evicted"}
    with acting_as(database, "device", site.other):
        upload(database, "loss_ledger", [row_of(site.other, 1, **loss)])
    with pytest.raises(Denied), acting_as(database, "device", site.far):
        upload(database, "loss_ledger", [row_of(site.far, 1, **loss)])


@pytest.mark.parametrize("who", ["far", "gateway"])
def test_nobody_else_does(database: Connection, site: Site, who: str) -> None:
    with pytest.raises(Denied), acting_as(database, "device", getattr(site, who)):
        upload(database, "telemetry_tank", [row_of(site.tank, 1)])


def test_a_hub_does_not_speak_for_another_hub(database: Connection, site: Site) -> None:
    with pytest.raises(Denied), acting_as(database, "device", site.other):
        upload(database, "telemetry_tank", [row_of(site.own, 1)])


def test_a_revoked_hub_speaks_for_nobody(database: Connection, site: Site) -> None:
    database.execute("update public.devices set revoked_at = now() where id = %s", (site.other,))
    with pytest.raises(Denied), acting_as(database, "device", site.other):
        upload(database, "telemetry_tank", [row_of(site.tank, 1)])


def test_a_node_that_was_revoked_is_sent_for_by_nobody(database: Connection, site: Site) -> None:
    database.execute("update public.devices set revoked_at = now() where id = %s", (site.tank,))
    with pytest.raises(Denied), acting_as(database, "device", site.other):
        upload(database, "telemetry_tank", [row_of(site.tank, 1)])


def test_hubs_without_a_site_are_no_neighbours(database: Connection, site: Site) -> None:
    database.execute("update public.devices set site_id = null where id in (%s, %s)", (site.own, site.other))
    with pytest.raises(Denied), acting_as(database, "device", site.other):
        upload(database, "telemetry_tank", [row_of(site.tank, 1)])


def test_commands_stay_with_the_nodes_own_hub(database: Connection, site: Site) -> None:
    with acting_as(database, "device", site.other):
        mine = database.execute("select private.my_device_ids() as id").fetchall()
    assert {row["id"] for row in mine} == {site.other}


def test_two_hubs_that_send_the_same_rows_at_once_wait_for_each_other(own_url: str) -> None:
    with connect(own_url) as owner:
        site = Site(owner)
    rows = [row_of(site.tank, seq) for seq in range(1, 801)]

    def send(device_id: int, is_backwards: bool) -> None:
        with connect(own_url) as database:
            for first in range(0, 800, 100):
                batch = rows[first : first + 100]
                with acting_as(database, "device", device_id):
                    upload(database, "telemetry_tank", batch[::-1] if is_backwards else batch)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(send, site.own, False), threads.submit(send, site.other, True)]:
            done.result(timeout=60)
    with connect(own_url) as owner:
        assert count(owner, "telemetry_tank") == 800
