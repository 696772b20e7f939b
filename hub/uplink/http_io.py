"""HTTP to the cloud over aiohttp: kept-alive connections, TLS, time-outs, and a count of the bytes.

TLS trusts what the system trusts; OpenSSL's variables SSL_CERT_FILE and SSL_CERT_DIR name other authorities.
"""

import asyncio
import io
import ssl
from collections.abc import Callable
from types import TracebackType
from typing import Self

import aiohttp
from yarl import URL

from hub.uplink import exchange
from hub.uplink.exchange import Answer, Failure, Request, Traffic

MAX_ANSWER_BYTES = 4_000_000  # a page of a thousand devices is a fortieth of it
LARGE_BODY_BYTES = 1_000_000  # aiohttp writes bytes at once and warns above 2**20; a file goes in pieces
KEEP_ALIVE_S = 55.0  # below the minute after which gateways commonly close an idle connection
CRLF_BYTES = 2
HEADER_BYTES = 4  # colon, space and CRLF around a header's name and value
LINE_BYTES = 12  # "POST", " HTTP/1.1", less the path


class HttpTransport:
    """An aiohttp session for one cloud. To be entered before use.

    url: scheme and host, without a path. api_key: the project's publishable key.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        monotonic_s: Callable[[], float],
        *,
        connect_timeout_s: float = 10.0,
        timeout_s: float = 30.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._url = url.rstrip("/")
        self._api_key = api_key
        self._monotonic_s = monotonic_s
        self._timeout = aiohttp.ClientTimeout(total=timeout_s, connect=connect_timeout_s)
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None
        self._requests = 0
        self._bytes_sent = 0
        self._bytes_received = 0

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            ssl=self._tls or ssl.create_default_context(), keepalive_timeout=KEEP_ALIVE_S, ttl_dns_cache=60
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            headers={"apikey": self._api_key, "User-Agent": "penstock-hub"},
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=True,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    def traffic(self) -> Traffic:
        """Return what was sent and received so far."""
        return Traffic(self._requests, self._bytes_sent, self._bytes_received)

    async def exchange(self, request: Request) -> Answer | Failure:
        """Send one request and return the whole answer, or why there is none."""
        if self._session is None:
            raise RuntimeError("the transport has to be entered before it is used")
        self._requests += 1
        sent_s = self._monotonic_s()
        try:
            return await self._exchange(self._session, request, sent_s)
        except TimeoutError:
            return Failure(exchange.TIMEOUT, f"no answer within {self._timeout.total:g} s")
        except aiohttp.ClientConnectorCertificateError as error:
            return Failure(exchange.CERTIFICATE, f"the certificate is not trusted: {error.certificate_error}")
        except aiohttp.ClientSSLError as error:
            return Failure(exchange.CUT, f"no TLS connection: {error}")
        except aiohttp.ClientConnectorError as error:
            return Failure(exchange.REFUSED, f"no connection: {error.os_error.strerror or error}")
        except (aiohttp.ClientError, OSError, asyncio.IncompleteReadError) as error:
            return Failure(exchange.CUT, _cut(error))

    async def _exchange(self, session: aiohttp.ClientSession, request: Request, sent_s: float) -> Answer:
        url = URL(self._url + request.path, encoded=True)
        body: bytes | io.BytesIO | None = request.body or None
        if len(request.body) > LARGE_BODY_BYTES:
            body = io.BytesIO(request.body)
        async with session.request(
            request.method, url, data=body, headers=_headers(request), allow_redirects=False
        ) as response:
            received_s = self._monotonic_s()
            self._count_sent(request, response)
            content = await response.content.read(MAX_ANSWER_BYTES)
            while len(content) < MAX_ANSWER_BYTES and (more := await response.content.read(MAX_ANSWER_BYTES)):
                content += more
            self._bytes_received += _head_bytes(response) + len(content)
            return Answer(
                response.status,
                content,
                response.headers.get("Retry-After", ""),
                response.headers.get("Date", ""),
                sent_s,
                received_s,
            )

    def _count_sent(self, request: Request, response: aiohttp.ClientResponse) -> None:
        headers = response.request_info.headers
        head = sum(len(name) + len(value) + HEADER_BYTES for name, value in headers.items())
        self._bytes_sent += head + LINE_BYTES + len(request.path) + 2 * CRLF_BYTES + len(request.body)


def _cut(error: Exception) -> str:
    # What these say themselves is an object of aiohttp's: the answer as far as it came.
    if isinstance(
        error, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError | asyncio.IncompleteReadError
    ):
        return "the answer broke off"
    return f"the connection broke: {str(error) or type(error).__name__}"


def _headers(request: Request) -> dict[str, str]:
    headers = {}
    if request.bearer:
        headers["Authorization"] = f"Bearer {request.bearer}"
    if request.body:
        headers["Content-Type"] = "application/json"
    if request.prefer:
        headers["Prefer"] = request.prefer
    return headers


def _head_bytes(response: aiohttp.ClientResponse) -> int:
    headers = sum(len(name) + len(value) + HEADER_BYTES for name, value in response.raw_headers)
    return headers + LINE_BYTES + len(response.reason or "") + CRLF_BYTES
