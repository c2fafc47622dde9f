from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.sources import FLOORS, imported, named, parsed, python_files

HOME = {
    "pykka": "actors",
    "lmdb": "storage",
    **dict.fromkeys(("aiohttp", "fastapi", "h11", "h2", "http", "httpcore", "httpx"), "node"),
    **dict.fromkeys(("hypercorn", "requests", "starlette", "urllib3", "uvicorn"), "node"),
}
"""Libraries that one floor keeps to itself, so that it alone changes when they do."""

IMPURE = {"asyncio", "concurrent", "datetime", "multiprocessing", "random", "secrets", "select"}
IMPURE |= {"signal", "socket", "ssl", "subprocess", "threading", "time"}
"""What starts, waits, connects, draws lots or looks at a clock."""

FILES = {"fcntl", "io", "mmap", "os", "pathlib", "shutil", "stat", "tempfile"}
READS_FILES = {"protocol/wallet.py"}
"""The one module of `protocol` that touches files: a wallet is a file that must be private."""


def test_imports_are_found_wherever_they_stand() -> None:
    """An import inside a function counts like one at the top."""
    tree = ast.parse("import a.b, c\ndef f():\n    from d.e import g\n    from . import h")
    assert list(imported(tree)) == ["a.b", "c", "d.e"]


@pytest.mark.parametrize("floor", FLOORS)
def test_imports_point_down(floor: str) -> None:
    """A floor imports itself and the floors below it, never one above, the tests or the bench."""
    above = {*FLOORS[FLOORS.index(floor) + 1 :], "tests", "bench"}
    assert users_of(above, python_files(floor)) == []


@pytest.mark.parametrize(("library", "home"), HOME.items())
def test_libraries_stay_on_their_floor(library: str, home: str) -> None:
    """Pykka is imported in actors/ only, LMDB in storage/ only, HTTP libraries in node/ only."""
    elsewhere = python_files(*(floor for floor in FLOORS if floor != home))
    assert users_of({library}, elsewhere) == []


def test_protocol_is_pure() -> None:
    """The protocol has no threads, no sockets and no clock; only the wallet reads a file."""
    files = python_files("protocol")
    assert users_of(IMPURE, files) == []
    assert users_of(FILES, [file for file in files if named(file) not in READS_FILES]) == []


def test_every_folder_is_installed() -> None:
    """Each folder of the floors has an __init__.py, without which no wheel would contain it."""
    folders = {file.parent for file in python_files(*FLOORS)}
    assert [named(f) for f in sorted(folders) if not (f / "__init__.py").exists()] == []


def users_of(libraries: set[str], files: list[Path]) -> list[str]:
    assert files, "there is nothing to check"
    return [
        f"{named(file)} imports {module}"
        for file in files
        for module in modules(file)
        if module.partition(".")[0] in libraries
    ]


@cache
def modules(file: Path) -> tuple[str, ...]:
    return tuple(imported(parsed(file)))
