"""`wallet new|address`: make the scheduler's key, and tell the address it is known by."""

from __future__ import annotations

import typer

from node.cli.options import options
from protocol.errors import WalletError
from protocol.wallet import Wallet

app = typer.Typer(help="The scheduler's wallet.", no_args_is_help=True)


@app.command()
def new(context: typer.Context) -> None:
    """Make a new wallet, readable by you only, and print its address."""
    file = options(context).wallet
    if file.exists():  # checked again when writing; this spares the second that a key takes
        raise WalletError(f"wallet {file} exists already")
    made = Wallet.generate()
    made.save(file)
    typer.echo(str(made.address))


@app.command()
def address(context: typer.Context) -> None:
    """Print the address of the wallet."""
    typer.echo(str(Wallet.load(options(context).wallet).address))
