"""`demo`: do the main job once, in every confirmation mode, and check it from disk."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import typer

from actors import Stage
from node.cli import verification
from node.cli.options import options
from node.cli.program import FAILED
from node.cli.scheduling import programs_of
from node.cli.screen import Row, plain, table
from node.demonstration import Watch, check, demonstrate
from protocol.wallet import Wallet

COLUMNS = ("mode", "slot", "message ID", "link", "assigned", "stored", "published")


def demo(context: typer.Context) -> None:
    """Schedule signed messages in each confirmation mode, and verify them from disk.

    Makes the store, and the wallet if there is none. Exit code 0 only if all is well.
    """
    chosen = options(context)
    wallet, user = wallets(chosen.wallet)
    typer.echo(plain(f"scheduler  {wallet.address} ({chosen.wallet})"))
    typer.echo(f"user       {user.address}")
    watches = demonstrate(chosen.data, wallet, user, programs_of(chosen.data))
    answered = [watch.published() for watch in watches]
    typer.echo(f"process    {answered[0].process}\n")
    typer.echo("What each message got, and the milliseconds until each stage:")
    table(COLUMNS, rows(watches))
    kept, report = check(chosen.data, answered)
    typer.echo()
    typer.echo(plain(f"reopened {chosen.data}: {kept} of {len(answered)} answers are on disk"))
    typer.echo(verification.as_lines(report))
    raise typer.Exit(0 if report.ok and kept == len(answered) else FAILED)


def wallets(file: Path) -> tuple[Wallet, Wallet]:
    """Return the scheduler's wallet, made if there is none, and a new one of a user."""
    with ThreadPoolExecutor() as pool:
        user = pool.submit(Wallet.generate)
        return own_wallet(file), user.result()


def own_wallet(file: Path) -> Wallet:
    """Load a wallet, or make it and the folders above it."""
    if file.exists():
        return Wallet.load(file)
    made = Wallet.generate()
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    made.save(file)
    return made


def rows(watches: Sequence[Watch]) -> list[Row]:
    """One row per message: what it got, and when it reached each stage."""
    found: list[Row] = []
    for watch in watches:
        assignment = watch.published()
        latencies = (watch.milliseconds(stage) for stage in Stage)
        mode = watch.mode.value if assignment.slot else "spawn"
        found.append((mode, assignment.slot, assignment.message_id, assignment.link, *latencies))
    return found
