"""Runs the roll-out there is: follows its order, offers the release, sends its chunks, keeps the record.

Rule 1: what is decided is on disk before it is done, so a hub that comes back goes on with the same nodes.
Rule 2: chunks go out between other messages, never ahead of an acknowledgement: one for each node, when
    nothing else waits for it, and no more of all together than updates.Pace allows.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol

from hub.errors import OperatorNeeded
from hub.nodes.link_service import Link
from hub.nodes.release import Release
from hub.nodes.rollout import Rollout, RolloutState
from hub.nodes.rollout_record import ABORTED, STOPPED, Order, RolloutStore
from hub.nodes.updates import BEFORE_TRIAL, Pace
from hub.ports import Clock, EventSink
from shared_schema import frames
from shared_schema.digest import node_key
from shared_schema.greeting import TRIAL_BOOT
from shared_schema.update_messages import ChunkWanted, encode_chunk, encode_update

log = logging.getLogger("penstock.nodes.update")

LOOK_S = 1.0
TURN_LEAST_S = 0.002  # below it, timers are no more exact


class ReleaseStore(Protocol):
    """Where releases are kept (release_io.ReleaseFolders)."""

    def read(self, name: str, *, allows_older: bool) -> Release:
        """Return a release. Raises OperatorNeeded when it is not there, or damaged."""
        ...


class UpdateService:
    """The roll-out of a hub. links: the open sessions by device key, as they are at any moment."""

    def __init__(
        self,
        site_key: bytes,
        files: RolloutStore,
        releases: ReleaseStore,
        links: Mapping[str, Link],
        *,
        clock: Clock,
        events: EventSink,
    ) -> None:
        self._site_key = site_key
        self._files = files
        self._releases = releases
        self._links = links
        self._clock = clock
        self._events = events
        self._mark: object = None
        self._rollout: Rollout | None = None
        self._release: Release | None = None
        self._pace = Pace(clock.monotonic_s())
        self._is_wanted = asyncio.Event()

    def state(self) -> RolloutState | None:
        """Return how the roll-out stands; None when there was never one."""
        return self._rollout.state(self._clock.monotonic_s()) if self._rollout else None

    async def run(self) -> None:
        """Look and send until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_for_ever())
            tasks.create_task(self._send_for_ever())

    # What nodes do.

    def dialled(self, link: Link) -> None:
        """Take note of a session that began just now."""
        if self._rollout is not None and link.talk is not None:
            hello = link.talk.hello
            is_trial = bool(hello.flags & TRIAL_BOOT)
            now_s = self._clock.monotonic_s()
            self._rollout.dialled(hello.device_key, hello.firmware_version, now_s, is_trial=is_trial)

    def hear(self, link: Link) -> None:
        """Take what a node said of its update. Raises LinkError when it asks for what there is not."""
        talk = link.talk
        if talk is None or not talk.about_update:
            return
        said, talk.about_update = talk.about_update, []
        for message in said if self._rollout else ():
            if isinstance(message, ChunkWanted):
                self._want(talk.key, message)
            elif self._rollout is not None:
                self._rollout.reported(talk.key, message, self._clock.monotonic_s())

    def rows_stored(self, device_key: str) -> None:
        """Take note that readings of a node are on disk."""
        if self._rollout is not None:
            self._rollout.rows_stored(device_key, self._clock.monotonic_s())

    def _want(self, device_key: str, wanted: ChunkWanted) -> None:
        if self._release is None or self._rollout is None:
            return
        length = len(self._release.chunk(wanted).data)
        before = self._release.bytes_before(wanted)
        if self._rollout.asked(device_key, before, length, self._clock.monotonic_s()):
            self._pace.want(device_key, wanted)
            self._is_wanted.set()

    # What people want.

    async def _look_for_ever(self) -> None:
        while True:
            try:
                await self._look()
                self._events.clear_event("node_update_file")
            except OperatorNeeded as error:
                self._events.raise_event("error", "node_update_file", str(error))
            await asyncio.sleep(LOOK_S)

    async def _look(self) -> None:
        mark = self._files.mark()
        if mark != self._mark:
            await self._follow(await asyncio.to_thread(self._files.load_order))
            self._mark = mark
        rollout = self._rollout
        if rollout is None:
            return
        to_tell = rollout.look(self._links, self._clock.monotonic_s())
        await self._save(rollout)
        for device_key in to_tell:
            self._offer(device_key)

    async def _follow(self, order: Order | None) -> None:
        """Begin with the order, or do what it wishes of the roll-out there is."""
        now_s = self._clock.monotonic_s()
        if order is None:
            self._rollout, self._release = None, None
        elif self._rollout is not None and self._rollout.order.order_id == order.order_id:
            self._rollout.follow(order, now_s)
        else:
            record = await asyncio.to_thread(self._files.load_record)
            self._rollout, self._release = Rollout(order, record, now_s), None
            for link in self._links.values():
                self.dialled(link)
        if self._rollout is not None and self._release is None and self._rollout.is_going_on:
            await self._load_release(self._rollout)
        if self._rollout is not None and self._rollout.record.status == ABORTED:
            self._let_go(self._rollout)

    async def _load_release(self, rollout: Rollout) -> None:
        order = rollout.order
        try:
            self._release = await asyncio.to_thread(
                self._releases.read, order.release, allows_older=order.allows_older
            )
            rollout.size_bytes = self._release.size
        except OperatorNeeded as error:
            rollout.stop(str(error))

    def _let_go(self, rollout: Rollout) -> None:
        """Have nodes forget what they are fetching, which a new session does."""
        for device_key, node in rollout.record.nodes.items():
            if node.state in BEFORE_TRIAL and (link := self._links.get(device_key)) is not None:
                link.drop("its update was aborted")

    async def _save(self, rollout: Rollout) -> None:
        record = rollout.record
        if record.status == STOPPED:
            message = f"the update to {rollout.order.version} stopped: {record.reason}"
            self._events.raise_event("error", "node_update", f"{message}; penstock node update --status")
        else:
            self._events.clear_event("node_update")
        if rollout.is_changed:
            rollout.is_changed = False
            log.info(
                "update to %s: %s, stage %d %s",
                rollout.order.version,
                record.status,
                record.stage + 1,
                record.reason,
            )
            try:
                await asyncio.to_thread(self._files.put_record, record)
            except OperatorNeeded:
                rollout.is_changed = True
                raise

    # What is sent.

    def _offer(self, device_key: str) -> None:
        link = self._links.get(device_key)
        if link is not None and link.talk is not None and self._release is not None:
            key = node_key(self._site_key, device_key, link.talk.hello.generation)
            link.say(frames.UPDATE, encode_update(self._release.offer(key)))

    async def _send_for_ever(self) -> None:
        while True:
            await self._is_wanted.wait()
            turn = self._pace.next(self._clock.monotonic_s())
            if turn is not None:
                self._send(*turn)
                await asyncio.sleep(0)  # what was stored meanwhile is acknowledged first
            elif (wait_s := self._pace.wait_s()) is not None:
                await asyncio.sleep(max(TURN_LEAST_S, wait_s))
            else:
                self._is_wanted.clear()

    def _send(self, device_key: str, wanted: ChunkWanted) -> None:
        link, rollout = self._links.get(device_key), self._rollout
        if link is None or rollout is None or self._release is None or not rollout.is_going_on:
            return
        if link.unsent_bytes:
            self._pace.want(device_key, wanted)
        else:
            link.say(frames.CHUNK, encode_chunk(self._release.chunk(wanted)))
