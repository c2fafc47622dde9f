"""A bar on standard error that shows how far a long command is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

Shown = Callable[[str, int, int], None]
"""Is told what is being done, how much of it is done, and how much there is."""


@contextmanager
def bar(unit: str) -> Iterator[Shown | None]:
    """Show a bar if standard error is a terminal; else there is nothing to call.

    Args:
        unit: what is counted, such as "slots".
    """
    if not sys.stderr.isatty():
        yield None
        return
    what = TextColumn("{task.description}", markup=False)
    columns = (what, BarColumn(), MofNCompleteColumn(), unit, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task("", total=None)
        yield lambda doing, done, total: shown.update(
            task, description=doing, completed=done, total=total
        )
