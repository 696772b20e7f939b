"""Each fault as a client sees it, and what the cloud behind it did meanwhile."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.fakes.table_cloud import TableCloud
from tools.sim.fault_proxy import FAULTS, FaultProxy

TOKEN = "/functions/v1/device-token"
TIMEOUT = aiohttp.ClientTimeout(total=0.3)


@pytest.fixture
async def cloud() -> AsyncIterator[TableCloud]:
    async with TableCloud({"hub": 1}) as built:
        yield built


@pytest.fixture
async def proxy(cloud: TableCloud) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(cloud.url) as built:
        yield built


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=TIMEOUT, headers={"apikey": "sb_publishable_x"}) as session:
        yield session


async def ask(client: aiohttp.ClientSession, proxy: FaultProxy) -> tuple[int, bytes]:
    body = {"device_key": "hub", "secret": "s3cret"}
    async with client.post(proxy.url + TOKEN, json=body) as response:
        return response.status, await response.read()


async def test_passes_on_what_it_is_not_told_to_spoil(
    client: aiohttp.ClientSession, proxy: FaultProxy, cloud: TableCloud
) -> None:
    for number in (1, 2, 3):
        status, body = await ask(client, proxy)
        assert (status, json.loads(body)["access_token"]) == (200, f"token-{number}")
    assert (proxy.requests, proxy.forwarded, cloud.tokens_issued) == (3, 3, 3)


async def test_passes_on_chunked_bodies_both_ways(client: aiohttp.ClientSession) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await reader.readuntil(b"0\r\n\r\n")).endswith(b"3\r\nabc\r\n0\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nxyz\r\n2;a=b\r\n12\r\n0\r\n\r\n"
        )
        await writer.drain()
        await reader.read()
        writer.close()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"abc"

    async with await asyncio.start_server(converse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with (
            FaultProxy(f"http://127.0.0.1:{port}") as proxy,
            client.post(proxy.url, data=pieces()) as response,
        ):
            assert await response.read() == b"xyz12"


async def test_tunnels_after_an_upgrade(client: aiohttp.ClientSession) -> None:
    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
        writer.write((await reader.readexactly(4)).upper())
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(converse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with FaultProxy(f"http://127.0.0.1:{port}") as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rsplit(":")[-1]))
            writer.write(b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\nping")
            assert (await reader.read()).endswith(b"\r\n\r\nPING")
            writer.close()


async def test_cut_refuses_connections_and_breaks_those_there_are(
    client: aiohttp.ClientSession, proxy: FaultProxy
) -> None:
    await ask(client, proxy)
    url = proxy.url
    proxy.fault("cut")
    for _ in range(2):
        with pytest.raises(
            (aiohttp.ClientConnectorError, aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)
        ):
            await ask(client, proxy)
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(client, proxy)
    proxy.clear("cut")
    await proxy.settled()
    assert proxy.url == url
    assert (await ask(client, proxy))[0] == 200


async def test_reset_accepts_and_breaks(client: aiohttp.ClientSession, proxy: FaultProxy) -> None:
    proxy.fault("reset", times=1)
    with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
        await ask(client, proxy)
    assert (await ask(client, proxy))[0] == 200


async def test_black_hole_swallows_requests(
    client: aiohttp.ClientSession, proxy: FaultProxy, cloud: TableCloud
) -> None:
    with proxy.during("black-hole"), pytest.raises(TimeoutError):
        await ask(client, proxy)
    assert cloud.tokens_issued == 0
    assert (await ask(client, proxy))[0] == 200


async def test_status_answers_in_place_of_the_cloud(
    client: aiohttp.ClientSession, proxy: FaultProxy, cloud: TableCloud
) -> None:
    proxy.fault("status", status=429, retry_after="30", body=b"{}", path="/functions/")
    async with client.get(proxy.url + "/rest/v1/devices?limit=1") as response:
        assert response.status == 401
    async with client.post(proxy.url + TOKEN, json={}) as response:
        assert (response.status, response.headers["Retry-After"]) == (429, "30")
    assert (cloud.tokens_issued, proxy.hits["status"]) == (0, 1)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("answer-lost", (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)),
        ("answer-never", TimeoutError),
        ("half", (aiohttp.ClientPayloadError, aiohttp.ServerDisconnectedError, aiohttp.ClientOSError)),
    ],
)
async def test_the_cloud_did_what_it_was_asked_and_nobody_hears_of_it(
    client: aiohttp.ClientSession,
    proxy: FaultProxy,
    cloud: TableCloud,
    fault: str,
    error: type[Exception] | tuple[type[Exception], ...],
) -> None:
    proxy.fault(fault, times=1)
    with pytest.raises(error):
        await ask(client, proxy)
    assert cloud.tokens_issued == 1
    assert (await ask(client, proxy))[0] == 200


async def test_slow_takes_its_time_and_changes_nothing(
    client: aiohttp.ClientSession, proxy: FaultProxy
) -> None:
    loop = asyncio.get_running_loop()
    proxy.fault("slow", delay_s=0.02, bytes_per_s=20_000)
    began_s = loop.time()
    status, _ = await ask(client, proxy)
    assert status == 200
    # A delay is a lower bound on any machine: 20 ms, and some 400 bytes at 50 microseconds each.
    assert loop.time() - began_s >= 0.03


async def test_a_cloud_that_is_away_breaks_the_connection(client: aiohttp.ClientSession) -> None:
    async with TableCloud({"hub": 1}) as gone:
        url = gone.url
    async with FaultProxy(url) as proxy:
        with pytest.raises((aiohttp.ClientOSError, aiohttp.ServerDisconnectedError)):
            await ask(client, proxy)


@pytest.mark.parametrize(
    "rubbish", [b"\xff" * 100_000, b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"GET"]
)
async def test_rubbish_ends_its_own_connection_only(
    client: aiohttp.ClientSession, proxy: FaultProxy, rubbish: bytes
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(proxy.url.rsplit(":")[-1]))
    writer.write(rubbish)
    writer.write_eof()
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    writer.close()
    assert (await ask(client, proxy))[0] == 200


def test_says_which_faults_there_are() -> None:
    with pytest.raises(ValueError, match="black-hole"):
        FaultProxy("http://127.0.0.1:1").fault("earthquake")
    with pytest.raises(ValueError, match="no http"):
        FaultProxy("https://abc.supabase.co")
    assert "answer-lost" in FAULTS
