"""Runs one case of the update matrix in MicroPython: update_matrix.py FOLDER CASE

FOLDER holds what test_update_matrix.py put there: board/ (files of a bare board), board.json (their paths),
offer (an UPDATE), files/0, files/1 ... (what the hub has), key. CASE is JSON: version (that is offered),
cuts ([start, stop, step]: at which write the power goes first; 0 never), steps (from the first cut to each
cut), is_torn, program_bytes (of the flash). Prints a line of JSON, World.verdict(), for each first cut.
"""

import json
import os
import sys

import vfs
import world


def content(path):
    with open(path, "rb") as file:
        return file.read()


def flashed(folder, program_bytes):
    """Return the flash of a board as it was first set up."""
    image = bytearray(world.BLOCKS * world.BLOCK_BYTES)
    device = world.Flash(image)
    vfs.VfsLfs2.mkfs(device, progsize=program_bytes)
    vfs.mount(vfs.VfsLfs2(device, progsize=program_bytes), world.MOUNT)
    for path in json.loads(content(folder + "/board.json")):
        make_folders(world.ROOT, path)
        with open(world.ROOT + path, "wb") as file:
            file.write(content(folder + "/board/" + path))
    vfs.umount(world.MOUNT)
    return image


def make_folders(root, path):
    parts = path.split("/")[:-1]
    for count in range(1, len(parts) + 1):
        try:
            os.mkdir(root + "/".join(parts[:count]))
        except OSError:
            pass


def main(folder, case):
    offer = content(folder + "/offer")
    files = [content("%s/files/%d" % (folder, index)) for index in range(len(os.listdir(folder + "/files")))]
    key = content(folder + "/key")
    image = flashed(folder, case["program_bytes"])
    for first in range(*case["cuts"]):
        hub = world.Hub(case["version"], offer, files)
        world.world = world.World(bytearray(image), case["program_bytes"], key, hub)
        world.world.live([first + step for step in case["steps"]], case["is_torn"])
        print(json.dumps(world.world.verdict()))


main(sys.argv[1], json.loads(sys.argv[2]))
