"""A roll-out goes on only while every node it touched is well."""

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.nodes import rollout_record as records
from hub.nodes.rollout import FLOW_LEAST_S, STALLED_S, TRIAL_S, UNDER_WAY_MOST, Rollout
from hub.nodes.rollout_record import Order, Record, decode_order, decode_record, encode
from hub.nodes.updates import (
    CONFIRMED,
    FETCHING,
    OFFERED,
    REVERTED,
    SILENT,
    TRIAL,
    TROUBLE,
    UNDER_WAY,
    WAITING,
)
from shared_schema.update_messages import UpdateReport, UpdateState

NEW, OLD = "1.5.0", "1.4.0"
WAIT_S = 600.0


class Fleet:
    """Nodes that do as a test says, and the roll-out under test."""

    def __init__(self, count: int = 10, **order: object) -> None:
        self.keys = [f"node-{number}" for number in range(count)]
        self.order = Order("1", "folder", NEW, tuple(self.keys), **{"wait_s": WAIT_S, **order})  # type: ignore[arg-type]
        self.now_s = 1000.0
        self.connected = set(self.keys)
        self.rollout = self.begun(None)

    def begun(self, record: Record | None) -> Rollout:
        rollout = Rollout(self.order, record, self.now_s)
        rollout.size_bytes = 100_000
        return rollout

    def look(self, later_s: float = 1.0) -> list[str]:
        self.now_s += later_s
        return self.rollout.look(self.connected, self.now_s)

    def say(self, key: str, state: int, version: str = NEW) -> None:
        self.rollout.reported(key, UpdateReport(state, version), self.now_s)

    def fetch(self, key: str) -> None:
        assert self.rollout.asked(key, 99_000, 1000, self.now_s)
        self.say(key, UpdateState.TRIAL)

    def confirm(self, *keys: str) -> None:
        for key in keys:
            self.fetch(key)
            self.say(key, UpdateState.CONFIRMED)

    def flow(self) -> None:
        for key in self.connected:
            self.rollout.rows_stored(key, self.now_s)

    def settle(self) -> list[str]:
        """Let readings flow until the next stage begins; return who is offered the release then."""
        self.look()
        for _ in range(int(WAIT_S / 10) + 1):
            self.flow()
            if offered := self.look(10.0):
                return offered
        return []

    def wish(self, wish: str) -> None:
        self.order = replace(self.order, wish=wish, wish_number=self.order.wish_number + 1)
        self.rollout.follow(self.order, self.now_s)

    def states(self) -> dict[str, str]:
        return {key: node.state for key, node in self.rollout.record.nodes.items()}

    @property
    def status(self) -> str:
        return self.rollout.record.status


def test_one_then_a_share_then_all() -> None:
    fleet = Fleet(10, share_percent=30)
    first = fleet.look()
    assert len(first) == 1
    fleet.confirm(*first)
    second = fleet.settle()
    assert len(second) == 2
    fleet.confirm(*second)
    rest = fleet.settle()
    assert sorted(first + second + rest) == fleet.keys
    fleet.confirm(*rest)
    assert fleet.settle() == []
    assert fleet.status == records.FINISHED


def test_the_next_stage_waits_until_readings_flowed_for_the_set_time() -> None:
    fleet = Fleet(2)
    (first,) = fleet.look()
    fleet.confirm(first)
    fleet.look()
    for _ in range(int(WAIT_S) - 1):
        fleet.flow()
        assert fleet.look(1.0) == []
    fleet.flow()
    assert len(fleet.look(1.0)) == 1


def test_without_a_reading_since_it_was_confirmed_the_next_stage_never_begins() -> None:
    fleet = Fleet(2, wait_s=10.0)
    fleet.flow()
    (first,) = fleet.look()
    fleet.confirm(first)
    for _ in range(int(FLOW_LEAST_S)):
        assert fleet.look(1.0) == []
    assert fleet.look(2.0) == []
    assert fleet.states()[first] == SILENT
    assert fleet.status == records.STOPPED


def test_the_one_somebody_names_is_the_first_even_when_another_has_the_release() -> None:
    fleet = Fleet(3, first="node-2")
    fleet.rollout.dialled("node-1", NEW, fleet.now_s, is_trial=False)
    assert fleet.look() == ["node-2"]
    fleet.fetch("node-2")
    assert fleet.settle() == []
    assert fleet.rollout.record.stage == 0
    fleet.say("node-2", UpdateState.CONFIRMED)
    assert fleet.settle() == ["node-0"]


def test_the_first_that_is_away_is_waited_for() -> None:
    fleet = Fleet(3, first="node-2")
    fleet.connected.discard("node-2")
    fleet.rollout.dialled("node-1", NEW, fleet.now_s, is_trial=False)
    assert fleet.settle() == []
    assert fleet.rollout.record.stage == 0


@pytest.mark.parametrize("state", [UpdateState.REFUSED, UpdateState.FAILED])
def test_a_node_in_trouble_stops_everything_until_somebody_has_seen_it(state: int) -> None:
    fleet = Fleet(3)
    (first,) = fleet.look()
    fleet.say(first, state)
    assert fleet.look() == []
    assert fleet.status == records.STOPPED
    assert first in fleet.rollout.record.reason
    assert fleet.look(WAIT_S) == []

    fleet.wish(records.RUN)
    (second,) = fleet.look()
    assert second != first
    assert fleet.status == records.RUNNING
    fleet.confirm(second)
    (third,) = fleet.settle()
    fleet.confirm(third)
    fleet.settle()
    assert fleet.status == records.FINISHED


def test_after_trouble_in_a_stage_those_on_their_way_get_no_more_bytes() -> None:
    fleet = Fleet(3, share_percent=100)
    fleet.confirm(*fleet.look())
    one, other = fleet.settle()
    fleet.fetch(one)
    fleet.say(one, UpdateState.REVERTED)
    fleet.rollout.dialled(other, OLD, fleet.now_s, is_trial=False)
    assert fleet.look() == []
    assert not fleet.rollout.asked(other, 0, 1000, fleet.now_s)


@pytest.mark.parametrize(
    ("state", "limit_s"), [(OFFERED, STALLED_S), (FETCHING, STALLED_S), (TRIAL, TRIAL_S)]
)
def test_a_node_that_falls_silent_stops_everything_and_is_tried_again(state: str, limit_s: float) -> None:
    fleet = Fleet(2)
    (first,) = fleet.look()
    if state != OFFERED:
        fleet.rollout.asked(first, 0, 1000, fleet.now_s)
    if state == TRIAL:
        fleet.fetch(first)
    fleet.look(limit_s - 1)
    assert fleet.states()[first] == state
    fleet.look(2)
    assert fleet.states()[first] == SILENT
    assert fleet.status == records.STOPPED

    fleet.wish(records.RUN)
    assert fleet.look() == [first]


def test_a_node_that_dials_again_is_offered_the_release_again_and_another_is_not_begun() -> None:
    fleet = Fleet(3)
    (first,) = fleet.look()
    fleet.connected.discard(first)
    assert fleet.look() == []
    fleet.rollout.dialled(first, OLD, fleet.now_s, is_trial=False)
    fleet.connected.add(first)
    assert fleet.look() == [first]
    assert fleet.look() == []


def test_a_node_that_is_away_gets_its_turn_when_it_dials() -> None:
    fleet = Fleet(2)
    fleet.connected = {"node-1"}
    assert fleet.look() == ["node-1"]
    fleet.confirm("node-1")
    assert fleet.settle() == []
    assert fleet.status == records.RUNNING
    fleet.connected.add("node-0")
    assert fleet.look() == ["node-0"]


def test_a_node_that_has_the_release_is_not_offered_it() -> None:
    fleet = Fleet(1)
    fleet.rollout.dialled("node-0", NEW, fleet.now_s, is_trial=False)
    assert fleet.settle() == []
    assert fleet.status == records.FINISHED


def test_a_pause_sends_nothing_and_resuming_offers_again() -> None:
    fleet = Fleet(2)
    (first,) = fleet.look()
    fleet.wish(records.PAUSE)
    assert fleet.look() == []
    assert not fleet.rollout.asked(first, 0, 1000, fleet.now_s)
    fleet.look(10 * STALLED_S)
    assert fleet.status == records.PAUSED

    fleet.wish(records.RUN)
    assert fleet.look() == [first]


def test_a_trial_ends_during_a_pause() -> None:
    fleet = Fleet(2)
    (first,) = fleet.look()
    fleet.fetch(first)
    fleet.wish(records.PAUSE)
    fleet.say(first, UpdateState.CONFIRMED)
    assert fleet.states()[first] == CONFIRMED


def test_what_is_aborted_or_finished_does_not_begin_again() -> None:
    fleet = Fleet(2)
    fleet.wish(records.ABORT)
    fleet.wish(records.RUN)
    assert fleet.look() == []
    assert fleet.status == records.ABORTED


def test_a_great_fleet_is_not_under_way_all_at_once() -> None:
    fleet = Fleet(300)
    fleet.confirm(*fleet.look())
    assert len(fleet.settle()) == UNDER_WAY_MOST


def test_the_record_of_another_order_is_not_gone_on_with() -> None:
    fleet = Fleet(2)
    fleet.look()
    fleet.order = replace(fleet.order, order_id="2")
    assert set(fleet.begun(fleet.rollout.record).record.nodes.values()) == set(
        Fleet(2).rollout.record.nodes.values()
    )


@given(st.binary(max_size=100))
def test_random_bytes_are_no_file_of_a_roll_out(content: bytes) -> None:
    for decode in (decode_order, decode_record):
        with pytest.raises(ValueError):  # noqa: PT011 - whatever it says
            decode(content)


@pytest.mark.parametrize(
    "change",
    [{"wish": "fly"}, {"nodes": []}, {"nodes": [3]}, {"wait_s": "x"}, {"share_percent": 0}, {"format": 9}],
)
def test_an_order_that_cannot_be_followed_is_named(change: dict[str, object]) -> None:
    content = json.dumps(json.loads(encode(Fleet(2).order)) | change).encode()
    with pytest.raises(ValueError, match=r"is |has "):
        decode_order(content)


class Life:
    """A fleet in which anything happens, in an order that chance gives."""

    def __init__(self, rng: random.Random, badness: float) -> None:
        self.rng = rng
        self.badness = badness
        self.fleet = Fleet(
            rng.randint(1, 12), share_percent=rng.randint(1, 100), wait_s=rng.choice([0.0, 30.0, 60.0])
        )

    def step(self) -> None:
        fleet, rng = self.fleet, self.rng
        key = rng.choice(fleet.keys)
        state = fleet.states()[key]
        if rng.random() < 0.1:
            fleet.connected ^= {key}
            if key in fleet.connected:
                fleet.rollout.dialled(
                    key, NEW if state in {TRIAL, CONFIRMED} else OLD, fleet.now_s, is_trial=state == TRIAL
                )
        elif rng.random() < 0.1:
            fleet.rollout = fleet.begun(decode_record(encode(fleet.rollout.record)))  # the hub was killed
        elif key in fleet.connected and state in {OFFERED, FETCHING}:
            if fleet.rollout.asked(key, 99_000, 1000, fleet.now_s):
                fleet.say(key, UpdateState.FAILED if rng.random() < self.badness else UpdateState.TRIAL)
        elif key in fleet.connected and state == TRIAL:
            fleet.say(key, UpdateState.REVERTED if rng.random() < self.badness else UpdateState.CONFIRMED)
        fleet.flow()


@settings(max_examples=30, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([0.0, 0.2]))
def test_whatever_happens_no_more_nodes_are_touched_than_the_stage_allows(
    rng: random.Random, badness: float
) -> None:
    life = Life(rng, badness)
    fleet = life.fleet
    for _ in range(120):
        life.step()
        touched_before = {key for key, state in fleet.states().items() if state != WAITING}
        was_trouble = any(state in TROUBLE for state in fleet.states().values())
        fleet.look()
        now = fleet.states()
        touched = {key for key, state in now.items() if state != WAITING}
        if was_trouble:
            assert touched == touched_before, "somebody was begun after trouble"
        stages = fleet.rollout.state(fleet.now_s).stages
        if fleet.rollout.record.stage < stages:
            assert len(touched) <= fleet.rollout._target
    if not badness:
        fleet.connected = set(fleet.keys)
        for _ in range(400):
            for key in fleet.keys:
                if fleet.states()[key] in UNDER_WAY and fleet.rollout.asked(key, 99_000, 1000, fleet.now_s):
                    fleet.say(key, UpdateState.TRIAL)
                fleet.say(key, UpdateState.CONFIRMED)
            fleet.flow()
            fleet.look()
        assert fleet.status in {records.FINISHED, records.STOPPED}
        assert fleet.status == records.FINISHED or SILENT in fleet.states().values()
    assert REVERTED not in fleet.states().values() or badness
