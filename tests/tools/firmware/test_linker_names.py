"""Names mean the same in a linked program, however they are bound and imported."""

from pathlib import Path

import pytest

from tests.tools.firmware.programs import modules, same

PROGRAMS = {
    "the entry's name is another module's too": """
# a
def run():
    return 'a'
# main
from a import run as other
def run():
    return 'main' + other()
""",
    "the entry is another module's": """
# a
def go():
    return 'a'
# main
from a import go as run
""",
    "a class calls its own what it has from the top": """
# a
size = [1]
# main
from a import size as of_a
class A:
    of_a = of_a
def run():
    return A.of_a
""",
    "functions in a class do not see its names": """
# a
y = [1]
# b
y = [2]
def of_b():
    return y
# main
from b import of_b
from a import y
class A:
    y = 3
    by_lambda = lambda self: y
    in_list = [y for _ in range(1)]
    class B:
        def by_method(self):
            return y
def run():
    return A().by_lambda(), A.in_list, A.B().by_method(), of_b()
""",
    "a function imports what is always there": """
# a
LIMIT = [4]
def f():
    return LIMIT
# main
from a import f
def run():
    from a import LIMIT as most
    return f(), most
""",
    "a module passes a function on, and the caller has its name": """
# p.a
def f(x):
    return x
# p.b
from p.a import f
# main
from p import b
def run():
    f = 1
    return b.f(f)
""",
    "later modules pass names on": """
# a
LIMIT = 4
def f():
    return LIMIT
# late.b
from a import LIMIT, f
def most():
    return LIMIT
# late.c
from late.b import f
def g():
    return f()
# main
from a import f
def run():
    from late import b
    from late.c import g
    return g(), f(), b.LIMIT, b.most()
""",
    "a later module has the names that are made for it": """
# p.a
def f(x):
    return x
# late.b
from p import a
def a_f():
    return 2
def g():
    a_f_ = 3
    return a.f(a_f_), a_f()
# main
from p import a
def run():
    from late.b import g
    return g(), a.f(1)
""",
    "a comprehension assigns": """
# a
y = [5]
# main
from a import y as z
def run():
    return [y for x in (1, 2) if (y := x + 1)], y, z
""",
    "several modules have what a star takes": """
# a
X = [1]
# b
X = [2]
# main
from a import *
from b import *
def run():
    return X
""",
    "a module passes another's on to a later one": """
# p.b
import json
def f():
    return json.dumps(1)
# late.c
from p import b
from p.b import json as j
def g():
    return b.json.dumps(2), j.dumps(3), b.f()
# main
from p import b
def run():
    from late.c import g
    return g(), b.f()
""",
    "a star takes what is only passed on": """
# a
seen = []
# b
from a import seen
seen.append(1)
# main
from b import *
def run():
    return seen
""",
}


@pytest.mark.parametrize("listing", PROGRAMS.values(), ids=PROGRAMS)
def test_a_program_does_the_same_where(listing: str, tmp_path: Path) -> None:
    same(tmp_path, modules(listing))


def test_a_name_in_a_comprehension_is_not_what_another_part_has(tmp_path: Path) -> None:
    filling = "".join(
        f"def f{number}():\n    return 'some text, so that there is more' + i[0]\n" for number in range(200)
    )
    uses = ", ".join(f"f{number}" for number in range(200))
    same(
        tmp_path,
        {
            "a": f"i = ['5']\n{filling}",
            "b": f"from a import {uses}\nX = [i for i in range(3)]\ndef f():\n    return X, ({uses})[-1]()\n",
            "main": "from a import i\nfrom b import f\ndef run():\n    return i, f()\n",
        },
    )
