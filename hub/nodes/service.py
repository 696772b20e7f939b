"""The node link's server: nodes dial it, prove their key, and bring rows until one side leaves.

Rule 1: one task reads a connection. It waits for nothing but bytes and room; a monitor closes what is silent.
Rule 2: what peers without a key can cost is bounded (limits), and told once while it lasts.
Rule 3: a node has one session, the newest: the one before is a socket whose other end is gone.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress

from hub.nodes.admission_service import Admission
from hub.nodes.command_service import CommandService
from hub.nodes.commands import CommandStore
from hub.nodes.health import storage_percent
from hub.nodes.limits import PROOF_S, Door, System
from hub.nodes.link_service import READ_BYTES, Link
from hub.nodes.registry import RegistryStore
from hub.nodes.rollout_record import RolloutStore
from hub.nodes.session import KEEPALIVE_S, Now, Talk
from hub.nodes.settings import NodeSettings, NodesState, NodeState
from hub.nodes.store_service import Store
from hub.nodes.stored import Numbers
from hub.nodes.update_service import ReleaseStore, UpdateService
from hub.ports import Clock, EventSink, NumberedSink
from shared_schema import frames
from shared_schema.greeting import BATTERY, Hello
from shared_schema.link import HubSession, LinkError
from shared_schema.messages import Hubs, RefusalCode, encode_ack, encode_hubs
from shared_schema.text import clean_text

log = logging.getLogger("penstock.nodes")

LOOK_S = 1.0
SILENT_S = 2.5 * KEEPALIVE_S  # a node pings after one keep-alive; two may be lost on bad Wi-Fi
AWAY_S = 300.0
QUIET_S = 60.0  # so long without another one, and a trouble at the door is over
PORT_RETRY_S = 10.0
EPOCH_MOST = 2**31 - 1  # what the cloud's integers hold


class NodesService:
    """Serves nodes until cancelled. port: where it listens, once it does."""

    def __init__(
        self,
        settings: NodeSettings,
        site_key: bytes,
        registry: RegistryStore,
        outbox: NumberedSink,
        *,
        clock: Clock,
        events: EventSink,
        system: System,
        rollout: RolloutStore,
        releases: ReleaseStore,
        commands: CommandStore,
    ) -> None:
        self._settings = settings
        self._system = system
        self._outbox = outbox
        self._clock = clock
        self._events = events
        self._admission = Admission(settings, site_key, registry, events)
        self._store = Store(outbox, self._stored)
        self._door = Door()
        self._door_trouble_s: dict[tuple[str, str | None], float] = {}
        self._broken: set[str] = set()
        self._unproved: set[Link] = set()
        self._open: dict[str, Link] = {}
        self._updates = UpdateService(site_key, rollout, releases, self._open, clock=clock, events=events)
        self._commands = CommandService(commands, self._open, clock=clock, system=system, events=events)
        self._numbers: dict[str, Numbers] = {}
        self._left_s: dict[str, float] = {}
        self._elsewhere: frozenset[str] = frozenset()
        self._hubs = b""
        self._tasks: set[asyncio.Task[None]] = set()
        self._refused = 0
        self.port = 0
        self.listening = asyncio.Event()

    def state(self) -> NodesState:
        """Return how the node link stands."""
        now_s = self._clock.monotonic_s()
        return NodesState(
            self.port,
            len(self._admission.approved),
            tuple(_state_of(link, link.talk, now_s) for link in self._open.values() if link.talk),
            self._admission.pending(),
            self._refused,
            self._updates.state(),
        )

    def connected_addresses(self) -> Mapping[str, str]:
        """Return the connected nodes: address by device key."""
        return {key: link.address for key, link in self._open.items()}

    def tell_hubs(self, addresses: Sequence[tuple[str, int]], return_after_s: int) -> None:
        """Tell all nodes, now and when they dial, where the other hubs of the site are."""
        self._hubs = encode_hubs(Hubs(return_after_s, list(addresses)))
        for link in self._open.values():
            link.say(frames.HUBS, self._hubs)

    def note_elsewhere(self, device_keys: Collection[str]) -> None:
        """Note which nodes other hubs of the site have now: those are not missing. Dashes for dots."""
        before, self._elsewhere = self._elsewhere, frozenset(device_keys)
        for key in self._admission.approved if self._elsewhere - before else ():
            if key.replace(".", "-") in self._elsewhere:
                self._events.clear_event("node_away", device_key=key)

    async def run(self) -> None:
        """Serve until cancelled."""
        await self._admission.load()
        self._system.allow_open_files(2 * self._settings.max_nodes)
        server = await self._bound()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._store.run())
                tasks.create_task(self._updates.run())
                tasks.create_task(self._commands.run())
                tasks.create_task(self._look_for_ever())
        finally:
            server.close()
            await self._close_all()

    async def _bound(self) -> asyncio.Server:
        settings = self._settings
        while True:
            try:
                server = await asyncio.start_server(
                    self._serve, settings.listen, settings.port, limit=READ_BYTES, backlog=256
                )
            except OSError as error:
                message = f"nodes cannot dial {settings.listen}:{settings.port}: {error.strerror}"
                self._events.raise_event("critical", "node_port", f"{message}; see nodes.listen, nodes.port")
                await asyncio.sleep(PORT_RETRY_S)
            else:
                self._events.clear_event("node_port")
                self.port = server.sockets[0].getsockname()[1]
                self.listening.set()
                return server

    async def _close_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._admission.save()

    # One connection.

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        address = str((writer.get_extra_info("peername") or ("unknown",))[0])
        now_s = self._clock.monotonic_s()
        if why_not := self._door.turns_away(address, now_s):
            self._trouble_at_the_door("node_door", why_not)
            writer.transport.abort()
            return
        self._system.keep_small(writer.get_extra_info("socket"))
        session = HubSession(self._settings.hub_key, self._system.nonce(), self._admission.key_of)
        link = Link(reader, writer, session, address, now_s)
        with suppress(asyncio.CancelledError):  # the hub ends; streams would call it an error of theirs
            await self._greet_and_listen(link)

    async def _greet_and_listen(self, link: Link) -> None:
        try:
            messages = await self._prove(link)
            if messages is not None and await self._admit(link):
                self._hear(link, messages)
                await self._listen(link)
        except LinkError as error:
            self._broke_the_protocol(link, error)
        finally:
            self._gone(link)
            link.close()

    async def _prove(self, link: Link) -> list[tuple[int, memoryview]] | None:
        await self._admission.refresh()
        self._unproved.add(link)
        error = ""
        try:
            messages = await link.proved()
        except LinkError as fault:
            messages, error = None, str(fault)
        finally:
            self._unproved.discard(link)
            self._door.leaves(link.address)
        if messages is None:
            self._did_not_prove(link, error)
        return messages

    def _did_not_prove(self, link: Link, error: str) -> None:
        hello, refusal = link.session.hello, link.session.refusal
        self._door.fails(link.address, self._clock.monotonic_s())
        if hello is not None and self._admission.is_known(hello.device_key) and refusal is None:
            message = (
                f"{link.address} dials as {hello.device_key} without its key; if that is it, flash it anew"
            )
            self._trouble_at_the_door("node_key_wrong", message, hello.device_key)
        else:
            what = (refusal.text if refusal else "") or error or link.reason or "left without a proof"
            self._trouble_at_the_door("node_stranger", f"{link.address} is refused: {what}")

    async def _admit(self, link: Link) -> bool:
        hello = link.session.hello
        assert hello is not None
        if not 0 < hello.epoch <= EPOCH_MOST or hello.next_seq < 1:
            raise LinkError("a greeting with impossible numbers")
        is_full = len(self._open) >= self._settings.max_nodes and hello.device_key not in self._open
        now = self._now()
        refusal = None if is_full else self._admission.welcome(hello, link.address, now.wall_ms)
        if is_full:
            link.refuse(RefusalCode.BUSY, f"{self._settings.max_nodes} nodes are connected")
            self._trouble_at_the_door("node_door", f"more than max_nodes = {self._settings.max_nodes} dial")
        elif refusal is not None:
            link.refuse(refusal.code, refusal.text)
        if is_full or refusal is not None:
            self._refused += 1
            return False
        await self._begin(link, hello)
        return True

    async def _begin(self, link: Link, hello: Hello) -> None:
        key = hello.device_key
        last_seq = await self._outbox.last_seq(key, hello.epoch)
        if (numbers := self._numbers.get(key)) is None or numbers.epoch != hello.epoch:
            numbers = self._numbers[key] = Numbers(hello.epoch, last_seq)
        if (before := self._open.pop(key, None)) is not None:
            before.drop("dialled again")
        now = self._now()
        commands = self._commands.of(key)
        link.talk = Talk(
            hello, numbers, commands, hub_key=self._settings.hub_key, events=self._events, now=now
        )
        link.heard_s = now.monotonic_s
        self._open[key] = link
        self._left_s.pop(key, None)
        self._events.clear_event("node_away", device_key=key)
        link.talk.welcome(now, *self._admission.wanted(key))
        link.say_replies()
        if self._hubs:
            link.say(frames.HUBS, self._hubs)
        self._updates.dialled(link)
        log.info("node %s dialled from %s, rows from %d", key, link.address, numbers.stored + 1)

    async def _listen(self, link: Link) -> None:
        while data := await link.read():
            await self._store.room()
            self._hear(link, link.session.receive(data))

    def _hear(self, link: Link, messages: list[tuple[int, memoryview]]) -> None:
        talk = link.talk
        if talk is None or not messages or self._open.get(talk.key) is not link:
            return
        now = self._now()
        link.heard_s = now.monotonic_s
        try:
            for type_id, payload in messages:
                talk.hear(type_id, payload, now, self._store.harvest)
        finally:
            self._store.gathered()
        link.say_replies()
        self._commands.hear(link)
        self._updates.hear(link)

    def _stored(self, device_key: str, numbers: Numbers) -> None:
        self._updates.rows_stored(device_key)
        link = self._open.get(device_key)
        if link is not None and link.talk is not None and link.talk.numbers is numbers:
            link.say(frames.ACK, encode_ack(numbers.stored))
            if device_key in self._broken:
                self._broken.remove(device_key)
                self._events.clear_event("node_link", device_key=device_key)

    def _broke_the_protocol(self, link: Link, error: LinkError) -> None:
        hello = link.session.hello
        assert hello is not None
        link.reason = str(error)
        self._broken.add(hello.device_key)
        message = f"its connection broke the protocol and was closed: {error}"
        self._events.raise_event("warning", "node_link", message, device_key=hello.device_key)

    def _gone(self, link: Link) -> None:
        talk = link.talk
        if talk is not None and self._open.get(talk.key) is link:
            del self._open[talk.key]
            if not talk.hello.flags & BATTERY:  # one that sleeps is away most of the time
                self._left_s[talk.key] = self._clock.monotonic_s()
            log.info("node %s left: %s", talk.key, link.reason or "closed by the node")

    # The monitor.

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            await self._look()

    async def _look(self) -> None:
        now_s = self._clock.monotonic_s()
        for link in [link for link in self._unproved if now_s - link.began_s > PROOF_S]:
            link.drop(f"no proof within {PROOF_S:g} s")
        for link in list(self._open.values()):
            self._look_at(link, now_s)
        self._look_for_the_missing(now_s)
        self._calm_down(now_s)
        await self._admission.save()
        if await self._admission.refresh():
            self._apply_registry()

    def _look_at(self, link: Link, now_s: float) -> None:
        silent_s = now_s - link.heard_s
        if silent_s > SILENT_S:
            link.drop(f"silent for {silent_s:.0f} s")
        elif silent_s > KEEPALIVE_S and now_s - link.pinged_s > KEEPALIVE_S:
            link.pinged_s = now_s
            link.say(frames.PING)

    def _look_for_the_missing(self, now_s: float) -> None:
        for key in self._left_s:
            if key.replace(".", "-") in self._elsewhere:
                self._left_s[key] = now_s  # its time begins when that hub has lost it as well
        for key in [key for key, left_s in self._left_s.items() if now_s - left_s > AWAY_S]:
            del self._left_s[key]
            message = f"it has not dialled for {AWAY_S / 60:.0f} minutes; its power, its Wi-Fi, its log"
            self._events.raise_event("warning", "node_away", message, device_key=key)

    def _apply_registry(self) -> None:
        for key, link in list(self._open.items()):
            if key not in self._admission.approved:
                link.refuse(RefusalCode.REVOKED, "revoked at this site")
                link.close()
            elif link.talk is not None:
                link.talk.configure(*self._admission.wanted(key))
                link.say_replies()

    def _trouble_at_the_door(self, code: str, message: str, device_key: str | None = None) -> None:
        self._refused += 1
        self._door_trouble_s[code, device_key] = self._clock.monotonic_s()
        self._events.raise_event("warning", code, message, device_key=device_key)

    def _calm_down(self, now_s: float) -> None:
        for code, key in [which for which, at_s in self._door_trouble_s.items() if now_s - at_s > QUIET_S]:
            del self._door_trouble_s[code, key]
            self._events.clear_event(code, device_key=key)

    def _now(self) -> Now:
        now_s = self._clock.monotonic_s()
        return Now(now_s, self._clock.stamp(now_s))


def _state_of(link: Link, talk: Talk, now_s: float) -> NodeState:
    hello, health = talk.hello, talk.health
    return NodeState(
        talk.key,
        link.address,
        clean_text(hello.board),
        clean_text(hello.firmware_version),
        now_s - link.began_s,
        talk.rows,
        talk.numbers.stored,
        health.rssi_dbm if health else None,
        health.ring_rows if health else None,
        storage_percent(health) if health else None,
        talk.reported.version,
        talk.reported.refused_version,
        clean_text(talk.reported.reason),
    )
