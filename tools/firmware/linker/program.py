"""A program's modules, parsed; what is at their top, and what their imports mean."""

import ast
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from hub.errors import OperatorNeeded
from tools.firmware.linker.scopes import bound_by


class Entity(NamedTuple):
    """What a name at the top of a module stands for.

    module: where it is defined. name: there; "" for the module itself.
    """

    module: str
    name: str


class Module:
    """One module. bindings: what each name at its top stands for, imported ones followed to their module.

    said: all names that its source says, annotations included.
    """

    def __init__(self, name: str, source: str) -> None:
        self.name = name
        tree = ast.parse(source)
        self.said = said_in(tree)
        self.tree = _Plain().visit(tree)
        self.bindings: dict[str, Entity] = {}
        self.is_bound = False

    @property
    def imports(self) -> Iterator[ast.Import | ast.ImportFrom]:
        """Those that run when the module is loaded."""
        for statement in self.tree.body:
            if isinstance(statement, ast.Import | ast.ImportFrom):
                yield statement

    def fail(self, node: ast.AST, what: str) -> OperatorNeeded:
        """Return the error that tells where the linker gives up."""
        where = f"{self.name}, line {getattr(node, 'lineno', '?')}"
        return OperatorNeeded(what, where=where, hint="write it in a way that tools/firmware/linker knows")


class Program(dict[str, Module]):
    """All modules by their dotted names."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        super().__init__((name, Module(name, source)) for name, source in sources.items())
        for module in self.values():
            self._bind(module)

    def imported(self, module: Module, statement: ast.Import | ast.ImportFrom) -> dict[str, Entity]:
        """Return what names an import binds, and to what."""
        if isinstance(statement, ast.Import):
            return {
                alias.asname or alias.name: self._module(module, statement, alias)
                for alias in statement.names
            }
        if statement.level or statement.module is None:
            raise module.fail(statement, "relative imports cannot be linked")
        if statement.names[0].name == "*":
            if statement.module not in self:
                raise module.fail(statement, f"what {statement.module} has is not known here")
            found = self._bind(self[statement.module])
            return {name: found[name] for name in found if not name.startswith("_")}
        return {
            alias.asname or alias.name: self._entity(module, statement, alias.name)
            for alias in statement.names
        }

    def defined(self, entity: Entity) -> Entity:
        """Return the entity where it is defined: modules pass on what they import."""
        source = self.get(entity.module)
        return self._bind(source).get(entity.name, entity) if source else entity

    def loaded_with(self, root: str) -> list[str]:
        """Return root and all it imports at its top, each behind what it imports itself."""
        order: list[str] = []
        self._follow(root, order, ())
        return order

    def reached_later(self, loaded: Collection[str], by_name: Collection[str]) -> list[str]:
        """Return what is not among loaded and may be imported by it, or by what is."""
        found = [name for name in self if name.rpartition(".")[0] in by_name]
        for name in set(found) & set(loaded):
            raise self[name].fail(self[name].tree, "what is imported by name cannot be there from the start")
        for name in (look := [*loaded, *found]):
            for node in ast.walk(self[name].tree):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    look += sorted(set(self._needed(self[name], node)).difference(look))
        return [name for name in self if name in look and name not in loaded]

    def _follow(self, name: str, order: list[str], above: tuple[str, ...]) -> None:
        if name in above:
            raise OperatorNeeded("imports go round", where=" > ".join((*above, name)), hint="cut the circle")
        if name in order:
            return
        for statement in self[name].imports:
            for needed in self._needed(self[name], statement):
                self._follow(needed, order, (*above, name))
        order.append(name)

    def _needed(self, module: Module, statement: ast.Import | ast.ImportFrom) -> list[str]:
        found = [entity.module for entity in self.imported(module, statement).values()]
        if isinstance(statement, ast.ImportFrom) and statement.module:
            found.insert(0, statement.module)  # of a `*` that takes only what is passed on as well
        return [name for name in found if name in self]

    def _module(self, module: Module, statement: ast.Import, alias: ast.alias) -> Entity:
        if alias.name in self or ("." in alias.name and alias.asname is None):
            raise module.fail(statement, f"import {alias.name}: only `from ... import` can be linked here")
        return Entity(alias.name, "")

    def _entity(self, module: Module, statement: ast.ImportFrom, name: str) -> Entity:
        source = statement.module or ""
        if f"{source}.{name}" in self:
            return Entity(f"{source}.{name}", "")
        if source not in self and any(each.startswith(f"{source}.") for each in self):
            raise module.fail(statement, f"there is no {source}.{name}")
        return Entity(source, name)

    def _bind(self, module: Module) -> dict[str, Entity]:
        if module.is_bound:
            return module.bindings
        module.is_bound = True
        for statement in module.tree.body:
            module.bindings.update((name, Entity(module.name, name)) for name in defined_by(statement))
        for statement in module.imports:
            for name, found in self.imported(module, statement).items():
                entity, before = self.defined(found), module.bindings.get(name)
                if before not in (None, entity) and not _is_replaced(module, statement, before):
                    raise module.fail(statement, f"{name} stands for two things")
                module.bindings[name] = entity
        return module.bindings


def defined_by(statement: ast.stmt) -> list[str]:
    """Return the names that a statement at the top of a module defines, other than by importing."""
    return [] if isinstance(statement, ast.Import | ast.ImportFrom) else sorted(bound_by(statement))


def said_in(tree: ast.Module) -> set[str]:
    """Return all names that a module says, of whatever scope."""
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def attributes_in(*trees: ast.Module) -> set[str]:
    """Return all attributes that modules say, of whatever object."""
    return {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def _is_replaced(module: Module, statement: ast.Import | ast.ImportFrom, before: Entity) -> bool:
    """Return whether a statement may take a name away: a `*` from an import, as several have the same."""
    return statement.names[0].name == "*" and before.module != module.name


class _Plain(ast.NodeTransformer):
    """Takes away what MicroPython does not keep anyhow: docstrings and annotations."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if not isinstance(node, ast.Module) and getattr(node, "body", None) == []:
            node.body = [ast.Pass()]  # type: ignore[attr-defined] # it has one
        return node

    def _annotated(self, node: ast.AnnAssign) -> ast.AST | None:
        self.generic_visit(node)
        if node.value is None:
            return None
        return ast.copy_location(ast.Assign([node.target], node.value), node)

    def _argument(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def _expression(self, node: ast.Expr) -> ast.AST | None:
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    visit_AnnAssign = _annotated
    visit_arg = _argument
    visit_Expr = _expression
    visit_FunctionDef = visit_AsyncFunctionDef = _function
