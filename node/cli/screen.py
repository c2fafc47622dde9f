"""What people see: tables on a terminal, lines with tabs everywhere else."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

Row = Sequence[object]

ROWS_AT_ONCE = 1000
"""Rows that are laid out together on a terminal; after them the heading comes again."""


def table(columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Print rows under a heading.

    Off a terminal each row is written as it comes, so a schedule of any length passes.
    """
    if sys.stdout.isatty():
        for some in _portions(rows):
            Console().print(_laid_out(columns, some))
    else:
        for row in chain([columns], rows):
            typer.echo("\t".join(plain(str(cell)) for cell in row))


def plain(text: str) -> str:
    """Return text that cannot steer a terminal: what does not print is written as an escape."""
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _portions(rows: Iterable[Row]) -> Iterator[list[Row]]:
    remaining = iter(rows)
    while some := list(islice(remaining, ROWS_AT_ONCE)):
        yield some


def _laid_out(columns: Sequence[str], rows: Iterable[Row]) -> Table:
    # Cells fold: an ID that is cut short would be worth nothing.
    made = Table(*columns, box=SIMPLE_HEAD)
    for row in rows:
        made.add_row(*(_cell(value) for value in row))
    return made


def _cell(value: object) -> Text:
    number = isinstance(value, int | float)
    return Text(plain(str(value)), justify="right" if number else "left", overflow="fold")
