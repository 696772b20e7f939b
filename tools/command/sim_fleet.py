"""penstock sim fleet: many hubs against one cloud, and the cloud's verdict."""

import argparse
import asyncio
import json
import os
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from hub.errors import ConfigError, Problem
from hub.uplink.http_io import HttpTransport
from tools.command.destination import require_file
from tools.local_cloud.admin_io import CloudAdmin
from tools.local_cloud.process_io import CloudProcess
from tools.sim_fleet.faults import NAMES, Faults, parse_faults
from tools.sim_fleet.fleet import Fleet, Moment
from tools.sim_fleet.plan import FleetPlan
from tools.sim_fleet.registration import register_fleet
from tools.sim_fleet.screen import Progress, report
from tools.sim_fleet.verdict import Verdict, judge

LONGEST_S = 80 * 86_400  # simulated: the cloud takes rows of the last 90 days
INTERRUPTED = 130
_PREFIX = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
_WHERE = "sim fleet"
_SECRET_KEY, _PUBLISHABLE_KEY = "SUPABASE_SECRET_KEY", "SUPABASE_PUBLISHABLE_KEY"
_FAULTS = "\n".join(f"  {name:12} {what}" for name, what in NAMES.items())
_EPILOG = f"""\
faults, in real seconds since the first reading; name@start-end or name@start-end:share:
{_FAULTS}

examples:
  penstock sim fleet --hubs 20 --devices 8 --seconds 60 --speed-up 60
  penstock sim fleet --hubs 5 --devices 4 --speed-up 60 --faults outage@20-40:0.5 lost-answer@5-50:0.1
  penstock sim fleet --hubs 100 --url https://<project>.supabase.co --secret-key sb_secret_… \\
    --publishable-key sb_publishable_…

exit code 0 only if the cloud's database has every row that was made, and once
"""


class _Target(NamedTuple):
    url: str
    secret_key: str
    publishable_key: str


def register(commands: Any) -> None:
    """Add the command below penstock sim."""
    parser = commands.add_parser(
        "fleet",
        help="many hubs that upload to one cloud",
        description="Real uplinks of many hubs in one process, over made-up readings: to a cloud started on\n"
        "this machine, or to a Supabase project. At the end the cloud's database says what arrived.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--hubs", type=int, default=10, metavar="N", help="how many hubs (default 10)")
    add("--devices", type=int, default=8, metavar="M", help="devices behind each hub (default 8)")
    add("--interval-s", type=float, default=60.0, metavar="S", help="from reading to reading (default 60)")
    add("--seconds", type=float, default=60.0, metavar="S", help="how long, in real time (default 60)")
    add("--speed-up", type=float, default=1.0, metavar="X", help="how fast simulated time runs (default 1)")
    add("--seed", type=int, default=0, help="the same seed gives the same readings (default 0)")
    add("--faults", nargs="+", default=[], metavar="FAULT", help="what goes wrong, and when (see below)")
    add(
        "--prefix", default="sim", help="of all device keys; the same finds the same hubs again (default sim)"
    )
    add("--url", help="a Supabase project (default: a cloud of its own on this machine)")
    add(
        "--secret-key",
        help="sb_secret_… of that project (default: SUPABASE_SECRET_KEY): registers hubs, asks for a verdict",
    )
    add(
        "--publishable-key",
        help="sb_publishable_… of that project (default: SUPABASE_PUBLISHABLE_KEY): what hubs send",
    )
    add("--keep", action="store_true", help="leave the cloud on this machine running until Ctrl-C")
    add("--json", type=Path, metavar="FILE", help="also write the result to a file")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.url:
        arguments.secret_key = arguments.secret_key or os.environ.get(_SECRET_KEY)
        arguments.publishable_key = arguments.publishable_key or os.environ.get(_PUBLISHABLE_KEY)
    plan, faults = _checked(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = Progress(plan)
    with _cloud(arguments, progress) as target:
        admin = CloudAdmin(target.url, target.secret_key)
        secrets = register_fleet(admin, plan, target.secret_key, progress.say)
        fleet, end, is_stopped = asyncio.run(_play(plan, faults, secrets, target, progress))
        verdict = judge(admin, fleet, progress.say)
        print(report(plan, end, verdict, fleet.troubles.sentences()))
        if arguments.json:
            document = _document(plan, end, verdict, is_stopped=is_stopped)
            arguments.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
        if arguments.keep and not is_stopped:
            _keep(target)
    if verdict.is_complete:
        return 0
    return INTERRUPTED if is_stopped else 1


async def _play(
    plan: FleetPlan, faults: Faults, secrets: dict[str, str], target: _Target, progress: Progress
) -> tuple[Fleet, Moment, bool]:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        async with HttpTransport(target.url, target.publishable_key, time.monotonic) as transport:
            now_ms = round(time.time() * 1000)
            fleet = Fleet(plan, faults, secrets, transport=transport, url=target.url, now_ms=now_ms)
            progress.say(f"signing in {plan.hubs:,} hubs …")
            await fleet.run(progress.show, stop)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
    if stop.is_set():
        progress.say("stopped; what follows is the verdict so far")
    return fleet, fleet.moment("ended"), stop.is_set()


@contextmanager
def _cloud(arguments: argparse.Namespace, progress: Progress) -> Iterator[_Target]:
    if arguments.url:
        yield _Target(arguments.url, arguments.secret_key, arguments.publishable_key)
        return
    progress.say("starting a cloud on this machine …")
    with CloudProcess() as cloud:
        yield _Target(cloud.url, cloud.secret_key, cloud.publishable_key)


def _keep(target: _Target) -> None:
    print(f"\nThe cloud goes on at {target.url}\n  secret key       {target.secret_key}")
    print(
        f"  publishable key  {target.publishable_key}\nCtrl-C stops it and throws its data away.", flush=True
    )
    try:
        signal.pause()
    except KeyboardInterrupt:
        print()


def _document(plan: FleetPlan, end: Moment, verdict: Verdict, *, is_stopped: bool) -> dict[str, Any]:
    return {
        "plan": asdict(plan),
        "is_stopped": is_stopped,
        "verdict": verdict.as_document(),
        "batches": end.batches,
        "batches_per_s": round(end.batches_per_s, 2),
        "batch_p95_ms": round(1000 * end.p95_s, 1),
        "answers_lost": end.answers_lost,
    }


def _checked(arguments: argparse.Namespace) -> tuple[FleetPlan, Faults]:
    """Return what is asked for. Raises ConfigError with everything that is wrong with it."""
    problems = [*_out_of_range(arguments), *_about_target(arguments)]
    faults, more = parse_faults(arguments.faults, arguments.seconds)
    problems += more
    if not _PREFIX.fullmatch(arguments.prefix):
        hint = "lower-case letters, digits and -, at most 30, a letter or digit first"
        problems.append(Problem(_WHERE, "--prefix", f"{arguments.prefix!r} cannot begin a device key", hint))
    try:
        require_file("--json", arguments.json)
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(problems)
    names = ("hubs", "devices", "interval_s", "seconds", "speed_up", "seed", "prefix")
    return FleetPlan(**{name: getattr(arguments, name) for name in names}), Faults(faults, arguments.seed)


def _out_of_range(arguments: argparse.Namespace) -> list[Problem]:
    bounds = (
        ("--hubs", arguments.hubs, 1, 100_000),
        ("--devices", arguments.devices, 1, 1000),
        ("--interval-s", arguments.interval_s, 0.1, 86_400),
        ("--seconds", arguments.seconds, 1, 7 * 86_400),
        ("--speed-up", arguments.speed_up, 0.1, 86_400),
    )
    problems = [
        Problem(_WHERE, key, f"{value:g} is out of range", f"{low:g} to {high:g}")
        for key, value, low, high in bounds
        if not low <= value <= high
    ]
    if not problems and arguments.seconds * arguments.speed_up > LONGEST_S:
        days = arguments.seconds * arguments.speed_up / 86_400
        hint = "the cloud takes rows of the last 90 days: shorten --seconds or --speed-up, to 80 days at most"
        problems.append(Problem(_WHERE, "--speed-up", f"{days:,.0f} simulated days are too many", hint))
    return problems


def _about_target(arguments: argparse.Namespace) -> list[Problem]:
    keys = {"--secret-key": arguments.secret_key, "--publishable-key": arguments.publishable_key}
    if arguments.url:
        variables = {"--secret-key": _SECRET_KEY, "--publishable-key": _PUBLISHABLE_KEY}
        problems = [
            Problem(_WHERE, key, "is missing", f"--url needs both keys: give it, or set {variables[key]}")
            for key, value in keys.items()
            if not value
        ]
        if arguments.keep:
            hint = "it is for the cloud that is started here; what is in a project stays"
            problems.append(Problem(_WHERE, "--keep", "does not go with --url", hint))
        return problems
    return [
        Problem(_WHERE, key, "is given, but no --url", "name the project it belongs to")
        for key, value in keys.items()
        if value
    ]
