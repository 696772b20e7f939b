"""penstock bench: measures against references in the same run, and prints one table."""

import argparse
import importlib
import sys
from pathlib import Path
from typing import Any

from hub.errors import ConfigError, Problem
from tools.bench.harness import Outcome, table, to_json
from tools.command.destination import require_file

NAMES = (
    "modbus-rtu-wire",
    "modbus-rtu-plan",
    "modbus-tcp-scale",
    "outbox",
    "uplink",
    "node-link",
    "footprint",
    "cloud-ingest",
    "cloud-queries",
    "cloud-bytes",
    "cloud-fleet",
    "node-bytes",
    "node-flash",
    "node-heap",
    "node-reconnect",
)


def register(groups: Any) -> None:
    """Add the bench command."""
    parser = groups.add_parser(
        "bench",
        help="measure against references, side by side",
        description="Measures Penstock against a reference in the same run; medians of at least five rounds.",
        epilog="examples:\n  penstock bench\n  penstock bench outbox uplink --json out.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the figures to a file")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="size of the work, 1 = as published (default)"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Measure; exit code 3 when a goal is missed."""
    unknown = [name for name in arguments.names if name not in NAMES]
    if unknown:
        hint = f"there are: {', '.join(NAMES)}"
        raise ConfigError([Problem("bench", name, "is not a benchmark", hint) for name in unknown])
    if not 0 < arguments.scale <= 1000:
        raise ConfigError([Problem("--scale", f"{arguments.scale:g}", "is not more than 0 and at most 1000")])
    require_file("--json", arguments.json)
    outcomes: list[Outcome] = []
    for name in arguments.names or NAMES:
        print(f"measuring {name} …", file=sys.stderr, flush=True)
        module = importlib.import_module(f"tools.bench.{name.replace('-', '_')}")
        outcomes.append(module.run(arguments.scale))
    print(table(outcomes))
    if arguments.json:
        arguments.json.write_text(to_json(outcomes) + "\n", encoding="utf-8")
    return 0 if all(outcome.is_met for outcome in outcomes) else 3
