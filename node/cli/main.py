"""The command line: its commands, and the options that all of them share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from node.cli import (
    configuration,
    copies,
    demo,
    doctor,
    inspection,
    location,
    reading,
    reshard,
    sandbox,
    scheduling,
    serve,
    status,
    verification,
    wallet,
)
from node.cli.options import DATA, WALLET, LogLevel, Options
from node.cli.program import Program

app = typer.Typer(
    cls=Program,
    help="Give every message of an AO process a durable, signed, chained slot.",
    epilog="--data, --wallet and --log-level may also stand after the command.",
    no_args_is_help=True,
    add_completion=False,
    # Errors are plain lines, and a traceback with local variables could show a secret.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


@app.callback()
def shared(
    context: typer.Context,
    *,
    data: Annotated[
        Path, typer.Option(envvar="AO_SCHEDULER_DATA", help="Folder of the store.")
    ] = DATA,
    wallet: Annotated[
        Path, typer.Option(envvar="AO_SCHEDULER_WALLET", help="The scheduler's wallet, a JWK file.")
    ] = WALLET,
    log_level: Annotated[
        LogLevel,
        typer.Option(envvar="AO_SCHEDULER_LOG_LEVEL", help="Lowest level of events to write."),
    ] = LogLevel.QUIET,
) -> None:
    """Keep the shared options for the command that follows."""
    context.obj = Options(data, wallet, log_level)
    context.obj.apply()


app.add_typer(wallet.app, name="wallet")
app.add_typer(location.app, name="location")
for command in (
    demo.demo,
    inspection.inspect,
    scheduling.spawn,
    scheduling.send,
    reading.slot,
    reading.schedule,
    verification.verify,
    status.status,
    copies.backup,
    copies.adopt,
    reshard.reshard,
    sandbox.sandbox,
    configuration.config,
    serve.serve,
    doctor.doctor,
):
    app.command()(command)
