"""Every cell of the access matrix, asked over REST of the local cloud with real tokens."""

import time
import urllib.parse
from typing import Any

import jwt
import pytest

from tests.supabase.access.matrix import Cell, cells, tables
from tests.supabase.access.specimens import SPECIMENS, Row, Specimen
from tests.supabase.access.world import World, build
from tests.tools.local_cloud.rest import Answer, ask
from tools.local_cloud.process_io import CloudProcess

SEEDED, ADDED = 1, 2
NOT_EXPOSED = [table for table in tables() if not table.startswith("public.")]


class Cloud:
    """A cloud with the world of the matrix in it, and every role's way to ask."""

    def __init__(self, process: CloudProcess) -> None:
        self._process = process
        self.world: World = build(self.insert)

    def insert(self, table: str, row: Row) -> Row:
        """Add a row with the secret key and return it."""
        answer = self.ask_with_secret("POST", table, {}, row, "return=representation")
        assert answer.status == 201, f"{table}: {answer.body}"
        made: Row = answer.body[0]
        return made

    def ask_with_secret(
        self, method: str, table: str, query: dict[str, str], body: Any = None, prefer: str = "return=minimal"
    ) -> Answer:
        headers = {"apikey": self._process.secret_key, "prefer": prefer}
        return ask(self._url(table, query), method, body, headers)

    def ask_as(self, role: str, method: str, table: str, query: dict[str, str], body: Any = None) -> Answer:
        headers = {"apikey": self._process.publishable_key, "prefer": "return=minimal,count=exact"}
        if role == "gateway_key":
            headers["x-api-key"] = "pg_of_a_gateway"
        elif role != "anon":
            assert self._process.keys is not None
            claims = {**self.world.claims(role), "exp": int(time.time()) + 600}
            headers["authorization"] = f"Bearer {jwt.encode(claims, self._process.keys.jwt_secret)}"
        return ask(self._url(table, query), method, body, headers)

    def _url(self, table: str, query: dict[str, str]) -> str:
        return f"{self._process.url}/rest/v1/{table.rpartition('.')[2]}?{urllib.parse.urlencode(query)}"


@pytest.fixture(scope="module")
def cloud(local_cloud: CloudProcess) -> Cloud:
    return Cloud(local_cloud)


@pytest.mark.parametrize("table", SPECIMENS)
def test_access(table: str, cloud: Cloud) -> None:
    asked = [cell for cell in cells() if cell.table == table]
    wrong = [cell for cell in asked if _is_possible(cloud, cell, SPECIMENS[table]) != cell.is_allowed]
    assert wrong == []


@pytest.mark.parametrize("table", NOT_EXPOSED)
def test_what_is_private_is_not_there(table: str, cloud: Cloud) -> None:
    for cell in cells():
        if cell.table == table and cell.action == "select":
            assert cloud.ask_as(cell.role, "GET", table, {}).status in {401, 403, 404}


def _is_possible(cloud: Cloud, cell: Cell, specimen: Specimen) -> bool:
    number = ADDED if cell.action == "insert" and not specimen.is_one_a_device else SEEDED
    row = specimen.row(cloud.world, cloud.world.device_of(cell.role), number)
    found_by = {column: f"eq.{row[column]}" for column in specimen.key}
    cloud.ask_with_secret("DELETE", cell.table, found_by)
    if cell.action == "insert":
        return _is_done(cloud.ask_as(cell.role, "POST", cell.table, {"columns": ",".join(row)}, [row]))
    cloud.insert(cell.table, row)
    if cell.table == "public.devices":
        cloud.ask_with_secret("PATCH", cell.table, found_by, {"status": "active"})
    if cell.action == "select":
        query = {**found_by, "select": ",".join(specimen.key)}
        answer = cloud.ask_as(cell.role, "GET", cell.table, query)
        return _is_done(answer) and len(answer.body) == 1
    method, body = ("DELETE", None) if cell.action == "delete" else ("PATCH", dict([specimen.change]))
    answer = cloud.ask_as(cell.role, method, cell.table, found_by, body)
    return _is_done(answer) and not answer.headers["content-range"].endswith("/0")


def _is_done(answer: Answer) -> bool:
    """Return False for what is refused. Anything else that is not done is a fault of the test's own row."""
    if answer.status in {401, 403}:
        return False
    assert answer.status in {200, 201, 204}, answer.body
    return True
