"""mDNS and DNS-SD by python-zeroconf."""

import asyncio
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress

from zeroconf import Error, IPVersion, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from hub.errors import TryAgain
from hub.mesh.announcement import HUB_TYPE, NODE_TYPE, Service
from hub.mesh.neighbours import Heard

TTL_S = 120  # a hub that lost its power is forgotten within this; the default for pointers is 75 minutes
RESOLVE_MS = 3000
RESOLVING_MOST = 32
CLOSE_S = 3.0
TEXTS_MOST = 32
LABEL_MOST_BYTES = 63  # RFC 1035, 2.3.4

OnHub = Callable[[str, Heard | None], None]
OnNode = Callable[[str, bool], None]


class ZeroconfAir:
    """An Air."""

    def __init__(self) -> None:
        self._zeroconf: AsyncZeroconf | None = None
        self._browser: AsyncServiceBrowser | None = None
        self._services: dict[tuple[str, str], AsyncServiceInfo] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._on_hub: OnHub = _nobody_listens
        self._on_node: OnNode = _nobody_listens

    async def open(self, addresses: Sequence[str], on_hub: OnHub, on_node: OnNode) -> None:
        """Listen and speak at these addresses of ours. Raises TryAgain."""
        self._on_hub, self._on_node = on_hub, on_node
        try:
            _try_out(addresses)
            self._zeroconf = AsyncZeroconf(interfaces=list(addresses), ip_version=IPVersion.V4Only)
            self._browser = AsyncServiceBrowser(
                self._zeroconf.zeroconf, [HUB_TYPE, NODE_TYPE], handlers=[self._heard]
            )
        except (OSError, Error) as error:
            raise _try_again("multicast cannot be used", error) from None

    async def announce(self, service: Service) -> None:
        """Announce, in place of what had the same label. Raises TryAgain.

        A label that somebody else has gets a number behind it.
        """
        zeroconf, key = self._open(), (service.type, service.label)
        info, is_news = _info(service), key not in self._services
        try:
            if is_news:
                # A node's label has this hub's in it: nobody else can have it, and nobody is asked.
                await zeroconf.async_register_service(
                    info, allow_name_change=True, cooperating_responders=service.type == NODE_TYPE
                )
            else:
                await zeroconf.async_update_service(info)
        except (OSError, Error) as error:
            raise _try_again(f"{service.label} cannot be announced", error) from None
        self._services[key] = info

    async def withdraw(self, type_name: str, label: str) -> None:
        """Say that it is gone. Raises TryAgain."""
        info = self._services.pop((type_name, label), None)
        if info is not None:
            try:
                await self._open().async_unregister_service(info)
            except (OSError, Error) as error:
                raise _try_again(f"{label} cannot be withdrawn", error) from None

    async def close(self) -> None:
        """Withdraw everything, and be silent. Never raises."""
        zeroconf, self._zeroconf = self._zeroconf, None
        browser, self._browser = self._browser, None
        self._services.clear()
        for task in self._tasks:
            task.cancel()
        with suppress(OSError, Error, TimeoutError):
            async with asyncio.timeout(CLOSE_S):
                if browser is not None:
                    await browser.async_cancel()
                if zeroconf is not None:
                    await zeroconf.async_close()

    def _open(self) -> AsyncZeroconf:
        if self._zeroconf is None:
            raise TryAgain("the air is closed")
        return self._zeroconf

    def _heard(
        self, zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
    ) -> None:
        label = name.removesuffix(f".{service_type}")
        if len(label.encode()) > LABEL_MOST_BYTES:
            _forget(zeroconf, service_type, name)
            return
        is_there = state_change is not ServiceStateChange.Removed
        if service_type == NODE_TYPE:
            self._on_node(label, is_there)
        elif not is_there:
            self._on_hub(label, None)
        elif len(self._tasks) < RESOLVING_MOST:
            task = asyncio.ensure_future(self._resolve(zeroconf, name, label))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _resolve(self, zeroconf: Zeroconf, name: str, label: str) -> None:
        with suppress(OSError, Error):
            info = AsyncServiceInfo(HUB_TYPE, name)
            if await info.async_request(zeroconf, RESOLVE_MS):
                self._on_hub(label, _heard_of(info))


def _forget(zeroconf: Zeroconf, service_type: str, name: str) -> None:
    """Take a name out of the cache that was no UTF-8: the library cannot say what it made of it.

    It would try to in every question, "I know of these", and ask none while the name lasts.
    """
    record = zeroconf.cache.current_entry_with_name_and_alias(service_type, name)
    if record is not None:
        zeroconf.cache.async_remove_records([record])


def _nobody_listens(_label: str, _what: object) -> None:
    """Stand in until the air is open."""


def _info(service: Service) -> AsyncServiceInfo:
    return AsyncServiceInfo(
        service.type,
        f"{service.label}.{service.type}",
        addresses=[socket.inet_aton(address) for address in service.addresses],
        port=service.port,
        properties=dict(service.texts),
        server=service.host,
        host_ttl=TTL_S,
        other_ttl=TTL_S,
    )


def _try_out(addresses: Sequence[str]) -> None:
    """Raise OSError for an address that cannot be used: the library leaves sockets open when it finds one."""
    for address in addresses:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
            probe.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(address))


def _heard_of(info: AsyncServiceInfo) -> Heard:
    texts = {
        key.decode(errors="replace"): (value or b"").decode(errors="replace")
        for key, value in list(info.properties.items())[:TEXTS_MOST]
    }
    return Heard(tuple(info.parsed_addresses(IPVersion.V4Only)), info.port or 0, texts)


def _try_again(what: str, error: Exception) -> TryAgain:
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return TryAgain(f"{what}: {reason}")
