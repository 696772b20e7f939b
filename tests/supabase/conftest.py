"""A database with the migrations, and each role of the project in it."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from psycopg.rows import dict_row

from hub.errors import OperatorNeeded
from tests.supabase.postgres15 import Postgres15
from tools.local_cloud.node_io import ROOT
from tools.postgres17 import migrate, new_database

Connection = psycopg.Connection[dict[str, object]]
MIGRATIONS = ROOT / "supabase" / "migrations"
HOSTED = Path(__file__).with_name("hosted.sql")


@pytest.fixture(scope="session")
def bare(postgres17: str) -> str:
    """The URL of a database that had nothing, not even roles, before the migrations."""
    url = new_database(postgres17, "bare")
    applied = migrate(url)
    assert applied.returncode == 0, applied.stderr + applied.stdout
    return url


@pytest.fixture(scope="session")
def migrated(postgres17: str, bare: str) -> str:
    """The URL of a database like a hosted one, to which the official tool has applied every migration."""
    url = new_database(postgres17, "migrated")
    with psycopg.connect(url) as connection:
        connection.execute(HOSTED.read_bytes())
    applied = migrate(url.replace("postgres@", "hosted_admin@"))
    assert applied.returncode == 0, applied.stderr + applied.stdout
    return url


@pytest.fixture
def committed(postgres17: str, migrated: str) -> Iterator[str]:
    """The URL of a database of the test's own, for what only shows between connections."""
    name = f"committed_{uuid4().hex[:8]}"
    url = new_database(postgres17, name)
    with psycopg.connect(url) as connection:
        for migration in sorted(MIGRATIONS.glob("*.sql")):
            connection.execute(migration.read_bytes())
    yield url
    with psycopg.connect(postgres17, autocommit=True) as connection:
        connection.execute(f'drop database "{name}" with (force)')


@pytest.fixture
def database(migrated: str) -> Iterator[Connection]:
    """A connection as the owner, whose changes are undone after the test."""
    with psycopg.connect(migrated, row_factory=dict_row) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def own_database(postgres17: str, migrated: str) -> Iterator[str]:
    """The URL of a database of the test's own, where it may commit from many connections."""
    with psycopg.connect(postgres17, autocommit=True) as connection:
        connection.execute("drop database if exists own with (force)")
        connection.execute("create database own template migrated")
        yield postgres17.rpartition("/")[0] + "/own"
        connection.execute("drop database own with (force)")


@pytest.fixture(scope="session")
def with_pg_cron() -> Iterator[str]:
    """The URL of a Postgres 15 with pg_cron to which every migration has been applied; skips where it cannot be had."""
    try:
        server = Postgres15()
        server.__enter__()
    except OperatorNeeded as error:
        pytest.skip(f"no Postgres 15 with pg_cron: {error}")
    try:
        applied = migrate(server.url)
        assert applied.returncode == 0, applied.stderr + applied.stdout
        yield server.url
    finally:
        server.__exit__(None, None, None)
