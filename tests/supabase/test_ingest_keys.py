"""Keys of gateways: what they open, who makes and revokes them."""

import json

import psycopg
import pytest

from tests.supabase.gateways import Gateway, key_for, send
from tests.supabase.roles import Connection, acting_as, register


@pytest.fixture
def gateway(database: Connection) -> Gateway:
    return Gateway(database)


def test_a_key_opens_until_it_is_revoked_or_its_gateway_is(gateway: Gateway) -> None:
    reading = {"device_id": gateway.flow, "flow_rate_lpm": 1}
    second = key_for(gateway.database, gateway.id)
    gateway.database.execute(
        "select public.revoke_ingest_key(id) from public.ingest_keys order by id limit 1"
    )
    assert gateway.send(reading) == {"verdict": "refused"}
    assert send(gateway.database, second, [reading])["accepted"] == 1
    gateway.database.execute("update public.devices set status = 'retired' where id = %s", (gateway.id,))
    assert send(gateway.database, second, [reading]) == {"verdict": "refused"}
    assert send(gateway.database, "psk_unknown", [reading]) == {"verdict": "refused"}


def test_the_key_itself_is_not_kept(gateway: Gateway) -> None:
    found = gateway.database.execute(
        "select keys::text || hashes::text as kept from public.ingest_keys as keys"
        " join private.ingest_key_hashes as hashes on key_id = id"
    ).fetchone()
    assert found is not None
    assert gateway.key not in found["kept"]
    assert gateway.key[:12] in found["kept"]
    assert len(gateway.key) >= 46


def test_the_sixty_first_request_in_a_minute_is_put_off(gateway: Gateway) -> None:
    answers = [gateway.send({"device_id": gateway.flow, "flow_rate_lpm": 1})["verdict"] for _ in range(62)]
    assert answers == ["granted"] * 60 + ["limited"] * 2
    gateway.database.execute("update private.ingest_key_hashes set minute = minute - interval '1 minute'")
    assert gateway.send()["verdict"] == "granted"


def test_admins_make_and_revoke_keys_for_their_own_gateways_only(database: Connection) -> None:
    mine = register(database, "mine", kind="gateway")
    theirs = database.execute(
        "select public.register_device('theirs', 'gateway', null, null, null, 'Others') as id"
    ).fetchone()
    assert theirs is not None
    people = {
        role: database.execute(
            "insert into public.profiles (id, role, tenant_id)"
            " select gen_random_uuid(), %s, tenant_id from public.devices where id = %s returning id",
            (role, mine),
        ).fetchone()
        for role in ("admin", "operator")
    }
    their_key_id = database.execute(
        "select id from public.ingest_keys where public.create_ingest_key(%s, 'x') is null", (theirs["id"],)
    ).fetchone()
    assert their_key_id is None
    key_for(database, theirs["id"])
    for role, is_allowed in (("admin", True), ("operator", False)):
        person = people[role]
        assert person is not None
        claims = json.dumps({"role": "authenticated", "sub": str(person["id"])})
        for device_id, statement in (
            (mine, "select public.create_ingest_key(%s, 'by hand')"),
            (theirs["id"], "select public.create_ingest_key(%s, 'by hand')"),
            (
                theirs["id"],
                "select public.revoke_ingest_key(id) from public.ingest_keys where device_id = %s",
            ),
        ):
            with acting_as(database, "authenticated"):
                database.execute("select set_config('request.jwt.claims', %s, true)", (claims,))
                if "revoke" in statement:
                    assert (
                        database.execute(statement.encode(), (device_id,)).fetchall() == []
                    )  # not even seen
                elif is_allowed and device_id == mine:
                    assert database.execute(statement.encode(), (device_id,)).fetchone()
                else:
                    with pytest.raises(psycopg.errors.InsufficientPrivilege), database.transaction():
                        database.execute(statement.encode(), (device_id,))
