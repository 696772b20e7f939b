"""Many boards at once: who gets which identity, then each in a thread of its own.

A board that fails does not stop the others.
"""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple

from hub.errors import ConfigError, OperatorNeeded, PenstockError, Problem, TryAgain
from tools.flash.flashing import Flashed, Order, Tell, flash
from tools.flash.image import Image
from tools.flash.mpremote_io import Board
from tools.flash.node_file import NodeFile
from tools.flash.survey import Survey, look_at

TellOf = Callable[[str], Tell]
_AT_ONCE = 32  # more than a USB hub has sockets


class Outcome(NamedTuple):
    """What became of the board on a port: flashed, or trouble."""

    port: str
    flashed: Flashed | None
    trouble: PenstockError | None


def survey_all(ports: Sequence[str], image: Image) -> dict[str, Survey | PenstockError]:
    """Look at every board; nothing is written."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(ports, pool.map(lambda port: _survey(port, image), ports), strict=True))


def _survey(port: str, image: Image) -> Survey | PenstockError:
    try:
        return _looked_at(port, image)
    except TryAgain as error:
        # A watchdog of what ran there bites once; the board then waits at its start.
        try:
            return _looked_at(port, image)
        except PenstockError:
            return error
    except PenstockError as error:
        return error


def _looked_at(port: str, image: Image) -> Survey:
    board = Board(port)
    try:
        return look_at(board, image.start)
    except OperatorNeeded:
        with suppress(TryAgain):
            board.reset()  # whatever it is, it goes on with it
        raise
    finally:
        board.close()


def deal(
    surveys: Mapping[str, Survey], named: Mapping[str, str], keys: Sequence[str], *, is_wiped: bool
) -> dict[str, str | None]:
    """Return which node each board becomes; None keeps the identity it has.

    named: keys that were given for a port. keys: for the boards that need one, in the order of ports.
    Raises ConfigError when they do not go out even: guessing would mix up two nodes.
    """
    wanting = [port for port, found in surveys.items() if port not in named and (is_wiped or not found.node)]
    by_key = {found.node.device_key: port for port, found in surveys.items() if found.node and not is_wiped}
    settled = {by_key[key]: key for key in keys if key in by_key}
    left = [key for key in keys if key not in by_key]
    if len(left) != len(wanting):
        reason = f"{len(left)} for {len(wanting)} board(s) without identity: {', '.join(wanting) or 'none'}"
        hint = "name one key for each, or say which is which: --port PORT=KEY"
        raise ConfigError([Problem("command line", "KEY", reason, hint)])
    return dict.fromkeys(surveys) | settled | dict(zip(wanting, left, strict=True)) | dict(named)


def let_go(surveys: Mapping[str, Survey]) -> None:
    """Start what ran on the boards before they were looked at."""
    for port in surveys:
        with suppress(PenstockError):
            Board(port).reset()


def flash_all(
    surveys: Mapping[str, Survey],
    image: Image,
    nodes: Mapping[str, NodeFile | None],
    tell_of: TellOf,
    *,
    is_wiped: bool,
) -> list[Outcome]:
    """Flash every board, at the same time. nodes: by port; None keeps the identity."""

    def one(port: str) -> Outcome:
        tell = tell_of(port)
        try:
            flashed = _flash_one(surveys[port], Order(image, nodes[port], is_wiped), tell)
        except PenstockError as error:
            tell("failed", 0, 1)
            return Outcome(port, None, error)
        tell("done", 1, 1)
        return Outcome(port, flashed, None)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(one, surveys))


def _flash_one(found: Survey, order: Order, tell: Tell) -> Flashed:
    board = Board(found.port)
    try:
        return flash(board, found, order, tell)
    except TryAgain:
        raise  # it is not there
    except PenstockError:
        with suppress(TryAgain):
            board.reset()  # back to what it did before
        raise
    finally:
        board.close()
