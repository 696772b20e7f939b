"""A cloud of dictionaries behind real HTTP: what the uplink needs of PostgREST and of the token function.

Inserts are one transaction each, ignore rows whose primary key is there, and set absent columns to null, as
PostgREST does. Source: PostgREST documentation, "Tables and Views" and "Errors".
"""

import asyncio
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, Self

from aiohttp import web

KEY = ("device_id", "epoch", "seq", "recorded_at")
MAX_BODY_BYTES = 16_000_000

Row = dict[str, Any]


class Refusal(NamedTuple):
    status: int
    code: str
    message: str


class Seen(NamedTuple):
    method: str
    path: str
    rows: int
    status: int


class TableCloud:
    """tables: stored rows by key. seen: every request. refuse: what is wrong with a row, if anything is."""

    def __init__(
        self, devices: dict[str, int], *, secret: str = "s3cret", api_key: str = "sb_publishable_x"
    ) -> None:
        self.devices = devices
        self.secret = secret
        self.api_key = api_key
        self.tables: dict[str, dict[tuple[Any, ...], Row]] = {}
        self.copies = 0
        self.seen: list[Seen] = []
        self.refuse: Callable[[str, Row], Refusal | None] = lambda _table, _row: None
        self.missing_tables: set[str] = set()
        self.tokens: set[str] = set()
        self.tokens_issued = 0
        self.refresh_tokens: set[str] = set()
        self.asked_with: list[str] = []  # "secret" or "refresh_token", for each request for a token
        self.token_life_s = 7200
        self.page = 1000
        self.order: list[tuple[int, int]] = []
        self.hold: asyncio.Event | None = None
        self.url = ""
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MAX_BODY_BYTES)
        app.router.add_post("/functions/v1/device-token", self._token)
        app.router.add_get("/rest/v1/devices", self._devices)
        app.router.add_post("/rest/v1/{table}", self._insert)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    def rows(self, table: str = "telemetry_tank") -> list[Row]:
        """Return what a table holds."""
        return list(self.tables.get(table, {}).values())

    def identities(self, table: str = "telemetry_tank") -> set[tuple[str, int, int]]:
        """Return the identities a table holds, by device key."""
        key_of = {number: key for key, number in self.devices.items()}
        return {(key_of[row["device_id"]], row["epoch"], row["seq"]) for row in self.rows(table)}

    def inserts(self) -> list[Seen]:
        """Return the insert requests that were answered by the cloud itself."""
        return [seen for seen in self.seen if seen.method == "POST" and seen.path.startswith("/rest")]

    def expire_tokens(self) -> None:
        """Believe no token that was issued so far."""
        self.tokens.clear()

    def _answer(self, request: web.Request, status: int, body: Any = None, rows: int = 0) -> web.Response:
        self.seen.append(Seen(request.method, request.path, rows, status))
        if body is None:
            return web.Response(status=status)
        return web.json_response(body, status=status)

    def _refuse(self, request: web.Request, refusal: Refusal, rows: int = 0) -> web.Response:
        return self._answer(request, refusal.status, {"code": refusal.code, "message": refusal.message}, rows)

    def _barred(self, request: web.Request) -> Refusal | None:
        if request.headers.get("apikey") != self.api_key:
            return Refusal(401, "", "Invalid API key")
        if request.headers.get("Authorization", "").removeprefix("Bearer ") not in self.tokens:
            return Refusal(401, "PGRST303", "JWT expired")
        return None

    async def _token(self, request: web.Request) -> web.Response:
        body = await request.json()
        if request.headers.get("apikey") != self.api_key:
            return self._refuse(
                request, Refusal(401, "bad_api_key", "the header apikey is missing or wrong: no API key")
            )
        self.asked_with.append("refresh_token" if "refresh_token" in body else "secret")
        if "refresh_token" in body:
            if body["refresh_token"] not in self.refresh_tokens:
                return self._refuse(request, Refusal(401, "reused", "this refresh token was used before"))
            self.refresh_tokens.remove(body["refresh_token"])
        elif body.get("secret") != self.secret or body.get("device_key") not in self.devices:
            return self._refuse(request, Refusal(401, "refused", "unknown device or wrong secret"))
        self.tokens_issued += 1
        token, following = f"token-{self.tokens_issued}", f"refresh-{self.tokens_issued}"
        self.tokens.add(token)
        self.refresh_tokens.add(following)
        answer = {"access_token": token, "expires_in": self.token_life_s, "refresh_token": following}
        return self._answer(request, 200, answer)

    async def _devices(self, request: web.Request) -> web.Response:
        if refusal := self._barred(request):
            return self._refuse(request, refusal)
        after = int(request.query.get("id", "gt.0").removeprefix("gt."))
        limit = min(int(request.query["limit"]), self.page)
        rows = [{"id": number, "device_key": key} for key, number in self.devices.items() if number > after]
        return self._answer(request, 200, sorted(rows, key=lambda row: row["id"])[:limit])

    async def _insert(self, request: web.Request) -> web.Response:
        table = request.match_info["table"]
        text = await request.read()
        if self.hold is not None:
            await self.hold.wait()
        if refusal := self._barred(request):
            return self._refuse(request, refusal)
        if table in self.missing_tables:
            return self._refuse(
                request, Refusal(404, "PGRST205", f"Could not find the table 'public.{table}'")
            )
        assert request.headers["Prefer"] == "resolution=ignore-duplicates,return=minimal"
        assert request.query["on_conflict"] == ",".join(KEY)
        columns = request.query["columns"].split(",")
        rows = [{name: row.get(name) for name in columns} for row in json.loads(text)]
        for row in rows:
            if refusal := self._refusal(table, row):
                return self._refuse(request, refusal, len(rows))
        self._store(table, rows)
        return self._answer(request, 201, rows=len(rows))

    def _refusal(self, table: str, row: Row) -> Refusal | None:
        if row["device_id"] not in self.devices.values():
            return Refusal(403, "42501", f'new row violates row-level security policy for table "{table}"')
        return self.refuse(table, row)

    def _store(self, table: str, rows: list[Row]) -> None:
        stored = self.tables.setdefault(table, {})
        for row in rows:
            key = tuple(row[name] for name in KEY)
            if key in stored:
                self.copies += 1
            else:
                stored[key] = row
                self.order.append((row["device_id"], row["seq"]))
