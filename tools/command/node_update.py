"""penstock node update: bring a release to a fleet over the air, in stages; the running hub does it."""

import argparse
import secrets
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from hub.config import load
from hub.errors import ConfigError, OperatorNeeded, Problem
from hub.nodes.registry import APPROVED, Registry
from hub.nodes.registry_io import RegistryFile
from hub.nodes.release import Release, read_manifest, release_of
from hub.nodes.release_io import UPDATE_FOLDER, ReleaseFolders, read_release
from hub.nodes.rollout_io import RolloutFiles
from hub.nodes.rollout_record import ABORT, ENDED, PAUSE, RUN, Order
from tools.command import node_update_view
from tools.command.node_site import add_site, data_folder
from tools.flash.image import build_image

_EPILOG = """\
examples:
  penstock node update --build --site site.toml                    the firmware of this installation, to all
  penstock node update release-1.5.0 --site site.toml --first tank-3 --share 10 --wait-s 3600
  penstock node update --status --site site.toml
  penstock node update --resume --site site.toml                   after trouble: go on with the other nodes

Ctrl-C ends the display, not the update. Exit code: 0 done, or under way; 1 it stopped after trouble;
3 paused, aborted, or no hub listens for nodes here.
"""


def register(commands: Any) -> None:
    """Add the command."""
    update = commands.add_parser(
        "update",
        help="bring a release to nodes over the air, one first, then a share, then all",
        description="One node is updated, then a share of them, then all. The next stage begins when\n"
        "every node of the last one is confirmed and its readings flow. It stops by itself when a node\n"
        "refuses, fails, rolls back or falls silent.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = update.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "release", nargs="?", type=Path, metavar="RELEASE_FOLDER", help="manifest.json and files"
    )
    what.add_argument(
        "--build", action="store_true", help="make the release from this installation's firmware"
    )
    for wish, sentence in (
        ("status", "say how the update stands"),
        ("pause", "offer and send nothing until --resume; what is on trial ends its trial"),
        ("resume", "go on; nodes in trouble are left alone, silent ones are tried again"),
        ("abort", "end it; nodes keep what they run"),
    ):
        what.add_argument(f"--{wish}", action="store_const", const=wish, dest="wish", help=sentence)
    _add_plan(update)
    add_site(update)
    update.set_defaults(run=_run)


def _add_plan(update: argparse.ArgumentParser) -> None:
    add = update.add_argument
    add("--first", default="", metavar="KEY", help="the node to begin with (default: any that is connected)")
    add("--share", type=int, default=20, metavar="PERCENT", help="of the second stage (default 20)")
    add(
        "--wait-s",
        type=float,
        default=600.0,
        metavar="S",
        help="how long readings have to flow before the next stage (default 600); three of the longest\n"
        "intervals between readings or more",
    )
    add("--allow-older", action="store_true", help="nodes take it in place of a newer release")
    add("--nodes", nargs="+", default=[], metavar="KEY", help="only these (default: all that are approved)")
    add("--firmware", type=Path, metavar="FOLDER", help=argparse.SUPPRESS)


def _run(arguments: argparse.Namespace) -> int:
    folder = data_folder(arguments.site)
    if arguments.wish == "status":
        return node_update_view.status(folder)
    if arguments.wish:
        wish = {"pause": PAUSE, "resume": RUN, "abort": ABORT}[arguments.wish]
        return node_update_view.followed(folder, _wished(folder, wish))
    return node_update_view.watch(folder, _ordered(arguments, folder))


def _wished(folder: Path, wish: str) -> Order:
    """Change the order there is. Raises OperatorNeeded."""
    files = RolloutFiles(folder)
    order = files.load_order()
    if order is None or _is_ended(files, order):
        raise OperatorNeeded("no update is under way", hint="penstock node update --status")
    order = replace(order, wish=wish, wish_number=order.wish_number + 1)
    files.put_order(order)
    return order


def _ordered(arguments: argparse.Namespace, folder: Path) -> Order:
    """Give the order. Raises PenstockError; then nothing was ordered."""
    nodes = _nodes(arguments, RegistryFile(folder).load())
    files = RolloutFiles(folder)
    before = files.load_order()
    if before is not None and not _is_ended(files, before):
        hint = "end that one first: penstock node update --abort"
        raise OperatorNeeded(f"an update to {before.version} is under way", hint=hint)
    release = _release(arguments)
    ReleaseFolders(_update_folder(arguments.site, folder)).put(release)
    order = Order(
        secrets.token_hex(8),
        release.manifest.name,
        release.manifest.version,
        nodes,
        arguments.first,
        arguments.share,
        arguments.wait_s,
        arguments.allow_older,
    )
    files.put_order(order)
    print(f"{order.version}, {release.size} bytes, for {len(nodes)} node(s)", flush=True)
    return order


def _nodes(arguments: argparse.Namespace, registry: Registry) -> tuple[str, ...]:
    approved = registry.having(APPROVED)
    keys = tuple(dict.fromkeys(arguments.nodes)) or tuple(sorted(approved))
    hint = "penstock node list --site … names them"
    problems = [
        Problem("command line", key, "is not an approved node", hint) for key in keys if key not in approved
    ]
    if arguments.first and arguments.first not in keys:
        problems.append(Problem("command line", "--first", f"{arguments.first} is not among them", hint))
    if not keys:
        problems.append(Problem("site", "nodes", "no node is approved", "penstock node new"))
    if not 1 <= arguments.share <= 100:
        problems.append(
            Problem("command line", "--share", f"{arguments.share} is out of range", "use 1 to 100")
        )
    if not 0 <= arguments.wait_s <= 604_800:
        problems.append(
            Problem("command line", "--wait-s", f"{arguments.wait_s:g} is out of range", "use 0 to 604800")
        )
    if problems:
        raise ConfigError(problems)
    return keys


def _release(arguments: argparse.Namespace) -> Release:
    if not arguments.build:
        return read_release(arguments.release)
    sources = [arguments.firmware] if arguments.firmware else []
    image = build_image(time.time(), *sources)
    return release_of(read_manifest(image.manifest), [file.content for file in image.slot_files])


def _update_folder(site: Path, folder: Path) -> Path:
    section = load(site).nodes if site.is_file() else None
    return (section and section.update_folder) or folder / UPDATE_FOLDER


def _is_ended(files: RolloutFiles, order: Order) -> bool:
    record = files.load_record()
    return record is not None and record.order_id == order.order_id and record.status in ENDED
