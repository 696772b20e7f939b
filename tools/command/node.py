"""penstock node: give nodes their identity and software, and say who may talk to the hub."""

import argparse
import getpass
import json
import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from hub.errors import ConfigError, OperatorNeeded, Problem
from hub.nodes.registry import REVOKED, Registry
from hub.nodes.registry_io import RegistryFile
from hub.nodes.site_key_io import ensure_site_key
from shared_schema.digest import node_key
from tools.command import node_cable, node_command, node_configure, node_flash, node_list, node_update
from tools.command.node_plan import read_plan
from tools.command.node_site import add_site, data_folder, node_path, write_secret
from tools.flash.node_file import NodeFile, check_device_key, check_hub

PASSWORD_VARIABLE = "PENSTOCK_WIFI_PASSWORD"
_EPILOG = f"""\
examples:
  penstock node new tank-1 --site site.toml --ssid farm                 asks for the Wi-Fi's password
  penstock node flash tank-1 --site site.toml                           the one board that is plugged in
  penstock node flash --site site.toml                                  renew all boards that are plugged in
  penstock node list --site site.toml
  penstock node revoke tank-1 --site site.toml                          it was stolen
  penstock node configure tank-1 tank.json --site site.toml             what it measures
  penstock node update --build --site site.toml                         over the air, one first
  penstock node command tank-1 identify --site site.toml                which one is it?

Passwords are never arguments, which everybody on this machine can see: {PASSWORD_VARIABLE} or the prompt.
Exit code of flash: 3 when a node did not report to the hub in time; of list: 3 when one waits for approval.
"""


def register(groups: Any) -> None:
    """Add the commands about nodes."""
    parser = groups.add_parser(
        "node",
        help="flash sensor nodes, approve and revoke them",
        description="Microcontrollers with Penstock's firmware: their identity, their software, their say.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _register_new(commands)
    node_flash.register(commands)
    node_list.register(commands)
    node_update.register(commands)
    node_command.register(commands)
    node_configure.register(commands)
    _register_change(commands, "approve", "let nodes report to the hub", _approve)
    _register_change(commands, "revoke", "shut nodes out, within two seconds", _revoke)
    node_cable.register(commands)


def _register_new(commands: Any) -> None:
    new = commands.add_parser(
        "new",
        help="give a node its identity",
        description="Makes a node's key, approves the node at its hub, and writes what the node is\n"
        "given to DATA_DIR/nodes/KEY.json, which its owner alone can read. Repeated, it changes the\n"
        "settings and keeps the key.\n"
        f" The Wi-Fi's password comes from {PASSWORD_VARIABLE} or is asked for; never an argument.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = new.add_argument
    add("key", type=_checked(check_device_key), metavar="KEY", help="its name, for ever, such as tank-1")
    add_site(new)
    add("--ssid", default="", help="the Wi-Fi it joins")
    add("--open", action="store_true", help="that Wi-Fi has no password")
    add(
        "--hub",
        type=_checked(check_hub),
        action="append",
        default=[],
        metavar="HOST[:PORT]",
        help="where its hub is, for when discovery finds none; may be repeated",
    )
    add(
        "--plan", type=Path, metavar="FILE", help="what it measures and how often, until a hub says otherwise"
    )
    add("--renew", action="store_true", help="make a new key: what was stolen or copied is void")
    new.set_defaults(run=_new)


def _register_change(commands: Any, name: str, sentence: str, handler: Any) -> None:
    change = commands.add_parser(name, help=sentence, description=f"{sentence[0].upper()}{sentence[1:]}.")
    change.add_argument("keys", nargs="+", metavar="KEY", help="the node, as penstock node list names it")
    add_site(change)
    change.set_defaults(run=handler)


def _new(arguments: argparse.Namespace) -> int:
    folder = data_folder(arguments.site)
    plan = read_plan(arguments.plan) if arguments.plan else "{}"
    wifi = _wifi(arguments)
    site_key = ensure_site_key(folder)
    registry = RegistryFile(folder).edit(partial(_admitted, key=arguments.key, is_renewed=arguments.renew))
    generation = registry.nodes[arguments.key].generation
    node = NodeFile(
        arguments.key,
        generation,
        node_key(site_key, arguments.key, generation),
        tuple(arguments.hub),
        wifi,
        json.loads(plan),
    )
    path = node_path(folder, arguments.key)
    write_secret(path, node.encode())
    print(f"{arguments.key}: approved, generation {generation}; what it is given is in {path} (secret)")
    if not arguments.plan:
        print(f"it measures nothing until it is told what: penstock node configure {arguments.key} FILE …")
    print(f"next, with the board plugged in:\n  penstock node flash {arguments.key} --site {arguments.site}")
    return 0


def _admitted(registry: Registry, key: str, *, is_renewed: bool) -> Registry:
    known = registry.nodes.get(key)
    if known and known.state == REVOKED and not is_renewed:
        hint = f"--renew gives {key} a new key; penstock node approve takes the old one back"
        raise OperatorNeeded("is revoked", where=key, hint=hint)
    return registry.approved(key, known.generation + 1 if known and is_renewed else None)


def _wifi(arguments: argparse.Namespace) -> Mapping[str, str]:
    """Return what the node joins the Wi-Fi with. Raises ConfigError when the password cannot be had."""
    if not arguments.ssid:
        return {}
    password = "" if arguments.open else os.environ.get(PASSWORD_VARIABLE)
    if password is None:
        if not sys.stdin.isatty():
            hint = "or say --open when it has none"
            raise ConfigError([Problem("environment", PASSWORD_VARIABLE, "is not set", hint)])
        password = getpass.getpass(f"password of the Wi-Fi {arguments.ssid}: ")
    if not arguments.open and not 8 <= len(password.encode()) <= 63:
        reason = f"has {len(password.encode())} bytes; WPA passwords have 8 to 63"
        raise ConfigError([Problem("Wi-Fi", "password", reason, "say --open when the network has none")])
    return {"ssid": arguments.ssid, "password": password}


def _approve(arguments: argparse.Namespace) -> int:
    _change(arguments, Registry.approved)
    print(f"{', '.join(arguments.keys)}: approved")
    return 0


def _revoke(arguments: argparse.Namespace) -> int:
    _change(arguments, Registry.revoked)
    print(f"{', '.join(arguments.keys)}: revoked; a running hub drops it within two seconds")
    return 0


def _change(arguments: argparse.Namespace, change: Callable[[Registry, str], Registry]) -> None:
    """Make the change to all the nodes named, or to none. Raises ConfigError."""

    def all_of_them(registry: Registry) -> Registry:
        problems = [
            Problem("command line", key, "there is no such node", "penstock node list --site … names them")
            for key in arguments.keys
            if key not in registry.nodes
        ]
        if problems:
            raise ConfigError(problems)
        for key in arguments.keys:
            registry = change(registry, key)
        return registry

    RegistryFile(data_folder(arguments.site)).edit(all_of_them)


def _checked(check: Callable[[str], str]) -> Callable[[str], str]:
    """Return check as argparse wants it: its sentence shown, not its name."""

    def convert(text: str) -> str:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert
