"""penstock cloud: a cloud on this machine, and what an operator asks of any cloud."""

import argparse
import json
import signal
import sys
from pathlib import Path
from typing import Any

from hub.errors import ConfigError, OperatorNeeded, Problem
from shared_schema.limits import DEVICE_TOKEN_S
from shared_schema.metrics import KINDS
from tools.command import cloud_admission, cloud_target
from tools.command.cloud_target import add_target, admin_of
from tools.local_cloud.admin_io import Completeness
from tools.local_cloud.process_io import CloudProcess

DEFAULT_PORT = 54321  # as the official tool's local stack
DEFAULT_DATA_DIR = Path("var/local-cloud")
DEVICE_KINDS = (
    "hub",
    "node",
    "gateway",
    "beacon",
    "transmitter",
    "terminal",
    *(kind.name for kind in KINDS if kind.is_telemetry),
)

_READY = """\
The local cloud runs at {url}
  publishable key  {publishable_key}
  secret key       {secret_key}
  data             {data}

Register a hub, and what stands behind it:
  penstock cloud register site-7-hub --kind hub
  penstock cloud register tank-1 --kind tank --hub site-7-hub

Point the hub at it, in its configuration file:
  [cloud]
  url = "{url}"
  publishable_key = "{publishable_key}"
  device_secret = "${{PENSTOCK_DEVICE_SECRET}}"

Ctrl-C stops it."""


def register(groups: Any) -> None:
    """Add the cloud commands."""
    parser = groups.add_parser(
        "cloud",
        help="run a cloud on this machine; register devices; ask whether everything arrived",
        description="Runs the whole cloud side on this machine, or asks a cloud as its operator.",
        epilog=(
            "examples:\n  penstock cloud local\n  penstock cloud register site-7-hub --kind hub\n"
            "  penstock cloud register tank-1 --kind tank --hub site-7-hub\n  penstock cloud completeness"
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_local(commands)
    _add_register(commands)
    _add_revoke(commands)
    cloud_admission.add_commands(commands)
    _add_completeness(commands)


def _add_local(commands: Any) -> None:
    parser = commands.add_parser(
        "local",
        help="run the whole cloud side on this machine",
        description=(
            "Runs REST, auth and channels over the migrations of this checkout, and the functions,"
            " on 127.0.0.1."
        ),
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"default {DEFAULT_PORT}; 0: a free one"
    )
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--data-dir",
        type=Path,
        default=DEFAULT_DATA_DIR,
        help=f"where data is kept (default {DEFAULT_DATA_DIR})",
    )
    place.add_argument(
        "--fresh", action="store_true", help="start empty and throw everything away at the end"
    )
    parser.add_argument(
        "--token-life",
        type=int,
        default=DEVICE_TOKEN_S,
        metavar="SECONDS",
        help="how long device tokens live",
    )
    parser.set_defaults(run=_run_local)


def _add_register(commands: Any) -> None:
    parser = commands.add_parser(
        "register",
        help="make a device known; prints its secret once",
        description="Registers a device. One behind a hub has no secret: the hub speaks for it.",
    )
    parser.add_argument("device_key", metavar="DEVICE_KEY", help="as in the hub's configuration file")
    parser.add_argument("--kind", required=True, choices=DEVICE_KINDS, help="what it is or measures")
    parser.add_argument("--hub", metavar="KEY", help="the hub in front of it, whose tenant it shares")
    parser.add_argument("--tenant", metavar="NAME", help="whose it is, made when there is none of this name")
    parser.add_argument("--pending", action="store_true", help="it may send only once it is approved")
    parser.add_argument(
        "--roaming", action="store_true", help="a node that moves: every hub of the tenant may send its rows"
    )
    add_target(parser)
    parser.set_defaults(run=_run_register)


def _add_revoke(commands: Any) -> None:
    parser = commands.add_parser(
        "revoke",
        help="refuse a device, and those behind it, from now on",
        description="Refuses a device at once, whatever token it still holds. What it stored stays.",
    )
    parser.add_argument("device_key", metavar="DEVICE_KEY", help="as it was registered")
    add_target(parser)
    parser.set_defaults(run=_run_revoke)


def _add_completeness(commands: Any) -> None:
    parser = commands.add_parser(
        "completeness",
        aliases=["verdict"],
        help="ask the database whether every row is there, and once",
        description="Counts rows, duplicates and holes for each device. Exit code 3 when something is wrong.",
    )
    parser.add_argument("device_key", metavar="DEVICE_KEY", nargs="?", help="only this device")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    add_target(parser)
    parser.set_defaults(run=_run_completeness)


def _run_local(arguments: argparse.Namespace) -> int:
    data_dir = None if arguments.fresh else arguments.data_dir.absolute()
    if not 0 <= arguments.port <= 65535:
        raise ConfigError([Problem("cloud local", "--port", "is not a port", "0 to 65535")])
    if not 1 <= arguments.token_life <= DEVICE_TOKEN_S:
        raise ConfigError(
            [Problem("cloud local", "--token-life", "is out of range", f"1 to {DEVICE_TOKEN_S}")]
        )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print("Starting the local cloud …", file=sys.stderr, flush=True)
    try:
        with CloudProcess(data_dir, arguments.port, token_life_s=arguments.token_life) as cloud:
            _announce(cloud)
            try:
                cloud.wait()
            finally:
                cloud_target.RUNNING.unlink(missing_ok=True)
            raise OperatorNeeded(f"the local cloud ended by itself:\n{cloud.log()}")
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 0


def _announce(cloud: CloudProcess) -> None:
    running = cloud_target.RUNNING
    running.parent.mkdir(parents=True, exist_ok=True)
    running.touch(mode=0o600)
    running.write_text(json.dumps({"url": cloud.url, "secret_key": cloud.secret_key}), encoding="utf-8")
    keys = {"publishable_key": cloud.publishable_key, "secret_key": cloud.secret_key}
    data = cloud.data_dir or "in memory, thrown away at the end"
    print(_READY.format(url=cloud.url, data=data, **keys), flush=True)


def _run_register(arguments: argparse.Namespace) -> int:
    if arguments.roaming and arguments.hub is None:
        hint = "name the hub that orders for it go through"
        raise ConfigError([Problem("cloud register", "--roaming", "needs --hub", hint)])
    device = admin_of(arguments).register_device(
        arguments.device_key,
        arguments.kind,
        arguments.hub,
        tenant=arguments.tenant,
        is_approved=not arguments.pending,
        is_roaming=arguments.roaming,
    )
    print(f"registered {device.device_key} as device {device.device_id}")
    if device.secret is None:
        others = " and every other hub of its tenant" if arguments.roaming else ""
        print(f"It has no secret: {arguments.hub}{others} may send its rows.")
    else:
        print(f"secret: {device.secret}")
        print("It is shown only now. On the hub: export PENSTOCK_DEVICE_SECRET=…")
    return 0


def _run_revoke(arguments: argparse.Namespace) -> int:
    admin_of(arguments).revoke_device(arguments.device_key)
    print(f"revoked {arguments.device_key}")
    return 0


def _run_completeness(arguments: argparse.Namespace) -> int:
    admin = admin_of(arguments)
    rows = admin.completeness(arguments.device_key)
    if not rows and arguments.device_key is not None:
        admin.require_device(arguments.device_key)
    if arguments.json:
        print(json.dumps([row._asdict() for row in rows], indent=2))
    elif rows:
        print(_table(rows))
    else:
        print("no rows yet")
    return 3 if any(row.duplicates or row.unexplained_gaps for row in rows) else 0


def _table(rows: list[Completeness]) -> str:
    heads = ("device", "epoch", "rows", "first", "last", "twice", "explained", "gaps", "missing")
    lines = [heads, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    return "\n".join(
        "  ".join((line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:]))) for line in lines
    )


def _cells(row: Completeness) -> tuple[str, ...]:
    numbers = (row.epoch, row.rows_stored, row.first_seq, row.last_seq, row.duplicates)
    missing = (row.rows_explained, row.unexplained_gaps, row.rows_unexplained)
    return (row.device_key, *("-" if number is None else str(number) for number in (*numbers, *missing)))
