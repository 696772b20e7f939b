"""What a node is to measure, from a file: read by the firmware's own reader before any node is told."""

import json
from pathlib import Path

from firmware.node.config import parse
from hub.errors import ConfigError, Problem
from shared_schema.messages import CONFIG_LENGTH

_HINT = "docs/DRIVERS.md says what it may hold"


def read_plan(path: Path) -> str:
    """Return the configuration in a file, as it is sent. Raises ConfigError for what no node would take."""
    try:
        document = json.dumps(json.loads(path.read_bytes()), separators=(",", ":"), ensure_ascii=False)
        parse(document)
    except OSError as error:
        raise ConfigError([Problem("command line", str(path), f"cannot be read: {error.strerror}")]) from None
    except json.JSONDecodeError as error:
        raise ConfigError([Problem(str(path), f"line {error.lineno}", f"is no JSON: {error.msg}")]) from None
    except ValueError as error:
        key, colon, reason = str(error).partition(": ")
        where, what = (key, reason) if colon else ("configuration", key)
        raise ConfigError([Problem(str(path), where, what, _HINT)]) from None
    size = len(document.encode())
    if size > CONFIG_LENGTH:
        reason = f"takes {size} bytes without blanks; {CONFIG_LENGTH} are the most"
        raise ConfigError([Problem(str(path), "configuration", reason)])
    return document
