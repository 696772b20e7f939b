"""penstock demo: the whole way from an RS485 bus to a cloud on one machine, with faults on demand."""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live

from hub.errors import ConfigError, Problem
from tools.command.destination import require_file, require_folder
from tools.demo.faults import INSTANTS, SPANS, parse_faults
from tools.demo.run import Demo, run_demo
from tools.demo.screen import live_view, verdict
from tools.demo.tally import Document, is_clean

_FAULTS = "\n".join(f"  {name:15} {what}" for name, what in {**SPANS, **INSTANTS}.items())
_EPILOG = f"""\
faults, in seconds since the first sample; name@start-end, or name@start for what happens at one instant:
{_FAULTS}

examples:
  penstock demo
  penstock demo --seconds 90 --faults cut@20-45,kill-hub@50,dead-slave@30-60 --json out.json

exit code 0 only if the cloud's database finds nothing lost without a reason and nothing twice
"""


def register(groups: Any) -> None:
    """Add the demo command."""
    parser = groups.add_parser(
        "demo",
        help="a bus, a hub and a cloud on this machine, and the cloud's verdict",
        description="Simulates an RS485 bus with eight transmitters and three Wi-Fi nodes, runs a real hub\n"
        "for them and a cloud beside it, breaks what you name, and asks the cloud's database what arrived.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=30.0, help="how long to run (default 30)")
    parser.add_argument("--faults", default="", metavar="LIST", help="what breaks, and when (see below)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the result to a file")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep configuration, outbox and log there"
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if not 5 <= arguments.seconds <= 86_400:
        raise ConfigError([Problem("--seconds", f"{arguments.seconds:g}", "is not 5 to 86400")])
    faults = parse_faults(arguments.faults, arguments.seconds)
    require_file("--json", arguments.json)
    require_folder("--keep", arguments.keep)
    demo = Demo(arguments.seconds, faults, arguments.keep)
    result = asyncio.run(_play(demo))
    clean = is_clean(result)
    Console().print(verdict(result, clean, arguments.seconds))
    if arguments.json:
        arguments.json.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return 0 if clean else 1


async def _play(demo: Demo) -> dict[str, Any]:
    console = Console()
    if not console.is_terminal:
        return await run_demo(demo, _say, _Plain(demo.seconds).show)
    with Live(console=console, auto_refresh=False, transient=False) as live:

        def show(now_s: float, broken: str, status: Document | None, cloud_rows: int) -> None:
            live.update(live_view(now_s, demo.seconds, broken, status, cloud_rows), refresh=True)

        return await run_demo(demo, lambda sentence: live.console.print(sentence, style="dim"), show)


class _Plain:
    """The live table for pipes and logs: one line every ten seconds."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next_s = 0.0

    def show(self, now_s: float, broken: str, status: Document | None, cloud_rows: int) -> None:
        """Print a line when one is due."""
        if now_s < self._next_s:
            return
        self._next_s += 10.0
        rows = "hub away" if status is None else f"backlog {status['outbox']['rows']}"
        _say(f"{now_s:4.0f} of {self._seconds:g} s: {cloud_rows} cloud rows, {rows}, faults: {broken}")


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)
