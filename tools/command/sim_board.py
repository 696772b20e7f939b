"""penstock sim board: a microcontroller for those who have none at hand."""

import argparse
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from hub.errors import ConfigError, Problem
from tools.sim_board.board import SimulatedBoard


def register(commands: Any) -> None:
    """Add the command."""
    board = commands.add_parser(
        "board",
        help="a board with MicroPython behind a pseudo-terminal, to be flashed",
        description="Real MicroPython on a pseudo-terminal: raw prompt, LittleFS, watchdog and reset. It\n"
        "has no radio and no pins. The first line printed is its port; Ctrl-C ends it.",
        epilog="example:\n  penstock sim board --image tank-1.flash",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = board.add_argument
    add("--image", type=Path, required=True, metavar="FILE", help="its flash; made when it is missing")
    add("--blocks", type=int, default=192, metavar="N", help="of 4096 bytes (default 192, as an ESP32 has)")
    board.set_defaults(run=_board)


def _board(arguments: argparse.Namespace) -> int:
    if not 8 <= arguments.blocks <= 4096:
        raise ConfigError([Problem("command line", "--blocks", "is out of range", "use 8 to 4096")])
    signal.signal(signal.SIGTERM, _on_sigterm)
    with suppress(KeyboardInterrupt), SimulatedBoard(arguments.image, blocks=arguments.blocks) as board:
        print(board.port, flush=True)
        shown = 0
        while True:
            said = board.said
            sys.stderr.write(said[shown:])
            shown = len(said)
            time.sleep(0.2)
    return 0


def _on_sigterm(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
