"""Takes samples by the plan, makes rows of them, and tries new configurations. Knows no network.

Goes on whether a hub is there or not: rows go to the ring, and the ring waits.
"""

import asyncio

from firmware.node.plan import Group, Plan
from firmware.node.sensors import SensorGroup
from firmware.node.settings import CANNOT_SLEEP, Refused
from firmware.node.window import Window
from shared_schema.enums import TimeQuality

LOOK_EVERY_MS = 1000  # for a new configuration, and to be seen alive while nothing is due


class Sampling:
    """The node's measuring half. plan: of what holds now.

    write: takes a row; into the ring, unless somebody put another in its place.
    """

    def __init__(self, node) -> None:
        self._node = node
        self._windows = {}
        self.plan = Plan([], 0)
        self.samples = 0
        self.write = self._to_ring

    async def run(self) -> None:
        """Sample for ever."""
        node = self._node
        self.begin()
        while True:
            await self.try_wanted()
            now_ms = node.ticks.now_ms()
            group = self.plan.next_due(now_ms)
            if group is None:
                if not self.plan.groups:
                    node.progress.made(now_ms)  # there is nothing to get on with
                await asyncio.sleep(self.plan.wait_ms(now_ms, LOOK_EVERY_MS) / 1000)
            else:
                await self._sample(group)

    def begin(self) -> None:
        """Start the sensors of the configuration that holds."""
        node = self._node
        try:
            self._install(self._build(node.configuration.settings))
        except Exception as error:  # noqa: BLE001 - a node that measures nothing can still be told better
            what = "version %d" % node.configuration.version
            node.events.trouble("config_failed", what, str(error) or repr(error))

    async def sample_all(self) -> None:
        """Sample every group once."""
        for group in self.plan.groups:
            await self._sample(group)

    async def try_wanted(self) -> None:
        """Try the configuration that a hub wants, if any."""
        if self._node.configuration.wanted:
            await self._try_configuration()

    def sample_now(self) -> None:
        """Make every group due; windows go on as they are."""
        now_ms = self._node.ticks.now_ms()
        for group in self.plan.groups:
            group.next_ms = now_ms

    async def _sample(self, group: Group) -> None:
        node = self._node
        sensors, window = group.sensors, self._windows[group.kind.id]
        await sensors.read()
        now_ms = node.ticks.now_ms()
        window.add(sensors.values, sensors.quality)
        self.samples += 1
        node.progress.made(now_ms)
        if group.step(now_ms):
            self._write_row(group, window, now_ms)

    def _write_row(self, group: Group, window: Window, now_ms: int) -> None:
        taken = window.take()
        if taken is None:
            return
        values, quality = taken
        self.write(group, now_ms, values, quality)

    def _to_ring(self, group: Group, now_ms: int, values, quality: int) -> None:
        node, kind_id = self._node, group.kind.id
        try:
            if node.clock.is_known:
                node.ring.append(kind_id, node.clock.unix_ms(now_ms), values, quality, TimeQuality.SYNCED)
            else:
                node.ring.append(kind_id, now_ms, values, quality, boot=node.ring.boot)
        except OSError as error:
            node.events.trouble("flash_failed", "ring", repr(error))
        node.row_waits(now_ms)

    async def _try_configuration(self) -> None:
        """Put a wanted configuration in place when its sensors start and can be read once."""
        configuration = self._node.configuration
        before = configuration.settings
        try:
            groups = self._build(_possible(configuration.begin_trial(), self._node.board))
            for group in groups:
                await group.sensors.read()
        except Exception as error:  # noqa: BLE001 - whatever a driver makes of its options
            configuration.roll_back(str(error) or repr(error))
        else:
            configuration.keep()
            self._install(groups)
            self._node.configured(before)
        self._node.wake()

    def _build(self, settings):
        node = self._node
        groups = []
        for rhythm in settings.rhythms:
            sensors = SensorGroup(node, rhythm)
            sensors.start()
            if settings.is_broadcasting:
                from firmware.node.broadcast import broadcaster  # noqa: PLC0415 - few nodes have it in memory

                broadcaster(sensors, None, node.identity.key, bytes(6), 0)
            groups.append(Group(rhythm.kind, rhythm.interval_s * 1000, rhythm.window_s * 1000, sensors))
        return groups

    def _install(self, groups) -> None:
        self._windows = {group.kind.id: Window(group.kind) for group in groups}
        self.plan = Plan(groups, self._node.ticks.now_ms())
        self._node.progress.expect_every(self.plan.slowest_ms)


def _possible(settings, board):
    """Return the settings. Raises Refused when this board cannot do as they say."""
    if settings.battery is not None and not board.can_sleep:
        raise Refused(CANNOT_SLEEP)
    return settings
