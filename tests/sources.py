"""The project's own files, for the tests that read them instead of running them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("protocol", "storage", "actors", "node")
"""From the bottom up: a floor may use the floors before it and itself."""


def python_files(*folders: str) -> list[Path]:
    """Every Python file under `folders`, which are named from the root of the repository."""
    return sorted(file for folder in folders for file in (ROOT / folder).rglob("*.py"))


def parsed(file: Path) -> ast.Module:
    """The syntax tree of a file."""
    return ast.parse(file.read_text("utf-8"), str(file))


def imported(tree: ast.AST) -> Iterator[str]:
    """Yield the dotted name of every module that `tree` imports, at whatever depth.

    Imports relative to the package stay on their floor and are passed over.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module


def named(file: Path) -> str:
    """A file as it is named from the root of the repository."""
    return file.relative_to(ROOT).as_posix()
