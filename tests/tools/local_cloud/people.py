"""Clients of the local cloud as people use them: the supabase package, and what it hears on channels."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jwt

from supabase import AsyncClient, AsyncClientOptions, acreate_client
from tools.local_cloud.process_io import CloudProcess

DEADLINE_S = 20.0


@asynccontextmanager
async def connected(cloud: CloudProcess) -> AsyncIterator[AsyncClient]:
    """Yield a client with the publishable key."""
    async with httpx.AsyncClient(timeout=DEADLINE_S) as http:
        options = AsyncClientOptions(auto_refresh_token=False, httpx_client=http)
        client = await acreate_client(cloud.url, cloud.publishable_key, options)
        try:
            yield client
        finally:
            await client.realtime.close()


class Listener:
    """What one client was told about one channel. states and events: in order."""

    def __init__(
        self, client: AsyncClient, topic: str, *, is_private: bool = True, is_echoing: bool = False
    ) -> None:
        self.channel = client.channel(
            topic,
            {
                "config": {
                    "private": is_private,
                    "broadcast": {"self": is_echoing, "ack": is_echoing},
                    "presence": None,
                }
            },
        )
        self.channel.on_broadcast("*", self._hear)
        self.states: list[str] = []
        self.events: list[str] = []
        self.payloads: list[dict[str, Any]] = []

    async def join(self) -> str:
        """Ask for the channel and return the first answer."""
        await self.channel.subscribe(lambda state, _: self.states.append(state.value))
        return self.states[0]

    async def hears(self, *events: str) -> None:
        """Return when these events and no others have been heard."""
        await until(lambda: len(self.events) >= len(events))
        assert self.events == list(events)

    def _hear(self, message: Any) -> None:
        self.events.append(message["event"])
        self.payloads.append(message["payload"])


@asynccontextmanager
async def listening(
    cloud: CloudProcess, topic: str, bearer: str | None = None, *, is_echoing: bool = False
) -> AsyncIterator[Listener]:
    """Yield one that has joined. bearer: its token; without, one that may listen and send."""
    async with connected(cloud) as client:
        await client.realtime.set_auth(bearer or token(cloud, listens=(topic,), sends=(topic,)))
        listener = Listener(client, topic, is_echoing=is_echoing)
        assert await listener.join() == "SUBSCRIBED"
        yield listener


def token(
    cloud: CloudProcess,
    role: str = "authenticated",
    *,
    listens: tuple[str, ...] = (),
    sends: tuple[str, ...] = (),
    life_s: float = 600,
) -> str:
    """Return a token with rights on channels; see channels.sql."""
    assert cloud.keys is not None
    claims = {"role": role, "sub": str(uuid.uuid4()), "exp": time.time() + life_s}
    return jwt.encode({**claims, "listens": listens, "sends": sends}, cloud.keys.jwt_secret, "HS256")


def tell(cloud: CloudProcess, topic: str, event: str, payload: Any = None, **options: Any) -> None:
    """Send from SQL, in the transaction of a request."""
    cloud.admin.call("tell", {"topic": topic, "event": event, "payload": payload or {}, **options})


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110  the condition is about many objects
            await asyncio.sleep(0.01)
