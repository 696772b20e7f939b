"""A hub's way straight into Postgres: executes what PostgREST would, over a pool of connections.

So a fleet can be carried to the limits of the database, with neither HTTP nor a REST server in between.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Self

import psycopg
from psycopg import sql

from hub.uplink.exchange import Answer, Failure, Request, Traffic
from shared_schema.metrics import KINDS
from tools.bench.postgrest import SETTINGS, device_claims, insert_of, settings_for, types_of
from tools.sim_fleet.readings import KINDS as SIMULATED

_STATUS_OF_PERMISSION = 403


class PostgresTransport:
    """ids: number of each hub by key. connections: in the pool, as PostgREST has one."""

    def __init__(self, url: str, ids: Mapping[str, int], connections: int = 16) -> None:
        self._url = url
        self._ids = ids
        self._size = connections
        self._pool: asyncio.Queue[psycopg.AsyncConnection[Any]] = asyncio.Queue()
        self._stack = AsyncExitStack()
        self._inserts: dict[str, sql.Composed] = {}
        self._requests = 0

    async def __aenter__(self) -> Self:
        with psycopg.connect(self._url, autocommit=True) as connection:
            for kind in KINDS:
                if kind in SIMULATED or kind.name == "heartbeat":
                    self._inserts[kind.table] = insert_of(kind.table, kind, types_of(connection, kind.table))
        for _ in range(self._size):
            opened = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
            self._stack.push_async_callback(opened.close)
            self._pool.put_nowait(opened)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def exchange(self, request: Request) -> Answer | Failure:
        """Do what the request asks. Waits for a connection like any request of PostgREST."""
        self._requests += 1
        sent_s = time.monotonic()
        if request.path.startswith("/functions/"):
            return self._token(request.body, sent_s)
        try:
            body = await self._asked(request)
        except psycopg.Error as error:
            said = {"code": error.sqlstate, "message": str(error)}
            status = _STATUS_OF_PERMISSION if error.sqlstate == "42501" else 400
            return Answer(status, json.dumps(said).encode(), sent_s=sent_s, received_s=time.monotonic())
        return Answer(201, body, sent_s=sent_s, received_s=time.monotonic())

    def traffic(self) -> Traffic:
        """Return the number of requests; there is no wire."""
        return Traffic(self._requests)

    def _token(self, body: bytes, sent_s: float) -> Answer:
        key = json.loads(body)["device_key"]
        token = json.dumps({"access_token": key, "expires_in": 7200}).encode()
        return Answer(200, token, sent_s=sent_s, received_s=time.monotonic())

    async def _asked(self, request: Request) -> bytes:
        claims = device_claims(self._ids[request.bearer], request.bearer)
        path = request.path.partition("?")[0]
        async with self._connection() as connection, connection.transaction():
            await connection.execute(SETTINGS, settings_for(claims, request.method, path), prepare=True)
            if request.method == "GET":
                found = await connection.execute("select id, device_key from public.devices order by id")
                return json.dumps([{"id": number, "device_key": key} async for number, key in found]).encode()
            statement = self._inserts[path.removeprefix("/rest/v1/")]
            await connection.execute(statement, (request.body.decode(),), prepare=True)
        return b""

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[psycopg.AsyncConnection[Any]]:
        connection = await self._pool.get()
        try:
            yield connection
        finally:
            self._pool.put_nowait(connection)
