"""How an update of nodes looks: a line for each change, and on a terminal a bar for each node under way."""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from hub.errors import OperatorNeeded
from hub.nodes.rollout_io import RolloutFiles
from hub.nodes.rollout_record import ABORTED, FINISHED, PAUSED, RUNNING, STOPPED, Order
from hub.nodes.updates import UNDER_WAY, WAITING
from hub.status_io import read_status

CODES = {RUNNING: 0, FINISHED: 0, STOPPED: 1, PAUSED: 3, ABORTED: 3}
_POLL_S = 0.5
_PATIENCE_S = 10.0  # a hub looks every second
_NO_HUB = "no hub listens for nodes here; the update goes on when one runs: penstock hub run FILE"


class View:
    """Shows the states of nodes while the context lasts."""

    def __init__(self) -> None:
        console = Console(file=sys.stderr)
        columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[state]}")
        self._progress = Progress(
            *columns, TimeElapsedColumn(), console=console, disable=not console.is_terminal
        )
        self._bars: dict[str, TaskID] = {}
        self._states: dict[str, str] = {}
        self._stage = 0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, state: Mapping[str, Any]) -> None:
        """Show what changed."""
        if state["stage"] != self._stage:
            self._stage = state["stage"]
            self._progress.console.print(f"stage {self._stage} of {state['stages']}", highlight=False)
        for node in state["nodes"]:
            key, now = node["device_key"], node["state"]
            if now != self._states.get(key, WAITING):
                self._states[key] = now
                self._progress.console.print(f"{key}: {_words(node)}", highlight=False, markup=False)
            self._show_bar(key, now, node["percent"])

    def _show_bar(self, key: str, state: str, percent: int) -> None:
        if state in UNDER_WAY and key not in self._bars:
            self._bars[key] = self._progress.add_task(key, total=100, state=state)
        if state in UNDER_WAY:
            self._progress.update(self._bars[key], completed=percent, state=state)
        elif key in self._bars:
            self._progress.remove_task(self._bars.pop(key))


def watch(folder: Path, order: Order) -> int:
    """Show how the hub carries out an order until it ends, stops or is paused; return the exit code."""
    began_s = time.monotonic()
    with View() as view:
        while True:
            state = live_update(folder)
            if state is not None and state["order_id"] == order.order_id:
                view.show(state)
                if state["status"] != RUNNING:
                    break
            elif state is None and time.monotonic() - began_s > _PATIENCE_S:
                print(_NO_HUB)
                return 3
            time.sleep(_POLL_S)
    return _said(state)


def followed(folder: Path, order: Order) -> int:
    """Wait until the hub knows of a wish; say how the update stands then, and return the exit code."""
    ends_s = time.monotonic() + _PATIENCE_S
    while time.monotonic() < ends_s:
        state = live_update(folder)
        if state is not None and state["wish_number"] == order.wish_number:
            return _said(state)
        time.sleep(_POLL_S)
    print(_NO_HUB)
    return 3


def status(folder: Path) -> int:
    """Say how the update stands, also when no hub runs, and return the exit code."""
    state = live_update(folder)
    if state is None:
        state = _recorded(folder)
        print("no hub runs it now; this is what the last one wrote")
    for node in state["nodes"]:
        print(f"{node['device_key']:<24} {_words(node)}")
    return _said(state)


def live_update(folder: Path) -> dict[str, Any] | None:
    """Return what the running hub says of the update; None when no hub does, or there is none."""
    try:
        nodes = read_status(folder).get("nodes")
    except OperatorNeeded:
        return None
    return nodes["update"] if nodes else None


def _recorded(folder: Path) -> dict[str, Any]:
    """Return what is on disk. Raises OperatorNeeded when there is nothing."""
    files = RolloutFiles(folder)
    order, record = files.load_order(), files.load_record()
    if order is None or record is None or record.order_id != order.order_id:
        raise OperatorNeeded("no hub has begun an update here", hint="penstock node update --help")
    nodes = [
        {"device_key": key, "state": node.state, "percent": 0, "text": node.text}
        for key, node in record.nodes.items()
    ]
    return {"version": order.version, "status": record.status, "reason": record.reason, "nodes": nodes,
            "stage": record.stage + 1, "stages": 3, "settles_s": None}  # fmt: skip


def _words(node: Mapping[str, Any]) -> str:
    percent = f" {node['percent']} %" if node["percent"] and node["state"] in UNDER_WAY else ""
    return f"{node['state']}{percent}" + (f": {node['text']}" if node["text"] else "")


def _said(state: Mapping[str, Any]) -> int:
    """Print a sentence about the whole; return the exit code."""
    status = state["status"]
    sentence = f"update to {state['version']}: {status}"
    if status == RUNNING:
        sentence += f", stage {state['stage']} of {state['stages']}"
    if state["settles_s"] is not None:
        sentence += f", readings are watched for another {state['settles_s']:.0f} s"
    if state["reason"]:
        sentence += f"; {state['reason']}"
    print(sentence, flush=True)
    return CODES[status]
