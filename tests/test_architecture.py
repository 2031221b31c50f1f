"""Who imports whom, as docs/architecture.md says; and that importing does nothing."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
FILES = sorted(
    path.relative_to(ROOT).as_posix() for top in ("smpc_sql", "parties") for path in (ROOT / top).rglob("*.py")
)
OURS = ("smpc_sql", "parties")


def table(header: str) -> list[list[str]]:
    """The cells of the table of the page that has this header."""
    block = re.search(rf"^\| {re.escape(header)} \|\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert block, f"no table with the header {header}"
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in block.group(1).splitlines()]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def listed(cell: str) -> list[str]:
    return [word.strip() for word in cell.split(",") if word.strip()]


LAYERS = {name: (quoted(modules), listed(below)) for name, modules, below in table("layer | modules | may import")}
ONLY_IN = {quoted(name)[0]: quoted(places) for name, places in table("name | only in")}
NEVER = {name: listed(layers) for name, layers in table("from | never reaches")}


def lies_in(file: str, place: str) -> bool:
    return file.startswith(place) if place.endswith("/") else file == place


def layers_of(file: str) -> list[str]:
    if file.endswith("/__init__.py") and file != "smpc_sql/__init__.py" and not (ROOT / file).read_text():
        return []
    return [name for name, (places, _) in LAYERS.items() if any(lies_in(file, place) for place in places)]


def module_of(file: str) -> str:
    return file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


MODULES = {module_of(file): file for file in FILES}


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imports(tree: ast.AST, *, running: bool = False) -> set[str]:
    """Names that are imported, dotted: modules, or names in them. running: without those for the type checker only."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not used"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif not (running and is_for_types_only(node)):
            found |= imports(node, running=running)
    return found


@cache
def parsed(file: str) -> ast.Module:
    return ast.parse((ROOT / file).read_text(encoding="utf-8"))


def imported_files(file: str, *, running: bool = False) -> set[str]:
    """Files of ours that a file imports."""
    found = set()
    for name in imports(parsed(file), running=running):
        if name.split(".")[0] in OURS:
            module = name if name in MODULES else name.rpartition(".")[0]
            found.add(MODULES[module])
    return found - {file}


def reached(file: str) -> set[str]:
    """Everything of ours that runs when a file is imported, but for the front, whose own imports wait."""
    seen, waiting = {file}, [file]
    while waiting:
        for other in imported_files(waiting.pop(), running=True) - seen - {"smpc_sql/__init__.py"}:
            seen.add(other)
            waiting.append(other)
    return seen


def test_the_page_was_understood() -> None:
    assert len(LAYERS) > 15
    assert LAYERS["sql"] == (["smpc_sql/sql/"], ["vocabulary", "catalog", "plan"])
    assert ONLY_IN["pickle"] == []
    known = set(LAYERS)
    assert {layer for _, below in LAYERS.values() for layer in below} <= known
    assert {*NEVER, *(layer for layers in NEVER.values() for layer in layers)} <= known
    missing = [place for places, _ in LAYERS.values() for place in places if not (ROOT / place).exists()]
    assert missing == []


def test_layers_are_in_order() -> None:
    """A layer may import only layers that stand above it in the table: so layers have no cycles."""
    names = list(LAYERS)
    wrong = [(name, b) for i, name in enumerate(names) for b in LAYERS[name][1] if b not in names[:i]]
    assert wrong == []


@pytest.mark.parametrize("file", FILES)
def test_every_module_is_in_one_layer_and_imports_what_it_may(file: str) -> None:
    layers = layers_of(file)
    if not (ROOT / file).read_text():
        return  # the empty __init__.py of a package
    assert len(layers) == 1, f"{file} is in the layers {layers}"
    permitted = {layers[0], *LAYERS[layers[0]][1]}
    wrong = [other for other in sorted(imported_files(file)) if not permitted & set(layers_of(other))]
    assert wrong == [], f"{file} is in the layer {layers[0]}"


@pytest.mark.parametrize("name", sorted(NEVER))
def test_what_is_never_reached(name: str) -> None:
    for file in FILES:
        if name in layers_of(file):
            wrong = [other for other in sorted(reached(file)) if set(layers_of(other)) & set(NEVER[name])]
            assert wrong == [], f"{file} reaches them"


def test_inner_modules_never_import_the_front() -> None:
    wrong = [file for file in FILES if "smpc_sql/__init__.py" in imported_files(file)]
    assert wrong == []


def test_there_are_no_cycles() -> None:
    state: dict[str, str] = {}

    def visit(file: str, trail: tuple[str, ...]) -> None:
        assert state.get(file) != "open", f"a cycle: {' -> '.join([*trail[trail.index(file) :], file])}"
        if file in state:
            return
        state[file] = "open"
        for other in sorted(imported_files(file, running=True)):
            visit(other, (*trail, file))
        state[file] = "done"

    for file in FILES:
        visit(file, ())


def uses(file: str, name: str) -> bool:
    """Whether a file imports a module or package, calls a function, or names an attribute of a module."""
    tree = parsed(file)
    if any(other == name or other.startswith(f"{name}.") for other in imports(tree)):
        return True
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id == name and name in ("eval", "exec"):
            return True
        if isinstance(node, ast.Attribute):
            written = ast.unparse(node)
            if written == name or written == name.replace("numpy.", "np."):
                return True
    return False


@pytest.mark.parametrize("name", sorted(ONLY_IN))
def test_what_is_used_in_few_places(name: str) -> None:
    users = [file for file in FILES if uses(file, name)]
    assert [file for file in users if not any(lies_in(file, place) for place in ONLY_IN[name])] == []
    idle = [place for place in ONLY_IN[name] if not any(lies_in(file, place) for file in users)]
    assert idle == [], "the page names places that do not use it"


def test_the_sql_tower_has_no_arrays() -> None:
    towers = [file for file in FILES if set(layers_of(file)) & {"sql", "plan", "catalog"}]
    assert towers
    assert [file for file in towers if uses(file, "numpy")] == []


def test_nothing_is_global() -> None:
    wrong = [file for file in FILES for node in ast.walk(parsed(file)) if isinstance(node, ast.Global)]
    assert wrong == []


def python(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_everything_does_nothing() -> None:
    modules = [module for module in MODULES if not module.endswith("__main__")]
    program = f"""
import socket, subprocess, sys, threading
before = set(threading.enumerate())
def refuse(*_, **__):
    raise SystemExit("something was started on import")
import multiprocessing.process, numpy, pandas, zmq  # what others do on import is theirs
threading.Thread.start = subprocess.Popen.__init__ = multiprocessing.process.BaseProcess.start = refuse
zmq.Context.__init__ = socket.socket.__init__ = refuse
import importlib
for module in {modules!r}:
    importlib.import_module(module)
assert set(threading.enumerate()) == before
print("done")
"""
    assert python(program) == "done\n"


def test_a_providers_process_loads_no_sql_and_no_catalog() -> None:
    loaded = python("import sys, parties.provider; print(*sys.modules)").split()
    assert "smpc_sql.correlations" in loaded
    for name in ("sqlglot", "pandas", "smpc_sql.sql", "smpc_sql.plan", "smpc_sql.catalog", "smpc_sql.sharing"):
        assert name not in loaded


def test_the_front_loads_only_what_is_asked_for() -> None:
    loaded = python("import sys, smpc_sql; print(*sys.modules)").split()
    assert not {"numpy", "sqlglot", "zmq", "pandas", "parties"} & set(loaded)
