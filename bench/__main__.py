"""`python -m bench modes|recovery|read|verify`: measure this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from actors import SchedulingMode
from bench.modes import modes
from bench.plan import QUICK, Plan
from bench.report import modes_json, modes_table, write_json

DATA = Path("build/bench")
"""Below the current folder: the system's folder for temporary files may lie in memory."""

console = Console(width=120)
app = typer.Typer(help=__doc__, no_args_is_help=True, add_completion=False)

Data = Annotated[Path, typer.Option(help="Folder on the disk to measure.")]
Json = Annotated[Path | None, typer.Option("--json", help="Write the numbers to this file.")]


@app.callback()
def bench() -> None:
    """Measure this machine."""


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


if __name__ == "__main__":
    app()
