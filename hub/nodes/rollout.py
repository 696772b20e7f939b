"""A release comes to a fleet in stages: one node, a share of them, all. Pure; times are monotonic.

Rule 1: the next stage begins when every node of this one is confirmed, and readings of each of them flowed
    for wait_s after the last one was.
Rule 2: a node that refuses, fails, rolls back or falls silent stops everything: nobody new is offered
    anything, and nobody is sent bytes. What is on trial ends its trial by itself.
Rule 3: whoever says run again has seen the trouble. Nodes in trouble are left alone then; those that were
    only silent are tried again.
Rule 4: only connected nodes are begun with. The others get their turn when they dial.
"""

from collections.abc import Collection
from math import ceil
from typing import NamedTuple

from hub.nodes.rollout_record import (
    ABORT,
    ABORTED,
    ENDED,
    FINISHED,
    PAUSE,
    PAUSED,
    RUNNING,
    STOPPED,
    Order,
    Record,
)
from hub.nodes.updates import (
    BEFORE_TRIAL,
    CONFIRMED,
    FETCHING,
    OFFERED,
    SILENT,
    TRIAL,
    TROUBLE,
    UNDER_WAY,
    WAITING,
    NodeUpdate,
)
from shared_schema.update_messages import UpdateReport

STALLED_S = 300.0  # without a question for bytes: a node on bad Wi-Fi is back within two minutes
TRIAL_S = 2100.0  # three boots of ten minutes (firmware/node/trial.py), and the way back
FLOW_LEAST_S = 30.0  # readings further apart than this, or a third of wait_s, do not flow
UNDER_WAY_MOST = 50  # at a time: what one update costs a site if it goes wrong


class NodeProgress(NamedTuple):
    """One node, as people are shown it. text: why, when it is in trouble."""

    device_key: str
    state: str
    percent: int
    text: str


class RolloutState(NamedTuple):
    """How a roll-out stands. stage: from 1. settles_s: until the next stage may begin; None: not yet."""

    order_id: str
    wish_number: int
    version: str
    status: str
    reason: str
    stage: int
    stages: int
    settles_s: float | None
    nodes: tuple[NodeProgress, ...]


class Rollout:
    """One roll-out. record: how far it is; is_changed: that has to be written to disk.

    size_bytes: of the release, once it was read.
    """

    def __init__(self, order: Order, record: Record | None, now_s: float) -> None:
        is_known = record is not None and record.order_id == order.order_id
        self.order = order
        self.record = record if record is not None and is_known else Record(order.order_id)
        self.record.nodes = {key: self.record.nodes.get(key, NodeUpdate()) for key in order.nodes}
        self.is_changed = not is_known
        self.size_bytes = 0
        self._bytes: dict[str, int] = {}
        self._told: set[str] = set()
        self._heard_s = dict.fromkeys(order.nodes, now_s)
        self._rows_s: dict[str, float] = {}
        self._settled_s: float | None = None
        self.follow(order, now_s)

    @property
    def is_going_on(self) -> bool:
        """Whether nodes are offered the release and sent its bytes."""
        return self.record.status == RUNNING

    def state(self, now_s: float) -> RolloutState:
        """Return how it stands."""
        order, record = self.order, self.record
        settles_s = None if self._settled_s is None else max(0.0, self._settled_s + order.wait_s - now_s)
        nodes = tuple(
            NodeProgress(key, node.state, self._percent(key, node.state), node.text)
            for key, node in record.nodes.items()
        )
        stages = len(self._stages)
        stage = min(record.stage + 1, stages)
        return RolloutState(
            order.order_id,
            record.wish_number,
            order.version,
            record.status,
            record.reason,
            stage,
            stages,
            settles_s,
            nodes,
        )

    # What people want.

    def follow(self, order: Order, now_s: float) -> None:
        """Do what the order wishes, once."""
        if order.wish_number == self.record.wish_number:
            return
        self.order = order
        self.record.wish_number = order.wish_number
        self.is_changed = True
        if self.record.status in ENDED:
            return
        if order.wish == ABORT:
            self.record.status = ABORTED
        elif order.wish == PAUSE:
            self.record.status = PAUSED if self.record.status == RUNNING else self.record.status
        else:
            self._go_on(now_s)

    def _go_on(self, now_s: float) -> None:
        record = self.record
        record.status, record.reason = RUNNING, ""
        for key, node in record.nodes.items():
            if node.state == SILENT:
                record.nodes[key] = NodeUpdate()
        record.excused = tuple(key for key, node in record.nodes.items() if node.state in TROUBLE)
        self._heard_s = dict.fromkeys(record.nodes, now_s)
        self._told.clear()
        self._settled_s = None

    def stop(self, reason: str) -> None:
        """Stop, for a person to look."""
        if self.record.status not in ENDED:
            self.record.status, self.record.reason = STOPPED, reason
            self.is_changed = True

    # What nodes do.

    def dialled(self, device_key: str, version: str, now_s: float, *, is_trial: bool) -> None:
        """Take note of a new session. version: what the node runs."""
        self._told.discard(device_key)
        node = self.record.nodes.get(device_key)
        if node is None:
            return
        if version == self.order.version and node.state in UNDER_WAY | {WAITING}:
            self._move(device_key, node.moved(TRIAL if is_trial else CONFIRMED), now_s)
        elif node.state in BEFORE_TRIAL:
            self._heard_s[device_key] = now_s

    def reported(self, device_key: str, report: UpdateReport, now_s: float) -> None:
        """Take what a node says of its update."""
        node = self.record.nodes.get(device_key)
        if node is not None:
            has_all = self._bytes.get(device_key, 0) >= self.size_bytes
            self._move(device_key, node.after(report, self.order.version, has_all=has_all), now_s)

    def asked(self, device_key: str, before_bytes: int, length_bytes: int, now_s: float) -> bool:
        """Take a question for length_bytes behind before_bytes; return whether it is to be answered."""
        node = self.record.nodes.get(device_key)
        if node is None or node.state not in BEFORE_TRIAL or self.record.status != RUNNING:
            return False
        self._bytes[device_key] = before_bytes + length_bytes
        self._heard_s[device_key] = now_s
        if node.state == OFFERED:
            self._move(device_key, node.moved(FETCHING), now_s)
        return True

    def rows_stored(self, device_key: str, now_s: float) -> None:
        """Take note that readings of a node came to the disk."""
        self._rows_s[device_key] = now_s

    # What follows from it.

    def look(self, connected: Collection[str], now_s: float) -> list[str]:
        """Move on; return the nodes to be offered the release now."""
        record = self.record
        if record.status != RUNNING:
            return []
        self._find_silent(now_s)
        if (trouble := self._trouble()) is not None:
            self.stop(trouble)
            return []
        if self._is_stage_over(now_s):
            self._end_stage()
        if record.status == RUNNING:
            self._begin(connected, now_s)
        to_tell = [key for key in self._in(BEFORE_TRIAL) if key in connected and key not in self._told]
        self._told.update(to_tell)
        return to_tell

    def _find_silent(self, now_s: float) -> None:
        flow_s = self._flow_s
        for key, node in list(self.record.nodes.items()):
            silent_s = now_s - self._heard_s[key]
            if node.state in BEFORE_TRIAL and silent_s > STALLED_S:
                self._move(key, node.moved(SILENT, f"asked for nothing for {silent_s:.0f} s"), now_s)
            elif node.state == TRIAL and silent_s > TRIAL_S:
                self._move(key, node.moved(SILENT, f"its trial has not ended in {silent_s:.0f} s"), now_s)
            elif node.state == CONFIRMED and node.stage == self.record.stage:
                silent_s = now_s - max(self._heard_s[key], self._rows_s.get(key, 0.0))
                if silent_s > flow_s:
                    self._move(key, node.moved(SILENT, f"no readings for {silent_s:.0f} s"), now_s)

    def _trouble(self) -> str | None:
        for key in self._in(TROUBLE):
            if key not in self.record.excused:
                node = self.record.nodes[key]
                return f"{key} {node.state}" + (f": {node.text}" if node.text else "")
        return None

    def _is_stage_over(self, now_s: float) -> bool:
        """Whether all that this stage wanted are confirmed and their readings flowed for long enough."""
        confirmed = self._in({CONFIRMED})
        if self._in(UNDER_WAY) or len(confirmed) < self._target or self._first_to_go:
            self._settled_s = None
            return False
        if self._settled_s is None:
            self._settled_s = now_s
        of_stage = [key for key in confirmed if self.record.nodes[key].stage == self.record.stage]
        flow = all(self._rows_s.get(key, -1.0) >= self._heard_s[key] for key in of_stage)
        return flow and now_s - self._settled_s >= self.order.wait_s

    def _end_stage(self) -> None:
        self._settled_s = None
        self.record.stage += 1
        if self.record.stage == len(self._stages):
            self.record.status = FINISHED
        self.is_changed = True

    def _begin(self, connected: Collection[str], now_s: float) -> None:
        under_way = len(self._in(UNDER_WAY))
        room = min(self._target - len(self._in({CONFIRMED})) - under_way, UNDER_WAY_MOST - under_way)
        waiting = [key for key in self._in({WAITING}) if key in connected]
        if self._first_to_go:
            waiting, room = [key for key in waiting if key == self.order.first], 1
        for key in waiting[: max(0, room)]:
            self._bytes.pop(key, None)
            self._move(key, NodeUpdate(OFFERED, stage=self.record.stage), now_s)

    @property
    def _stages(self) -> list[int]:
        """How many nodes have to be confirmed at the end of each stage."""
        count = len(self.record.nodes)
        return sorted({1, ceil(count * self.order.share_percent / 100), count})

    @property
    def _target(self) -> int:
        available = len(self.record.nodes) - len(self.record.excused)
        return min(self._stages[self.record.stage], available)

    @property
    def _first_to_go(self) -> bool:
        """Whether the node that somebody wants to be the first is not done yet."""
        first, record = self.order.first, self.record
        is_wanted = record.stage == 0 and first in record.nodes and first not in record.excused
        return is_wanted and record.nodes[first].state != CONFIRMED

    @property
    def _flow_s(self) -> float:
        return max(FLOW_LEAST_S, self.order.wait_s / 3)

    def _in(self, states: Collection[str]) -> list[str]:
        return [key for key, node in self.record.nodes.items() if node.state in states]

    def _move(self, device_key: str, node: NodeUpdate, now_s: float) -> None:
        before = self.record.nodes[device_key]
        if node.state == before.state:
            return
        if before.state == WAITING:  # it has the release already, or is on its way by another's order
            node = NodeUpdate(node.state, node.text, self.record.stage)
        self.record.nodes[device_key] = node
        self._heard_s[device_key] = now_s
        self.is_changed = True

    def _percent(self, device_key: str, state: str) -> int:
        if state in {TRIAL, CONFIRMED}:
            return 100
        fetched = self._bytes.get(device_key, 0) if state in BEFORE_TRIAL else 0
        return 100 * fetched // max(1, self.size_bytes)
