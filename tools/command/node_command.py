"""penstock node command: tell one node to do something; the running hub brings it the command."""

import argparse
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hub.errors import ConfigError, OperatorNeeded, Problem
from hub.nodes.commands import EXECUTED, EXPIRED, FAILED, ID_MOST, OPEN, UNKNOWN, CommandEntry
from hub.nodes.commands_io import CommandsFile
from shared_schema.messages import EXPIRES_MOST_S
from tools.command.node_list import about_node, watch
from tools.command.node_site import add_site, data_folder
from tools.command.node_words import SENTENCES, meant_by, usage_of

WAIT_S = 600
WAIT_LEAST_S = 5  # the hub looks every second, and a node takes one to answer
_GRACE_S = 30.0
_CODES = {EXECUTED: 0, FAILED: 1, UNKNOWN: 1, EXPIRED: 3}
_WORDS = {EXECUTED: "done", FAILED: "refused", UNKNOWN: "the node does not know it", EXPIRED: "expired"}
_NO_HUB = "no hub listens for nodes here; one that starts in time carries it out: penstock hub run FILE"
_EPILOG = """\
commands:
{}

examples:
  penstock node command tank-1 identify --site site.toml
  penstock node command tank-1 set-interval kind=tank interval_s=10 --site site.toml
  penstock node command tank-1 sample-now --wait 4000 --site site.toml     it sleeps for an hour

Each is carried out once, although it may be sent again after a restart. Ctrl-C ends the waiting, not the
command. Exit code: 0 done; 1 refused, or could not be given; 2 wrong usage, nothing was given; 3 expired,
or no hub listens for nodes here.
"""


def register(commands: Any) -> None:
    """Add the command."""
    listed = "\n".join(f"  {usage_of(name)}\n      {sentence}" for name, sentence in SENTENCES.items())
    command = commands.add_parser(
        "command",
        help="tell a node to blink, restart, sample, switch, calibrate",
        description="Tells one node to do something, and says what it answered. A node that is away is told\n"
        "when it dials this hub, unless that takes longer than --wait.",
        epilog=_EPILOG.format(listed),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = command.add_argument
    add("key", metavar="KEY", help="the node, as penstock node list names it")
    add("command", metavar="COMMAND", help=f"one of {', '.join(SENTENCES)}")
    add("words", nargs="*", metavar="NAME=VALUE", help="its arguments")
    add("--wait", type=int, default=WAIT_S, metavar="S", help=f"how long it may wait for the node ({WAIT_S})")
    add_site(command)
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    folder = data_folder(arguments.site)
    command_id, entry = _given(arguments, folder)
    return _followed(folder, command_id, entry, arguments.command)


def _given(arguments: argparse.Namespace, folder: Path) -> tuple[int, CommandEntry]:
    """Give the command. Raises PenstockError; then nothing was given."""
    meant = meant_by(arguments.command, arguments.words)
    problems = [*about_node(folder, arguments.key), *meant.problems]
    if not WAIT_LEAST_S <= arguments.wait <= EXPIRES_MOST_S:
        reason, hint = f"{arguments.wait} is out of range", f"use {WAIT_LEAST_S} to {EXPIRES_MOST_S}"
        problems.append(Problem("command line", "--wait", reason, hint))
    if problems:
        raise ConfigError(problems)
    now_ms = time.time_ns() // 1_000_000
    entry = CommandEntry(
        arguments.key, meant.name, meant.arguments, arguments.wait, now_ms + 1000 * arguments.wait
    )
    command_id = secrets.randbelow(ID_MOST) + 1
    CommandsFile(folder).edit(lambda commands: commands.with_new(command_id, entry, now_ms))
    return command_id, entry


def _followed(folder: Path, command_id: int, entry: CommandEntry, word: str) -> int:
    """Wait for the end, say it, and return the exit code. Raises OperatorNeeded."""
    ends_s = time.monotonic() + entry.wait_s + _GRACE_S
    is_away_told = False
    for live in watch(folder):
        found = _found(folder, command_id)
        if found.state not in OPEN:
            text = f"; {found.text}" if found.text else ""
            print(f"{entry.device_key}: {word}: {_WORDS[found.state]}{text}")
            return _CODES[found.state]
        if live is not None:
            is_away_told = is_away_told or _told_away(live, entry)
        if time.monotonic() > ends_s:
            raise OperatorNeeded("the hub does not say what became of it", where=entry.device_key)
    print(_NO_HUB)
    return 3


def _found(folder: Path, command_id: int) -> CommandEntry:
    found = CommandsFile(folder).load().given.get(command_id)
    if found is None:
        raise OperatorNeeded("somebody took the command back", where=str(folder))
    return found


def _told_away(live: Mapping[str, Any], entry: CommandEntry) -> bool:
    if entry.device_key in live:
        return False
    print(f"{entry.device_key} is not connected; it is told when it dials, for {entry.wait_s} s", flush=True)
    return True
