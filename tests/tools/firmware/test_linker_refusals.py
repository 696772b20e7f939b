"""A program that would not do the same when it is linked is refused, and where is told."""

import pytest

from hub.errors import OperatorNeeded
from tests.tools.firmware.programs import modules
from tools.firmware.linker.link import link

PROGRAMS = [
    (
        "f stands for two things",
        """
# a
def f():
    return 'a'
# main
from a import f
def f():
    return 'main'
def run():
    return f()
""",
    ),
    (
        "X stands for two things",
        """
# a
X = [1]
def f():
    return X
# main
from a import *
X = [2]
def run():
    return X, f()
""",
    ),
    (
        "what math has",
        """
# main
from math import *
def run():
    return floor(2.5)
""",
    ),
    (
        "main, line 2: at the top",
        """
# main
try:
    import ssl
except ImportError:
    ssl = None
def run():
    return ssl
""",
    ),
    (
        "main, line 4: at the top",
        """
# main
import sys
f = None
if sys:
    def f():
        return 1
def run():
    return f()
""",
    ),
    (
        "main, line 3: at the top",
        """
# main
try:
    X = 1
except OSError as error:
    X = error
def run():
    return X
""",
    ),
    (
        "late.b, line 3: the module a",
        """
# p.a
def f():
    return 1
# late.b
from p import a
def g():
    return getattr(a, 'f')()
# main
from p import a
def run():
    from late.b import g
    return g(), a.f()
""",
    ),
    (
        "main, line 3: the module a",
        """
# p.a
x = [1]
# main
from p import a
def run():
    a.x = 5
""",
    ),
    (
        "__name__ sees names",
        """
# main
def run():
    return __name__
""",
    ),
    (
        "dir sees names",
        """
# main
class A:
    X = 1
def run():
    return dir(A)
""",
    ),
    (
        "put together",
        """
# main
class A:
    def on_x(self):
        return 1
def run(name='x'):
    return getattr(A(), 'on_' + name)()
""",
    ),
    (
        "there is no late.b",
        """
# late.c
X = 1
# main
def run():
    from late import b
""",
    ),
    (
        "late.c, line .: what is imported by name",
        """
# late.c
X = [1]
# main
from late.c import X
def run():
    return X
""",
    ),
    (
        "go round",
        """
# a
from b import *
# b
from a import *
# main
from a import *
def run():
    return 1
""",
    ),
]


@pytest.mark.parametrize(("what", "listing"), PROGRAMS)
def test_is_refused(what: str, listing: str) -> None:
    with pytest.raises(OperatorNeeded, match=what):
        link(modules(listing), "main", "run", by_name=("late",))
