"""penstock outbox: what waits on this hub's disk, what the cloud refused, and all of it as a file."""

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from hub.config import load
from hub.errors import PenstockError
from hub.outbox.reader_io import OutboxReader, rows_of
from hub.outbox.records import WANTS_PURGE, FailedRow
from shared_schema.limits import ATTEMPTS_BEFORE_DEAD_LETTER
from shared_schema.metrics import KINDS

OUTBOX_FILE = "outbox.db"

_EPILOG = """\
examples:
  penstock outbox status site.toml
  penstock outbox status --data-dir /var/lib/penstock --json
  penstock outbox dead-letter list site.toml
  penstock outbox dead-letter retry site.toml 17 18
  penstock outbox dead-letter purge site.toml --all
  penstock outbox export site.toml --format csv --to rows.csv

All of these may be used while the hub runs. Exit code of status and list: 3 when there are dead letters.
"""


def register(groups: Any) -> None:
    """Add the outbox commands."""
    parser = groups.add_parser(
        "outbox",
        help="look at what waits on disk, and at what the cloud refused",
        description="The outbox: every reading is here until the cloud has it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add(commands, "status", "say how much is stored, since when, and what was lost", _status, has_json=True)
    letters = commands.add_parser(
        "dead-letter",
        help="list, retry or purge rows the cloud refused",
        description="Rows the cloud refused.",
    )
    actions = letters.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add(actions, "list", "list refused rows with the reasons", _list, has_json=True)
    for name, sentence in (
        ("retry", "have dead letters sent again, as if they were new"),
        ("purge", "give dead letters up; each gets an entry in the loss ledger"),
    ):
        action = _add(actions, name, sentence, _ask)
        action.set_defaults(is_purge=name == "purge")
        action.add_argument("ids", nargs="*", type=int, metavar="ID", help="as the list names them")
        action.add_argument("--all", action="store_true", help="every dead letter")
    export = _add(commands, "export", "write every row that was not sent yet, to read it elsewhere", _export)
    export.add_argument("--format", choices=("jsonl", "csv"), default="jsonl", help="default: jsonl")
    export.add_argument("--to", type=Path, metavar="FILE", help="default: standard output")


def _add(
    commands: Any,
    name: str,
    sentence: str,
    handler: Callable[[argparse.Namespace], int],
    *,
    has_json: bool = False,
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(
        name, help=sentence, description=f"{sentence[0].upper()}{sentence[1:]}."
    )
    command.add_argument("config", nargs="?", metavar="CONFIG", help="the hub's TOML file")
    command.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="the hub's data folder, instead of CONFIG"
    )
    if has_json:
        command.add_argument("--json", action="store_true", help="print one JSON document")
    command.set_defaults(run=handler, usage_error=command.error)
    return command


def _reader(arguments: argparse.Namespace) -> OutboxReader:
    if arguments.data_dir is not None:
        if arguments.config is not None and hasattr(arguments, "ids"):
            arguments.ids.insert(0, _number(arguments))
        elif arguments.config is not None:
            arguments.usage_error("give CONFIG or --data-dir, not both")
        return OutboxReader(arguments.data_dir / OUTBOX_FILE)
    if arguments.config is None:
        arguments.usage_error("give CONFIG or --data-dir")
    return OutboxReader(Path(load(Path(arguments.config)).hub.data_dir) / OUTBOX_FILE)


def _number(arguments: argparse.Namespace) -> int:
    """With --data-dir the first ID stands where CONFIG would."""
    if not arguments.config.isdigit():
        arguments.usage_error("give CONFIG or --data-dir, not both")
    return int(arguments.config)


def _status(arguments: argparse.Namespace) -> int:
    summary = _reader(arguments).summary()
    if arguments.json:
        print(json.dumps(summary._asdict()))
    else:
        for name, value in _lines(summary):
            print(f"{name:<14}{value}")
    return 3 if summary.dead_letters else 0


def _lines(summary: Any) -> Iterator[tuple[str, str]]:
    kinds = ", ".join(f"{rows:,} {kind}" for kind, rows in sorted(summary.rows.items()) if rows)
    yield "unsent", f"{summary.unsent:,} rows" + (f" ({kinds})" if kinds else "")
    if summary.oldest_ms is not None:
        yield "from", _time(summary.oldest_ms)
        yield "to", _time(summary.newest_ms)
    if summary.held:
        yield "held", f"{summary.held:,} rows of a boot whose clock is not known yet"
    yield "on disk", f"{summary.bytes_on_disk:,} bytes"
    yield (
        "stored ever",
        f"{summary.appended:,} rows of {summary.streams:,} devices, {summary.settled:,} of them sent",
    )
    lost = ", ".join(f"{rows:,} {cause}" for cause, rows in sorted(summary.losses.items()))
    yield "lost ever", lost or "nothing"
    yield "refused", f"{summary.retrying:,} still tried, {summary.dead_letters:,} dead letters"


def _time(unix_ms: int) -> str:
    try:
        return datetime.fromtimestamp(unix_ms / 1000, UTC).isoformat(" ", "milliseconds")
    except (OverflowError, ValueError, OSError):
        return f"{unix_ms} ms"


def _list(arguments: argparse.Namespace) -> int:
    rows = _reader(arguments).failed()
    if arguments.json:
        print(json.dumps([_document(row) for row in rows], ensure_ascii=False))
    for row in () if arguments.json else rows:
        when = _time(row.recorded_at_ms)
        print(f"{row.failed_id:>6}  {_fate(row):<16}{row.device_key} {row.kind} #{row.seq} {when}")
        print(f"        {row.reason}")
        print(f"        {row.values}")
    if not rows and not arguments.json:
        print("the cloud refused nothing")
    return 3 if any(_fate(row) == "dead" for row in rows) else 0


def _fate(row: FailedRow) -> str:
    if row.attempts == WANTS_PURGE:
        return "being purged"
    return "dead" if row.attempts >= ATTEMPTS_BEFORE_DEAD_LETTER else f"tried {row.attempts} times"


def _document(row: FailedRow) -> dict[str, Any]:
    return {**row._asdict(), "values": json.loads(row.values), "fate": _fate(row)}


def _ask(arguments: argparse.Namespace) -> int:
    reader = _reader(arguments)
    if bool(arguments.ids) == arguments.all:
        arguments.usage_error("give the ID of dead letters, or --all")
    count = reader.ask(None if arguments.all else arguments.ids, purge=arguments.is_purge)
    if arguments.ids and count < len(set(arguments.ids)):
        hint = "penstock outbox dead-letter list shows them"
        raise PenstockError(f"{count} of {len(set(arguments.ids))} are dead letters", hint=hint)
    verb = "be given up" if arguments.is_purge else "be sent again"
    print(f"{count} dead letters will {verb} when the hub next looks, within seconds, or when it starts")
    return 0


def _export(arguments: argparse.Namespace) -> int:
    reader = _reader(arguments)
    count = 0
    with _destination(arguments.to) as file:
        write = _csv_writer(file) if arguments.format == "csv" else _json_writer(file)
        for batch in reader.batches():
            for row in rows_of(batch):
                write(row)
            count += len(batch)
    print(f"{count:,} rows", file=sys.stderr)
    return 0


@contextmanager
def _destination(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as error:
        raise PenstockError(f"cannot write: {error.strerror}", where=str(path)) from error


def _json_writer(file: TextIO) -> Callable[[dict[str, Any]], object]:
    return lambda row: file.write(json.dumps(row, ensure_ascii=False) + "\n")


def _csv_writer(file: TextIO) -> Callable[[dict[str, Any]], object]:
    fields = ["kind", "device_key", "epoch", "seq", "recorded_at_ms", "quality", "time_quality"]
    fields += dict.fromkeys(field.name for kind in KINDS for field in kind.fields)
    writer = csv.DictWriter(file, fields, extrasaction="ignore")
    writer.writeheader()
    return writer.writerow
