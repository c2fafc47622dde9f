"""`reshard --shards N`: give a store another number of shards."""

from __future__ import annotations

from typing import Annotated

import typer

from node.cli.bar import bar
from node.cli.options import options
from node.cli.screen import plain
from storage.layout import MAX_SHARDS
from storage.reshard import Outcome
from storage.reshard import reshard as reshard_store

SAID = {
    Outcome.NOTHING: "nothing to do: {data} has {shards}",
    Outcome.GIVEN_UP: "given up: {data} stays as it was, with {shards}",
    Outcome.DONE: "{data} has {shards} now; all of it was verified",
}


def reshard(
    context: typer.Context,
    *,
    shards: Annotated[
        int, typer.Option(metavar="N", min=1, max=MAX_SHARDS, help="How many it shall have.")
    ],
) -> None:
    """Give the store another number of shards, while no program writes to it.

    Copies every record, verifies all signatures, and only then lets the new shards take the
    place of the old ones: there must be room for both. May be killed at any time; until it is
    run again nobody can write to the store. With the same number it goes on where it was, with
    the number that the store has it gives up.
    """
    data = options(context).data
    with bar("") as shown:
        outcome = reshard_store(data, shards, announce=shown)
    counted = f"{shards} {'shard' if shards == 1 else 'shards'}"
    typer.echo(plain(SAID[outcome].format(data=data, shards=counted)))
