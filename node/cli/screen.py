"""What people see: tables on a terminal, plain lines everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = Sequence[object]

ROWS_AT_ONCE = 1000
"""Rows that are laid out together; on a terminal their heading comes again after that many."""

LONGEST_WHOLE = 20
"""Characters of a cell that is never folded."""


def table(columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Print rows under a heading, some at a time, so that any number of them passes.

    Without rows nothing is printed.
    """
    if sys.stdout.isatty():
        for some in _portions(rows):
            Console().print(_laid_out(columns, some))
    else:
        heading: list[Row] = [columns]
        for some in _portions(rows):
            _print_lines([*heading, *some])
            heading = []


def plain(text: str) -> str:
    """Return text that cannot steer a terminal: what does not print is written as an escape."""
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _portions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while some := list(islice(remaining, ROWS_AT_ONCE)):
        yield some


def _print_lines(rows: Sequence[Row]) -> None:
    texts = [[plain(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    for cells in texts:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        typer.echo("  ".join(padded).rstrip())


def _laid_out(columns: Sequence[str], rows: Sequence[Row]) -> Table:
    made = Table(box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name, values in zip(columns, zip(*rows, strict=True), strict=True):
        # Long cells fold on a narrow terminal: an ID that is cut short would be worth nothing.
        foldable = max(len(str(value)) for value in values) > LONGEST_WHOLE
        right = all(isinstance(value, int | float) for value in values)
        made.add_column(name, justify="right" if right else "left", no_wrap=not foldable)
    for row in rows:
        made.add_row(*(Text(plain(str(value)), overflow="fold") for value in row))
    return made
