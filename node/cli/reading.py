"""`slot PROCESS` and `schedule PROCESS`: read what is stored, beside a running writer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from actors import Scheduler, SchedulingMode
from node.cli.far import FarNode, NodeUrl
from node.cli.inspection import text
from node.cli.options import options
from node.cli.screen import Row, table
from protocol.assignment import Assignment
from protocol.ids import Id

COLUMNS = ("slot", "time", "message ID", "link", "assignment ID")

Process = Annotated[
    Id, typer.Argument(parser=Id.parse, metavar="PROCESS", help="ID of the process.")
]


class Format(StrEnum):
    """How a schedule is written."""

    TABLE = "table"
    JSON = "json"


def slot(context: typer.Context, process: Process, node: NodeUrl = "") -> None:
    """Print the highest stored slot of a process."""
    with FarNode(node) if node else reading(context) as source:
        typer.echo(str(source.slot(process)))


def schedule(
    context: typer.Context,
    process: Process,
    from_slot: Annotated[int, typer.Option("--from", min=0, help="First slot.")] = 0,
    to_slot: Annotated[
        int | None, typer.Option("--to", min=0, show_default="latest", help="Last slot.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to write it.")] = Format.TABLE,
    node: NodeUrl = "",
) -> None:
    """Print the stored assignments of a process.

    As JSON it is one array. What a node sends is checked, slot by slot, before it is printed.
    """
    with FarNode(node) if node else reading(context) as source:
        # Also says, before anything is printed, when there is no such process.
        latest = source.newest(process) if isinstance(source, FarNode) else source.slot(process)
        last = latest if to_slot is None else min(to_slot, latest)
        write(assignments(source, process, from_slot, last), form)


def write(found: Iterable[Assignment], form: Format) -> None:
    """Print assignments as they come."""
    if form is Format.JSON:
        print_array(as_json(assignment) for assignment in found)
    else:
        table(COLUMNS, (as_row(assignment) for assignment in found))


def reading(context: typer.Context) -> Scheduler:
    """Open the store for reading only."""
    return Scheduler.open(options(context).data, mode=SchedulingMode.DISABLED)


def assignments(
    source: Scheduler | FarNode, process: Id, first: int, last: int
) -> Iterator[Assignment]:
    """Yield the assignments of slots `first` to `last`, a page at a time."""
    if isinstance(source, FarNode):
        yield from (entry.assignment for entry in source.entries(process, first, last))
        return
    while first <= last:
        page = source.page(process, first, last)
        yield from page.assignments
        first += len(page.assignments)


def as_row(assignment: Assignment) -> Row:
    """An assignment as a row of the table."""
    return (
        assignment.slot,
        datetime.fromtimestamp(assignment.timestamp / 1000, UTC).isoformat(timespec="milliseconds"),
        assignment.message_id,
        assignment.link,
        assignment.id,
    )


def as_json(assignment: Assignment) -> dict[str, Any]:
    """An assignment as programs read it; the names are those of `protocol.Assignment`."""
    block = assignment.block
    return {
        "process": str(assignment.process),
        "slot": assignment.slot,
        "message_id": str(assignment.message_id),
        "link": assignment.link,
        "chain": assignment.chain,
        "epoch": assignment.epoch,
        "timestamp": assignment.timestamp,
        "block": {"height": block.height, "timestamp": block.timestamp, "hash": block.hash},
        "path": text(assignment.path),
        "variant": assignment.variant,
        "id": str(assignment.id),
        "commitments": [
            {"id": str(made.id), "committer": str(made.committer), "device": made.device}
            for made in assignment.commitments
        ],
    }


def print_array(values: Iterable[Any]) -> None:
    """Print a JSON array, one value a line, each as it comes."""
    opening = "[\n"
    for value in values:
        typer.echo(opening + json.dumps(value), nl=False)
        opening = ",\n"
    typer.echo("[]" if opening == "[\n" else "\n]")
