"""Peers that lie, break or flood the link: refused within bounds, told once, and no node suffers from it."""

import asyncio
import secrets
import socket
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from hub.nodes import service as node_service
from hub.nodes.limits import FAILURES_PER_MINUTE, UNPROVED_MOST, UNPROVED_PER_ADDRESS
from shared_schema import frames
from shared_schema.frames import frame
from tests.hub.nodes.node import DEADLINE_S, Node, Wire, dial
from tests.hub.nodes.site import Link, link_at

ATTACKER = "127.0.0.66"


async def until(condition: Callable[[], bool]) -> None:
    """Return once this is so."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110 - of things that tell nobody when they change
            await asyncio.sleep(0.01)


class Healthy:
    """A node that measures, brings and is acknowledged all the time. rounds: how often it was."""

    def __init__(self, link: Link) -> None:
        self.node = Node("healthy")
        self.link = link
        self.rounds = 0
        self.slowest_s = 0.0

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        async with dial(self.node, self.link.port) as wire:
            await wire.greet()
            while True:
                began_s = loop.time()
                self.node.measure(3)
                await wire.bring()
                self.slowest_s = max(self.slowest_s, loop.time() - began_s)
                self.rounds += 1
                await asyncio.sleep(0.02)

    async def goes_on(self, rounds: int = 3) -> None:
        """Return once it was acknowledged again, so often."""
        wanted = self.rounds + rounds
        await until(lambda: self.rounds >= wanted)


@asynccontextmanager
async def healthy_site(folder: Path) -> AsyncIterator[tuple[Link, Healthy]]:
    """A hub with a node that must not notice anything; one session, from beginning to end."""
    async with link_at(folder) as link:
        healthy = Healthy(link)
        running = asyncio.create_task(healthy.run())
        try:
            await healthy.goes_on()
            yield link, healthy
            await healthy.goes_on()
            assert not running.done()
            assert healthy.slowest_s < 2.0
            cloud = await link.upload()
            assert len(cloud.values("healthy")) >= 3 * healthy.rounds
            assert not cloud.unexplained()
            assert not cloud.repeats
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def greeted(wire: Wire) -> None:
    """Send a HELLO and wait for the CHALLENGE, without an answer to it."""
    await wire.send(wire.session.greeting())
    await wire.reader.readexactly(2)


async def test_a_wrong_key_is_refused_and_told_once(tmp_path: Path) -> None:
    async with healthy_site(tmp_path) as (link, _):
        for _ in range(FAILURES_PER_MINUTE + 10):
            impostor = Node("healthy")
            async with dial(impostor, link.port, ATTACKER) as wire:
                await wire.send(wire.session.greeting())
                await wire.send(frame(frames.PROOF, secrets.token_bytes(32)))
                await wire.closed_by_hub()
        assert sorted(set(link.events.codes())) == ["node_door", "node_key_wrong"]
        assert set(link.events.open) == {("node_key_wrong", "healthy"), ("node_door", None)}
        link.clock.advance(61)
        await until(lambda: not link.events.open)


async def test_a_recorded_session_opens_nothing(tmp_path: Path) -> None:
    async with healthy_site(tmp_path) as (link, _):
        victim = Node("victim")
        victim.measure(5)
        async with dial(victim, link.port) as wire:
            await wire.greet()
            await wire.bring()
            recorded = wire.sent_bytes
        async with dial(victim, link.port, ATTACKER) as wire:
            await wire.send(recorded)
            await wire.closed_by_hub()
        assert set(link.events.open) == {("node_key_wrong", "victim")}
        assert len((await link.upload()).values("victim")) == 5


Spoil = Callable[[Wire, bytes], Awaitable[None]]


async def _replayed(wire: Wire, sealed: bytes) -> None:
    await wire.send(sealed + sealed)


async def _reordered(wire: Wire, sealed: bytes) -> None:
    await wire.send(wire.session.seal(frames.PING) + sealed)


async def _bit_flipped(wire: Wire, sealed: bytes) -> None:
    await wire.send(sealed[:20] + bytes([sealed[20] ^ 4]) + sealed[21:])


async def _oversized(wire: Wire, sealed: bytes) -> None:
    await wire.send(b"\xff\xff" + sealed[2:])


async def _empty(wire: Wire, _sealed: bytes) -> None:
    await wire.send(b"\0\0")


async def _a_hello_too_many(wire: Wire, _sealed: bytes) -> None:
    await wire.send(frame(frames.HELLO, wire.node.hello()))


async def _sealed_nonsense(wire: Wire, sealed: bytes) -> None:
    await wire.send(sealed)
    await wire.say(frames.READINGS, bytes(40))


@pytest.mark.parametrize(
    "spoil", [_replayed, _reordered, _bit_flipped, _oversized, _empty, _a_hello_too_many, _sealed_nonsense]
)
async def test_a_fault_in_an_open_session_ends_it_and_costs_no_row(tmp_path: Path, spoil: Spoil) -> None:
    async with healthy_site(tmp_path) as (link, _):
        victim = Node("victim")
        victim.measure(40)
        for _ in range(2):
            async with dial(victim, link.port, ATTACKER) as wire:
                await wire.greet()
                payload = victim.payload(1)
                assert payload is not None
                await spoil(wire, wire.session.seal(frames.READINGS, payload))
                await wire.closed_by_hub()
        assert set(link.events.open) == {("node_link", "victim")}
        async with dial(victim, link.port) as wire:
            await wire.greet()
            await wire.bring()
        assert not link.events.open
        cloud = await link.upload()
        assert len(cloud.values("victim")) == 40
        assert not cloud.repeats


async def test_a_frame_cut_short_is_no_frame(tmp_path: Path) -> None:
    async with healthy_site(tmp_path) as (link, _):
        victim = Node("victim")
        victim.measure(40)
        async with dial(victim, link.port, ATTACKER) as wire:
            await wire.greet()
            payload = victim.payload(1)
            assert payload is not None
            await wire.send(wire.session.seal(frames.READINGS, payload)[:-1])
            wire.writer.write_eof()
            await wire.closed_by_hub()
        async with dial(victim, link.port) as wire:
            assert (await wire.greet()).stored_seq == 0


async def test_random_bytes_are_refused(tmp_path: Path) -> None:
    async with healthy_site(tmp_path) as (link, _):
        for _ in range(FAILURES_PER_MINUTE - 1):
            async with dial(Node("x"), link.port, ATTACKER) as wire:
                await wire.send(secrets.token_bytes(64))
                wire.writer.write_eof()
                await wire.closed_by_hub()
        assert set(link.events.codes()) == {"node_stranger"}
        assert set(link.events.open) == {("node_stranger", None)}


async def test_a_thousand_connections_without_a_key_cost_little_and_stop_nobody(tmp_path: Path) -> None:
    async with healthy_site(tmp_path) as (link, healthy):
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            writers = []
            for number in range(1000):
                source = f"127.0.1.{number % 50 + 1}"
                _, writer = await asyncio.open_connection("127.0.0.1", link.port, local_addr=(source, 0))
                writers.append(writer)
            await healthy.goes_on()
            assert link.nodes.state().refused >= 1000 - UNPROVED_MOST
            grown = tracemalloc.get_traced_memory()[0] - before
        finally:
            tracemalloc.stop()
            for writer in writers:
                writer.transport.abort()
        assert set(link.events.open) == {("node_door", None)}
        # Most of it is this test's own end of a thousand sockets.
        assert grown < 12_000_000
        newcomer = Node("newcomer")
        newcomer.measure(3)
        await _until_admitted(newcomer, link)


async def _until_admitted(node: Node, link: Link) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                async with dial(node, link.port) as wire:
                    await wire.greet()
                    await wire.bring()
                    return
            except ConnectionError:
                await asyncio.sleep(0.05)


async def test_one_address_cannot_keep_the_others_out(tmp_path: Path) -> None:
    async with healthy_site(tmp_path) as (link, _):
        writers = []
        for _ in range(UNPROVED_PER_ADDRESS * 3):
            _, writer = await asyncio.open_connection("127.0.0.1", link.port, local_addr=(ATTACKER, 0))
            writers.append(writer)
        newcomer = Node("newcomer")
        newcomer.measure(3)
        async with dial(newcomer, link.port) as wire:
            await wire.greet()
            await wire.bring()
        for writer in writers:
            writer.transport.abort()


@pytest.mark.parametrize("says", [b"", b"\0"])
async def test_a_peer_that_says_nothing_or_a_byte_at_a_time_is_closed(tmp_path: Path, says: bytes) -> None:
    async with healthy_site(tmp_path) as (link, _):
        async with dial(Node("slow"), link.port, ATTACKER) as wire:
            for _ in range(12):  # a byte a second
                if says:
                    wire.writer.write(says if wire.writer.transport.is_closing() else b"\x01")
                await asyncio.sleep(0.01)
                link.clock.advance(1)
            await wire.closed_by_hub()
        assert set(link.events.open) == {("node_stranger", None)}


@pytest.mark.parametrize("is_dripping", [False, True])
async def test_an_open_session_that_falls_silent_is_closed(tmp_path: Path, is_dripping: bool) -> None:
    async with link_at(tmp_path) as link, dial(Node("slow"), link.port) as wire:
        await wire.greet()
        sealed = wire.session.seal(frames.PING)
        for second in range(round(node_service.SILENT_S) + 2):
            if is_dripping and second < len(sealed) - 1:  # all but the last byte of a frame
                wire.writer.write(sealed[second : second + 1])
            await asyncio.sleep(0)
            link.clock.advance(1)
        await wire.closed_by_hub()
        await until(lambda: not link.nodes.state().connected)


async def test_a_node_that_only_answers_pings_stays(tmp_path: Path) -> None:
    async with link_at(tmp_path) as link, dial(Node("quiet"), link.port) as wire:
        await wire.greet()
        for _ in range(4):
            link.clock.advance(31)
            await wire.hear(frames.PING)
            await wire.say(frames.PONG)
            await wire.say(frames.PING)
            await wire.hear(frames.PONG)  # now it was heard
        assert [state.device_key for state in link.nodes.state().connected] == ["quiet"]


async def test_a_node_that_does_not_read_is_dropped(tmp_path: Path) -> None:
    async with healthy_site(tmp_path) as (link, _):
        async with dial(Node("deaf"), link.port, ATTACKER) as wire:
            await wire.greet()
            wire.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.reader._transport.pause_reading()  # type: ignore[attr-defined]
            with pytest.raises(ConnectionError):
                await _ping_for_ever(wire)
        assert [state.device_key for state in link.nodes.state().connected] == ["healthy"]


async def _ping_for_ever(wire: Wire) -> None:
    async with asyncio.timeout(DEADLINE_S):
        while True:
            await wire.send(b"".join([wire.session.seal(frames.PING) for _ in range(500)]))
            await asyncio.sleep(0)
