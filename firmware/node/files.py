"""Small files that are whole or not there: written beside the old one, then renamed, at once on LittleFS."""

import json
import os


def read_json(path: str):
    """Return the object in a file; None when there is no such file, or none that is an object."""
    try:
        with open(path) as file:
            found = json.load(file)
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_json(path: str, content: dict) -> None:
    """Put content in place of what the file holds. Raises OSError."""
    with open(path + ".new", "w") as file:
        json.dump(content, file)
    os.rename(path + ".new", path)


def remove(path: str) -> None:
    """Remove a file if it is there."""
    try:
        os.remove(path)
    except OSError:
        pass


def take_text(path: str) -> str:
    """Return what is in a file and remove it; empty when there is none."""
    try:
        with open(path) as file:
            text = file.read()
    except (OSError, ValueError):
        text = ""
    remove(path)
    return text
