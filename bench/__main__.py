"""`python -m bench modes|shards|scale|http|recovery|read|verify`: measure this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from actors import SchedulingMode
from bench.accounting import Unaccounted
from bench.http import QUICK_HTTP, HttpPlan, against, http
from bench.http_load import RequestsFailed
from bench.http_node import NotStarted
from bench.http_report import http_table
from bench.modes import modes
from bench.plan import QUICK, Plan
from bench.read import read
from bench.recovery import recovery
from bench.report import as_json, facts, modes_json, modes_table, write_json
from bench.scale import ScalePlan, scale
from bench.scale_report import scale_tables
from bench.shards import QUICK_SHARDS, ShardPlan, Signing, shards
from bench.shards_report import channel_table, rows_table, shards_json
from bench.verify import verify
from protocol.errors import InvalidId
from protocol.ids import Id

DATA = Path("build/bench")
"""Below the current folder: the system's folder for temporary files may lie in memory."""

console = Console(width=120)
app = typer.Typer(
    help=__doc__, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

Data = Annotated[Path, typer.Option(help="Folder on the disk to measure.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the numbers to this file.")]


def identified(text: str) -> Id:
    """Read an ID from the command line."""
    try:
        return Id.parse(text)
    except InvalidId as exc:
        raise typer.BadParameter(exc.detail) from None


@app.command("modes")
def modes_command(
    *,
    quick: Annotated[bool, typer.Option(help="Fewer and shorter rows, under 40 s.")] = False,
    no_crypto: Annotated[
        bool, typer.Option("--no-crypto", help="Neither sign nor verify; labelled as such.")
    ] = False,
    mode: Annotated[list[SchedulingMode] | None, typer.Option(help="Only these.")] = None,
    processes: Annotated[list[int] | None, typer.Option(help="Only these numbers.")] = None,
    in_flight: Annotated[list[int] | None, typer.Option(help="Only these numbers.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length of a row.")] = None,
    upload_delay_ms: Annotated[float, typer.Option(help="Time of one upload call.")] = 20.0,
    data: Data = DATA,
    json: Json = None,
    chart: Annotated[Path | None, typer.Option(help="Draw the rows into this PNG.")] = None,
) -> None:
    """Measure throughput and latency of the confirmation modes."""
    plan = QUICK if quick else Plan()
    plan = replace(
        plan,
        modes=mode or plan.modes,
        processes=processes or plan.processes,
        in_flight=in_flight or plan.in_flight,
        seconds=seconds or plan.seconds,
        upload_delay=upload_delay_ms / 1000,
        crypto=not no_crypto,
    )
    with console.status("") as status:
        found = modes(plan, data, status.update)
    console.print(modes_table(found))
    if json:
        write_json(json, modes_json(found))
    if chart:
        # Only now: it takes half a second and 40 MB.
        from bench.chart import draw

        draw(found, chart)


@app.command("http")
def http_command(
    *,
    quick: Annotated[bool, typer.Option(help="Fewer and shorter rows, under 30 s.")] = False,
    mode: Annotated[list[SchedulingMode] | None, typer.Option(help="Only these.")] = None,
    connections: Annotated[list[int] | None, typer.Option(help="Only these numbers.")] = None,
    version: Annotated[
        list[int] | None, typer.Option(min=1, max=2, help="Only these versions of HTTP.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(help="Length of a row.")] = None,
    url: Annotated[
        str, typer.Option("--against", help="Drive the node at this address instead.")
    ] = "",
    process: Annotated[
        Id | None, typer.Option(parser=identified, metavar="ID", help="A process it schedules.")
    ] = None,
    sandbox: Annotated[
        bool, typer.Option(help="Publish to the sandbox, a program of its own, not to a folder.")
    ] = False,
    data: Data = DATA,
    json: Json = None,
) -> None:
    """Measure a node over HTTP, with client programs on this machine."""
    plan = QUICK_HTTP if quick else HttpPlan()
    plan = replace(
        plan,
        modes=mode or plan.modes,
        connections=connections or plan.connections,
        versions=version or plan.versions,
        seconds=seconds or plan.seconds,
        sandbox=sandbox,
    )
    if bool(url) != (process is not None):
        raise typer.BadParameter("--against and --process belong together")
    try:
        with console.status("") as status:
            if process is None:
                found = http(plan, data, status.update)
            else:
                found = against(plan, url, process, status.update)
    except (RequestsFailed, NotStarted, Unaccounted) as exc:
        typer.echo(f"nothing was measured: {exc}", err=True)
        raise typer.Exit(1) from None
    console.print(http_table(found))
    if json:
        write_json(json, as_json(found))


@app.command("recovery")
def recovery_command(
    *,
    processes: Annotated[int, typer.Option(help="AO processes in the store.")] = 100_000,
    live: Annotated[int, typer.Option(help="Processes that get an actor.")] = 2000,
    data: Data = DATA,
    json: Json = None,
) -> None:
    """Measure how fast a store of very many processes is back."""
    with console.status("") as status:
        found = as_json(recovery(data, processes, live, status.update))
    reopenings = found.pop("reopenings")
    console.print(facts("store", [found]), facts("opened in a fresh OS process", reopenings))
    if json:
        write_json(json, {**found, "reopenings": reopenings})


@app.command("shards")
def shards_command(
    *,
    quick: Annotated[bool, typer.Option(help="Fewer and shorter rows, under 50 s.")] = False,
    signer: Annotated[list[Signing] | None, typer.Option(help="Only these.")] = None,
    shard: Annotated[
        list[int] | None, typer.Option("--shards", min=0, help="Only these numbers.")
    ] = None,
    processes: Annotated[list[int] | None, typer.Option(help="Only these numbers.")] = None,
    in_flight: Annotated[list[int] | None, typer.Option(help="Only these numbers.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length of a row.")] = None,
    messages: Annotated[int | None, typer.Option(help="For the cost of the channel.")] = None,
    data: Data = DATA,
    json: Json = None,
) -> None:
    """Measure shards beside everything in one program."""
    plan = QUICK_SHARDS if quick else ShardPlan()
    plan = replace(
        plan,
        signers=signer or plan.signers,
        shards=shard or plan.shards,
        processes=processes or plan.processes,
        in_flight=in_flight or plan.in_flight,
        seconds=seconds or plan.seconds,
        messages=messages or plan.messages,
    )
    with console.status("") as status:
        found = shards(plan, data, status.update)
    console.print(channel_table(found), rows_table(found))
    if json:
        write_json(json, shards_json(found))


@app.command("scale")
def scale_command(
    *,
    processes: Annotated[int, typer.Option(help="AO processes in the store.")] = 1_000_000,
    shards: Annotated[int, typer.Option(help="0 for all in the measured program.")] = 2,
    live: Annotated[int, typer.Option(help="Processes of each shard that get an actor.")] = 2000,
    pairs: Annotated[int, typer.Option(help="Cold processes that are timed.")] = 500,
    seconds: Annotated[float, typer.Option(help="Length of the load on all.")] = 5.0,
    data: Data = DATA,
    json: Json = None,
) -> None:
    """Measure a store of a million processes. It is made once per folder."""
    if live + pairs > processes // max(1, shards):
        raise typer.BadParameter("--live and --pairs together are more than a shard's processes")
    plan = ScalePlan(processes, shards, live, pairs, seconds)
    with console.status("") as status:
        found = scale(data, plan, status.update)
    for table in scale_tables(found):
        console.print(table)
    if json:
        write_json(json, as_json(found))


@app.command("read")
def read_command(
    *,
    assignments: Annotated[int, typer.Option(help="Assignments in each store.")] = 20_000,
    seconds: Annotated[float, typer.Option(help="How long each store is read.")] = 3.0,
    data: Data = DATA,
    json: Json = None,
) -> None:
    """Measure reading in pages of a thousand."""
    with console.status("") as status:
        found = [as_json(row) for row in read(data, assignments, seconds, status.update)]
    console.print(facts("pages of 1,000, one thread", found))
    if json:
        write_json(json, {"rows": found})


@app.command("verify")
def verify_command(
    *,
    assignments: Annotated[int, typer.Option(help="Signed assignments to verify.")] = 20_000,
    data: Data = DATA,
    json: Json = None,
) -> None:
    """Measure the verification of a whole store. The store is made once per folder."""
    with console.status("") as status:
        found = as_json(verify(data, assignments, status.update))
    console.print(facts("verification of a whole store", [found]))
    if json:
        write_json(json, found)


if __name__ == "__main__":
    app()
