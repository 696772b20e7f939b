"""Dials for ever: which hub, when, and when again."""

import asyncio
import gc
import os

from firmware.node.backoff import Backoff
from firmware.node.connection import Connection
from firmware.node.conversation import Conversation
from shared_schema.greeting import (
    BATTERY,
    CLOCK_KNOWN,
    NONCE_BYTES,
    SAFE_MODE,
    TRIAL_BOOT,
    Hello,
    encode_hello,
)
from shared_schema.link import NodeSession

NO_ADDRESS_S = 5
SEARCH_MOST_S = 3


class Uplink:
    """The node's talking half. search: an async callable that returns addresses of hubs nearby, or None."""

    def __init__(self, node, addresses, search=None) -> None:
        self._node = node
        self._addresses = addresses
        self._search = search
        self._backoff = Backoff(node.identity.device_key)
        self.sessions = 0
        self.why = ""

    async def run(self) -> None:
        """Dial, talk, wait, for ever."""
        while True:
            await self._node.network.wait()
            if self._addresses.is_round_over:
                await self._find()
            address = self._addresses.next()
            if address is None:
                await asyncio.sleep(NO_ADDRESS_S)
                continue
            if await self._talk(address):
                self._addresses.answered(address)
                self._backoff.reset()
            else:
                self._addresses.failed()
            await asyncio.sleep(self._backoff.next_ms() / 1000)

    async def _talk(self, address) -> bool:
        """Hold one session; return True when the hub took the node."""
        node = self._node
        gc.collect()  # closes sockets that were given up while they connected, too
        session = NodeSession(node.identity.key, encode_hello(self._hello()))
        connection = Connection(node.ticks, node.waker)
        try:
            conversation = await connection.run(
                address[0], address[1], session, lambda session, now_ms: Conversation(node, session, now_ms)
            )
        except (OSError, asyncio.TimeoutError) as error:
            self.why = repr(error)
            return False
        self.why = connection.why
        if conversation.is_welcome:
            self.sessions += 1
            node.update.close()
        node.log("hub %s:%d: %s" % (address[0], address[1], self.why))
        return conversation.is_welcome

    async def _find(self) -> None:
        if self._search is None:
            return
        try:
            self._addresses.found(await asyncio.wait_for(self._search(), SEARCH_MOST_S) or ())
        except (OSError, asyncio.TimeoutError):
            pass

    def _hello(self) -> Hello:
        node, ring = self._node, self._node.ring
        flags = (
            (BATTERY if node.is_on_battery else 0)
            | (SAFE_MODE if node.start.is_safe_mode else 0)
            | (TRIAL_BOOT if node.start.is_trial else 0)
            | (CLOCK_KNOWN if node.clock.is_known else 0)
        )
        return Hello(
            os.urandom(NONCE_BYTES),
            node.identity.device_key,
            node.identity.generation,
            ring.epoch,
            ring.oldest_seq,
            ring.next_seq,
            node.version,
            node.board.name,
            node.configuration.version,
            flags,
        )
