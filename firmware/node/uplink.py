"""Dials for ever: which hub, when, and when again."""

import asyncio
import gc
import os

from firmware.node.addresses import Addresses
from firmware.node.backoff import Backoff
from firmware.node.connection import Connection
from firmware.node.conversation import Conversation
from firmware.node.files import read_json, write_json
from firmware.node.identity import numeric_address
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

SEARCH_MOST_S = 3
HUBS_FILE = "hubs.json"  # {"hubs": ["192.168.1.10:8266", ...]}, the last good one first


class Uplink:
    """The node's talking half. search: an async callable that returns addresses of hubs nearby, or None."""

    def __init__(self, node, search=None) -> None:
        self._node = node
        self._search = search
        self._path = node.start.root + HUBS_FILE
        identity = node.identity
        self._addresses = Addresses(identity.device_key, identity.hubs, recalled_hubs(self._path))
        self._kept = self._addresses.earlier
        self._backoff = Backoff(node.identity.device_key)
        self.sessions = 0
        self.why = ""

    async def run(self) -> None:
        """Dial, talk, wait, for ever."""
        addresses = self._addresses
        while True:
            await self._node.network.wait()
            if addresses.is_search_due:
                addresses.found(await self._found())
            address = addresses.next()
            if address is not None:
                self._ended(address, await self._talk(address))
            await asyncio.sleep(self._backoff.next_ms() / 1000)

    def _ended(self, address, conversation) -> None:
        if conversation is None or not conversation.is_welcome:
            self._addresses.failed()
        elif conversation.is_stuck:
            self._addresses.got_stuck(address)
        else:
            self._addresses.served(address)
            self._backoff.reset()

    # What the conversation tells

    def welcomed(self) -> None:
        """A hub opened a session."""
        self._addresses.answered()
        self._keep()

    def told(self, hubs, now_ms: int) -> None:
        """The hub told of others."""
        self._addresses.told(hubs.addresses, hubs.return_after_s, now_ms)
        self._keep()

    def leaves(self, now_ms: int) -> bool:
        """Whether this session is to end because the node belongs to another hub."""
        is_due = self._addresses.is_return_due(now_ms)
        if is_due:
            self._addresses.go_home()
        return is_due

    def _keep(self) -> None:
        """Write what the next start should know; hubs rarely move, so neither is the flash worn."""
        if self._addresses.earlier == self._kept:
            return
        self._kept = self._addresses.earlier
        try:
            write_json(self._path, {"hubs": ["%s:%d" % address for address in self._kept]})
        except OSError as error:
            self._node.events.trouble("flash_failed", "hubs", repr(error))

    async def _talk(self, address):
        """Hold one session; return its Conversation, None when nobody answered."""
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
            return None
        self.why = connection.why
        if conversation.is_welcome:
            self.sessions += 1
            node.update.close()
        node.log("hub %s:%d: %s" % (address[0], address[1], self.why))
        return conversation

    async def _found(self):
        if self._search is None:
            return ()
        try:
            return await asyncio.wait_for(self._search(), SEARCH_MOST_S)
        except (OSError, asyncio.TimeoutError):
            return ()

    def _hello(self) -> Hello:
        node, ring = self._node, self._node.ring
        flags = (
            (BATTERY if node.is_on_battery else 0)
            | (SAFE_MODE if node.start.is_safe_mode else 0)
            | (TRIAL_BOOT if node.trial.is_running else 0)
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


def recalled_hubs(path: str) -> list:
    """Return the addresses in a file; those that can be read."""
    found = (read_json(path) or {}).get("hubs")
    try:
        return [hub for hub in [numeric_address(text) for text in found or ()] if hub]
    except (AttributeError, TypeError, ValueError):  # of another release, or damaged: it is only a hint
        return []
