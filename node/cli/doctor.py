"""`doctor`: look at what a node needs before it is started, or while it runs."""

from __future__ import annotations

import typer

from node.checkup import checks
from node.cli.configuration import File, Settings, configured
from node.cli.program import FAILED
from node.cli.screen import plain


def doctor(context: typer.Context, *, file: File = None, settings: Settings = None) -> None:
    """Check wallets, store, disk, address, certificate, bundler, gateway and peers.

    Each as the node would use it, without changing anything. Exit code 0 only if all is well.
    """
    well = True
    for check in checks(configured(context, file, settings or ()).config):
        good, found = check.outcome()
        well = well and good
        typer.echo(f"{'ok  ' if good else 'BAD '} {check.name:12} {plain(found)}")
    raise typer.Exit(0 if well else FAILED)
