"""Places that a command will write to at its end, tried at its beginning."""

from pathlib import Path

from hub.errors import ConfigError, Problem


def require_file(option: str, path: Path | None) -> None:
    """Raise ConfigError unless a file can be written there; makes an empty one. None: nothing is asked."""
    if path is None:
        return
    try:
        path.open("a").close()
    except OSError as error:
        raise ConfigError([Problem(option, str(path), f"cannot be written: {error.strerror}")]) from None


def require_folder(option: str, path: Path | None) -> None:
    """Raise ConfigError unless there is, or can be made, a folder. None: nothing is asked."""
    if path is None:
        return
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError([Problem(option, str(path), f"cannot be a folder: {error.strerror}")]) from None
