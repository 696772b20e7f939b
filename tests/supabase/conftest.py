"""A database with the migrations, and each role of the project in it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.supabase.fleet import cloned, connect
from tests.supabase.postgres17 import supabase_cli

Connection = psycopg.Connection[dict[str, object]]
HOSTED = Path(__file__).with_name("hosted.sql")


def new_database(server_url: str, name: str) -> str:
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    return server_url.rpartition("/")[0] + f"/{name}"


def migrate(url: str) -> subprocess.CompletedProcess[str]:
    return supabase_cli("migration", "up", "--yes", f"--remote={url}")


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
def database(migrated: str) -> Iterator[Connection]:
    """A connection as the owner, whose changes are undone after the test."""
    with psycopg.connect(migrated, row_factory=dict_row) as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def own_url(postgres17: str, migrated: str) -> Iterator[str]:
    """The URL of a database of its own, for connections that are to see what the others commit."""
    with cloned(postgres17, migrated, "own") as url:
        yield url


@pytest.fixture
def own_database(own_url: str) -> Iterator[Connection]:
    """A connection as the owner that commits every statement, to a database that is gone after the test."""
    with connect(own_url) as connection:
        yield connection
