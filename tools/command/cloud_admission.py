"""penstock cloud approve, secret, role, dismiss: who may come in, and as what."""

import argparse
from typing import Any

from tools.command.cloud_target import add_target, admin_of

ROLES = ("viewer", "operator", "admin", "superadmin")


def add_commands(commands: Any) -> None:
    """Add the commands about devices that ask and people that signed up."""
    approve = _add(commands, "approve", _approve, "let a device send that was registered as pending")
    approve.add_argument("device_key", metavar="DEVICE_KEY", help="as it was registered")
    secret = _add(commands, "secret", _secret, "give a device a new secret; prints it once")
    secret.add_argument("device_key", metavar="DEVICE_KEY", help="as it was registered")
    role = _add(commands, "role", _role, "give somebody who has signed up a role")
    role.add_argument("email", metavar="ADDRESS", help="with which they signed up")
    role.add_argument("role", choices=ROLES, help="what they may do")
    role.add_argument("--tenant", metavar="NAME", help="where (everywhere for a superadmin)")
    dismiss = _add(commands, "dismiss", _dismiss, "take every right from somebody, at once")
    dismiss.add_argument("email", metavar="ADDRESS", help="with which they signed up")


def _add(commands: Any, name: str, run: Any, help_: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=help_, description=f"{help_}.".capitalize()
    )
    add_target(parser)
    parser.set_defaults(run=run)
    return parser


def _approve(arguments: argparse.Namespace) -> int:
    admin_of(arguments).approve_device(arguments.device_key)
    print(f"approved {arguments.device_key}; it is active with its first row")
    return 0


def _secret(arguments: argparse.Namespace) -> int:
    secret = admin_of(arguments).renew_secret(arguments.device_key)
    print(f"secret: {secret}")
    print("It is shown only now, and the old one no longer opens anything.")
    return 0


def _role(arguments: argparse.Namespace) -> int:
    admin_of(arguments).assign_role(arguments.email, arguments.role, arguments.tenant)
    place = f" of {arguments.tenant}" if arguments.tenant else ""
    print(f"{arguments.email} is {arguments.role}{place}")
    return 0


def _dismiss(arguments: argparse.Namespace) -> int:
    admin_of(arguments).dismiss_person(arguments.email)
    print(f"dismissed {arguments.email}")
    return 0
