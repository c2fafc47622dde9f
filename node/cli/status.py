"""`status`: who writes to the store, and what is unfinished."""

from __future__ import annotations

import json
from dataclasses import asdict, astuple
from typing import Annotated

import typer

from node.cli.options import Options, options
from node.cli.screen import plain, table
from node.standing import Standing, standing
from protocol.errors import WalletError
from protocol.ids import Id
from protocol.wallet import Wallet
from storage import open_reader

COLUMNS = ("process", "slot", "awaits", "reason")


def status(
    context: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show where the store stands, beside a running writer.

    What holds a slot up is said as far as the store tells. What only the writer knows, such
    as a bundler's words of refusal, is in its own status() and its events (--log-level
    warning), and is not kept once it ends.
    """
    chosen = options(context)
    with open_reader(chosen.data) as reader:
        found = standing(reader, _address(chosen))
    if as_json:
        typer.echo(json.dumps({"data": str(chosen.data), **asdict(found)}))
    else:
        _show(chosen, found)


def _address(chosen: Options) -> Id | None:
    try:
        return Wallet.load(chosen.wallet).address
    except WalletError:
        return None


def _show(chosen: Options, found: Standing) -> None:
    writer = "none" if found.writer is None else f"PID {found.writer}"
    typer.echo(plain(f"store       {chosen.data}"))
    typer.echo(f"processes   {found.processes}")
    typer.echo(f"writer      {writer}")
    if found.obstacle is not None:
        typer.echo(plain(f"obstacle    {found.obstacle}"))
    typer.echo(f"unfinished  {len(found.unfinished)}")
    if found.unfinished:
        table(COLUMNS, [astuple(entry) for entry in found.unfinished])
