"""Channels: who may listen and send, what SQL sends, and when a token ends, with the real clients."""

import asyncio
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from hub.errors import OperatorNeeded
from tests.tools.local_cloud.people import Listener, connected, listening, tell, token, until
from tools.local_cloud.node_io import ROOT, environment, find_node
from tools.local_cloud.process_io import CloudProcess

SCRIPT = Path(__file__).with_name("listen.mjs")
DEADLINE_S = 20.0


@pytest.fixture
def topic() -> str:
    return f"test:{uuid.uuid4().hex}"


@pytest.mark.parametrize("role", ["authenticated", "device"])
async def test_what_sql_sends_arrives_in_order(live_cloud: CloudProcess, topic: str, role: str) -> None:
    bearer = token(live_cloud, role, listens=(topic,))
    async with listening(live_cloud, topic, bearer) as listener:
        large = "x" * 20_000  # a notification of Postgres holds 8,000 bytes
        tell(live_cloud, topic, "first", {"text": large})
        tell(live_cloud, "test:another", "elsewhere")
        tell(live_cloud, topic, "second")
        await listener.hears("first", "second")
        assert listener.payloads[0]["text"] == large
        assert uuid.UUID(listener.payloads[0]["id"])
    assert live_cloud.admin.call("waiting_messages", {}) == 0


async def test_a_transaction_that_fails_sends_nothing(live_cloud: CloudProcess, topic: str) -> None:
    async with listening(live_cloud, topic) as listener:
        with pytest.raises(OperatorNeeded, match="told to fail"):
            tell(live_cloud, topic, "undone", is_failing=True)
        tell(live_cloud, topic, "done")
        await listener.hears("done")


async def test_a_message_that_cannot_be_sent_does_not_fail_its_transaction(live_cloud: CloudProcess) -> None:
    live_cloud.admin.call("tell", {"topic": None, "event": "e", "payload": {}})
    assert live_cloud.admin.call("waiting_messages", {}) == 0


async def test_messages_that_were_delivered_take_no_room(live_cloud: CloudProcess, topic: str) -> None:
    sizes_bytes = []
    async with listening(live_cloud, topic) as listener:
        for round_ in range(1, 6):
            live_cloud.admin.call("tell_often", {"topic": topic, "times": 1000})
            await until(lambda sent=round_ * 1000: len(listener.events) >= sent)
            sizes_bytes.append(live_cloud.admin.call("messages_size_bytes", {}))
        assert [payload["n"] for payload in listener.payloads] == [*range(1, 1001)] * 5
    assert sizes_bytes[-1] <= sizes_bytes[1] * 1.5


async def test_a_channel_is_refused_without_the_right_to_listen(live_cloud: CloudProcess, topic: str) -> None:
    for bearer in (token(live_cloud, sends=(topic,)), live_cloud.publishable_key, "not.a.token"):
        async with connected(live_cloud) as client, listening(live_cloud, topic) as allowed:
            await client.realtime.set_auth(bearer)
            refused = Listener(client, topic)
            assert await refused.join() == "CHANNEL_ERROR"
            tell(live_cloud, topic, "secret")
            await allowed.hears("secret")
            assert refused.events == []


async def test_a_wrong_key_opens_no_socket(live_cloud: CloudProcess, topic: str) -> None:
    async with connected(live_cloud) as client:
        client.realtime.url = client.realtime.url.replace(live_cloud.publishable_key, "sb_publishable_wrong")
        client.realtime.max_retries = 1
        with pytest.raises(Exception, match="HTTP 401"):
            await client.channel(topic).subscribe()


async def test_clients_send_to_each_other_where_they_may(live_cloud: CloudProcess, topic: str) -> None:
    mute = token(live_cloud, listens=(topic,))
    async with (
        listening(live_cloud, topic, is_echoing=True) as echoing,
        listening(live_cloud, topic) as quiet,
        listening(live_cloud, topic, mute) as silenced,
    ):
        await silenced.channel.send_broadcast("forbidden", {})
        await quiet.channel.send_broadcast("from-quiet", {"n": 1})
        await echoing.hears("from-quiet")
        await echoing.channel.send_broadcast("from-echoing", {})
        await echoing.hears("from-quiet", "from-echoing")
        await silenced.hears("from-quiet", "from-echoing")
        await quiet.hears("from-echoing")


async def test_public_channels_and_private_ones_of_the_same_name_are_apart(
    live_cloud: CloudProcess, topic: str
) -> None:
    async with listening(live_cloud, topic, is_echoing=True) as private, connected(live_cloud) as client:
        public = Listener(client, topic, is_private=False)
        assert await public.join() == "SUBSCRIBED"
        await public.channel.send_broadcast("to-the-public", {})
        await private.channel.send_broadcast("to-the-few", {})
        await private.hears("to-the-few")
        tell(live_cloud, topic, "from-sql")
        await private.hears("to-the-few", "from-sql")
        assert public.events == []


async def test_a_channel_ends_with_its_token(live_cloud: CloudProcess, topic: str) -> None:
    short = token(live_cloud, listens=(topic,), life_s=1.2)
    started_s = time.monotonic()
    async with listening(live_cloud, topic) as staying, listening(live_cloud, topic, short) as ending:
        await until(lambda: "CLOSED" in ending.states)
        assert 1 < time.monotonic() - started_s < 3
        assert ending.states == ["SUBSCRIBED", "CHANNEL_ERROR", "CLOSED"]
        tell(live_cloud, topic, "too-late")
        await staying.hears("too-late")
        assert ending.events == []


async def test_a_renewed_token_keeps_the_channel_and_is_asked_again(
    live_cloud: CloudProcess, topic: str
) -> None:
    async with listening(live_cloud, topic, token(live_cloud, listens=(topic,), life_s=1.2)) as listener:
        first_end_s = time.monotonic() + 1.8
        await listener.channel.socket.set_auth(token(live_cloud, listens=(topic,)))
        await until(lambda: time.monotonic() > first_end_s)
        tell(live_cloud, topic, "still-here")
        await listener.hears("still-here")
        await listener.channel.socket.set_auth(token(live_cloud))
        await until(lambda: "CLOSED" in listener.states)


async def test_who_leaves_hears_no_more(live_cloud: CloudProcess, topic: str) -> None:
    async with listening(live_cloud, topic) as leaving, listening(live_cloud, topic) as staying:
        await leaving.channel.unsubscribe()
        await until(lambda: leaving.states[-1] == "CLOSED")
        tell(live_cloud, topic, "after")
        await staying.hears("after")
        assert leaving.events == []


class JavaScriptListener:
    """listen.mjs."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout

    def do(self, **command: str) -> None:
        self._stdin.write(json.dumps(command).encode() + b"\n")

    async def says(self) -> dict[str, Any]:
        line = await asyncio.wait_for(self._stdout.readline(), DEADLINE_S)
        said: dict[str, Any] = json.loads(line)
        return said


@asynccontextmanager
async def javascript(cloud: CloudProcess, topic: str, bearer: str) -> AsyncIterator[JavaScriptListener]:
    settings = {"url": cloud.url, "key": cloud.publishable_key, "token": bearer, "topic": topic}
    process = await asyncio.create_subprocess_exec(
        find_node(),
        SCRIPT,
        cwd=ROOT,
        env={**environment(), "LISTEN": json.dumps(settings)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    try:
        yield JavaScriptListener(process)
    finally:
        process.stdin.close()
        await asyncio.wait_for(process.wait(), DEADLINE_S)


async def test_the_javascript_client_listens_sends_and_renews(live_cloud: CloudProcess, topic: str) -> None:
    bearer = token(live_cloud, listens=(topic,), sends=(topic,))
    async with (
        javascript(live_cloud, topic, bearer) as listener,
        listening(live_cloud, topic) as python,
    ):
        assert (await listener.says())["state"] == "SUBSCRIBED"
        tell(live_cloud, topic, "from-sql", {"n": 1})
        said = await listener.says()
        assert (said["event"], said["payload"]["n"]) == ("from-sql", 1)
        listener.do(send="from-javascript")
        assert await listener.says() == {"sent": "ok"}
        await python.hears("from-sql", "from-javascript")
        assert python.payloads[1] == {"é": 1}
        await python.channel.send_broadcast("from-python", {})
        assert (await listener.says())["event"] == "from-python"
        listener.do(token=token(live_cloud))
        assert (await listener.says())["state"] == "CLOSED"


async def test_the_javascript_client_is_told_why_it_is_refused(live_cloud: CloudProcess, topic: str) -> None:
    async with javascript(live_cloud, topic, token(live_cloud)) as listener:
        said = await listener.says()
        assert said["state"] == "CHANNEL_ERROR"
        assert "do not have permissions to read from this Channel topic" in said["error"]
