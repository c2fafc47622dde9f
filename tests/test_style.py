from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import chain
from statistics import median

from tests.sources import FLOORS, named, parsed, python_files

LONGEST_FILE = 450
LONG_FILE = 350
LONG_FUNCTION = 30
EVASIVE = {"utils", "util", "helpers", "helper", "common", "misc"}


def test_no_file_is_too_long() -> None:
    """No file has more than 450 lines, and nine of ten have fewer than 350."""
    sizes = {named(file): len(file.read_text("utf-8").splitlines()) for file in everything()}
    assert {file: size for file, size in sizes.items() if size > LONGEST_FILE} == {}
    assert share_below(LONG_FILE, sizes.values()) >= 0.9


def test_the_usual_file_is_short() -> None:
    """Half of the program's files have at most 150 lines."""
    assert median(len(f.read_text("utf-8").splitlines()) for f in python_files(*FLOORS)) <= 150


def test_functions_are_short() -> None:
    """Half of the program's functions have at most nine lines, nine of ten fewer than thirty."""
    sizes = list(chain.from_iterable(function_sizes(parsed(f)) for f in python_files(*FLOORS)))
    assert median(sizes) <= 9
    assert share_below(LONG_FUNCTION, sizes) >= 0.9


def test_every_file_says_what_it_is_about() -> None:
    """No file is called utils, helpers, common or misc."""
    assert [named(file) for file in everything() if file.stem.strip("_") in EVASIVE] == []


def test_every_test_says_what_it_shows() -> None:
    """Each test has a docstring that states a behaviour in a sentence."""
    silent = [
        f"{named(file)}: {node.name}"
        for file in python_files("tests")
        for node in ast.walk(parsed(file))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        if ast.get_docstring(node) is None
    ]
    assert silent == []


def everything():
    return python_files(*FLOORS, "bench", "tests")


def share_below(limit, sizes) -> float:
    sizes = list(sizes)
    return sum(size < limit for size in sizes) / len(sizes)


def function_sizes(tree: ast.AST) -> Iterator[int]:
    # Lines of code: a docstring makes a function longer to read but not harder.
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            documented = node.body[0] if ast.get_docstring(node) is not None else None
            spared = documented.end_lineno - documented.lineno + 1 if documented else 0
            yield node.end_lineno - node.lineno + 1 - spared
