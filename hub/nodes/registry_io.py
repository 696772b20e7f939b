"""The file of the registry."""

from pathlib import Path

from hub.nodes.registry import REGISTRY_FILE, Registry, decode, encode
from hub.nodes.table_io import TableFile


class RegistryFile(TableFile[Registry]):
    """nodes.json in a hub's data folder; no file is an empty registry."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder / REGISTRY_FILE,
            Registry(),
            decode,
            encode,
            what="the list of nodes",
            hint="mend it, or set it aside and approve the nodes again",
        )
