"""Writes what can be written from shared_schema, so that nobody types it twice.

python -m tools.generate            write the files
python -m tools.generate --check    change nothing; exit code 1 when a file is not what would be written
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared_schema import enums
from shared_schema.metrics import KINDS, Field, Kind, Metric
from shared_schema.records import IDENTITY, ROW_FIELDS

ROOT = Path(__file__).resolve().parent.parent
REMEDY = "make generate"
NOTICE = f"Written by `{REMEDY}` from shared_schema; changes here are lost."
TYPES = {
    "float": "number",
    "integer": "whole number",
    "text": "text",
    "instant": "instant (Unix ms UTC)",
    "device": "device key; the device's number in the cloud",
}
AGGREGATES = {
    "mean": "the mean of the samples",
    "min": "the smallest sample",
    "max": "the largest sample",
    "last": "the newest sample",
    "sum": "the sum of the samples",
    "count": "how many samples there were",
    "total": "a counter: the newest total, carried over wraps and resets of the transmitter",
}


def contents() -> dict[str, str]:
    """Return what belongs into each generated file, by its path from the root."""
    return {"docs/METRICS.md": _metrics_page()}


def stale(root: Path, wanted: Mapping[str, str]) -> list[str]:
    """Return the paths whose file is missing or differs."""
    return [path for path, text in wanted.items() if not _is_fresh(root / path, text)]


def write(root: Path, wanted: Mapping[str, str]) -> None:
    """Write every file that is stale, and leave the others untouched."""
    for path in stale(root, wanted):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(wanted[path], encoding="utf-8")


def _is_fresh(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


def _metrics_page() -> str:
    parts = [
        f"<!-- {NOTICE} -->",
        "# What a site reports",
        "A *kind* is what one device reports at one time: one row in one table.",
        f"`{'`, `'.join(IDENTITY)}` identify a row; they are given once and never change.",
        "## In every row",
        _fields_table(ROW_FIELDS),
        *[part for kind in KINDS for part in _kind_parts(kind)],
        "## How a window becomes one value",
        _table(("aggregate", "value"), [(f"`{name}`", meaning) for name, meaning in AGGREGATES.items()]),
        "## Small closed sets",
        "Whole numbers on every wire, except where a column is text; names on screen.",
        *[_closed_set(closed_set) for closed_set in _closed_sets()],
    ]
    return "\n\n".join(parts) + "\n"


def _kind_parts(kind: Kind) -> list[str]:
    body = _metrics_table(kind) if kind.is_telemetry else _fields_table(kind.fields)
    return [f"## {kind.name.capitalize()}: `{kind.table}`", body]


def _metrics_table(kind: Kind) -> str:
    metrics = [field for field in kind.fields if isinstance(field, Metric)]
    return _table(
        ("metric", "id", "unit", "from", "to", "decimals", "aggregate"),
        [
            (
                f"`{metric.name}`",
                str(metric.id),
                metric.unit,
                f"{metric.low:,}",
                f"{metric.high:,}",
                str(metric.decimals),
                f"`{metric.aggregate}`",
            )
            for metric in metrics
        ],
    )


def _fields_table(fields: Sequence[Field]) -> str:
    return _table(("column", "type"), [(f"`{field.name}`", TYPES[field.type]) for field in fields])


def _closed_sets() -> list[type]:
    """Return the enums in the order of their source."""
    return [entry for entry in vars(enums).values() if isinstance(entry, type) and hasattr(entry, "NAMES")]


def _closed_set(closed_set: type) -> str:
    names: tuple[str, ...] = vars(closed_set)["NAMES"]
    meaning = (closed_set.__doc__ or "").splitlines()[0]
    return f"**{closed_set.__name__}**: {meaning} " + ", ".join(
        f"{value} {name}" for value, name in enumerate(names)
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def main(arguments: Sequence[str]) -> int:
    """Write the generated files, or check them."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.generate", description="Write files from shared_schema."
    )
    parser.add_argument("--check", action="store_true", help="change nothing; fail when a file is stale")
    wanted = contents()
    outdated = stale(ROOT, wanted)
    if not parser.parse_args(arguments).check:
        write(ROOT, wanted)
        print("\n".join(f"wrote {path}" for path in outdated) or "everything is up to date")
        return 0
    for path in outdated:
        print(f"{path} is not what shared_schema says: run `{REMEDY}`", file=sys.stderr)
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
