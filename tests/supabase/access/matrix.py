"""The access matrix as data: reads matrix.toml and says for each cell whether it is allowed.

A cell is (table, role, action). A rule names tables and, by action, the roles that are allowed; what no rule
allows is denied. Roles are described in world.py.
"""

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).with_name("matrix.toml")
ACTIONS = ("select", "insert", "update", "delete")
ROLES = (
    "anon",
    "no_profile",
    "viewer",
    "operator",
    "admin",
    "other_admin",
    "superadmin",
    "device",
    "other_device",
    "hub",
    "revoked_device",
    "gateway_key",
)


class Cell(NamedTuple):
    """One question and its answer."""

    table: str
    role: str
    action: str
    is_allowed: bool


def rules() -> list[dict[str, Any]]:
    """Return the rules as written."""
    written: list[dict[str, Any]] = tomllib.loads(FILE.read_text(encoding="utf-8"))["rule"]
    return written


def tables() -> list[str]:
    """Return every table that a rule names, with its schema."""
    return [table for rule in rules() for table in rule["tables"]]


def cells() -> list[Cell]:
    """Return the answer for every table, role and action."""
    found = []
    for rule in rules():
        unknown = {role for action in ACTIONS for role in rule.get(action, "").split()} - set(ROLES)
        assert not unknown, f"{rule['tables'][0]}: there is no role {unknown}"
        for table in rule["tables"]:
            found += [
                Cell(table, role, action, role in rule.get(action, "").split())
                for role in ROLES
                for action in ACTIONS
            ]
    return found
