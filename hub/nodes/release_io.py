"""Releases in folders: manifest.json and the files it names, as tools/firmware/release.py makes them."""

from pathlib import Path

from hub.errors import OperatorNeeded
from hub.nodes.release import BYTES_MOST, Release, allowing_older, read_manifest, release_of
from shared_schema.update_messages import MANIFEST_LENGTH

MANIFEST_FILE = "manifest.json"
UPDATE_FOLDER = "updates"  # in a hub's data folder, unless nodes.update_folder says otherwise


class ReleaseFolders:
    """The releases in the update folder, by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str, *, allows_older: bool) -> Release:
        """Return a release. Raises OperatorNeeded, as read_release."""
        return read_release(self._folder / name, allows_older=allows_older)

    def put(self, release: Release) -> None:
        """Copy a release here, whole before its manifest is there. Raises OperatorNeeded."""
        folder = self._folder / release.manifest.name
        try:
            for file, content in zip(release.manifest.files, release.contents, strict=True):
                path = folder / file.path
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
            (folder / MANIFEST_FILE).write_bytes(release.manifest.content)
        except OSError as error:
            hint = "see the owner of nodes.update_folder"
            raise OperatorNeeded(
                f"a release cannot be put here: {error.strerror}", where=str(folder), hint=hint
            ) from None


def read_release(folder: Path, *, allows_older: bool = False) -> Release:
    """Return the release in a folder, every file compared with its SHA-256.

    allows_older: nodes may take it in place of a newer one. Raises OperatorNeeded.
    """
    hint = "make the release anew, or copy it again"
    try:
        manifest = read_manifest(_read(folder / MANIFEST_FILE, MANIFEST_LENGTH))
        contents = [_read(folder / file.path, BYTES_MOST) for file in manifest.files]
        release_of(manifest, contents)
        return Release(allowing_older(manifest) if allows_older else manifest, tuple(contents))
    except OSError as error:
        what = f"is no release of nodes: {error.filename}: {error.strerror}"
        raise OperatorNeeded(what, where=str(folder), hint=hint) from None
    except ValueError as error:
        raise OperatorNeeded(f"is damaged: {error}", where=str(folder), hint=hint) from None


def _read(path: Path, most_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(most_bytes + 1)
