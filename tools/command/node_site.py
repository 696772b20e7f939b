"""The site a command is about: its hub's data folder, and what lies there of nodes."""

import argparse
import os
import stat
from pathlib import Path

from hub.config import load
from hub.errors import ConfigError, OperatorNeeded, Problem
from tools.flash.node_file import NodeFile

FOLDER = "nodes"  # beside nodes.json: what each node is given, secret


def add_site(parser: argparse.ArgumentParser, *, is_required: bool = True) -> None:
    """Add the argument that names a site."""
    parser.add_argument(
        "--site",
        type=Path,
        required=is_required,
        metavar="PATH",
        help="the hub's TOML file, or its data folder",
    )


def data_folder(site: Path) -> Path:
    """Return the hub's data folder, made when it is missing. Raises ConfigError."""
    folder = load(site).hub.data_dir if site.is_file() else site
    if not site.exists():
        hint = "name the hub's TOML file, or an existing folder"
        raise ConfigError([Problem("command line", "--site", f"there is no {site}", hint)])
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError([Problem("--site", str(folder), f"cannot be a folder: {error.strerror}")]) from None
    return folder


def node_path(folder: Path, device_key: str) -> Path:
    """Return where a node's file lies."""
    return folder / FOLDER / f"{device_key}.json"


def read_node(folder: Path, device_key: str) -> NodeFile:
    """Return what a node is given. Raises OperatorNeeded when nobody made it, or it is spoilt."""
    path = node_path(folder, device_key)
    remedy = f"make it: penstock node new {device_key} --site …"
    try:
        return NodeFile.parse(path.read_bytes())
    except FileNotFoundError:
        raise OperatorNeeded(f"there is no node {device_key}", where=str(path), hint=remedy) from None
    except OSError as error:
        raise OperatorNeeded(f"cannot be read: {error.strerror}", where=str(path)) from None
    except ValueError as error:
        raise OperatorNeeded(f"is spoilt: {error}", where=str(path), hint=remedy) from None


def write_secret(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read, whole or not at all. Raises OperatorNeeded."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        path.parent.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, stat.S_IRUSR | stat.S_IWUSR)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)
        fresh.replace(path)
    except OSError as error:
        raise OperatorNeeded(
            f"cannot be written: {error.strerror}", where=str(path), hint="see the folder's owner"
        ) from None
