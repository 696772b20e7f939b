"""Runs the test functions of modules inside MicroPython: runner.py MODULE ...

Prints one line per test that passed; the first that fails ends the run with its traceback.
"""

import sys


def run(module_names):
    """Run every function called test_... of the modules."""
    for module_name in module_names:
        module = __import__(module_name, None, None, ("*",))
        for name in sorted(dir(module)):
            if name.startswith("test_"):
                getattr(module, name)()
                print(module_name, name)


run(sys.argv[1:])
