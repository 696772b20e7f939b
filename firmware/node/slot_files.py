"""What a slot needs of a file system, the same in both Pythons. Paths are texts, as a board has them."""

import os
from hashlib import sha256

_IS_FOLDER = 0x4000  # of a mode
_READ_BYTES = 512


def size_of(path: str) -> int:
    """Return the bytes in a file, 0 when there is none."""
    try:
        return os.stat(path)[6]
    except OSError:
        return 0


def digest_of(path: str) -> bytes:
    """Return the SHA-256 of what lies in a file. Raises OSError."""
    digest = sha256()
    buffer = bytearray(_READ_BYTES)
    view = memoryview(buffer)
    with open(path, "rb") as file:
        length = file.readinto(buffer)
        while length:
            digest.update(view[:length])
            length = file.readinto(buffer)
    return digest.digest()


def is_content(path: str, content: bytes) -> bool:
    """Return True when a file holds just that."""
    if size_of(path) != len(content):
        return False
    with open(path, "rb") as file:
        return file.read() == content


def write(path: str, content: bytes) -> None:
    """Make content a file's. Raises OSError."""
    with open(path, "wb") as file:
        file.write(content)


def make_folders(path: str, start: int) -> None:
    """Make the folders that path, a file, lies in; the first start marks of it are there already."""
    at = path.find("/", start)
    while at >= 0:
        try:
            os.mkdir(path[:at])
        except OSError:
            pass  # it is there; and if it is not, opening the file says so
        at = path.find("/", at + 1)


def remove(path: str) -> None:
    """Remove a file that may not be there."""
    try:
        os.remove(path)
    except OSError:
        pass


def empty(folder: str) -> None:
    """Remove everything in a folder that may not be there. folder ends with a slash. Raises OSError."""
    try:
        names = os.listdir(folder[:-1])
    except OSError:
        return
    for name in names:
        path = folder + name
        if os.stat(path)[0] & _IS_FOLDER:
            empty(path + "/")
            os.rmdir(path)
        else:
            os.remove(path)
