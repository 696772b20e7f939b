"""Profiles on disk: those that come with the hub, and a site's own beside them."""

import tomllib
from collections.abc import Sequence
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from hub.errors import ConfigError, Problem
from hub.modbus.profiles import Profile, parse_profile


def profile_names(folders: Sequence[Path] = ()) -> list[str]:
    """Return the names of all profiles there are."""
    return sorted(_files(folders))


def load_profile(name: str, folders: Sequence[Path] = ()) -> Profile:
    """Return the profile called name. folders: looked into before the hub's own.

    Raises:
        ConfigError: there is none, or it is wrong.
    """
    files = _files(folders)
    if name not in files:
        raise ConfigError(
            [Problem("profiles", name, "no such profile", f"there are {', '.join(sorted(files))}")]
        )
    file = files[name]
    try:
        document = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ConfigError([Problem(str(file), "profile", str(error))]) from error
    return parse_profile(name, document, str(file))


def _files(folders: Sequence[Path]) -> dict[str, Traversable]:
    found: dict[str, Traversable] = {}
    for folder in (resources.files("hub.modbus") / "profiles", *folders):
        if folder.is_dir():
            found |= {
                file.name.removesuffix(".toml"): file
                for file in folder.iterdir()
                if file.name.endswith(".toml")
            }
    return found
