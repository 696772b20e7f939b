"""Takes away what nothing in a program can reach, by name.

Names are all that is looked at: a method or a constant of a class stays while anything that stays says its
name, on whatever object, or holds it as a text, which getattr may be given. What calls anything stays, unless
all it calls are classes of the program, which are taken to do no more than make their objects.
"""

import ast
from collections.abc import Iterable
from typing import TypeGuard

from hub.errors import OperatorNeeded

# Called from C: by streams, by block devices, and by `yield from` and `await`.
_CALLED_FROM_C = frozenset(
    {"ioctl", "readinto", "readline", "write", "close", "readblocks", "writeblocks", "send", "throw"}
)
_HARMLESS_DECORATORS = frozenset({"property", "setter", "deleter", "staticmethod", "classmethod"})

_BY_TEXT = frozenset({"getattr", "hasattr", "delattr"})


class _Uses(ast.NodeVisitor):
    """What the code seen so far says: names, and words that may be attributes."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.words: set[str] = set(_CALLED_FROM_C)
        self.harmless: set[str] = set()  # functions and classes: to call one does nothing else

    def _name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Store):
            self.names.add(node.id)

    def _attribute(self, node: ast.Attribute) -> None:
        self.words.add(node.attr)  # also where it is set: a property may have a setter
        self.visit(node.value)

    def _augmented(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.names.add(node.target.id)
        self.generic_visit(node)

    def _constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self.words.add(node.value)

    def _import(self, node: ast.ImportFrom) -> None:
        self.names.update(alias.name for alias in node.names)

    def _call(self, node: ast.Call) -> None:
        is_by_text = isinstance(node.func, ast.Name) and node.func.id in _BY_TEXT
        if is_by_text and any(isinstance(each, ast.BinOp | ast.JoinedStr) for each in node.args[1:2]):
            hint = "write the names out, in a tuple or as the keys of a dict"
            raise OperatorNeeded("a name is put together", where=ast.unparse(node), hint=hint)
        self.generic_visit(node)

    visit_Name = _name
    visit_Call = _call
    visit_Attribute = _attribute
    visit_Constant = _constant
    visit_ImportFrom = _import
    visit_AugAssign = _augmented


def without_unused(tree: ast.Module, others: Iterable[ast.Module], entry: str) -> ast.Module:
    """Return tree with what entry, a name in it, and the modules that import from it can reach."""
    uses = _Uses()
    uses.names.add(entry)
    uses.harmless |= {each.name for each in tree.body if isinstance(each, ast.ClassDef) or _is_pure(each)}
    for other in others:
        uses.visit(other)
    kept: set[ast.stmt] = set()
    while _keep_more(tree.body, uses, kept):
        pass
    body = [statement for statement in tree.body if statement in kept]
    for statement in body:
        if isinstance(statement, ast.ClassDef):
            statement.body = [member for member in statement.body if member in kept] or [ast.Pass()]
    return ast.Module(body, [])


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
    names = _only_defines(statement, uses)
    return names is None or not uses.names.isdisjoint(names)


def _is_member_used(member: ast.stmt, uses: _Uses) -> bool:
    names = _only_defines(member, uses)
    if names is None:
        return True
    return any(name in uses.words or name in uses.names or name.startswith("__") for name in names)


def _only_defines(statement: ast.stmt, uses: _Uses) -> set[str] | None:
    """Return the names a statement defines, None when it may do more than that."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name} if all(map(_is_harmless, statement.decorator_list)) else None
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {alias.asname or alias.name for alias in statement.names}
    if not isinstance(statement, ast.Assign) or _called(statement) - uses.harmless:
        return None
    names = {target.id for target in statement.targets if isinstance(target, ast.Name)}
    return names if len(names) == len(statement.targets) else None


def _is_pure(statement: ast.stmt) -> TypeGuard[ast.FunctionDef]:
    """Return whether this is a function that calls nothing, and changes only what it made."""
    if not isinstance(statement, ast.FunctionDef):
        return False
    nodes = list(ast.walk(statement))
    made = {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    changed = [
        node.value
        for node in nodes
        if isinstance(node, ast.Attribute | ast.Subscript) and not isinstance(node.ctx, ast.Load)
    ]
    is_own = all(isinstance(node, ast.Name) and node.id in made for node in changed)
    return is_own and not any(isinstance(node, ast.Call) for node in nodes)


def _is_harmless(decorator: ast.expr) -> bool:
    name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", None)
    return name in _HARMLESS_DECORATORS


def _called(statement: ast.stmt) -> set[str]:
    calls = [node.func for node in ast.walk(statement) if isinstance(node, ast.Call)]
    return {called.id if isinstance(called, ast.Name) else "" for called in calls}
