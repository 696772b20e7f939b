"""What a Postgres server was busy with for a while: CPU, its log, and what its connections waited for."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
import psycopg

SAMPLE_S = 0.1


@dataclass
class ServerUse:
    """server_cores, client_cores: kept busy. waits: samples of busy connections, by what each waited for."""

    seconds: float = 0.0
    server_cores: float = 0.0
    client_cores: float = 0.0
    wal_bytes: float = 0.0
    wal_syncs: float = 0.0
    wal_sync_s: float = 0.0
    waits: Counter[str] = field(default_factory=Counter)

    def share_of(self, wait: str) -> float:
        """Return the share of samples with this wait, such as "IO WalSync", or CPU for none."""
        return self.waits[wait] / max(1, self.waits.total())


@asynccontextmanager
async def server_use(url: str, pid: int) -> AsyncIterator[ServerUse]:
    """Measure while inside. pid: of the server. The client is this process."""
    use = ServerUse()
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        sampling = asyncio.create_task(_sample(connection, use))
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as other:
            before, began_s = await _reading(other, pid), time.monotonic()
            try:
                yield use
            finally:
                after, use.seconds = await _reading(other, pid), time.monotonic() - began_s
                sampling.cancel()
                with suppress(asyncio.CancelledError):
                    await sampling
    used = [late - early for late, early in zip(after, before, strict=True)]
    use.server_cores, use.client_cores = used[0] / use.seconds, used[1] / use.seconds
    use.wal_bytes, use.wal_syncs, use.wal_sync_s = used[2], used[3], used[4] / 1000


async def _sample(connection: psycopg.AsyncConnection[Any], use: ServerUse) -> None:
    while True:
        found = await connection.execute(
            """
            select coalesce(wait_event_type || ' ' || wait_event, 'CPU') from pg_stat_activity
            where backend_type = 'client backend' and state <> 'idle' and pid <> pg_backend_pid()
              and wait_event_type is distinct from 'Client'
            """
        )
        use.waits.update([str(row[0]) async for row in found])
        await asyncio.sleep(SAMPLE_S)


async def _reading(connection: psycopg.AsyncConnection[Any], pid: int) -> list[float]:
    found = await connection.execute("select wal_bytes, wal_sync, wal_sync_time from pg_stat_wal")
    wal = await found.fetchone() or (0, 0, 0)
    return [_cpu_s(pid), time.process_time(), *(float(value) for value in wal)]


def _cpu_s(pid: int) -> float:
    server = psutil.Process(pid)
    total = 0.0
    for process in (server, *server.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            total += times.user + times.system
    return total
