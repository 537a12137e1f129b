"""What our own modules import, read from their source."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tests.support.sources import ROOT

_ROOTS = (ROOT / "functions", ROOT / "layers" / "common" / "python", ROOT)
_FOLDERS = ("functions", "layers/common/python", "database", "local", "scripts", "bench")


@dataclass(frozen=True)
class Module:
    """One source file; `name` is what others import it as."""

    name: str
    file: Path
    imports: frozenset[str]
    """Everything that is imported anywhere in the file, as full dotted names."""
    loaded: frozenset[str]
    """What is imported as soon as the module is: not inside a function, not for type checkers only."""

    @property
    def package(self) -> str:
        """The top-level package."""
        return self.name.partition(".")[0]

    @property
    def path(self) -> str:
        """The file's path in the repository."""
        return self.file.relative_to(ROOT).as_posix()


def _name(file: Path) -> str:
    root = next(root for root in _ROOTS if file.is_relative_to(root))
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            parent = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*parent, *([node.module] if node.module else [])])
        yield base
        # `from contacts import service` imports a module that only the name tells.
        yield from (f"{base}.{alias.name}" for alias in node.names)


def _for_type_checkers(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _at_once(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not _for_type_checkers(child):
            yield child
            yield from _at_once(child)


@lru_cache(maxsize=1)
def modules() -> dict[str, Module]:
    """All modules of ours but the tests, by name."""
    found: dict[str, Module] = {}
    for folder in _FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            name, tree = _name(file), ast.parse(file.read_text())
            package = name if file.stem == "__init__" else name.rpartition(".")[0]
            found[name] = Module(
                name,
                file,
                frozenset(i for node in ast.walk(tree) for i in _imported(node, package)),
                frozenset(i for node in _at_once(tree) for i in _imported(node, package)),
            )
    return found


def function_folders() -> dict[str, list[Module]]:
    """The modules of each folder under functions/."""
    folders: dict[str, list[Module]] = {}
    for module in modules().values():
        if module.file.is_relative_to(ROOT / "functions"):
            folders.setdefault(module.package, []).append(module)
    return folders


def layer() -> list[Module]:
    """The modules of the shared layer."""
    return [module for module in modules().values() if module.package == "penguinmails"]


def packages_of(names: frozenset[str]) -> set[str]:
    """The top-level packages of imported names."""
    return {name.partition(".")[0] for name in names}


def reachable(name: str) -> set[str]:
    """Every name that is loaded, directly or by way of our own modules, when a module is imported."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        module = modules().get(waiting.pop())
        if module is None:
            continue
        parents = {module.name.rsplit(".", n)[0] for n in range(1, module.name.count(".") + 1)}
        new = (module.loaded | parents) - seen
        seen |= new
        waiting += new
    return seen
