"""docs/API.md as its tests read it: its functions, its tables, its examples."""

import re
from itertools import pairwise
from typing import NamedTuple

from tools.local_cloud.node_io import ROOT

PAGE = (ROOT / "docs" / "API.md").read_text(encoding="utf-8")
_FUNCTION = re.compile(r"^\| `(\w+)\(([^)`]*)\)` \|[^|]*\|([^|]*)\|[^|]*\|$", re.MULTILINE)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CALLERS = {
    "authenticated": ("viewer", "operator", "admin", "superadmin"),
    "device": ("device",),
    "service_role": ("secret key",),
}


class Function(NamedTuple):
    """parameters: in order, with "?" where one may be left out. callers: roles of the database."""

    name: str
    parameters: tuple[str, ...]
    callers: frozenset[str]


class Example(NamedTuple):
    """Lines for a shell, and the answer that is shown below them; empty where none is."""

    script: str
    answer: str


def section(page: str, heading: str) -> str:
    """Return what stands between a heading of the second level and the next."""
    return page.split(f"\n## {heading}\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]


def functions(page: str) -> list[Function]:
    return [
        Function(name, tuple(filter(None, parameters.split(", "))), _callers(who))
        for name, parameters, who in _FUNCTION.findall(page)
    ]


def tables(page: str) -> set[str]:
    """Return the tables that the page has; those by the day stand behind those by the hour."""
    first_cells = re.findall(r"^\| (`[^|]*) \|", section(page, "Tables and views"), re.MULTILINE)
    named = set(re.findall(r"`(\w+)`", " ".join(first_cells)))
    return named | {f"{name.removesuffix('_hourly')}_daily" for name in named if name.endswith("_hourly")}


def edge_functions(page: str) -> list[str]:
    return re.findall(r"^### `([\w-]+)`$", section(page, "Edge Functions"), re.MULTILINE)


def payloads(page: str) -> dict[tuple[str, str], set[str]]:
    """Return every name in the payload of an event, by the kind of topic and the event."""
    rows = re.findall(r"^\| `(\w+)`(?: on `(\w+):`)? \| `({[^`]*})`", section(page, "Live"), re.MULTILINE)
    return {(topic or "tenant", event): set(re.findall(r"\w+", names)) for event, topic, names in rows}


def examples(page: str) -> list[Example]:
    """Return what can be run, in order: without lines that leave something out."""
    blocks = [*_BLOCK.findall(page), ("", "")]
    return [
        Example(text, following if following_language == "json" else "")
        for (language, text), (following_language, following) in pairwise(blocks)
        if language == "sh" and "…" not in text
    ]


def _callers(who: str) -> frozenset[str]:
    words = {word.strip() for part in who.split(",") for word in re.split(r" or | not ", part)}
    return frozenset(role for role, names in _CALLERS.items() if words & set(names))
