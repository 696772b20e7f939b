"""What a hostile client may send to the channels: it is refused, and nobody else notices."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.tools.local_cloud.people import DEADLINE_S, listening, tell, token, until
from tools.local_cloud.process_io import CloudProcess

JOINS_PER_SECOND = 100
CHANNELS = 100
CONNECTIONS = 200
PAYLOAD_BYTES = 256 * 1024


@pytest.fixture(autouse=True)
async def _a_healthy_listener_notices_nothing(live_cloud: CloudProcess) -> AsyncIterator[None]:
    topic = f"test:{uuid.uuid4().hex}"
    async with listening(live_cloud, topic) as healthy:
        yield
        tell(live_cloud, topic, "still-here")
        await healthy.hears("still-here")
        assert healthy.states == ["SUBSCRIBED"]


@asynccontextmanager
async def raw(cloud: CloudProcess, version: str = "1.0.0", key: str = "") -> AsyncIterator[ClientConnection]:
    url = cloud.url.replace("http", "ws") + "/realtime/v1/websocket"
    key = key or cloud.publishable_key
    async with connect(f"{url}?apikey={key}&vsn={version}", open_timeout=DEADLINE_S) as socket:
        yield socket


def message(event: str, topic: str = "realtime:anywhere", ref: Any = "1", /, **payload: Any) -> str:
    return json.dumps({"topic": topic, "event": event, "payload": payload, "ref": ref})


async def ask(socket: ClientConnection, text: str) -> dict[str, Any]:
    await socket.send(text)
    answer: dict[str, Any] = json.loads(await socket.recv())
    return answer["payload"] if answer["event"] == "phx_reply" else answer


async def until_closed(socket: ClientConnection, *texts: str) -> tuple[list[str | bytes], int | None]:
    """Send and listen until the server closes. Returns what was heard, and the code; None: cut off."""
    heard: list[str | bytes] = []
    try:
        async with asyncio.timeout(DEADLINE_S):
            for text in texts:
                await socket.send(text)
            while True:
                heard.append(await socket.recv())
    except ConnectionClosed as closed:
        return heard, closed.rcvd.code if closed.rcvd else None


async def closing_code(socket: ClientConnection, *texts: str) -> int | None:
    return (await until_closed(socket, *texts))[1]


async def the_next_second() -> None:
    second = int(time.time())
    await until(lambda: int(time.time()) > second)


GARBAGE = [
    "",
    "{",
    "null",
    "[]",
    "{}",
    "[1,2,3,4,5]",
    '"text"',
    message("phx_join", "realtime:a", 7),
    message("phx_join", "realtime:a", ["1"]),
    json.dumps({"topic": "realtime:a", "event": "phx_join", "payload": [], "ref": "1"}),
    json.dumps({"topic": {"a": 1}, "event": "phx_join", "payload": {}, "ref": "1"}),
    "[" * 100_000,
]


@pytest.mark.parametrize("version", ["1.0.0", "2.0.0"])
@pytest.mark.parametrize("text", GARBAGE, ids=range(len(GARBAGE)))
async def test_what_is_no_message_ends_the_connection(
    live_cloud: CloudProcess, text: str, version: str
) -> None:
    async with raw(live_cloud, version) as socket:
        assert await closing_code(socket, text) == 1007


@pytest.mark.parametrize(
    "frame", [b"", b"\x03", b"\x04aaaaaaaa", b"\x03\xff\xff\xff\xff\xff\x01", b"\x03" + b"\0" * 6]
)
async def test_binary_garbage_ends_the_connection(live_cloud: CloudProcess, frame: bytes) -> None:
    for version in ("1.0.0", "2.0.0"):
        async with raw(live_cloud, version) as socket:
            await socket.send(frame)
            assert await closing_code(socket) in {1003, 1007}


async def test_a_message_that_is_too_large_ends_the_connection(live_cloud: CloudProcess) -> None:
    async with raw(live_cloud) as socket:
        assert await closing_code(socket, "x" * (PAYLOAD_BYTES + 10_000)) == 1009


async def test_a_broadcast_may_be_as_large_as_on_the_hosted_project(live_cloud: CloudProcess) -> None:
    text = "x" * (PAYLOAD_BYTES - 100)
    topic = f"realtime:{uuid.uuid4().hex}"
    async with raw(live_cloud) as socket:
        config = {"broadcast": {"self": True}}
        assert (await ask(socket, message("phx_join", topic, config=config)))["status"] == "ok"
        heard = await ask(socket, message("broadcast", topic, event="large", payload={"text": text}))
        assert heard["payload"]["payload"]["text"] == text


async def test_a_thousand_joins_end_the_connection(live_cloud: CloudProcess) -> None:
    joins = [message("phx_join", f"realtime:{number % 5}") for number in range(1000)]
    async with raw(live_cloud) as socket:
        heard, code = await until_closed(socket, *joins)
    assert code == 1008
    assert len(heard) <= 4 * JOINS_PER_SECOND  # two answers for each, and a second may end in between


async def test_a_connection_has_a_hundred_channels(live_cloud: CloudProcess) -> None:
    async with raw(live_cloud) as socket:
        for number in range(CHANNELS):
            if number == CHANNELS // 2:  # so that the limit of joins per second is not met
                await the_next_second()
            assert (await ask(socket, message("phx_join", f"realtime:{number}")))["status"] == "ok"
        refused = await ask(socket, message("phx_join", "realtime:one-more"))
        assert refused["response"]["reason"].startswith("ChannelRateLimitReached")
        again = await ask(socket, message("phx_leave", "realtime:0"))
        assert again["status"] == "ok"


async def test_there_are_as_many_connections_as_on_the_hosted_project(live_cloud: CloudProcess) -> None:
    opened = 0
    status = None
    async with AsyncExitStack() as stack:
        while opened < CONNECTIONS and status is None:
            try:
                await stack.enter_async_context(raw(live_cloud))
                opened += 1
            except InvalidStatus as refused:
                status = refused.response.status_code
    assert status == 429
    # Others are the healthy listener, and what earlier tests left closing.
    assert CONNECTIONS - 20 < opened < CONNECTIONS


async def test_who_does_not_read_is_cut_off(live_cloud: CloudProcess) -> None:
    topic = f"realtime:{uuid.uuid4().hex}"
    async with raw(live_cloud) as deaf, raw(live_cloud) as sender:
        assert (await ask(deaf, message("phx_join", topic)))["status"] == "ok"
        config = {"broadcast": {"ack": True}}
        assert (await ask(sender, message("phx_join", topic, config=config)))["status"] == "ok"
        large = message("broadcast", topic, event="large", payload={"text": "x" * (PAYLOAD_BYTES - 100)})
        for _ in range(100):
            assert (await ask(sender, large))["status"] == "ok"
        _, code = await until_closed(deaf)
        assert code is None


async def test_a_flood_of_messages_ends_the_connection(live_cloud: CloudProcess) -> None:
    async with raw(live_cloud) as socket:
        assert await closing_code(socket, *[message("heartbeat", "phoenix")] * 5000) == 1008


@pytest.mark.parametrize("place", ["topic", "event", "ref"])
async def test_a_name_that_is_too_long_ends_the_connection(live_cloud: CloudProcess, place: str) -> None:
    names = {"topic": "realtime:a", "event": "phx_join", "ref": "1", place: "realtime:" + "x" * 300}
    async with raw(live_cloud) as socket:
        assert await closing_code(socket, json.dumps({**names, "payload": {}})) == 1008


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (message("nonsense"), "unmatched topic"),
        (message("broadcast", event="e"), "unmatched topic"),
        (message("nonsense", "phoenix"), "unmatched topic"),
        (message("phx_join", "realtime:"), "TopicNameRequired"),
        (message("phx_join", "elsewhere"), "TopicNameRequired"),
        (message("phx_join", access_token="a.b.c"), "InvalidJWTToken"),
        (message("phx_join", access_token={"a": 1}), "InvalidJWTToken"),
        (message("phx_join", config={"postgres_changes": [{"event": "*"}]}), "no Postgres changes"),
        (message("phx_join", "realtime:a\0b", config={"private": True}), "Unauthorized"),
        (message("phx_join", "realtime:'; drop table a;", config={"private": True}), "Unauthorized"),
    ],
)
async def test_a_message_that_cannot_be_served_is_refused_with_the_reason(
    live_cloud: CloudProcess, text: str, reason: str
) -> None:
    async with raw(live_cloud) as socket:
        answer = await ask(socket, text)
        assert answer["status"] == "error"
        assert reason in answer["response"]["reason"]
        assert (await ask(socket, message("heartbeat", "phoenix")))["status"] == "ok"


async def test_an_unknown_event_on_a_channel_is_passed_over(live_cloud: CloudProcess) -> None:
    async with raw(live_cloud) as socket:
        assert (await ask(socket, message("phx_join")))["status"] == "ok"
        await socket.send(message("nonsense"))
        assert (await ask(socket, message("heartbeat", "phoenix")))["status"] == "ok"


@pytest.mark.parametrize("role", ["postgres", "nobody", "", None, 7])
async def test_a_token_cannot_make_itself_another_role(live_cloud: CloudProcess, role: Any) -> None:
    bearer = token(live_cloud, role, listens=("a",))
    async with raw(live_cloud) as socket:
        text = message("phx_join", "realtime:a", config={"private": True}, access_token=bearer)
        assert (await ask(socket, text))["status"] == "error"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/realtime/v1/websocket", 401),
        ("/realtime/v1/websocket?apikey=toString", 401),
        ("/realtime/v1/websocket?apikey={key}&vsn=9", 400),
        ("/elsewhere?apikey={key}", 404),
        ("//", 400),
    ],
)
async def test_a_socket_is_opened_only_in_its_place_and_with_a_key(
    live_cloud: CloudProcess, path: str, status: int
) -> None:
    url = live_cloud.url.replace("http", "ws") + path.format(key=live_cloud.publishable_key)
    with pytest.raises(InvalidStatus) as refused:
        await connect(url, open_timeout=DEADLINE_S).__aenter__()
    assert refused.value.response.status_code == status
