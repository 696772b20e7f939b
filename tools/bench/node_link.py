"""node-link: a hub with a thousand nodes, beside JSON over MQTT QoS 1 into the same outbox.

A reading here is a row of four metrics, stored and acknowledged. What is counted is the CPU time of the hub's
process as the system gives it; nodes and publishers are processes of their own. The broker is a part of the
other way; its CPU time is shown by itself.
"""

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from hub.errors import OperatorNeeded
from hub.nodes.keys import SITE_KEY_FILE, format_site_key
from hub.nodes.registry import Registry
from hub.nodes.registry_io import RegistryFile
from hub.status_io import read_status
from tools import mosquitto
from tools.bench.harness import Outcome, Row, at_least, at_most
from tools.bench.node_load import SITE_KEY

NODES = 1000
LOADERS = 2
CATCHING_UP = 60  # rows in a frame of a node whose ring flushes 1 kB at a time
SETTLE_S = 3.0
DEADLINE_S = 300.0
GOAL_PER_CORE_S = 50_000
GOAL_IDLE_BYTES = 30_000

_SITE = """
[hub]
device_key = "bench-hub"
data_dir = "."
log_level = "warning"
[outbox]
min_free_bytes = 0
[clock]
trust = "system"
[nodes]
listen = "127.0.0.1"
port = {port}
"""


class Measured(NamedTuple):
    """What rows cost. idle_bytes: of each connected node before it sent anything."""

    rows: int
    cpu_s: float
    seconds: float
    idle_bytes: float = 0.0
    broker_cpu_s: float = 0.0

    @property
    def per_core_s(self) -> float:
        """Rows per second of CPU."""
        return self.rows / self.cpu_s


class _Loaders:
    """Processes of nodes or publishers that wait for the word."""

    def __init__(self, module: str, port: int, nodes: int, rows: int, frames: int) -> None:
        each = nodes // LOADERS
        self._processes = [
            _started(module, port, each * number, each, rows, frames) for number in range(LOADERS)
        ]

    def await_word(self, word: str) -> None:
        """Return when each has said the word."""
        for process in self._processes:
            _await_line(process, word)

    def go(self) -> None:
        """Let them begin."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()

    def end(self) -> None:
        """End them."""
        for process in self._processes:
            process.kill()
            process.wait()


def _started(module: str, *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", f"tools.bench.{module}", *map(str, arguments)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _await_line(process: "subprocess.Popen[str]", word: str) -> None:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if line != word:
        raise OperatorNeeded(f"a process of the benchmark said {line!r} instead of {word!r}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def _hub(nodes: int) -> Iterator[tuple[int, psutil.Process]]:
    """Run `penstock hub run` on a folder of its own; yield the port and the process."""
    with tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=_disk()) as name:
        folder, port = Path(name), _free_port()
        (folder / "site.toml").write_text(_SITE.format(port=port))
        (folder / SITE_KEY_FILE).write_text(format_site_key(SITE_KEY))
        (folder / SITE_KEY_FILE).chmod(0o600)
        keys = [f"node-{number}" for number in range(nodes)]
        RegistryFile(folder).edit(lambda registry: _approved(registry, keys))
        command = [sys.executable, "-m", "tools.command", "hub", "run", str(folder / "site.toml")]
        process = subprocess.Popen(command)
        try:
            _await_hub(folder)
            yield port, psutil.Process(process.pid)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _approved(registry: Registry, keys: Sequence[str]) -> Registry:
    one = Registry().approved("node")
    return Registry({**registry.nodes, **dict.fromkeys(keys, one.nodes["node"])})


def _disk() -> str | None:
    return "/var/tmp" if Path("/var/tmp").is_dir() else None


def _await_hub(folder: Path) -> None:
    ends_s = time.monotonic() + DEADLINE_S
    while True:
        try:
            if (read_status(folder)["nodes"] or {}).get("port"):
                return
        except OperatorNeeded:
            if time.monotonic() > ends_s:
                raise
        time.sleep(0.1)


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _node_link(nodes: int, rows: int, frames: int) -> Measured:
    with _hub(nodes) as (port, hub):
        before_bytes = hub.memory_info().rss
        loaders = _Loaders("node_load", port, nodes, rows, frames)
        try:
            loaders.await_word("connected")
            time.sleep(SETTLE_S)
            idle_bytes = (hub.memory_info().rss - before_bytes) / nodes
            before_s, began_s = _cpu_s(hub), time.monotonic()
            loaders.go()
            loaders.await_word("done")
            return Measured(
                nodes * rows * frames, _cpu_s(hub) - before_s, time.monotonic() - began_s, idle_bytes
            )
        finally:
            loaders.end()


def _mqtt(nodes: int, rows: int, messages: int, starts: Sequence[str]) -> Measured:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="penstock-bench-", dir=_disk())))
        port = _free_port()
        (folder / "broker.conf").write_text(
            f"listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\nlog_type none\n"
        )
        broker = _killed_at_the_end(
            stack, subprocess.Popen([*starts, "-c", str(folder / "broker.conf")], stderr=subprocess.DEVNULL)
        )
        _await_port(port)
        hub = _started("mqtt_hub", port, folder)
        process = _killed_at_the_end(stack, hub)
        _await_line(hub, "connected")
        loaders = _Loaders("mqtt_load", port, nodes, rows, messages)
        stack.callback(loaders.end)
        loaders.await_word("connected")
        before_s, broker_s, began_s = _cpu_s(process), _cpu_s(broker), time.monotonic()
        loaders.go()
        total = nodes * rows * messages
        assert hub.stdout is not None
        while int(hub.stdout.readline() or total) < total:
            pass
        return Measured(
            total,
            _cpu_s(process) - before_s,
            time.monotonic() - began_s,
            broker_cpu_s=_cpu_s(broker) - broker_s,
        )


def _killed_at_the_end(
    stack: ExitStack, process: "subprocess.Popen[str] | subprocess.Popen[bytes]"
) -> psutil.Process:
    stack.callback(process.wait)
    stack.callback(process.kill)
    return psutil.Process(process.pid)


def _await_port(port: int) -> None:
    ends_s = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            if time.monotonic() > ends_s:
                raise
            time.sleep(0.05)
        else:
            return


def _compared(
    label: str, ours: Measured, starts: Sequence[str] | None, shape: tuple[int, int, int]
) -> list[Row]:
    rows = [Row(f"{label}, stored and acknowledged", ours.rows / ours.seconds, "readings/s")]
    if starts is not None:
        other = _mqtt(*shape, starts)
        rows += [
            Row(f"{label}, JSON over MQTT QoS 1", other.per_core_s, "readings/core-s"),
            Row(f"{label}, node link / MQTT", ours.per_core_s / other.per_core_s, "x"),
            Row(f"{label}, the broker's own CPU", other.broker_cpu_s / other.rows * 1e6, "us/reading"),
        ]
    return rows


def run(scale: float = 1.0) -> Outcome:
    """Measure. At scale 1 a thousand nodes bring 1.2 million readings, and 20 thousand one by one."""
    nodes = max(2 * LOADERS, round(NODES * min(1.0, scale)))
    try:
        starts = mosquitto.command()
    except OperatorNeeded as error:
        print(f"without MQTT beside it: {error}", file=sys.stderr)
        starts = None
    behind = (nodes, CATCHING_UP, max(2, round(20 * scale)))
    ours = _node_link(*behind)
    rows = [
        at_least(f"{CATCHING_UP} readings a frame", ours.per_core_s, "readings/core-s", GOAL_PER_CORE_S),
        at_most("memory of an idle node", ours.idle_bytes / 1000, "kB", GOAL_IDLE_BYTES / 1000),
        *_compared(f"{CATCHING_UP} a frame", ours, starts, behind),
    ]
    live = (nodes, 1, max(2, round(20 * scale)))
    single = _node_link(*live)
    rows.append(Row("1 reading a frame", single.per_core_s, "readings/core-s"))
    rows += _compared("1 a frame", single, starts, live)
    return Outcome("node-link", rows)
