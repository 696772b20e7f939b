"""The transport against real sockets: what the network does becomes a Failure, never an exception."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.uplink import exchange
from hub.uplink.exchange import Answer, Failure, Request
from hub.uplink.http_io import LARGE_BODY_BYTES, HttpTransport
from tools.bench.certificate import make_certificate

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]


def now_s() -> float:
    return asyncio.get_running_loop().time()


@asynccontextmanager
async def answering(
    reply: bytes, *, tls: ssl.SSLContext | None = None, closes: bool = True
) -> AsyncIterator[int]:
    """A server that reads a request head and says reply."""
    tasks: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply)
            await writer.drain()
            if not closes:
                await asyncio.Event().wait()
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tasks.add(asyncio.create_task(converse(reader, writer)))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def ask(url: str, *, tls: ssl.SSLContext | None = None, body: bytes = b"[]") -> Answer | Failure:
    async with HttpTransport(url, "key", now_s, timeout_s=0.3, tls=tls) as transport:
        return await transport.exchange(
            Request("POST", "/rest/v1/t?columns=a,b", body, "token", "return=minimal")
        )


async def test_returns_the_answer_with_what_the_uplink_reads_of_it() -> None:
    reply = (
        b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    async with answering(reply) as port:
        came = await ask(f"http://127.0.0.1:{port}")
    assert isinstance(came, Answer)
    assert (came.status, came.body, came.retry_after, came.date) == (
        429,
        b"{}",
        "7",
        "Sun, 06 Nov 1994 08:49:37 GMT",
    )
    assert 0 < came.sent_s <= came.received_s


async def test_goes_nowhere_else_with_its_token() -> None:
    reply = b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"
    async with answering(reply) as port:
        came = await ask(f"http://127.0.0.1:{port}")
    assert isinstance(came, Answer)
    assert came.status == 307


async def test_nobody_listens() -> None:
    async with answering(b"") as port:
        pass
    came = await ask(f"http://127.0.0.1:{port}")
    assert isinstance(came, Failure)
    assert came.kind == exchange.REFUSED


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 201 Created\r\nContent-Length: 10",
        b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n[",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
async def test_an_answer_cut_short_is_said_in_words(reply: bytes) -> None:
    async with answering(reply) as port:
        assert await ask(f"http://127.0.0.1:{port}") == Failure(exchange.CUT, "the answer broke off")


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"HTTP/1.1 201 Cre",
        b"HTTP/1.1 201 Created\r\nContent-Length: 100\r\n\r\n[",
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
)
async def test_an_answer_that_is_not_whole_is_none(reply: bytes) -> None:
    async with answering(reply) as port:
        came = await ask(f"http://127.0.0.1:{port}")
    assert isinstance(came, Failure)
    assert came.kind == exchange.CUT


@pytest.mark.parametrize("reply", [b"", b"HTTP/1.1 201 Created\r\nContent-Length: 9\r\n\r\n"])
async def test_an_answer_that_does_not_come_is_waited_for_only_so_long(reply: bytes) -> None:
    async with answering(reply, closes=False) as port:
        came = await ask(f"http://127.0.0.1:{port}")
    assert isinstance(came, Failure)
    assert came.kind == exchange.TIMEOUT


async def test_sends_only_to_whom_its_authorities_vouch_for(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate.chain, certificate.key)
    trusting = ssl.create_default_context(cafile=str(certificate.chain))
    async with answering(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", tls=tls) as port:
        url = f"https://127.0.0.1:{port}"
        stranger, friend = await ask(url), await ask(url, tls=trusting)
    assert isinstance(stranger, Failure)
    assert stranger.kind == exchange.CERTIFICATE
    assert isinstance(friend, Answer)
    assert friend.status == 201


async def test_counts_what_goes_over_the_wire() -> None:
    received = bytearray()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        received.extend(await reader.readuntil(b"\r\n\r\n"))
        received.extend(await reader.readexactly(5000))
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with (
        await asyncio.start_server(converse, "127.0.0.1", 0) as server,
        HttpTransport(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", "key", now_s) as transport,
    ):
        await transport.exchange(
            Request("POST", "/rest/v1/t?columns=a,b", b"x" * 5000, "token", "return=minimal")
        )
        traffic = transport.traffic()
    assert traffic.requests == 1
    assert abs(traffic.bytes_sent - len(received)) <= 8
    assert traffic.bytes_received == pytest.approx(
        len(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"), abs=4
    )


async def test_takes_a_body_of_any_size() -> None:
    lengths = []

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        lengths.append(len(await reader.readexactly(length)))
        writer.write(b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(converse, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert isinstance(await ask(url, body=b"x" * (LARGE_BODY_BYTES * 3)), Answer)
    assert lengths == [LARGE_BODY_BYTES * 3]
