"""`backup DIR` and `adopt`: copy a store while it is in use, and take a copy into use."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

import storage
from node.cli.options import options
from node.cli.screen import plain

WARNING = """\
Adopting lets this machine write to the store in {data}.
Do it only if no other copy of that store schedules, or ever scheduled beyond this one:
two copies that do give the same slots to different messages, and no one can mend that."""


def backup(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New folder for the copy.")],
) -> None:
    """Copy the store to a new folder, each shard as of one moment.

    What an uploader published is not part of it.
    """
    with storage.open_readers(options(context).data) as source:
        storage.backup(source, folder)
    typer.echo(plain(f"copied to {folder}; it is read-only until adopted"))


def adopt(
    context: typer.Context,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Let this machine write to a store that was moved, restored or copied.

    Do it only if no other copy schedules, or ever scheduled beyond this one: two that do give
    the same slots to different messages. Asks first when it runs on a terminal.
    """
    data = options(context).data
    if not yes and sys.stdin.isatty():
        typer.echo(WARNING.format(data=plain(str(data))), err=True)
        typer.confirm("Adopt it?", abort=True, err=True)
    if storage.adopt(data):
        typer.echo(plain(f"adopted {data}: this machine writes to it from now on"))
    else:
        typer.echo(plain(f"nothing to adopt: this machine may write to {data}"))
