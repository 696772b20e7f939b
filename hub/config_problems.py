"""What can be wrong in a configuration file, said so that a person can mend it."""

import difflib
from collections.abc import Iterator, Sequence
from typing import Any

from hub.errors import Problem

Table = dict[str, Any]


def _key_of(location: tuple[int | str, ...]) -> str:
    key = ""
    for part in location:
        key += f"[{part}]" if isinstance(part, int) else f".{part}" if key else part
    return key


def explain(file: str, detail: Any, document: Any, known_keys: Sequence[str]) -> Problem:
    """Turn one finding of pydantic into a sentence with a remedy."""
    location: tuple[int | str, ...] = detail["loc"]
    key, reason, hint = _key_of(location), str(detail["msg"]), ""
    if detail["type"] == "extra_forbidden":
        reason = "is not a known key"
        close = difflib.get_close_matches(str(location[-1]), known_keys, n=1)
        hint = f"did you mean {close[0]}?" if close else "remove it"
    elif detail["type"] == "missing":
        reason = "is missing"
    elif detail["type"] in {"model_type", "model_attributes_type", "dict_type", "mapping_type"}:
        head = f"[[{location[0]}]]" if "[" in key else f"[{key}]"
        reason, hint = "is not a table", f"it begins with a line {head}"
    elif detail["type"] == "tuple_type":
        reason, hint = (
            f"is not a list, but {_shown(detail['input'])}",
            "several tables: [[name]]; a list: [ ]",
        )
    elif detail["type"] == "string_pattern_mismatch" and location[-1] == "device_key":
        reason = f"{_shown(detail['input'])} is not a device key"
        hint = "small letters, digits, '-', '_' and '.', a letter or digit first"
    elif detail["type"] == "string_pattern_mismatch" and location[-1] == "url":
        reason = f"{_shown(detail['input'])} is not the address of a project"
        hint = "https://<project>.supabase.co, without a path"
    elif detail["type"] == "value_error" and key == "nodes.listen":
        reason = f"{_shown(detail['input'])} is not an IP address of this machine"
        hint = "0.0.0.0 for all of them, or that of the network the nodes are in"
    elif "secret" not in key and "key" not in str(location[-1]):
        reason = f"{reason[0].lower()}{reason[1:]}, not {_shown(detail['input'])}"
    return Problem(file, _with_owner(key, location, document), reason, hint)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _with_owner(key: str, location: tuple[int | str, ...], document: Any) -> str:
    """Name the device or bus beside its number, as people know it by name."""
    if len(location) < 3 or not isinstance(location[1], int):
        return key
    try:
        entry = document[location[0]][location[1]]
        owner = entry.get("device_key") or entry.get("name")
    except (AttributeError, IndexError, KeyError, TypeError):
        return key
    return f"{key} of {owner}" if isinstance(owner, str) else key


def without_echoes(problems: list[Problem]) -> list[Problem]:
    """Drop what merely follows from a variable that is not set."""
    unset = {problem.key for problem in problems if "is not set" in problem.reason}
    return [
        problem
        for problem in problems
        if "is not set" in problem.reason or problem.key.split(" of ")[0] not in unset
    ]


def cross_check(file: str, document: Table) -> list[Problem]:
    """Return what is wrong between sections. Sections that are malformed themselves are passed over."""
    return [*_check_buses(file, document), *_check_transmitters(file, document)]


def _tables(document: Table, name: str) -> list[tuple[int, Table]]:
    entries = document.get(name)
    if not isinstance(entries, list):
        return []
    return [(i, entry) for i, entry in enumerate(entries) if isinstance(entry, dict)]


def _check_buses(file: str, document: Table) -> Iterator[Problem]:
    names: set[object] = set()
    ports: set[object] = set()
    for i, bus in _tables(document, "bus"):
        name, port = bus.get("name"), bus.get("port")
        key = f"bus[{i}] of {name}"
        if (port is None) == (bus.get("host") is None):
            yield Problem(
                file, key, "needs either port or host", "port for a serial line, host for Modbus TCP"
            )
        if isinstance(name, str) and name in names:
            yield Problem(file, key, "this name is taken", "give every bus its own name")
        if isinstance(port, str) and port in ports:
            yield Problem(file, key, f"another bus uses {port}", "one bus per serial port")
        names.add(str(name))
        ports.add(str(port))


def _check_transmitters(file: str, document: Table) -> Iterator[Problem]:
    serial = {bus.get("name"): bus.get("port") is not None for _, bus in _tables(document, "bus")}
    hub = document.get("hub")
    taken = {hub.get("device_key")} if isinstance(hub, dict) else set()
    for i, transmitter in _tables(document, "transmitter"):
        device_key = transmitter.get("device_key")
        key = f"transmitter[{i}] of {device_key}"
        if isinstance(device_key, str) and device_key in taken:
            yield Problem(file, key, "this device_key is taken", "every device has its own")
        taken.add(str(device_key))
        yield from _check_place(file, key, transmitter, serial)
        has_points = bool(transmitter.get("point"))
        if (transmitter.get("profile") is None) == (not has_points):
            yield Problem(
                file, key, "needs either profile or [[transmitter.point]]", "see penstock modbus profiles"
            )
        elif has_points and transmitter.get("kind") is None:
            yield Problem(file, f"{key}: kind", "is missing", "own points need the kind of row they make")


def _check_place(file: str, key: str, transmitter: Table, serial: dict[Any, bool]) -> Iterator[Problem]:
    bus, address = transmitter.get("bus"), transmitter.get("address")
    if isinstance(bus, str) and bus not in serial:
        there = ", ".join(sorted(name for name in serial if isinstance(name, str))) or "none"
        yield Problem(file, f"{key}: bus", f"no bus is called {bus!r}", f"there is: {there}")
    if isinstance(address, int) and serial.get(bus) and not 1 <= address <= 247:
        yield Problem(file, f"{key}: address", f"{address} is not 1 to 247", "as set at the slave")
