"""The cloud's database for benchmarks: a real Postgres 17 with every migration, and devices in it."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from hub.errors import OperatorNeeded
from tools.local_cloud.node_io import ROOT
from tools.postgres17 import FOR_BENCHMARKS, Postgres17, migrate

REALTIME = ROOT / "tools" / "local_cloud" / "realtime.sql"
TENANT = "Bench"
SECRET_HASH = hashlib.sha256(b"bench").hexdigest()

# Hosted Supabase has these before anything else.
_ROLES: LiteralString = """
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
"""
# The stand-in wakes its server by NOTIFY, for which Postgres lets commits through one by one, fsync included.
# Hosted Realtime reads the write-ahead log instead.
_WITHOUT_NOTIFICATION: LiteralString = "alter table realtime.messages disable trigger announce_messages"


@dataclass(frozen=True, slots=True)
class CloudDatabase:
    """url: as its superuser. pid: of the server. has_realtime: whether realtime.send is there."""

    url: str
    pid: int
    has_realtime: bool


@dataclass(frozen=True, slots=True)
class BenchHub:
    """A registered hub. ids: the number of every device behind it, by key, and its own."""

    key: str
    ids: Mapping[str, int]

    @property
    def device_id(self) -> int:
        """The number of the hub itself."""
        return self.ids[self.key]


@contextmanager
def cloud_database(settings: Mapping[str, str] = FOR_BENCHMARKS) -> Iterator[CloudDatabase]:
    """Run one, empty but for the migrations. Raises OperatorNeeded when these cannot be applied."""
    with Postgres17(settings) as server:
        has_realtime = REALTIME.exists()
        with psycopg.connect(server.url) as connection:
            connection.execute(_ROLES)
            if has_realtime:
                connection.execute(REALTIME.read_bytes())
                connection.execute(_WITHOUT_NOTIFICATION)
        applied = migrate(server.url)
        if applied.returncode:
            raise OperatorNeeded(f"the migrations were refused:\n{applied.stderr}{applied.stdout}")
        yield CloudDatabase(server.url, server.pid, has_realtime)


def register_hub(
    connection: psycopg.Connection[Any], key: str, devices: Mapping[str, str], tenant: str = TENANT
) -> BenchHub:
    """Register a hub and devices behind it. devices: kind by key."""
    register = "select public.register_device(%s, %s, %s, %s, null, %s)"
    ids = {key: _number(connection, register, (key, "hub", SECRET_HASH, None, tenant))}
    for device_key, kind in devices.items():
        ids[device_key] = _number(connection, register, (device_key, kind, None, key, tenant))
    return BenchHub(key, ids)


def _number(connection: psycopg.Connection[Any], query: LiteralString, values: tuple[Any, ...]) -> int:
    found = connection.execute(query, values).fetchone()
    if found is None:
        raise OperatorNeeded("the database gave no answer", where=query)
    return int(found[0])
