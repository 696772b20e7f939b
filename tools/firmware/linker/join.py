"""Joins a module and all it imports into one, and points the other modules at it."""

import ast
import builtins
from collections.abc import Iterator
from functools import partial

from tools.firmware.linker.program import Entity, Module, Program
from tools.firmware.linker.scopes import TopNames, Use, bound_inside

_BUILTINS = frozenset(dir(builtins)) | {"const"}


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
                yield self._renamed(module, uses.visit(imports.visit(statement)))

    def linked(self, module: Module) -> ast.Module:
        """Return a module that is no part, with what it has from parts imported from this one."""
        spaces = {
            bound: entity.module
            for bound, entity in module.bindings.items()
            if entity.module in self.parts and not entity.name
        }
        wanted: dict[str, str] = {}

        def exchanged(node: Use, name: str) -> ast.expr | None:
            if name not in spaces or not isinstance(node, ast.Attribute):
                return None
            bound = f"{name}_{node.attr}"
            wanted[bound] = self.called(module, node, Entity(spaces[name], node.attr))
            return ast.copy_location(ast.Name(bound, node.ctx), node)

        tree: ast.Module = _Imports(self, self._program, module).visit(TopNames(exchanged).visit(module.tree))
        tree.body[:0] = [_import(Entity(self.root, wanted[bound]), bound) for bound in sorted(wanted)]
        return ast.fix_missing_locations(tree)

    @property
    def origins(self) -> dict[str, str]:
        """Which part each name at its top comes from."""
        return {name: entity.module for entity, name in self._names.items()}

    def called(self, module: Module, node: ast.AST, entity: Entity) -> str:
        """Return what an entity is called in this module; node of module asks."""
        asked = entity
        while entity not in self._names:
            source = self._program.get(entity.module)
            found = source.bindings.get(entity.name) if source else None
            if found is None or found == entity:
                raise module.fail(node, f"{asked.module} has no {asked.name}")
            entity = found
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

    def _free(self, name: str, module: str) -> str:
        is_aliased = not self._renamed_by_some.isdisjoint((Entity(module, name), Entity(module, "")))
        found = name
        if name in self._taken or (is_aliased and name in self._inside):
            found = f"{name}_{module.rpartition('.')[2]}"
            while found in self._taken or found in self._inside:
                found += "_"
        self._taken.add(found)
        return found

    def _exchanged(self, module: Module, node: Use, name: str) -> ast.expr | None:
        entity = module.bindings.get(name)
        if entity is None and name not in _BUILTINS:
            raise module.fail(node, f"{name} is defined nowhere")
        if entity is None:
            return None
        is_space = entity.module in self._program and not entity.name
        if isinstance(node, ast.Attribute):
            return self._named(module, node, Entity(entity.module, node.attr)) if is_space else None
        if is_space:
            raise module.fail(node, f"the module {name} can only be used as {name}.something")
        return self._named(module, node, entity)

    def _named(self, module: Module, node: Use, entity: Entity) -> ast.expr:
        return ast.copy_location(ast.Name(self.called(module, node, entity), node.ctx), node)

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
        for bound, entity in self._program.imported(self._module, node).items():
            if entity.module not in self._joined.parts:
                yield _import(entity, bound)
            elif entity.name:
                called = self._joined.called(self._module, node, entity)
                yield _import(Entity(self._joined.root, called), bound)


def _import(entity: Entity, bound: str) -> ast.stmt:
    if not entity.name:
        package, _, name = entity.module.rpartition(".")
        if package:
            return ast.ImportFrom(package, [ast.alias(name, None if name == bound else bound)], 0)
        return ast.Import([ast.alias(entity.module, None if entity.module == bound else bound)])
    return ast.ImportFrom(entity.module, [ast.alias(entity.name, None if entity.name == bound else bound)], 0)
