"""The file of the commands that people gave nodes."""

from pathlib import Path

from hub.nodes.commands import CommandList, decode, encode
from hub.nodes.table_io import TableFile

COMMANDS_FILE = "node-commands.json"


class CommandsFile(TableFile[CommandList]):
    """A CommandStore: node-commands.json in a hub's data folder; no file is an empty list."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder / COMMANDS_FILE,
            CommandList(),
            decode,
            encode,
            what="the list of commands for nodes",
            hint="remove it, and give the commands again",
        )
