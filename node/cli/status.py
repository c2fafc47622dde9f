"""`status`: who writes to the store, and what is unfinished."""

from __future__ import annotations

import json
from dataclasses import asdict, astuple
from typing import Annotated

import typer

from node.cli.options import Options, options
from node.cli.screen import Row, plain, table
from node.standing import ShardStanding, Standing, standing
from protocol.errors import WalletError
from protocol.ids import Id
from protocol.wallet import Wallet
from storage import open_readers

COLUMNS = ("process", "slot", "awaits", "reason")
SHARD_COLUMNS = ("shard", "processes", "writer", "obstacle")


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
    with open_readers(chosen.data) as reader:
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
    typer.echo(plain(f"store       {chosen.data}"))
    typer.echo(f"processes   {found.processes}")
    if len(found.shards) == 1:
        typer.echo(f"writer      {_writer(found.writer)}")
    if found.obstacle is not None:
        typer.echo(plain(f"obstacle    {found.obstacle}"))
    typer.echo(f"unfinished  {len(found.unfinished)}")
    if len(found.shards) > 1:
        table(SHARD_COLUMNS, [_row(shard) for shard in found.shards])
    if found.unfinished:
        table(COLUMNS, [astuple(entry) for entry in found.unfinished])


def _row(shard: ShardStanding) -> Row:
    return shard.shard, shard.processes, _writer(shard.writer), shard.obstacle or "none"


def _writer(pid: int | None) -> str:
    return "none" if pid is None else f"PID {pid}"
