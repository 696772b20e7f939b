"""Runs a hub: starts its parts, waits for the end, and stops them in order.

Acquisition ends first, the uplink next and the outbox last, so whatever is still handed over is stored.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any

from hub.app import Hub, assemble, transport_to
from hub.config import HubConfig
from hub.errors import OperatorNeeded, PenstockError, TryAgain
from hub.modbus.service import ModbusBusService
from hub.ports import OutboxState
from hub.progress import Progress
from hub.site import Site
from hub.status_io import serve_status
from hub.systemd_io import Notifier
from hub.watch_service import Watched, WatchService

DRAINED_POLL_S = 0.2
LAST_WORDS_S = 5.0

Job = Callable[[], Coroutine[Any, Any, None]]


async def run_hub(config: HubConfig, site: Site, *, is_draining: bool = False) -> OutboxState:
    """Run a hub until SIGTERM or Ctrl-C; when draining, until the outbox is empty, and without polling.

    Return how it left the outbox: after a drain, nothing but dead letters is in it.
    Raises PenstockError when it cannot go on.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    _make_folder(config.hub.data_dir)
    try:
        async with AsyncExitStack() as stack:
            transport = await stack.enter_async_context(transport_to(config.cloud)) if config.cloud else None
            hub = assemble(config, site, transport)
            _spare_the_collector()
            await stack.enter_async_context(serve_status(config.hub.data_dir, hub.snapshot))
            await _serve(hub, ended, is_draining=is_draining)
    except BaseExceptionGroup as group:
        raise _first_known(group) from None
    if is_draining and ended.is_set():
        raise PenstockError("interrupted before everything was uploaded", hint="the rest is kept")
    return hub.outbox.state()


async def _serve(hub: Hub, ended: asyncio.Event, *, is_draining: bool) -> None:
    async with asyncio.TaskGroup() as storage:
        writer = storage.create_task(hub.outbox.run(), name="outbox")
        await hub.clock_service.look()
        await hub.pipeline.restore()
        async with asyncio.TaskGroup() as lasting:
            # Nothing is measured during a drain, so nothing has to move.
            senders = _start(lasting, _lasting(hub, [] if is_draining else _watched(hub)))
            async with asyncio.TaskGroup() as acquisition:
                sources = _start(acquisition, {} if is_draining else _acquiring(hub))
                await (_drained(hub, ended) if is_draining else ended.wait())
                _cancel(sources)
            await hub.pipeline.drain()
            _cancel(senders)
        with suppress(TimeoutError, TryAgain):  # a disk that fails now must not keep the hub from ending
            async with asyncio.timeout(LAST_WORDS_S):
                await hub.events.deliver(hub.outbox)
        _cancel([writer])


def _lasting(hub: Hub, watched: Sequence[Watched]) -> dict[str, Job]:
    """Return what runs while the outbox does."""
    jobs: dict[str, Job] = {
        "events": lambda: hub.events.run(hub.outbox),
        "clock": hub.clock_service.run,
        "watch": WatchService(watched, hub.clock, hub.events, Notifier()).run,
    }
    return jobs | ({"uplink": hub.uplink.run} if hub.uplink else {})


def _acquiring(hub: Hub) -> dict[str, Job]:
    """Return what makes readings."""
    buses = {f"bus {bus.settings.name}": bus.run for bus in hub.buses}
    nodes = {"nodes": hub.nodes.run} if hub.nodes else {}
    mesh = {"mesh": hub.mesh.run} if hub.mesh else {}
    return {"pipeline": hub.pipeline.run, "heartbeat": hub.heartbeat.run, **nodes, **mesh, **buses}


def _watched(hub: Hub) -> list[Watched]:
    slowest_s = max((one.interval_s for one in hub.site.transmitters), default=1.0)

    def of_bus(bus: ModbusBusService) -> Watched:
        progress = Progress(f"bus {bus.settings.name}", 60.0 + 3 * slowest_s)
        return Watched(progress, lambda: bus.requests, lambda: bus.is_open)

    beat_s = 60.0 + 3 * hub.config.hub.heartbeat_s
    outbox = Watched(
        Progress("outbox", beat_s),
        lambda: hub.outbox.state().appended,
        lambda: not hub.outbox.state().trouble,
    )
    return [outbox, *map(of_bus, hub.buses)]


async def _drained(hub: Hub, ended: asyncio.Event) -> None:
    """Return when everything that can be sent was, or the hub is told to end."""
    while not ended.is_set():
        state = hub.outbox.state()
        is_sent = hub.uplink_state().is_online and state.rows <= state.dead_letters
        if hub.uplink is None or (is_sent and not hub.events.book.waiting):
            return
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), DRAINED_POLL_S)


def _start(group: asyncio.TaskGroup, jobs: dict[str, Job]) -> list[asyncio.Task[None]]:
    return [group.create_task(job(), name=name) for name, job in jobs.items()]


def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


def _spare_the_collector() -> None:
    """Leave what lives as long as the hub out of garbage collection: looking through it takes a while."""
    gc.collect()
    gc.freeze()


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OperatorNeeded(
            f"the data folder cannot be made: {error.strerror}", where=str(folder), hint="see hub.data_dir"
        ) from None
    if not os.access(folder, os.W_OK):
        raise OperatorNeeded("the data folder cannot be written", where=str(folder), hint="see its owner")


def _first_known(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error an operator can act on, if there is one among them."""
    error: BaseException = group.subgroup(PenstockError) or group
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
