"""The outbox against a list, with power cuts between any two steps."""

import asyncio
import itertools
import os
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from hub.ports import Batch
from shared_schema.enums import Lane
from tests.hub.outbox.site import LANES, Cloud, Site, flow, reading, send_all

DEVICES = ("tank-1", "tank-2", "site-hub")
SOAK_EXAMPLES = (
    int(os.environ.get("PENSTOCK_SOAK", "10000")) // 4
)  # of 40 steps, of which one in ten or so is a power cut


class OutboxAgainstList(RuleBasedStateMachine):
    """promised: values whose append returned, in order, by device. Every value is used once.

    What is drawn depends on nothing the outbox did: it commits and lends by a real clock, and the same draws
    must be possible again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp(prefix="outbox-"))
        self.numbers = itertools.count(1)
        self.lives = itertools.count(1)
        self.promised: dict[str, list[float]] = {key: [] for key in DEVICES}
        self.loans: list[Batch] = []
        self.cloud = Cloud()
        self.refused: set[tuple[str, int]] = set()

    def do(self, step: Any) -> Any:
        return self.runner.run(step)

    @initialize()
    def open(self) -> None:
        async def start() -> Site:
            site = Site(self.folder / "0" / "outbox.db", settle_interval_s=3600.0)
            await site.open()
            return site

        self.site = self.do(start())

    def _rows(self, device: str, count: int) -> list[Any]:
        values = [float(next(self.numbers)) for _ in range(count)]
        return [flow(device, int(value), value) for value in values]

    @rule(
        device=st.sampled_from(DEVICES),
        count=st.integers(1, 30),
        lane=st.sampled_from((Lane.ALARM, Lane.LIVE)),
    )
    def append(self, device: str, count: int, lane: int) -> None:
        rows = self._rows(device, count)
        self.do(self.site.outbox.append(rows, lane))
        self.promised[device] += [row.values[0] for row in rows]

    @rule(count=st.integers(1, 3))
    def append_many_kinds(self, count: int) -> None:
        at = next(self.numbers)
        rows = [reading("pump", kind, at) for kind in ("power", "deep", "error")[:count]]
        self.do(self.site.outbox.append(rows, Lane.LIVE))

    @rule(device=st.sampled_from(DEVICES), count=st.integers(1, 30))
    def offer(self, device: str, count: int) -> None:
        self.do(self.site.outbox.offer(self._rows(device, count)))

    @rule(lane=st.sampled_from(LANES), limit=st.integers(1, 40))
    def take(self, lane: int, limit: int) -> None:
        batch = self.do(self.site.outbox.take(limit, lane))
        if batch is not None:
            assert 1 <= len(batch) <= limit
            self.loans.append(batch)

    @rule(seed=st.integers(0, 2**32 - 1))
    def settle(self, seed: int) -> None:
        if not self.loans:
            return
        dice = random.Random(seed)
        batch = self.loans.pop(dice.randrange(len(self.loans)))
        fates = dice.choices("ssskr", k=len(batch))
        stored = [at for at, fate in enumerate(fates) if fate == "s"]
        rejected = {at: "no" for at, fate in enumerate(fates) if fate == "r"}
        self.cloud.store(batch, stored)
        self.refused |= {(batch.device_keys[at], batch.seqs[at]) for at in rejected}
        rest_s = dice.choice((0.0, 0.001, 3600.0))
        self.do(self.site.outbox.settle(batch, stored, rejected, rest_s))

    @rule()
    def lose_the_answer(self) -> None:
        if not self.loans:
            return
        batch = self.loans.pop()
        self.cloud.store(batch, range(len(batch)))
        self.do(self.site.outbox.settle(batch, (), {}))

    @rule()
    def mark_backlog(self) -> None:
        self.do(self.site.outbox.mark_backlog())

    @rule()
    def cut_power(self) -> None:
        self.do(self.site.cut_power(self.folder / str(next(self.lives)) / "outbox.db"))
        self.loans.clear()

    @rule()
    def restart(self) -> None:
        async def again() -> None:
            await self.site.stop()
            self.site.start()
            await self.site.open()

        self.do(again())
        self.loans.clear()

    @invariant()
    def no_row_is_on_loan_twice(self) -> None:
        lent = [
            (key, epoch, seq)
            for batch in self.loans
            for key, epoch, seq in zip(batch.device_keys, batch.epochs, batch.seqs, strict=True)
        ]
        assert len(lent) == len(set(lent))

    def teardown(self) -> None:
        if not hasattr(self, "site"):
            return
        try:
            self.do(self._drain())
        finally:
            self.do(self.site.stop())
            self.runner.close()
            shutil.rmtree(self.folder)
        for device, values in self.promised.items():
            sent = [value for value in self.cloud.values(device) if isinstance(value, float)]
            assert sent == sorted(sent), "numbers do not follow the order in which rows came"
            assert len(sent) == len(set(sent)), "one reading, two numbers"
            missing = set(values) - set(sent)
            assert len(missing) <= self._dead_letters, f"{device}: {missing}"
        if not self._dead_letters:
            assert self.cloud.unexplained() == []

    async def _drain(self) -> None:
        for batch in self.loans:
            await self.site.outbox.settle(batch, (), {})
        await self.site.stop()
        self.site.start()
        await self.site.open()
        await send_all(self.site.outbox, self.cloud)
        self._dead_letters = self.site.outbox.state().dead_letters
        assert self.site.outbox.state().rows == self._dead_letters
        await self.site.stop()


TestOutboxAgainstList = OutboxAgainstList.TestCase
TestOutboxAgainstList.settings = settings(
    max_examples=15,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # making a failure small takes minutes: soak does
)


@pytest.mark.soak
class TestOutboxAgainstListForLong(OutboxAgainstList.TestCase):  # type: ignore[name-defined,misc]
    settings = settings(
        max_examples=SOAK_EXAMPLES,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
