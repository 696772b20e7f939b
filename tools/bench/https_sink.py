"""An HTTPS server that takes everything and keeps nothing, in a process of its own.

As little work as HTTP allows, so that what is measured is the client. Prints its port once it listens; ends
when its standard input closes.
"""

import asyncio
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tools.bench.certificate import Certificate

ANSWER = b"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n"


class _Sink(asyncio.Protocol):
    """Counts off bodies by their Content-Length."""

    def __init__(self) -> None:
        self._head = b""
        self._left = 0
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        while data:
            if self._left:
                taken = min(self._left, len(data))
                self._left -= taken
                data = data[taken:]
            else:
                head, end, data = (self._head + data).partition(b"\r\n\r\n")
                if not end:
                    self._head = head
                    return
                self._head = b""
                self._left = _length(head)
            if not self._left and self._transport is not None:
                self._transport.write(ANSWER)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return 0


async def _serve(chain: str, key: str) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, key)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Sink, "127.0.0.1", 0, ssl=tls)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@contextmanager
def https_sink(certificate: Certificate) -> Iterator[str]:
    """Run one; yields its URL."""
    command = [sys.executable, "-m", "tools.bench.https_sink", str(certificate.chain), str(certificate.key)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ, text=True
    ) as process:
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the process was started without pipes")
        try:
            yield f"https://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], sys.argv[2]))
