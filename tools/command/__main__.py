"""The penstock command: parses, runs one subcommand, turns errors into sentences and exit codes.

Exit codes: 0 fine, 1 failed, 2 wrong usage or configuration, 3 works but needs attention, 70 a bug,
130 interrupted.
"""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from hub.errors import ConfigError, PenstockError

GROUPS = {
    "demo": "a bus, a hub and a cloud on this machine, and the cloud's verdict",
    "hub": "run the hub of a site",
    "modbus": "find, read, write and plan Modbus transmitters",
    "node": "flash sensor nodes, approve and revoke them",
    "outbox": "look at what waits on disk, and at what the cloud refused",
    "cloud": "run a cloud on this machine; register devices; ask whether everything arrived",
    "sim": "simulate an RS485 bus, nodes, or a fleet of hubs",
    "bench": "measure against references, side by side",
}
_NONE = "-"  # no group is loaded: enough for the list of them

_EPILOG = """\
start here:
  penstock demo                          the whole way from a bus to a cloud on this machine
  penstock modbus scan /dev/serial/by-id/…   find what is on an RS485 line
  penstock hub check site.toml           say everything that is wrong with a configuration
  penstock hub run site.toml             run the hub of a site

exit codes: 0 fine · 1 failed · 2 wrong usage or configuration · 3 works but needs attention
"""


def build_parser(only: str = "") -> argparse.ArgumentParser:
    """Return the parser of every subcommand; only: the one group that will be used, so it alone is loaded."""
    parser = argparse.ArgumentParser(
        prog="penstock",
        description="Site telemetry that loses nothing.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    groups = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, sentence in GROUPS.items():
        if only in {"", name}:
            importlib.import_module(f"tools.command.{name}").register(groups)
        else:
            groups.add_parser(name, help=sentence)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = sys.argv[1:] if argv is None else argv
    try:
        arguments = build_parser(words[0] if words and words[0] in GROUPS else _NONE).parse_args(words)
        return int(arguments.run(arguments))
    except ConfigError as error:
        for problem in error.problems:
            print(f"penstock: error: {problem}", file=sys.stderr)
        print(f"penstock: {len(error.problems)} problem(s) found; nothing was started", file=sys.stderr)
        return 2
    except PenstockError as error:
        print(f"penstock: error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        # The outermost edge: a person sees a sentence, a developer asks for the rest.
        if os.environ.get("PENSTOCK_DEBUG"):
            raise
        print(f"penstock: this is a bug: {type(error).__name__}: {error}", file=sys.stderr)
        print("penstock: set PENSTOCK_DEBUG=1 to see where, and report it", file=sys.stderr)
        return 70


if __name__ == "__main__":
    raise SystemExit(main())
