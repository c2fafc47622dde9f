from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache

import pytest

from tests.sources import ROOT, parsed, python_files

SHOWN = [*(f"S{n}" for n in range(1, 14)), "L1", "L2", "L3"]
DOCUMENT = ROOT / "docs" / "GUARANTEES.md"


@pytest.mark.parametrize("number", SHOWN)
def test_every_guarantee_has_a_test(number: str) -> None:
    """Each promised number is carried by at least one test."""
    assert marked()[number], f"no test is marked @pytest.mark.guarantee({number!r})"


def test_no_test_names_a_guarantee_that_is_not_given() -> None:
    """A number that nobody promised is a slip of the pen."""
    assert marked().keys() <= set(SHOWN)


@pytest.mark.parametrize("number", SHOWN)
def test_the_document_names_the_tests(number: str) -> None:
    """docs/GUARANTEES.md names, for each number, tests that exist and carry it."""
    named = set(re.findall(r"`([Tt]est_?\w+)`", row(number)))
    assert named, f"{DOCUMENT.name} names no test for {number}; it could name {marked()[number]}"
    assert named <= marked()[number]


def row(number: str) -> str:
    rows = [line for line in DOCUMENT.read_text("utf-8").splitlines() if f"| {number} |" in line]
    assert len(rows) == 1, f"{DOCUMENT.name} has {len(rows)} rows for {number}"
    return rows[0]


@cache
def marked() -> dict[str, set[str]]:
    # By reading the tests: running a few of them must not make the others count as missing.
    tests = defaultdict(set)
    for file in python_files("tests"):
        for node in ast.walk(parsed(file)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                for mark in node.decorator_list:
                    for number in numbers(mark):
                        tests[number].add(node.name)
    return tests


def numbers(mark: ast.expr) -> list[str]:
    if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.guarantee":
        return [argument.value for argument in mark.args if isinstance(argument, ast.Constant)]
    return []
