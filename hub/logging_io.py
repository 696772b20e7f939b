"""How log lines look, where they go, and what never gets into them."""

import json
import logging
import re
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal

from hub.errors import OperatorNeeded

Format = Literal["plain", "json"]

FILE_BYTES = 5_000_000
FILES_KEPT = 3  # with the current one 20 MB at most: what a small flash can spare
HIDDEN = "[hidden]"
SECRETS = re.compile(
    r"""(?ix)
      eyJ[\w-]{8,}\.[\w-]+\.[\w-]*                 # JSON Web Token, RFC 7519
    | \bsb_(?:secret|publishable)_[\w-]+           # Supabase API keys
    | (?<=bearer\ )[^\s"',;]+                      # RFC 6750
    | (?<=://)[^\s/@:]*:[^\s/@]+(?=@)              # user and password in a URL
    | (?<![a-z])(?P<name>[\w-]*(?:secret|password|token|api_?key)["']?\s*[:=]\s*["']?)[^\s"',;&]{4,}
    """
)


def redacted(line: str) -> str:
    """Return line without what looks like a secret."""
    return SECRETS.sub(lambda found: (found["name"] or "") + HIDDEN, line)


class PlainFormatter(logging.Formatter):
    """For people: time, level, feature, message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-8s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, and the correlation id at its end if there is one."""
        line = super().format(record)
        correlation_id = getattr(record, "correlation_id", None)
        return redacted(f"{line} [{correlation_id}]" if correlation_id else line)


class JsonFormatter(logging.Formatter):
    """For machines: one JSON object per line; time in Unix ms UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        fields: dict[str, object] = {
            "time": round(record.created * 1000),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redacted(record.getMessage()),
        }
        for name in ("correlation_id", "device_key"):
            if (value := getattr(record, name, None)) is not None:
                fields[name] = value
        if record.exc_info:
            fields["traceback"] = redacted(self.formatException(record.exc_info))
        return json.dumps(fields, ensure_ascii=False)


def configure_logging(level: str, file: Path | None = None, form: Format = "plain") -> None:
    """Send the hub's log lines to standard error, or to a file that is rotated.

    level: debug, info, warning or error, for the hub's own lines; libraries speak from warning upwards.
    Raises OperatorNeeded when the file cannot be written.
    """
    handler = _handler_of(file)
    handler.setFormatter(PlainFormatter() if form == "plain" else JsonFormatter())
    root = logging.getLogger()
    for old in tuple(root.handlers):
        root.removeHandler(old)
        old.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("penstock").setLevel(level.upper())


def _handler_of(file: Path | None) -> logging.Handler:
    if file is None:
        return logging.StreamHandler(sys.stderr)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        return RotatingFileHandler(file, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8")
    except OSError as error:
        raise OperatorNeeded(
            f"the log file cannot be written: {error.strerror}",
            where=str(file),
            hint="choose a writable log_file, or none to log to standard error",
        ) from error
