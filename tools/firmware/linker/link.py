"""From the modules of a program to fewer and smaller ones that do the same.

Source in, source out; tools/firmware/release.py compiles it. Functions keep the names that a traceback says,
and nothing is assumed about objects: a method stays as long as anything in the program says its name.
"""

import ast
from collections.abc import Collection, Mapping

from hub.errors import OperatorNeeded
from tools.firmware.linker.constants import Constants, constants_of
from tools.firmware.linker.join import Joined
from tools.firmware.linker.program import Program, attributes_in, said_in
from tools.firmware.linker.scopes import bound_by
from tools.firmware.linker.split import Parts
from tools.firmware.linker.unused import without_unused


def link(sources: Mapping[str, str], root: str, entry: str, by_name: Collection[str] = ()) -> dict[str, str]:
    """Return root, which loads all it imports at its top in parts, and the modules that are imported later.

    sources: every module by its dotted name. entry: the name in root that is called from outside.
    by_name: packages whose modules are imported by names that only a running program knows.
    Raises OperatorNeeded for what cannot be linked.
    """
    program = Program(sources)
    if root not in program or entry not in program[root].bindings:
        raise OperatorNeeded("there is nothing to start", where=root, hint=f"{root} has to have {entry}")
    joined = Joined(program, root)
    whole = joined.tree()
    later = {name: joined.linked(program[name]) for name in program.reached_later(joined.parts, by_name)}
    constants = constants_of(whole, later.values())
    whole = constants.put_in(whole, {name: name for name in joined.origins})
    attributes = attributes_in(whole, *later.values())
    for name, tree in later.items():
        own = (program[name].said | said_in(tree)) - attributes
        later[name] = _without_constants(tree, constants, root, own)
    called = joined.entry(entry)
    parts = Parts(without_unused(whole, later.values(), called), root, joined.origins)
    for module in (*later.values(), *parts.trees.values()):
        parts.point(module)
    linked = {root: parts.loader(called, entry), **parts.trees, **later}
    return {name: ast.unparse(tree) + "\n" for name, tree in linked.items()}


def _without_constants(tree: ast.Module, constants: Constants, root: str, own: set[str]) -> ast.Module:
    """Return a module that imports from root without the constants that it has from there.

    own: names that only it says; those that it does not say any more need no import.
    """
    imported = {
        alias.asname or alias.name: alias.name
        for statement in tree.body
        if isinstance(statement, ast.ImportFrom) and statement.module == root
        for alias in statement.names
    }
    tree = constants.put_in(tree, imported)
    gone = own - said_in(tree)
    tree.body = [
        statement
        for statement in tree.body
        if not (isinstance(statement, ast.ImportFrom) and bound_by(statement) <= gone)
    ]
    return tree
