"""Joins a module and all it imports into one, and points the other modules at it."""

import ast
import builtins
from collections.abc import Collection, Iterator
from functools import partial

from tools.firmware.linker.program import Entity, Module, Program
from tools.firmware.linker.scopes import TopNames, Use, bound_inside

_BUILTINS = frozenset(dir(builtins)) | {"const"}
_SEES_NAMES = {"__name__", "dir", "eval", "exec", "globals", "locals", "setattr", "vars"}


class Joined:
    """One module made of root and all it imports at its top. parts: those, each behind what it imports."""

    def __init__(self, program: Program, root: str) -> None:
        self.root = root
        self.parts = program.loaded_with(root)
        self._program = program
        self._names: dict[Entity, str] = {}
        self._outside: list[Entity] = []
        self._taken = set(_BUILTINS)
        # What is said by another name than its own could be taken for what a function calls its own.
        self._inside = set().union(*[bound_inside(program[part].tree) for part in self.parts])
        self._renamed_by_some = set(self._aliased())
        for part in self.parts:
            self._name(program[part])

    def tree(self) -> ast.Module:
        """Return the module."""
        body = [_import(entity, self._names[entity]) for entity in self._outside]
        for part in self.parts:
            body.extend(self._contents(self._program[part]))
        return ast.fix_missing_locations(ast.Module(body, []))

    def _contents(self, module: Module) -> Iterator[ast.stmt]:
        imports = _Imports(self, self._program, module)
        uses = TopNames(partial(self._exchanged, module))
        for statement in module.tree.body:
            if not isinstance(statement, ast.Import | ast.ImportFrom):
                _see_that_names_are_plain(module, statement)
                yield self._renamed(module, uses.visit(imports.visit(statement)))

    def linked(self, module: Module) -> ast.Module:
        """Return a module that is no part, with what it has from parts imported from this one."""
        taken = bound_inside(module.tree) | module.bindings.keys()
        wanted: dict[Entity, str] = {}

        def exchanged(node: Use, name: str) -> ast.expr | None:
            entity = self._in_space(module, node, name)
            if entity is None or (entity.module in self._program and entity.module not in self.parts):
                return None
            found = self.found_in(module, node, entity)
            if found not in wanted:
                wanted[found] = _unlike(f"{name}_{entity.name or entity.module}", taken)
                taken.add(wanted[found])
            return ast.copy_location(ast.Name(wanted[found], node.ctx), node)

        tree: ast.Module = _Imports(self, self._program, module).visit(TopNames(exchanged).visit(module.tree))
        tree.body[:0] = [_import(entity, wanted[entity]) for entity in sorted(wanted)]
        return ast.fix_missing_locations(tree)

    def found_in(self, module: Module, node: ast.AST, entity: Entity) -> Entity:
        """Return what a module that is no part has to import for an entity; node of module asks."""
        return Entity(self.root, self.called(module, node, entity)) if entity.module in self.parts else entity

    def entry(self, name: str) -> str:
        """Return what a name in root is called."""
        return self.called(self._program[self.root], ast.Pass(), Entity(self.root, name))

    @property
    def origins(self) -> dict[str, str]:
        """Which part each name at its top comes from."""
        return {name: entity.module for entity, name in self._names.items()}

    def called(self, module: Module, node: ast.AST, asked: Entity) -> str:
        """Return what an entity is called in this module; node of module asks."""
        entity = self._program.defined(asked)
        if entity not in self._names:
            raise module.fail(node, f"{asked.module} has no {asked.name}")
        return self._names[entity]

    def _name(self, module: Module) -> None:
        for name, entity in module.bindings.items():
            if entity.module == module.name:
                self._names[entity] = self._free(name, module.name)
            elif entity.module not in self._program and entity not in self._names:
                self._outside.append(entity)
                self._names[entity] = self._free(name, entity.module)

    def _aliased(self) -> Iterator[Entity]:
        """Yield what some part says by another name; for all that is in a module its name only."""
        for part in self.parts:
            for bound, entity in self._program[part].bindings.items():
                if bound != entity.name:
                    yield entity
                if not entity.name and entity.module in self._program:
                    yield from self._program[entity.module].bindings.values()

    def _free(self, name: str, module: str) -> str:
        is_aliased = not self._renamed_by_some.isdisjoint((Entity(module, name), Entity(module, "")))
        found = name
        if name in self._taken or (is_aliased and name in self._inside):
            found = _unlike(f"{name}_{module.rpartition('.')[2]}", self._taken | self._inside)
        self._taken.add(found)
        return found

    def _exchanged(self, module: Module, node: Use, name: str) -> ast.expr | None:
        entity = module.bindings.get(name)
        if entity is None and name in _SEES_NAMES:
            raise module.fail(node, f"{name} sees names, which are others here")
        if entity is None and name not in _BUILTINS:
            raise module.fail(node, f"{name} is defined nowhere")
        if entity is None:
            return None
        found = self._in_space(module, node, name) or (entity if isinstance(node, ast.Name) else None)
        return found and ast.copy_location(ast.Name(self.called(module, node, found), node.ctx), node)

    def _in_space(self, module: Module, node: Use, name: str) -> Entity | None:
        """Return what node means if name is a module of the program, None if it is not."""
        space = module.bindings.get(name)
        if space is None or space.name or space.module not in self._program:
            return None
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            return self._program.defined(Entity(space.module, node.attr))
        if space.module not in self.parts:
            return None
        raise module.fail(node, f"the module {name} can only be used as {name}.something")

    def _renamed(self, module: Module, statement: ast.stmt) -> ast.stmt:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            statement.name = self._names[Entity(module.name, statement.name)]
        return statement


class _Imports(ast.NodeTransformer):
    """Changes imports from parts into imports from what they are joined to."""

    def __init__(self, joined: Joined, program: Program, module: Module) -> None:
        self._joined = joined
        self._program = program
        self._module = module

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | list[ast.stmt] | None:
        found = list(self._divided(node))
        if not found and node not in self._module.tree.body:
            raise self._module.fail(node, "import modules that are always there at the top")
        return found or None

    def visit_Global(self, node: ast.Global) -> ast.AST:
        raise self._module.fail(node, "global names cannot be linked")

    def _divided(self, node: ast.ImportFrom) -> Iterator[ast.stmt]:
        for bound, found in self._program.imported(self._module, node).items():
            entity = self._program.defined(found)
            if entity.name or entity.module not in self._joined.parts:
                yield _import(self._joined.found_in(self._module, node, entity), bound)


def _see_that_names_are_plain(module: Module, statement: ast.stmt) -> None:
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.alias) or (
            isinstance(node, ast.ExceptHandler) and node.name
        ):
            raise module.fail(node, "at the top, conditions and the like can only assign")


def _unlike(name: str, taken: Collection[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _import(entity: Entity, bound: str) -> ast.stmt:
    if not entity.name:
        package, _, name = entity.module.rpartition(".")
        if package:
            return ast.ImportFrom(package, [ast.alias(name, None if name == bound else bound)], 0)
        return ast.Import([ast.alias(entity.module, None if entity.module == bound else bound)])
    return ast.ImportFrom(entity.module, [ast.alias(entity.name, None if entity.name == bound else bound)], 0)
