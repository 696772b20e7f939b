"""Uploads of one hub from a process of its own, so that two hubs do not share an interpreter."""

import multiprocessing
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg

from hub.errors import OperatorNeeded
from shared_schema.limits import ROWS_PER_REQUEST
from shared_schema.metrics import TANK
from tools.bench.cloud_database import BenchHub
from tools.bench.postgrest import as_caller, device_claims, insert_of, types_of
from tools.bench.tank_bodies import TankSite

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

READY_S, DONE_S = 120.0, 600.0


@dataclass(frozen=True, slots=True)
class Sender:
    """url: of the database. table: the kind's own, or a bare one without claims. days_ago: of the rows."""

    url: str
    hub: BenchHub
    table: str
    batches: int
    days_ago: float

    def send(self, pipe: "Connection") -> None:
        """Make the bodies, say so, wait for the word, send, and tell when it began and ended."""
        bodies = TankSite(self.hub.ids, self.hub.key, days_ago=self.days_ago).bodies(self.batches + 1)
        claims = device_claims(self.hub.device_id, self.hub.key)
        with psycopg.connect(self.url, autocommit=True) as connection:
            statement = insert_of(self.table, TANK, types_of(connection, TANK.table))
            is_ours = self.table == TANK.table
            for number, body in enumerate(bodies):
                if number == 1:
                    pipe.send("ready")
                    pipe.recv()
                    began_s = time.monotonic()
                if is_ours:
                    as_caller(connection, claims, statement, body, f"/{self.table}")
                else:
                    connection.execute(statement, (body,), prepare=True)
        pipe.send((began_s, time.monotonic()))


def rate_together(senders: Sequence[Sender]) -> float:
    """Let them send at the same time and return rows a second of all of them."""
    context = multiprocessing.get_context("spawn")
    pipes = [context.Pipe() for _ in senders]
    processes = [
        context.Process(target=sender.send, args=(theirs,), daemon=True)
        for sender, (_, theirs) in zip(senders, pipes, strict=True)
    ]
    try:
        for process in processes:
            process.start()
        for ours, _ in pipes:
            _received(ours, READY_S)
        for ours, _ in pipes:
            ours.send("go")
        times = [_received(ours, DONE_S) for ours, _ in pipes]
    finally:
        for process in processes:
            process.join(1.0)
            if process.is_alive():
                process.kill()
                process.join()
        for ours, theirs in pipes:
            ours.close()
            theirs.close()
    took_s = max(ended_s for _, ended_s in times) - min(began_s for began_s, _ in times)
    return sum(sender.batches for sender in senders) * ROWS_PER_REQUEST / took_s


def _received(pipe: "Connection", within_s: float) -> tuple[float, float]:
    if not pipe.poll(within_s):
        raise OperatorNeeded("a process that sends did not answer")
    answer: tuple[float, float] = pipe.recv()
    return answer
