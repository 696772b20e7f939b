"""Takes away what nothing in a program can reach, by name.

Names are all that is looked at: a method or a constant of a class stays while anything that stays says its
name, on whatever object, or holds it as a text, which getattr may be given.
"""

import ast
from collections.abc import Iterable

# Called from C: by the interpreter, by streams, by file systems.
_CALLED_FROM_C = frozenset({"ioctl", "readinto", "readline", "write", "close", "readblocks", "writeblocks"})


class _Uses(ast.NodeVisitor):
    """What the code seen so far says: names, and words that may be attributes."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.words: set[str] = set(_CALLED_FROM_C)

    def _name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            self.names.add(node.id)

    def _attribute(self, node: ast.Attribute) -> None:
        if isinstance(node.ctx, ast.Load):
            self.words.add(node.attr)
        self.visit(node.value)

    def _constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.words.add(node.value)

    def _import(self, node: ast.ImportFrom) -> None:
        self.names.update(alias.name for alias in node.names)

    visit_Name = _name
    visit_Attribute = _attribute
    visit_Constant = _constant
    visit_ImportFrom = _import


def without_unused(tree: ast.Module, others: Iterable[ast.Module], entry: str) -> ast.Module:
    """Return tree with what entry, a name in it, and the modules that import from it can reach."""
    uses = _Uses()
    uses.names.add(entry)
    for other in others:
        uses.visit(other)
    kept: set[ast.stmt] = set()
    while _keep_more(tree.body, uses, kept):
        pass
    return ast.Module(_only(tree.body, kept), [])


def is_needed(statement: ast.stmt, tree: ast.Module) -> bool:
    """Return False for an import at the top of tree whose name it does not say any more."""
    if not isinstance(statement, ast.ImportFrom):
        return True
    said = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return any((alias.asname or alias.name) in said for alias in statement.names)


def _keep_more(body: list[ast.stmt], uses: _Uses, kept: set[ast.stmt]) -> bool:
    """Keep what is used by now, and note what it uses; return whether there was anything new."""
    before = len(kept)
    for statement in body:
        if statement not in kept and _is_used(statement, uses):
            kept.add(statement)
            for each in _said_at_once(statement):
                uses.visit(each)
        if isinstance(statement, ast.ClassDef) and statement in kept:
            for member in statement.body:
                if member not in kept and _is_member_used(member, uses):
                    kept.add(member)
                    uses.visit(member)
    return len(kept) > before


def _said_at_once(statement: ast.stmt) -> list[ast.AST]:
    """Return what says names as soon as the statement stays; a class's members wait."""
    if isinstance(statement, ast.ClassDef):
        return [*statement.decorator_list, *statement.bases]
    return [statement]


def _is_used(statement: ast.stmt, uses: _Uses) -> bool:
    names = _only_defines(statement)
    return names is None or not uses.names.isdisjoint(names)


def _is_member_used(member: ast.stmt, uses: _Uses) -> bool:
    names = _only_defines(member)
    if names is None:
        return True
    return any(name in uses.words or name in uses.names or name.startswith("__") for name in names)


def _only_defines(statement: ast.stmt) -> set[str] | None:
    """Return the names a statement defines, None when it may do more than that."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in statement.names}
    if isinstance(statement, ast.Assign) and all(
        isinstance(target, ast.Name) for target in statement.targets
    ):
        return {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return None


def _only(body: list[ast.stmt], kept: set[ast.stmt]) -> list[ast.stmt]:
    found = [statement for statement in body if statement in kept]
    for statement in found:
        if isinstance(statement, ast.ClassDef):
            statement.body = _only(statement.body, kept) or [ast.Pass()]
    return found
